package srl

import (
	"slices"
	"strings"
)

// maxExpansion bounds how many tokens and uses of DEFINEs a program may
// come to: a few DEFINEs that use each other twice grow without bound.
const maxExpansion = 1 << 22

// expander gives the tokens of a program with its DEFINEs replaced. The
// names may be used in front of their definitions (RFC 2723 section 2.1:
// wherever the name appears elsewhere), so the whole text is scanned for them
// first; then it and the DEFINEs' texts are scanned as they are needed, which
// takes less time than to keep all their tokens.
type expander struct {
	defines map[string]*Define
	behind  []scanner // what follows each DEFINE directive
	frames  []frame   // the program, then the DEFINEs in use
	end     token     // of the program
	given   int
	stopped bool // the program ends here, whatever follows
	report  func(at Place, format string, args ...any)
}

// frame is a text whose tokens are being given.
type frame struct {
	scanner
	def *Define // nil for the program itself
	use Place   // of the DEFINE's name in the program
}

// newExpander looks for the DEFINE directives in a program's text and for what
// is no token.
func newExpander(prog *Program, text string, report func(Place, string, ...any)) *expander {
	x := &expander{defines: map[string]*Define{}, report: report}
	s := scanner{text: text, line: 1, report: report}
	for n := 1; ; n++ {
		t := s.next()
		for t.key == kwDefine {
			t = x.define(prog, &s, t.at)
			x.behind = append(x.behind, s)
			if t.kind == ';' {
				t = s.next()
			}
		}
		if t.kind == kEOF {
			x.end = t
			break
		}
		if t.kind == kSemicolon {
			report(t.at, `\; stands for a semicolon in the text of a DEFINE only`)
		}
		if n == maxExpansion {
			s.text = s.text[:s.pos] // next has the rest reported
		}
	}
	x.frames = []frame{{scanner: scanner{text: s.text, line: 1, report: reported}}}
	return x
}

// reported is for scanning a text once more.
func reported(Place, string, ...any) {}

// appendMany is append for what may become long: it doubles the room, where
// append adds a quarter and copies all so often.
func appendMany[T any](s []T, v T) []T {
	if len(s) == cap(s) {
		s = slices.Grow(s, max(4, len(s)))
	}
	return append(s, v)
}

// define reads a directive behind its keyword and returns the token at which
// it ended, a semicolon unless it is faulty.
func (x *expander) define(prog *Program, s *scanner, at Place) token {
	d := &Define{Place: at}
	name := s.next()
	equals := name
	d.text = *s
	if name.kind == kName && name.key == none {
		equals = s.next()
	}
	switch {
	case name.kind == kName && name.key != none:
		x.report(name.at, "%s is a keyword and cannot be DEFINEd", name)
		equals = s.next()
	case name.kind != kName:
		x.report(name.at, "expected a name behind DEFINE, found %s", name)
	case equals.kind != '=':
		x.report(equals.at, "expected = behind DEFINE %s, found %s", clip(name.text), equals)
	}
	t := equals
	if t.kind == '=' {
		d.text = *s
		t = s.next()
	}
	for ; t.kind != ';' && t.kind != kEOF; t = s.next() {
		if t.key == kwDefine {
			x.report(t.at, "expected ; behind the text of DEFINE %s, found DEFINE", clip(name.text))
			return x.define(prog, s, t.at)
		}
	}
	d.text.text, d.text.report = s.text[:s.pos-len(t.text)], reported
	if t.kind == kEOF {
		x.report(t.at, "expected ; behind the text of DEFINE %s, found the end of the file", clip(name.text))
	}
	if name.kind != kName || name.key != none {
		return t
	}
	d.Name = Word{name.at, name.text}
	key := strings.ToLower(name.text)
	if before := x.defines[key]; before != nil {
		x.report(name.at, "%s is already DEFINEd at %d:%d", clip(name.text), before.Line, before.Col)
		return t
	}
	x.defines[key] = d
	prog.Defines = append(prog.Defines, d)
	return t
}

// next returns the next token.
func (x *expander) next() token {
	for {
		f := &x.frames[len(x.frames)-1]
		t := f.next()
		switch {
		case t.kind == kEOF && f.def == nil:
			return x.end
		case t.kind == kEOF:
			f.def.active = false
			x.frames = x.frames[:len(x.frames)-1]
			continue
		case t.key == kwDefine:
			f.pos, f.bol, f.line, f.last = x.behind[0].pos, x.behind[0].bol, x.behind[0].line, ';'
			x.behind = x.behind[1:]
			continue
		case f.def != nil:
			t.at = Place{f.use.Line, f.use.Col, f.def, t.at.Line, t.at.Col}
			if t.kind == kSemicolon {
				t.kind, t.text = ';', ";"
			} else if t.kind == kChar && t.text == `'\;'` {
				t.text = "';'"
			}
		case t.kind == kSemicolon:
			t.kind = kBad
		}
		if x.given++; x.given == maxExpansion {
			x.report(t.at, "the program has %d words or more, its DEFINEs replaced", maxExpansion)
			x.stop()
			continue
		}
		if t.kind == kName && t.key == none && len(x.defines) > 0 {
			if d := x.defines[strings.ToLower(t.text)]; d != nil {
				if d.active {
					x.report(t.at, "DEFINE %s uses itself", clip(t.text))
					t.kind = kBad
					return t
				}
				d.active = true
				x.frames = append(x.frames, frame{d.text, d, t.at})
				continue
			}
		}
		return t
	}
}

// stop lets the program end here.
func (x *expander) stop() {
	x.stopped = true
	x.frames = x.frames[:1]
	x.frames[0].pos = len(x.frames[0].text)
}
