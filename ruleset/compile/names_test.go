package compile

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/ruleset/attr"
)

// TestNamedValues: SRL reads each name of a value, hyphens and all, in either case, as
// that value.
func TestNamedValues(t *testing.T) {
	n := 0
	program := func(format string, args ...any) string {
		return rulesOf(t, source(t, fmt.Sprintf(format, args...)))
	}
	for _, a := range attr.Named() {
		for _, end := range []attr.Attr{a, a.Reverse()} {
			for _, v := range attr.NamedValues(end) {
				for _, name := range v.Names {
					n++
					byName := program("if %v == %s save; count;", end, name)
					byNumber := program("if %v == %d save; count;", end, v.Value)
					others := program("if %v == (%s) save; count;", end, strings.ReplaceAll(strings.ToUpper(name), "-", "_"))
					if byName != byNumber || others != byNumber {
						t.Errorf("%v == %s is\n%swant\n%s", end, name, byName, byNumber)
					}
				}
			}
		}
	}
	if n < 600 {
		t.Errorf("only %d names", n)
	}
}
