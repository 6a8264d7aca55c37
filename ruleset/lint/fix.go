package lint

import (
	"bytes"
	"slices"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// Fix makes all edits of findings that do not overlap in a text, and returns it and
// how many findings it mended.
func Fix(text []byte, found []Finding) ([]byte, int) {
	var edits []Edit
	n := 0
	for _, f := range found {
		overlaps := func(e Edit) bool {
			return slices.ContainsFunc(edits, func(o Edit) bool { return e.Begin < o.End && o.Begin < e.End })
		}
		if len(f.Fix) > 0 && !slices.ContainsFunc(f.Fix, overlaps) {
			edits = append(edits, f.Fix...)
			n++
		}
	}
	slices.SortFunc(edits, func(a, b Edit) int { return b.Begin - a.Begin })
	for _, e := range edits {
		text = slices.Concat(text[:e.Begin], []byte(e.Text), text[e.End:])
	}
	return text, n
}

// fixes adds to findings what mends them, where that stands in the program's own file.
func (l *linter) fixes(text []byte) {
	x := &fixer{text: text, at: l.at}
	for i := range text {
		if i == 0 || text[i-1] == '\n' {
			x.lines = append(x.lines, i)
		}
	}
	for i := range l.found {
		f := &l.found[i]
		if f.File != l.prog.File || strings.HasSuffix(f.Msg, ")") && strings.Contains(f.Msg, " (from ") && f.Number != NeverMatches {
			continue
		}
		at := srl.Place{Line: int32(f.Line), Col: int32(f.Col)}
		if e, ok := x.fix(f, at, l); ok {
			f.Fix = []Edit{e}
		}
	}
}

// fixer makes edits of a text.
type fixer struct {
	text  []byte
	lines []int // where they begin
	at    *places
}

func (x *fixer) fix(f *Finding, at srl.Place, l *linter) (e Edit, ok bool) {
	switch f.Number {
	case compile.SavedAgain:
		return x.firstSave(at)
	case Overwritten, NeverCounted:
		return x.save(f.at)
	case compile.SavedAnyway:
		for place, list := range x.at.saves {
			if len(list) == 1 && list[0].Attr.Place == at {
				return x.statement(place)
			}
		}
	case compile.UnusedDefine:
		for _, d := range l.prog.Defines {
			if d.NamePlace == at && d.Swallowed() == "" {
				return x.statement(d.Place)
			}
		}
	case compile.Uncalled:
		for _, s := range l.prog.Subs {
			if s.Name.Place == at {
				return x.subroutine(s.Place)
			}
		}
	case compile.Covered:
		if o, is := x.at.operands[at]; is && len(o.test.Operands) > 1 {
			return x.item(at)
		}
	case NeverMatches:
		at = f.at
		if d := at.Def; d != nil && d.Name != "" {
			if d.Given || d.DefFile != "" {
				return e, false
			}
			at = srl.Place{Line: at.DefLine, Col: at.DefCol}
		}
		return x.item(at)
	}
	return e, false
}

// firstSave deletes the SAVE before the one of the same attribute at a place.
func (x *fixer) firstSave(at srl.Place) (e Edit, ok bool) {
	for i, s := range x.at.inOrder {
		if s.Attr.Place != at {
			continue
		}
		for j := i - 1; j >= 0; j-- {
			if before := x.at.inOrder[j]; strings.EqualFold(before.Attr.Text, s.Attr.Text) {
				if len(x.at.saves[before.Place]) == 1 {
					return x.statement(before.Place)
				}
				return x.item(before.Attr.Place)
			}
		}
	}
	return e, false
}

// save deletes the SAVE or STORE at a place.
func (x *fixer) save(at ruleset.Place) (e Edit, ok bool) {
	if at.Def != nil || len(x.at.saves[at]) > 1 {
		return e, false
	}
	return x.statement(at)
}

// offset returns where a place is in the text.
func (x *fixer) offset(at srl.Place) int {
	if at.Line < 1 || int(at.Line) > len(x.lines) {
		return len(x.text)
	}
	n := min(x.lines[at.Line-1]+int(at.Col)-1, len(x.text))
	if bytes.HasPrefix(x.text, []byte("\ufeff")) && at.Line == 1 {
		n = min(n+3, len(x.text))
	}
	return n
}

// statement deletes one that ends with its first semicolon.
func (x *fixer) statement(at srl.Place) (e Edit, ok bool) {
	begin := x.offset(at)
	for end := begin; ; {
		t := x.token(end)
		if t.begin == len(x.text) {
			return e, false
		}
		if end = t.end; x.is(t, ";") {
			return x.without(begin, end), true
		}
	}
}

// subroutine deletes one up to the semicolon behind its ENDSUB.
func (x *fixer) subroutine(at srl.Place) (e Edit, ok bool) {
	begin := x.offset(at)
	ended := false
	for end := begin; ; {
		t := x.token(end)
		if t.begin == len(x.text) {
			return e, false
		}
		ended = ended || x.is(t, "endsub")
		if end = t.end; ended && x.is(t, ";") {
			return x.without(begin, end), true
		}
	}
}

// item deletes one of a list, with a comma.
func (x *fixer) item(at srl.Place) (e Edit, ok bool) {
	begin := x.offset(at)
	var before token
	for n := 0; n < begin; { // of the whole text: a comment may hold anything
		t := x.token(n)
		if t.begin >= begin {
			break
		}
		before, n = t, t.end
	}
	end := begin
	for {
		t := x.token(end)
		switch {
		case t.begin == len(x.text):
			return e, false
		case x.is(t, ","):
			for end = t.end; end < len(x.text) && x.text[end] == ' '; end++ {
			}
			return Edit{Begin: begin, End: end}, true
		case x.is(t, ")"), x.is(t, ";"):
			if !x.is(before, ",") {
				return e, false
			}
			return Edit{Begin: before.begin, End: end}, true
		}
		end = t.end
	}
}

// without deletes a statement: all of its lines if nothing else stands there, and all
// but a semicolon if there must be one.
func (x *fixer) without(begin, end int) Edit {
	var before token
	for n := 0; ; {
		t := x.token(n)
		if t.begin >= begin {
			break
		}
		before, n = t, t.end
	}
	alone := before.end == 0 || x.is(before, ";") || x.is(before, "{") && !x.is(x.token(end), "}") || x.is(before, "}")
	if !alone {
		return Edit{Begin: begin, End: end, Text: ";"}
	}
	from, to := begin, end
	for from > 0 && (x.text[from-1] == ' ' || x.text[from-1] == '\t') {
		from--
	}
	for to < len(x.text) && (x.text[to] == ' ' || x.text[to] == '\t') {
		to++
	}
	switch {
	case to < len(x.text) && x.text[to] == '\n' && (from == 0 || x.text[from-1] == '\n'):
		return Edit{Begin: from, End: to + 1}
	case to == len(x.text) || x.text[to] == '\n':
		return Edit{Begin: from, End: to}
	}
	return Edit{Begin: begin, End: to}
}

// token is a word, value, text in quotation marks or other character of a program.
type token struct{ begin, end int }

func (x *fixer) is(t token, text string) bool {
	return strings.EqualFold(string(x.text[t.begin:t.end]), text)
}

// token finds the one from n on; at the end it is empty.
func (x *fixer) token(n int) token {
	for n < len(x.text) {
		switch c := x.text[n]; {
		case c == '#':
			n = x.behind(n, "\n")
		case bytes.HasPrefix(x.text[n:], []byte("/*")):
			n = x.behind(n+2, "*/")
		case c <= ' ' || n == 0 && bytes.HasPrefix(x.text, []byte("\ufeff")):
			n++
			if c > ' ' {
				n += 2
			}
		case c == '"':
			return token{n, x.behind(n+1, `"`)}
		case c == '\'':
			if n+2 < len(x.text) && x.text[n+1] == '\\' {
				return token{n, x.behind(n+3, "'")}
			}
			return token{n, x.behind(n+1, "'")}
		case c == '\\' && n+1 < len(x.text):
			return token{n, n + 2}
		case strings.IndexByte(";,(){}", c) >= 0:
			return token{n, n + 1}
		default:
			end := n + 1
			for end < len(x.text) && x.text[end] > ' ' && strings.IndexByte(";,(){}#'\"\\", x.text[end]) < 0 {
				end++
			}
			return token{n, end}
		}
	}
	return token{len(x.text), len(x.text)}
}

// behind returns the place behind the next end, from n on.
func (x *fixer) behind(n int, end string) int {
	if n > len(x.text) {
		return len(x.text)
	}
	i := bytes.Index(x.text[n:], []byte(end))
	if i < 0 {
		return len(x.text)
	}
	return n + i + len(end)
}
