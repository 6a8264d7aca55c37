package srl

import (
	"bytes"
	"errors"
	"strings"
)

// Reformat lays a program out: one statement a line, indented by the statements
// around it, keywords in small letters, comments and the author's line breaks in
// lists, expressions and DEFINEs where they were. DEFINEs and INCLUDEs stay what
// they are. Formatting what was formatted changes nothing. spelling returns how a
// name is to be spelled, in whatever case. A faulty program is refused with what
// Parse finds.
func Reformat(file string, text []byte, spelling func(name string) string, opts Options) ([]byte, error) {
	if _, err := Parse(file, text, opts); err != nil {
		return nil, err
	}
	items, whole := pieces(string(bytes.TrimPrefix(text, []byte("\ufeff"))))
	f := &formatter{items: items, spelling: spelling}
	f.program()
	out := f.lines.text()
	if after, _ := pieces(out); !whole || !same(items, after) {
		return nil, errors.New(file + ": cannot be formatted without a change of what it says") // not known to happen
	}
	return []byte(out), nil
}

// break_ says whether a token begins a line.
type break_ uint8

const (
	joined break_ = iota // stays behind the one before it
	kept                 // begins a line if it did before
	begun                // begins a line
)

// formatter goes through the tokens of a program, its DEFINEs not replaced, and
// finds statements by what they begin with. What a DEFINE stands for it does not
// know: the lines of a program that hides half a statement in one are whole, but
// may be indented otherwise than meant.
type formatter struct {
	items    []item // the last is the end of the file
	at       int
	depth    int // of the statement
	parens   int // that are open, and the braces in a DEFINE's text
	words    int // tokens of the statement so far
	spacing  spacing
	lines    lines
	spelling func(string) string
	pending  bool // a line must begin: a directive stood inside a statement
	nesting  int
}

// cur returns the token to be laid out.
func (f *formatter) cur() *token { return &f.items[f.at].token }

// ahead returns the one after it.
func (f *formatter) ahead() *token { return &f.items[min(f.at+1, len(f.items)-1)].token }

func (f *formatter) program() {
	for f.cur().kind != kEOF {
		f.stmt(0, begun)
	}
	f.put(begun, 0, 0)
}

// put lays out the comments in front of the current token, and the token, at a
// depth if it begins a line. Comments that have a line for themselves are so much
// deeper.
func (f *formatter) put(br break_, depth, deeper int) {
	it := &f.items[f.at]
	if f.pending {
		br, f.pending = begun, false
	}
	starts := f.begins(it, br) || it.kind == kEOF // a line always ends there
	last := endLines(it, starts)
	for i := range it.comments {
		c := &it.comments[i]
		switch {
		case c.newlines > 0 || f.lines.empty():
			f.lines.begin(depth+deeper, c.newlines)
			f.lines.add(c.text, false)
		case last[i]:
			f.lines.trail(c.text)
		default:
			f.lines.add(c.text, true)
		}
	}
	if it.kind == kEOF {
		return
	}
	text := f.text(it)
	if starts || f.lines.empty() {
		f.lines.begin(depth, it.newlines)
		f.lines.add(text, false)
	} else {
		f.lines.add(text, f.spacing.between(&it.token))
	}
	f.spacing.after(&it.token)
	f.words++
	f.at++
}

// begins reports whether the token begins a line, behind its comments.
func (f *formatter) begins(it *item, br break_) bool {
	starts := br == begun || br == kept && it.newlines > 0
	own := f.lines.empty() // the comment's line is one for comments
	for i := range it.comments {
		c := &it.comments[i]
		own = own && (i == 0 || !it.comments[i-1].line) || c.newlines > 0
		switch {
		case c.line:
			starts = true
		case own && i == len(it.comments)-1:
			starts = it.newlines > 0 // or the token stays behind it
		}
	}
	return starts
}

// endLines reports which of the comments in front of a token have nothing but comments
// behind them on their lines, if the token begins a line or does not.
func endLines(it *item, starts bool) []bool {
	last := make([]bool, len(it.comments))
	for i := len(last) - 1; i >= 0; i-- {
		if it.comments[i].line || i+1 < len(last) && it.comments[i+1].newlines > 0 {
			starts = true
		}
		last[i] = starts
	}
	return last
}

// text returns a token as it is to be written.
func (f *formatter) text(it *item) string {
	switch {
	case it.key != none:
		return strings.ToLower(it.text)
	case it.kind != kName:
		return it.text
	}
	if lower := strings.ToLower(it.text); f.words == 0 && f.spacing.inText == 0 && f.ahead().kind != ':' {
		switch lower {
		case "include", "set", "format", "statistics":
			return lower
		}
	} else if isJoin(lower) && f.joins() {
		return lower
	}
	return f.spelling(it.text)
}

// isJoin reports whether a word in small letters joins or negates tests.
func isJoin(lower string) bool { return lower == "and" || lower == "or" || lower == "not" }

// joins reports whether the current token is AND, OR or NOT in front of a test.
func (f *formatter) joins() bool {
	t, next := f.cur(), f.ahead()
	return t.kind == kName && isJoin(strings.ToLower(t.text)) &&
		(next.kind == kName && next.key == none || next.kind == '(' || next.kind == kNot)
}

// first lays out the first token of a statement.
func (f *formatter) first(br break_, depth int) {
	f.depth, f.words, f.parens = depth, 0, 0
	f.put(br, depth, 0)
	f.inside()
}

// next lays out the next token of the statement.
func (f *formatter) next(br break_) {
	switch f.cur().kind {
	case '(':
		defer func() { f.parens++ }()
	case ')':
		f.parens = max(0, f.parens-1)
		f.put(br, f.depth+f.parens, 1)
		f.inside()
		return
	}
	f.put(br, f.depth+max(1, f.parens), 0)
	f.inside()
}

// inside lays out DEFINEs that stand inside the statement.
func (f *formatter) inside() {
	switch f.items[f.at-1].kind {
	case ';', '{', '}':
		return
	}
	for f.cur().key == kwDefine {
		depth, words, parens, spaces := f.depth, f.words, f.parens, f.spacing
		f.define(depth + 1)
		f.depth, f.words, f.parens, f.spacing = depth, words, parens, spaces
		f.pending = true
	}
}

// mayBreak says whether the author may have begun a line with the current token
// inside a statement.
func (f *formatter) mayBreak() break_ {
	before := &f.items[f.at-1].token
	switch before.kind {
	case '(', ',', kAnd, kOr:
		return kept
	case kName:
		if isJoin(strings.ToLower(before.text)) {
			return kept
		}
	}
	switch f.cur().kind {
	case ')', kAnd, kOr:
		return kept
	}
	return joined
}

// define lays out a DEFINE, in which lines begin where the author began them.
func (f *formatter) define(depth int) {
	f.first(begun, depth)
	f.spacing = spacing{last: token{key: kwDefine}, inText: 1}
	for k := f.cur().kind; k != ';' && k != kEOF; k = f.cur().kind {
		br := kept
		if f.words < 3 || k == ',' || k == kSemicolon {
			br = joined
		}
		switch k {
		case '(', '{':
			f.put(br, depth+1+f.parens, 0)
			f.parens++
		case ')', '}':
			f.parens = max(0, f.parens-1)
			f.put(br, depth+f.parens, 1)
		default:
			f.put(br, depth+max(1, f.parens), 0)
		}
	}
	if f.cur().kind == ';' {
		f.put(joined, depth+1, 0)
	}
	f.spacing = spacing{last: token{kind: ';'}}
}
