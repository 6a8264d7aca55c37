package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"rtfm/ruleset/builtin"
	"rtfm/ruleset/srl"
)

// said returns what is said of a program, a line each; notes too if they are wanted.
func said(t *testing.T, file, text string, notes bool) string {
	t.Helper()
	found, err := Source(file, []byte(text), srl.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	all := ""
	for _, f := range found {
		if !f.Note || notes {
			all += fmt.Sprintf("%v [%d]\n", f.Diagnostic, f.Number)
		}
	}
	return all
}

// good calls fn for each program that comes with the project, and for those of RFCs.
func good(t *testing.T, fn func(name, text string)) {
	t.Helper()
	files, err := filepath.Glob("../examples/*.srl")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, dir := range []string{"testdata/good"} {
		more, err := filepath.Glob(filepath.Join(dir, "*.srl"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	if dir := os.Getenv("RTFM_TRACES"); dir != "" {
		more, _ := filepath.Glob(filepath.Join(dir, "rulesets", "rfc*.srl"))
		files = append(files, more...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fn(file, string(text))
	}
	for _, p := range builtin.Programs() {
		fn(p.Name, p.Text)
	}
}

// TestGood has nothing said of good programs.
func TestGood(t *testing.T) {
	good(t, func(name, text string) {
		if all := said(t, name, text, false); all != "" {
			t.Errorf("%s", all)
		}
	})
}

// TestKinds has each number said of its example, and no other but notes.
func TestKinds(t *testing.T) {
	before := 0
	for _, k := range Kinds {
		if k.Number <= before {
			t.Errorf("%d stands behind %d", k.Number, before)
		}
		before = k.Number
		if k.Example == "" {
			continue
		}
		found, err := Source("x.srl", []byte(k.Example), srl.Options{})
		if err != nil {
			t.Errorf("%d: %v", k.Number, err)
			continue
		}
		is := false
		for _, f := range found {
			is = is || f.Number == k.Number
			if f.Number != k.Number && !f.Note {
				t.Errorf("%d: %v [%d]", k.Number, f, f.Number)
			}
		}
		if !is {
			t.Errorf("%d is not said of\n%s: %v", k.Number, k.Example, found)
		}
	}
}
