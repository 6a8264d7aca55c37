package export

import (
	"fmt"
	"testing"
)

// FuzzFields: names and texts put together again are the object.
func FuzzFields(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":"x\"}y","c":{"d":[1,{"e":"]"}]},"f":null}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"a" : 1}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		again := []byte("{")
		err := Fields(object, func(name, text []byte) error {
			if len(again) > 1 {
				again = append(again, ',')
			}
			again = fmt.Appendf(again, `"%s":%s`, name, text)
			return nil
		})
		if again = append(again, '}'); err == nil && string(again) != string(object) {
			t.Errorf("%q became %q", object, again)
		}
	})
}
