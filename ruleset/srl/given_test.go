package srl

import (
	"strings"
	"testing"
)

func TestGiven(t *testing.T) {
	const program = "define host = 10.0.0.1;\nif SourcePeerAddress == host save;\nact\n"
	for _, tt := range []struct{ given, want string }{
		{"host=10.0.0.2 act=count;", "SourcePeerAddress == 10.0.0.2"},
		{"HOST=(::1,::2/128) act=count\\;", "SourcePeerAddress == (::1, ::2/128)"},
		{"act={count;} other=1", "SourcePeerAddress == 10.0.0.1"},
	} {
		var opts Options
		for _, text := range strings.Fields(tt.given) {
			g, err := ParseGiven(text)
			if err != nil {
				t.Fatal(err)
			}
			opts.Given = append(opts.Given, g)
		}
		p, err := Parse("t.srl", []byte(program), opts)
		if err != nil {
			t.Errorf("%s: %v", tt.given, err)
			continue
		}
		if text := p.String(); !strings.Contains(text, tt.want) {
			t.Errorf("%s: the program is %s, want %s", tt.given, text, tt.want)
		}
		for _, g := range opts.Given {
			if g.Used != (g.Name != "other") {
				t.Errorf("%s: %s is used: %t", tt.given, g.Name, g.Used)
			}
		}
	}
	// The place of a fault is that of the name, and that in what was given.
	g, _ := ParseGiven("act=count; )")
	_, err := Parse("t.srl", []byte(program), Options{Given: []*Given{g}})
	if err == nil || !strings.HasPrefix(err.Error(), "t.srl:3:1: ") || !strings.HasSuffix(err.Error(), " (from -D act, 1:8)") {
		t.Errorf("the fault is %v", err)
	}
}

func TestParseGivenFaults(t *testing.T) {
	for text, want := range map[string]string{
		"": "want NAME=TEXT", "a": "want NAME=TEXT", "=1": "want NAME=TEXT", "1a=2": "is no name", "a-b=2": "is no name",
		"If=1": "IF is a keyword", "a=1 $ 2": `the text of a: 1:3: "$" is no part of SRL`, "a=\n define b = 1;": "the text of a: 2:2: DEFINE cannot",
		"a=$ define": "1:1",
	} {
		if g, err := ParseGiven(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %s", text, g, err, want)
		}
	}
	if g, err := ParseGiven(" a ="); err != nil || g.Name != "a" || g.Text != "" {
		t.Errorf("an empty text: %v, %v", g, err)
	}
}
