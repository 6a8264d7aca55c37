package flowfile

import (
	"bytes"
	"strings"
	"testing"
)

func FuzzTail(f *testing.F) {
	const text = "##NeTraMet v5.3.\n#Time: 12:31:27 Wed  1 Feb 1995 m Flows from 1 to 3642\n1 2\n#EndData: flows=1\n"
	f.Add([]byte(text))
	f.Add([]byte(text + strings.Repeat("1 ", 40000) + "\n#EndData"))
	f.Add([]byte(`{"record":"start","to":7}` + "\n" + `{"record":"end","flows":0}` + "\n{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tail, err := FindTail(bytes.NewReader(b))
		if err != nil || tail.Size < 0 || tail.Size > int64(len(b)) || (tail.Size > 0) != (tail.Collections > 0) {
			t.Fatalf("%v: %+v of %d octets", err, tail, len(b))
		}
		if tail.Size > 0 && b[tail.Size-1] != '\n' {
			t.Errorf("%+v is not behind a line", tail)
		}
		if again, err := FindTail(bytes.NewReader(b[:tail.Size])); err != nil || again != tail {
			t.Errorf("%v: of what is complete %+v, of all %+v", err, again, tail)
		}
	})
}

// TestIsOurs recognises the beginnings of our files.
func TestIsOurs(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "##": true, "##NeTraMet v5.3": true, `{"record":"header","version":"5.3"}`: true,
		"#Time": false, "notes": false, `{"record":"flow"}`: false,
	} {
		if got := IsOurs([]byte(text)); got != want {
			t.Errorf("%q is ours: %v", text, got)
		}
	}
}
