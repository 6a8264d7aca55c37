package lsp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

func TestPositions(t *testing.T) {
	text := newText("aé😀b\r\n\rc\n" + strings.Repeat("😀é", 5000) + "x")
	for _, tc := range []struct {
		offset int
		want   position
	}{
		{0, position{0, 0}}, {1, position{0, 1}}, {3, position{0, 2}}, {7, position{0, 4}}, {8, position{0, 5}},
		{10, position{1, 0}}, {11, position{2, 0}}, {12, position{2, 1}}, {13, position{3, 0}},
		{13 + 6*4000, position{3, 3 * 4000}}, {len(text.all), position{3, 15001}},
	} {
		if got := text.position(tc.offset); got != tc.want || text.offset(got) != tc.offset {
			t.Errorf("offset %d is %v, want %v, and that is %d", tc.offset, got, tc.want, text.offset(got))
		}
	}
	for _, tc := range []struct {
		at   position
		want int
	}{
		{position{0, 3}, 3},  // within a character
		{position{0, 99}, 8}, // the line's end
		{position{99, 0}, len(text.all)},
		{position{-1, 5}, 0}, {position{2, -1}, 11},
	} {
		if got := text.offset(tc.at); got != tc.want {
			t.Errorf("%v is offset %d, want %d", tc.at, got, tc.want)
		}
	}
	// To SRL, "\r" ends no line.
	if got := text.place(2, 2); got != 11 {
		t.Errorf("line 2, column 2 of SRL is offset %d, want 11", got)
	}
}

func TestShorten(t *testing.T) {
	long := strings.Repeat("10.1.2/24,\n ", 100)
	for _, tc := range []struct{ before, after string }{
		{"(" + long + "1/8)", "(10.1.2/24" + strings.Repeat(" \n          ", 99) + "   \n     1/8)"},
		{"(" + long + "a)", ""},
	} {
		got := shorten(tc.before)
		if tc.after != "" && strings.Join(strings.Fields(got), "") != "(10.1.2/24)" {
			t.Errorf("got %q", got)
		}
		if strings.Count(got, "\n") != strings.Count(tc.before, "\n") || len(got) != len(tc.before) || len(strings.Fields(got)) > 4 {
			t.Errorf("%q became %q", tc.before, got)
		}
	}
	// What stays: short lists, comments, texts, what is no list, and what ends one.
	for _, text := range []string{
		"(" + strings.Repeat("1, ", 60) + "1)",
		"# (" + strings.Repeat("1, ", 100) + "1)\n(2, 3)", "/* (" + strings.Repeat("1, ", 100) + "1) */",
		`format "(` + strings.Repeat("1, ", 100) + `1)";`, strings.Repeat("1: ", 100), "(" + strings.Repeat("name, ", 100) + "1)",
	} {
		if got := shorten(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	// Comments between the values, and names among them.
	commented := "(" + strings.Repeat("10.1/16, # one\n2001:db8::/32, /* , */ ", 50) + "4 & 3, ours, " + strings.Repeat("fe80::1, ", 80) + "5 & 3)"
	got := strings.Join(strings.Fields(shorten(commented)), " ")
	if want := "(10.1/16 , /* , */ 4 & 3, ours, fe80::1 , 5 & 3)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWhole has a list of which the whole is checked after a pause: what is wrong in
// it stays where it is while something else is typed.
func TestWhole(t *testing.T) {
	text := strings.Replace(manyNetworks(200), "   130.0.7/24", "   10.999/24", 1)
	text = strings.Replace(text, "define customers = (\n", "if SourcePeerAddress == (\n", 1)
	text = strings.Replace(text, ");\n", ") save;\n", 1)
	text = strings.Replace(text, "== customers", "== 10/8", 1)
	const uri = "file:///tmp/whole.srl"
	c := start(t, Options{})
	c.openText(uri, text)
	faulty := func(p publishParams) bool {
		return len(p.Diagnostics) > 0 && strings.Contains(p.Diagnostics[0].Message, "999")
	}
	before := c.wait(uri, faulty).Diagnostics[0]
	c.tell("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": uri, "version": 2},
		"contentChanges": []any{map[string]any{"range": span{}, "text": "# é\n"}},
	})
	p := c.diagnostics(uri, 2)
	before.Range.Start.Line++
	before.Range.End.Line++
	if !faulty(p) || !sameDiagnostic(p.Diagnostics[0], before) {
		t.Errorf("got %+v\nwant %+v", p.Diagnostics, before)
	}
	line := before.Range.Start.Line
	c.tell("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": uri, "version": 3},
		"contentChanges": []any{map[string]any{"range": span{position{line, 0}, position{line, 12}}, "text": "   10.99/24"}},
	})
	if p := c.wait(uri, func(p publishParams) bool { return *p.Version == 3 }); faulty(p) {
		t.Errorf("mended, and still %+v", p.Diagnostics)
	}
}

// TestFormat applies what formatting tells to programs with blanks in the wrong places.
func TestFormat(t *testing.T) {
	files, err := filepath.Glob("../examples/*.srl")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, mangled := range []string{
			string(text), strings.ReplaceAll(string(text), "   ", "\t"), strings.Replace(string(text), ";\n", " ;  \n", 1),
			strings.TrimRight(string(text), "\n"), string(text) + "\n\n", "\n" + string(text),
		} {
			want, err := compile.Format(name, []byte(mangled), srl.Options{})
			if err != nil {
				t.Fatal(err)
			}
			s := still(nil)
			path, _ := filepath.Abs(name)
			d := &document{source: &source{uri: uriOf(path), path: path}}
			d.set(mangled)
			s.open = append(s.open, d)
			edits, err := s.format(d, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range edits.([]textEdit) {
				d.apply(change{&e.Range, e.NewText})
			}
			if d.all != string(want) {
				t.Errorf("%s, form %d: %s", name, i, fmt.Sprintf("got\n%s\nwant\n%s", d.all, want))
			}
		}
	}
}
