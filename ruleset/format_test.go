package ruleset

import (
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/attr"
)

func TestFormat(t *testing.T) {
	f, err := ParseFormat(" FlowIndex\n\"  \"ToPDUs # comment\n \"\\t\" FROMPDUS \", \" \"\\\"\" sourceclass\"  \"")
	if err != nil {
		t.Fatal(err)
	}
	want := []Field{{Attr: attr.FlowIndex, Separator: "  "}, {Attr: attr.ToPDUs, Separator: "\t"}, {Attr: attr.FromPDUs, Separator: ", \""}, {Attr: attr.SourceClass, Separator: " "}}
	if !slices.Equal(f.Fields, want) {
		t.Errorf("got %+v", f.Fields)
	}
	if got := f.String(); got != `FlowIndex "  " ToPDUs "\t" FromPDUs ", \"" SourceClass` {
		t.Error(got)
	}
	for _, text := range []string{"", "ToPDUs ; x", "ToPDU", "ToPDUs \"", "Null", `ToPDUs "" FromPDUs`, `ToPDUs "\r" FromPDUs`,
		`ToPDUs "` + strings.Repeat(" ", 81) + `" FromPDUs`, "ToPDUs" + strings.Repeat(` " "`, 81) + "FromPDUs"} {
		if f, err := ParseFormat(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, f)
		}
	}
	for _, f := range []Format{{}, {[]Field{{Attr: attr.V1, Separator: " "}}}, {[]Field{{Attr: attr.ToPDUs, Separator: "x"}}}, {[]Field{{Attr: attr.ToPDUs, Separator: ""}}}} {
		if f.Check() == nil {
			t.Errorf("%+v passes", f)
		}
	}
	if err := f.Check(); err != nil {
		t.Error(err)
	}
}
