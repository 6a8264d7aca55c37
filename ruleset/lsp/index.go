package lsp

import (
	"sort"
	"strings"

	"rtfm/ruleset/srl"
)

// maxWords bounds the words of a text that are looked at: no program has more.
const maxWords = 1 << 22

// index is what the words of a text tell by themselves, one after the other.
type index struct {
	text  string
	words []word
	// Declarations of DEFINEs, subroutines, and labels, and parts of programs in
	// other files, in the order of the text.
	defines, subs, labels []declaration
	includes, tables      []int // words that are the files' names
}

// A word is a token. Its text stands between two offsets.
type word struct {
	kind    srl.TokenKind
	at, end int32
}

// A declaration gives something a name.
type declaration struct {
	name     int // the word
	from, to int // offsets of all of it, a DEFINE's or a subroutine's
	text     int // where a DEFINE's text begins, or a subroutine's first line ends
	sub      int // the subroutine that a label is in, -1 for none
	params   []param
}

// param is a parameter of a subroutine.
type param struct {
	name     int // the word
	variable bool
}

// newIndex goes through a text.
func newIndex(text string) *index {
	ix := &index{text: text}
	for t := range srl.Tokens(text) {
		if len(ix.words) == maxWords {
			break
		}
		ix.words = append(ix.words, word{t.Kind, int32(t.Offset), int32(t.End())})
	}
	sub := -1
	for i := 0; i < len(ix.words); i++ {
		w := ix.words[i]
		switch {
		case w.kind == srl.Keyword:
			switch ix.lower(i) {
			case "define":
				i = ix.define(i)
			case "subroutine":
				sub = ix.subroutine(i, sub)
			case "endsub":
				if sub >= 0 {
					ix.subs[sub].to = int(w.end)
				}
				sub = -1
			}
		case w.kind == srl.Name && ix.is(i+1, ":") && ix.is(i+2, "{"):
			ix.labels = append(ix.labels, declaration{name: i, from: int(w.at), to: int(w.end), sub: sub})
		case w.kind == srl.Text && i > 0 && ix.lower(i-1) == "include":
			ix.includes = append(ix.includes, i)
		case w.kind == srl.Text && ix.is(i-1, "(") && ix.lower(i-2) == "file":
			ix.tables = append(ix.tables, i)
		}
	}
	if sub >= 0 {
		ix.subs[sub].to = len(text)
	}
	return ix
}

// define notes the DEFINE whose keyword is word i and returns its last word.
func (ix *index) define(i int) int {
	if ix.kind(i+1) != srl.Name {
		return i
	}
	d := declaration{name: i + 1, from: int(ix.words[i].at), sub: -1}
	last := i + 1
	for last+1 < len(ix.words) && !ix.is(last, ";") && ix.lower(last+1) != "define" {
		last++
		if ix.is(last-1, "(") && ix.kind(last) == srl.Text && ix.lower(last-2) == "file" {
			ix.tables = append(ix.tables, last)
		}
	}
	d.to = int(ix.words[last].end)
	if d.text = d.to; ix.is(i+2, "=") {
		d.text = int(ix.words[i+2].end)
	}
	ix.defines = append(ix.defines, d)
	return last
}

// subroutine notes the subroutine whose keyword is word i, behind the one whose
// end is missing if there is one, and returns which one it is.
func (ix *index) subroutine(i, open int) int {
	if open >= 0 {
		ix.subs[open].to = int(ix.words[i].at)
	}
	if ix.kind(i+1) != srl.Name {
		return -1
	}
	d := declaration{name: i + 1, from: int(ix.words[i].at), to: len(ix.text), text: int(ix.words[i+1].end), sub: -1}
	if ix.is(i+2, "(") {
		for j := i + 3; j < len(ix.words) && ix.kind(j) != srl.Text && !ix.is(j, ";"); j++ {
			if ix.is(j, ")") {
				d.text = int(ix.words[j].end)
				break
			}
			if kind := ix.lower(j - 1); ix.kind(j) == srl.Name && ix.kind(j-1) == srl.Keyword {
				d.params = append(d.params, param{j, kind == "variable"})
			}
		}
	}
	ix.subs = append(ix.subs, d)
	return len(ix.subs) - 1
}

// kind returns the kind of word i, Mark if there is none.
func (ix *index) kind(i int) srl.TokenKind {
	if i < 0 || i >= len(ix.words) {
		return srl.Mark
	}
	return ix.words[i].kind
}

// at returns the text of word i, "" if there is none.
func (ix *index) at(i int) string {
	if i < 0 || i >= len(ix.words) {
		return ""
	}
	return ix.text[ix.words[i].at:ix.words[i].end]
}

func (ix *index) is(i int, text string) bool { return ix.at(i) == text }

// lower returns the text of word i in small letters; "" for long ones.
func (ix *index) lower(i int) string {
	if s := ix.at(i); len(s) < 256 {
		return strings.ToLower(s)
	}
	return ""
}

// find returns the word that an offset is in, or else that it is behind; -1 if
// there is none.
func (ix *index) find(offset int) int {
	i := sort.Search(len(ix.words), func(i int) bool { return int(ix.words[i].at) > offset }) - 1
	if i < 0 || offset > int(ix.words[i].end) {
		return -1
	}
	if offset == int(ix.words[i].end) && ix.words[i].kind == srl.Mark && i+1 < len(ix.words) && int(ix.words[i+1].at) == offset {
		i++
	}
	if i > 0 && ix.words[i].kind == srl.Mark && int(ix.words[i].at) == offset && int(ix.words[i-1].end) == offset {
		i-- // a name in front of a mark, with the cursor between them
	}
	return i
}

// before returns the last word that ends at an offset or in front of it; -1 if
// there is none.
func (ix *index) before(offset int) int {
	return sort.Search(len(ix.words), func(i int) bool { return int(ix.words[i].end) > offset }) - 1
}

// within returns the subroutine that an offset is in, -1 if it is in none.
func (ix *index) within(offset int) int {
	i := sort.Search(len(ix.subs), func(i int) bool { return ix.subs[i].from > offset }) - 1
	if i >= 0 && offset < ix.subs[i].to {
		return i
	}
	return -1
}
