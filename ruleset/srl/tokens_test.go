package srl

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	const text = "/* a */ If SourcePeerAddress == (10/8, x_1) # c\n save, { format \"a b\" ';' 1..2 \\; é \"open"
	var got []string
	for tok := range Tokens(text) {
		if text[tok.Offset:tok.End()] != tok.Text {
			t.Errorf("%q is not what stands at %d", tok.Text, tok.Offset)
		}
		got = append(got, fmt.Sprintf("%d %s", tok.Kind, tok.Text))
	}
	want := []string{"2 If", "1 SourcePeerAddress", "0 ==", "0 (", "3 10", "0 /", "3 8", "0 ,", "1 x_1", "0 )",
		"2 save", "0 ,", "0 {", "1 format", `5 "a b"`, "4 ';'", "3 1", "0 ..", "3 2", `0 \;`, `0 "open`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKeywordList(t *testing.T) {
	for _, k := range Keywords() {
		if keywordOf(k) == none || k != strings.ToUpper(k) {
			t.Errorf("%s is no keyword in capitals", k)
		}
	}
	if len(Keywords()) != len(keywords) {
		t.Errorf("%d keywords, want %d", len(Keywords()), len(keywords))
	}
}
