// Package lint looks in rulesets for what compiles and runs but hardly does what
// was meant: the "rule set consistency checker" that RFC 2722 section 4.3 wishes for.
//
// It follows all ways that packets may take through the rules (flow.go) with the
// values that each attribute may have there (set.go): what it says never happens does
// not happen with any packet. What it says of directions it has tried with a packet
// (direction.go). Then it tells of that in the places of the program (find.go).
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// Finding is a doubt. Its Number is that of one of Kinds.
type Finding struct {
	ruleset.Diagnostic
	// Note is set for what may well be meant.
	Note bool
	// Fix is what mends it without any change of what is counted, empty if nothing
	// does.
	Fix []Edit

	at ruleset.Place
}

// Edit replaces octets of the program's own file, from Begin up to End, by a text.
type Edit struct {
	Begin int    `json:"begin"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

// Source reads and compiles a program and returns what there is to say of it, in
// the order of its text. err is as compile.Source returns it.
func Source(file string, text []byte, opts srl.Options) ([]Finding, error) {
	opts.Plain = true // a finding is of a statement that stands there
	if opts.Open == nil {
		opts.Open = compile.Open
	}
	opts.Plain = true // each rule is a test or statement of the program's own
	p, err := srl.Parse(file, text, opts)
	if err != nil {
		return nil, err
	}
	rs, warnings, err := compile.Compile(p)
	if err != nil {
		return nil, err
	}
	return Program(p, text, rs, warnings), nil
}

// Program returns what there is to say of a program of this text that has been read
// and compiled, with these warnings.
func Program(p *srl.Program, text []byte, rs *ruleset.RuleSet, warnings ruleset.Diagnostics) []Finding {
	l := newLinter(p, rs)
	for _, w := range warnings {
		l.found = append(l.found, Finding{Diagnostic: w})
	}
	l.look()
	l.fixes(text)
	return l.sorted()
}

// Rules returns what there is to say of a rule file beside the warnings that reading
// it has brought.
func Rules(rs *ruleset.RuleSet, warnings ruleset.Diagnostics) []Finding {
	l := newLinter(&srl.Program{File: rs.File}, rs)
	for _, w := range warnings {
		l.found = append(l.found, Finding{Diagnostic: w})
	}
	l.look()
	return l.sorted()
}

// Mend fixes what can be fixed in a program of which this was found, and returns its
// new text, how many findings that has mended, and what is found in it then.
func Mend(file string, text []byte, found []Finding, opts srl.Options) (mended []byte, n int, left []Finding, err error) {
	const most = 100
	for range most { // as one mended may show another
		next, fixed := Fix(text, found)
		if fixed == 0 {
			break
		}
		if left, err = Source(file, next, opts); err != nil {
			return text, n, found, nil // which would be a fault of Fix: rather leave it
		}
		text, found, n = next, left, n+fixed
	}
	return text, n, found, nil
}

// String returns the finding as a line of text.
func (f *Finding) String() string {
	text := f.Error()
	if f.Note {
		text = strings.Replace(text, "warning: ", "note: ", 1)
	}
	if f.Number > 0 {
		text += fmt.Sprintf(" [%d]", f.Number)
	}
	return text
}

// JSON returns the finding as its JSON object has it.
func (f *Finding) JSON() any {
	k, _ := KindOf(f.Number)
	return struct {
		File    string `json:"file"`
		Line    int    `json:"line,omitempty"`
		Column  int    `json:"column,omitempty"`
		Number  int    `json:"number,omitempty"`
		Name    string `json:"name,omitempty"`
		Note    bool   `json:"note,omitempty"`
		Message string `json:"message"`
		Fix     []Edit `json:"fix,omitempty"`
	}{f.File, f.Line, f.Col, f.Number, k.Name, f.Note, f.Msg, f.Fix}
}

func (l *linter) sorted() []Finding {
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Number, b.Number))
	})
	return slices.CompactFunc(l.found, func(a, b Finding) bool { return a.Diagnostic == b.Diagnostic })
}
