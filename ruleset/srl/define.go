package srl

import (
	"strings"
)

// maxExpansion bounds how many tokens and uses of DEFINEs a program may
// come to: a few DEFINEs that use each other twice grow without bound.
const maxExpansion = 1 << 22

// expander gives the tokens of a program with its DEFINEs replaced. The
// names may be used in front of their definitions (RFC 2723 section 2.1:
// wherever the name appears elsewhere), so the whole text is scanned for them
// first; then it and the DEFINEs' texts are scanned as they are needed, which
// takes less time than to keep all their tokens. Only of a DEFINE that is used
// again they are kept: its text may be long.
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
	tokens []token // if they are kept
	def    *Define // nil for the program itself
	use    Place   // of the DEFINE's name in the program
}

// next makes t the next token, which keeps its place in the text.
func (f *frame) next(t *token) {
	if len(f.tokens) == 0 {
		f.scanner.next(t)
		return
	}
	*t, f.tokens = f.tokens[0], f.tokens[1:]
}

// expand returns a frame that gives the DEFINE's tokens where its name stands.
func (d *Define) expand(use Place) frame {
	if d.used && d.tokens == nil {
		s := d.text
		for more := true; more; {
			var t token
			s.next(&t)
			d.tokens = append(d.tokens, t)
			more = t.kind != kEOF
		}
	}
	d.used = true
	if d.given != nil {
		d.given.Used = true
	}
	return frame{d.text, d.tokens, d, use}
}

// newExpander looks for the DEFINE directives in a program's text and for what
// is no token.
func newExpander(prog *Program, given []*Given, text string, report func(Place, string, ...any)) *expander {
	x := &expander{defines: map[string]*Define{}, report: report}
	for _, g := range given {
		x.defines[strings.ToLower(g.Name)] = g.define()
	}
	s := scanner{text: text, line: 1, strict: prog.Strict, report: report}
	var t token
	for n := 1; ; n++ {
		s.next(&t)
		for t.key == kwDefine {
			for t.key == kwDefine { // again, if a directive without its end is followed by one
				t = x.define(prog, &s, t.at)
			}
			x.behind = append(x.behind, s)
			if t.kind == ';' {
				s.next(&t)
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

// define reads a directive after its keyword and returns the token at which
// it ended, a semicolon unless it is faulty: then the end of the text or the
// DEFINE of the next directive.
func (x *expander) define(prog *Program, s *scanner, at Place) token {
	d := &Define{Place: at}
	var name token
	s.next(&name)
	t := name
	d.text = *s
	if name.kind == kName && name.key == none {
		s.next(&t)
	}
	switch {
	case name.kind == kName && name.key != none:
		x.report(name.at, "%s is a keyword and cannot be DEFINEd", name)
		s.next(&t)
	case name.kind != kName:
		x.report(name.at, "expected a name behind DEFINE, found %s", name)
	case t.kind != '=':
		x.report(t.at, "expected = behind DEFINE %s, found %s", clip(name.text), t)
	}
	if t.kind == '=' {
		d.text = *s
		s.next(&t)
	}
	for ; t.kind != ';' && t.kind != kEOF; s.next(&t) {
		if t.kind == kChar && t.text == "';'" {
			x.report(t.at, `in the text of a DEFINE, ';' is written '\;'`)
		}
		if t.key == kwDefine {
			x.report(t.at, "expected ; behind the text of DEFINE %s, found DEFINE", clip(name.text))
			return t
		}
	}
	d.text.text, d.text.report = s.text[:s.pos-len(t.text)], reported
	if t.kind == kEOF {
		x.report(t.at, "expected ; behind the text of DEFINE %s, found the end of the file", clip(name.text))
	}
	if name.kind != kName || name.key != none {
		return t
	}
	d.Name, d.NamePlace = name.text, name.at
	key := strings.ToLower(name.text)
	if before := x.defines[key]; before != nil && before.given != nil {
		return t
	} else if before != nil {
		x.report(name.at, "%s is already DEFINEd at %d:%d", clip(name.text), before.Line, before.Col)
		return t
	}
	x.defines[key] = d
	prog.Defines = append(prog.Defines, d)
	return t
}

// next makes t the next token.
func (x *expander) next(t *token) {
	for {
		f := &x.frames[len(x.frames)-1]
		f.next(t)
		switch {
		case t.kind == kEOF && f.def == nil:
			*t = x.end
			return
		case t.kind == kEOF:
			f.def.active = false
			x.frames = x.frames[:len(x.frames)-1]
			continue
		case t.key == kwDefine:
			f.pos, f.bol, f.line, f.last = x.behind[0].pos, x.behind[0].bol, x.behind[0].line, ';'
			x.behind = x.behind[1:]
			continue
		case f.def != nil:
			t.at = Place{Line: f.use.Line, Col: f.use.Col, Def: &f.def.Define, DefLine: t.at.Line, DefCol: t.at.Col}
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
					return
				}
				d.active = true
				x.frames = append(x.frames, d.expand(t.at))
				continue
			}
		}
		return
	}
}

// stop lets the program end here.
func (x *expander) stop() {
	x.stopped = true
	x.frames = x.frames[:1]
	x.frames[0].pos = len(x.frames[0].text)
}
