package compile

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

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
	var faults srl.ErrorList
	if err != nil {
		faults = err.(srl.ErrorList)
	}
	for _, f := range append(warnings, faults...) {
		text := fmt.Sprintf("%d: %s", f.Pos.Col, f.Msg)
		found := false
		for i, w := range want[f.Pos.Line] {
			if regexp.MustCompile(strings.Trim(w, `"`)).MatchString(text) {
				want[f.Pos.Line] = append(want[f.Pos.Line][:i:i], want[f.Pos.Line][i+1:]...)
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
