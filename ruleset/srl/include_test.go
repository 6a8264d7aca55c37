package srl

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// opener opens files of a map, each by its own name.
func opener(files map[string]string) func(from, name string) (string, []byte, error) {
	return func(from, name string) (string, []byte, error) {
		text, ok := files[name]
		if !ok {
			return name, nil, fmt.Errorf("%s, for %s: %w", name, from, fs.ErrNotExist)
		}
		return name, []byte(text), nil
	}
}

// TestInclude has what files become that include others, or the faults in them.
func TestInclude(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a statement", map[string]string{"main": `include "a"; count;`, "a": "save a;"}, "save a;\ncount;\n"},
		{"in braces, without an end", map[string]string{"main": `{ include "a"; } count;`, "a": "save a; # the end"}, "{\n   save a;\n}\ncount;\n"},
		{"twice, and nothing", map[string]string{"main": `include "a"; include "b"; Include "a";`, "a": "save a;\n", "b": ""}, "save a;\nsave a;\n"},
		{"defines both ways", map[string]string{
			"main": `define one = 1; if a == two count; include "a"; f;`,
			"a":    "\ufeffdefine two = (one, 2); include \"b\"; if b == two save;",
			"b":    "subroutine f () define three = 3; if a == three return; endsub;",
		}, "if a == (1, 2)\n   count;\nif b == (1, 2) save;\nf;\nsubroutine f ()\n   if a == 3\n      return;\n   endsub;\n"},
		{"still a name", map[string]string{"main": `include: { exit include; } include; subroutine include () ; endsub; if include == 1 save include;`},
			"include: {\n   exit include;\n}\ninclude;\nif include == 1\n   save include;\nsubroutine include ()\n   ;\n   endsub;\n"},
		{"format", map[string]string{"main": `format include "x";`}, "format include \"x\";\n"},
		{"no file", map[string]string{"main": "count;\ninclude \"a\";"}, "main:2:9: a, for main: file does not exist"},
		{"itself", map[string]string{"main": `include "a";`, "a": "\ninclude \"main\";"}, "a:2:9: main includes itself"},
		{"itself farther off", map[string]string{"main": `include "a";`, "a": `include "b";`, "b": `include "a"; save b`},
			"b:1:9: a includes itself\nmain:1:13: expected ; behind SAVE b, found the end of the file"},
		{"faults in their files", map[string]string{
			"main": "include \"a\" save;\nx: { count; }\ninclude \"a\";",
			"a":    "save x?;\nx: { count; }",
		}, "a:1:7: \"?\" is no part of SRL\na:2:1: label x is already used at a:2:1\n" +
			"main:1:13: expected ; behind INCLUDE \"a\", found SAVE\nmain:1:17: expected an attribute behind SAVE, found \";\"\n" +
			"main:2:1: label x is already used at a:2:1"},
		{"a DEFINE there, used here", map[string]string{"main": "include \"a\";\nif b == a;", "a": "define a = save;\nif c == a;"},
			"a:2:9: expected a value (keywords cannot be names), found SAVE (from DEFINE a, 1:12)\n" +
				"main:2:9: expected a value (keywords cannot be names), found SAVE (from DEFINE a, a:1:12)"},
		{"a DEFINE here, used there", map[string]string{"main": "define a = save;\ninclude \"a\";", "a": "\nif c == a;"},
			"a:2:9: expected a value (keywords cannot be names), found SAVE (from DEFINE a, main:1:12)"},
		{"no quotation marks", map[string]string{"main": "include a/b.srl; include ../c\ninclude \"d;\ncount\ninclude \"e\" count;", "e": ";"},
			"main:1:1: INCLUDE has a file's name in quotation marks: include \"nets.srl\";\n" +
				"main:1:18: INCLUDE has a file's name in quotation marks: include \"nets.srl\";\n" +
				"main:2:9: expected \" to close this text on its line\nmain:4:1: expected ; behind COUNT, found \"include\""},
		{"no text", map[string]string{"main": `include "a";`, "a": "count;\x00"}, "main:1:9: a: no text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse("main", []byte(tt.files["main"]), Options{Open: opener(tt.files)})
			got := p.String()
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// TestIncludeLimits: files that include ever more are given up.
func TestIncludeLimits(t *testing.T) {
	n := 0
	for _, tt := range []struct {
		name, text, file, want string
	}{
		{"chain", `include "a";`, `include "a";`, "a20:1:9: files include each other more than 20 deep"},
		{"tree", `include "a";`, `include "a"; include "a";`, "a20:1:9: files include each other more than 20 deep"},
		{"many", strings.Repeat(`include "a";`, maxFiles+2), "", ": the program reads more than 10000 files"},
		{"words", strings.Repeat(`include "a";`, 5), strings.Repeat(";", maxExpansion/4), "the program has 4194304 words or more"},
	} {
		n = 0
		open := func(from, name string) (string, []byte, error) {
			n++
			return fmt.Sprintf("a%d", n), []byte(tt.file), nil
		}
		_, err := Parse("main", []byte(tt.text), Options{Open: open})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %.300v, want %s", tt.name, err, tt.want)
		}
		if n > maxFiles {
			t.Errorf("%s: %d files were read", tt.name, n)
		}
	}
	if _, err := Parse("main", []byte(`include "a";`), Options{}); err == nil || err.Error() != "main:1:9: there are no files to read here" {
		t.Errorf("without files: %v", err)
	}
}
