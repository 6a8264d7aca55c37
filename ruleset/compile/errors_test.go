package compile

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// TestErrors compiles the programs of testdata/errors.srl and compares the
// faults of each line with those that the line tells.
func TestErrors(t *testing.T) {
	text, err := os.ReadFile("testdata/errors.srl")
	if err != nil {
		t.Fatal(err)
	}
	first := 1
	for i, chunk := range strings.Split(string(text), "\n===") {
		strict := strings.HasPrefix(chunk, " strict\n")
		if i > 0 {
			_, chunk, _ = strings.Cut(chunk, "\n")
			first++
		}
		t.Run(fmt.Sprintf("line%d", first), func(t *testing.T) { checkErrors(t, chunk, srl.Options{Strict: strict}) })
		first += strings.Count(chunk, "\n") + 1
	}
}

var expectations = regexp.MustCompile(`"[^"]*"`)

func checkErrors(t *testing.T, chunk string, opts srl.Options) {
	// The expectations are no part of the program, so that faults at its end
	// have the place that they would have without.
	lines := strings.Split(strings.TrimSuffix(chunk, "\n"), "\n")
	want := map[int][]string{}
	for i, l := range lines {
		code, comment, _ := strings.Cut(l, "###")
		lines[i] = code
		want[i+1] = expectations.FindAllString(comment, -1)
	}
	_, warnings, err := Source("x.srl", []byte(strings.Join(lines, "\n")), opts)
	var faults ruleset.Diagnostics
	if err != nil {
		faults = err.(ruleset.Diagnostics)
	}
	for _, f := range append(warnings, faults...) {
		text := strings.TrimPrefix(f.Error(), fmt.Sprintf("x.srl:%d:", f.Line))
		found := false
		for i, w := range want[f.Line] {
			if regexp.MustCompile(strings.Trim(w, `"`)).MatchString(text) {
				want[f.Line] = append(want[f.Line][:i:i], want[f.Line][i+1:]...)
				found = true
				break
			}
		}
		if !found {
			t.Errorf("unexpected: %v", f)
		}
	}
	for line, left := range want {
		for _, w := range left {
			t.Errorf("line %d: nothing matches %s", line, w)
		}
	}
}

// TestTooManyErrors: a text of nothing but errors is given up.
func TestTooManyErrors(t *testing.T) {
	const n = 2 * srl.MaxErrors
	for _, tc := range []struct {
		name, text     string
		wantWarn, want string // the last of each
	}{
		{"no SRL", strings.Repeat("@\n", n), "", "x.srl:1001:1: too many errors"},
		{"grammar", strings.Repeat("save;\n", n) + "call nosuch endcall;", "", "x.srl:1001:5: too many errors"},
		{"in a DEFINE", "define a = b b;\ndefine b = c c;\ndefine c = " + strings.Repeat("count ", n) + "\\;;\na", "",
			"x.srl:4:1: too many errors (from DEFINE c, 3:6018)"},
		{"names", strings.Repeat("save Foo;\n", n), "", "x.srl:2000:6: no attribute \"Foo\""},
		{"warnings", strings.Repeat("{ count; ; }\n", n) + "count;", `x.srl:2001:1: warning: this is never reached`, ""},
	} {
		_, warnings, err := Source("x.srl", []byte(tc.text), srl.Options{})
		faults, _ := err.(ruleset.Diagnostics)
		for _, list := range []struct {
			got  ruleset.Diagnostics
			want string
		}{{faults, tc.want}, {warnings, tc.wantWarn}} {
			if list.want == "" {
				continue
			}
			if len(list.got) != srl.MaxErrors+1 || list.got[srl.MaxErrors].Error() != list.want {
				t.Errorf("%s: %d faults, want %d, the last %s:\n%v", tc.name, len(list.got), srl.MaxErrors+1, list.want, list.got[max(0, len(list.got)-3):])
			}
		}
	}
}
