package srl

import (
	"strings"

	"rtfm/ruleset"
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
	behind  []directive // in the order of the text
	frames  []frame     // the program, the files being included, then the DEFINEs in use
	end     token       // of the program
	places  map[placeKey]*ruleset.Define
	files   []string        // being included, the innermost last
	known   map[string]bool // files whose faults have been told
	read    int             // files that have been
	size    int             // of them, in octets
	scanned int             // tokens, the first time
	given   int
	stopped bool // the program ends here, whatever follows
	prog    *Program
	open    func(from, name string) (path string, text []byte, err error)
	report  func(at Place, format string, args ...any)
}

// frame is a text whose tokens are being given.
type frame struct {
	scanner
	tokens []token // if they are kept
	def    *Define // nil for the program itself and files
	use    Place   // of the DEFINE's name in the program
}

// directive is a DEFINE or INCLUDE and what follows it.
type directive struct {
	at    Place // of an INCLUDE
	after scanner
	file  *scanner // that is included, from its beginning
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

// newExpander looks for the directives in a program's text, and in those of the
// files that it includes, and for what is no token.
func newExpander(prog *Program, opts Options, text string, report func(Place, string, ...any)) *expander {
	x := &expander{defines: map[string]*Define{}, places: map[placeKey]*ruleset.Define{}, known: map[string]bool{}, prog: prog, open: opts.Open, report: report}
	for _, g := range opts.Given {
		x.defines[strings.ToLower(g.Name)] = g.define()
	}
	s := scanner{text: text, line: 1, strict: prog.Strict, report: report}
	x.end = x.scan(&s, prog.File, 0)
	x.frames = []frame{{scanner: scanner{text: s.text, line: 1, report: reported}}}
	return x
}

// scan looks for the directives in a file's text, which others include so deep,
// and returns the token at its end. If that is too far, the text is cut.
func (x *expander) scan(s *scanner, file string, depth int) (t token) {
	for {
		before := s.last
		s.next(&t)
		for t.key == kwDefine {
			for t.key == kwDefine { // again, if a directive without its end is followed by one
				t = x.define(x.prog, s, t.at)
			}
			x.behind = append(x.behind, directive{after: *s})
			if t.kind == ';' {
				before = ';'
				s.next(&t)
			}
		}
		if t.kind == kEOF {
			return t
		}
		if t.kind == kSemicolon {
			x.report(t.at, `\; stands for a semicolon in the text of a DEFINE only`)
		}
		if isInclude(&t, before) {
			x.include(s, t.at, file, depth)
		} else {
			x.scanned++
		}
		if x.scanned >= maxExpansion {
			s.text = s.text[:s.pos] // next has the rest reported
		}
	}
}

// reported is for scanning a text once more.
func reported(Place, string, ...any) {}

// define reads a directive after its keyword and returns the token at which
// it ended, a semicolon unless it is faulty: then the end of the text or the
// DEFINE of the next directive.
func (x *expander) define(prog *Program, s *scanner, at Place) token {
	d := &Define{Place: at}
	if s.in != nil {
		d.DefFile = s.in.File
	}
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
		x.report(name.at, "%s is already DEFINEd at %s", clip(name.text), before.Where())
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
		case t.kind == kEOF && len(x.frames) == 1:
			*t = x.end
			return
		case t.kind == kEOF:
			if f.def != nil {
				f.def.active = false
			}
			x.frames = x.frames[:len(x.frames)-1]
			continue
		case t.key == kwDefine, f.def == nil && len(x.behind) > 0 && t.at == x.behind[0].at:
			d := x.behind[0]
			x.behind = x.behind[1:]
			f.pos, f.bol, f.line, f.last = d.after.pos, d.after.bol, d.after.line, ';'
			if d.file != nil {
				x.frames = append(x.frames, frame{scanner: *d.file})
			}
			continue
		case f.def != nil:
			t.at = Place{Line: f.use.Line, Col: f.use.Col, Def: x.placeIn(f), DefLine: t.at.Line, DefCol: t.at.Col}
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
