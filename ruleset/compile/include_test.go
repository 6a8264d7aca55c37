package compile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/ruleset/srl"
)

// TestIncludeFiles includes files of a folder: names are relative to the file that
// includes them, and faults have their places.
func TestIncludeFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	main := write("main.srl", `include "sub/a.srl"; if SourcePeerAddress == ours save, count;`)
	write("sub/a.srl", `define ours = 10/8; include "../b.srl"; include "b.srl";`)
	write("sub/b.srl", "if SourcePeerType != 1 ignore;")
	write("b.srl", "save DestPeerType;")
	rs, warnings, err := Load(main, nil, srl.Options{})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := []string{"b.srl", filepath.Join("sub", "b.srl"), "main.srl"}
	var got []string
	for _, r := range rs.Rules {
		at := strings.TrimPrefix(r.At.Diagnose(rs.File, "").File, dir+string(filepath.Separator))
		if len(got) == 0 || got[len(got)-1] != at {
			got = append(got, at)
		}
	}
	if !strings.Contains(strings.Join(got, " "), strings.Join(want, " ")) {
		t.Errorf("the rules are of %v, want %v", got, want)
	}
	// A text without a file has the working folder.
	t.Chdir(dir)
	for _, name := range []string{"-", "-e", "@flows"} {
		if _, _, err := Source(name, []byte(`include "b.srl"; count;`), srl.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for include, want := range map[string]string{
		"sub":       `x:1:9: sub: no file`,
		"nosuch":    `x:1:9: nosuch: no such file or directory`,
		"":          `x:1:9: a file has a name`,
		"/dev/null": `x:1:9: /dev/null: no file`,
	} {
		if _, _, err := Source("x", []byte(`include "`+include+`"; count;`), srl.Options{}); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", include, err, want)
		}
	}
}
