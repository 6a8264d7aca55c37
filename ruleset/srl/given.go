package srl

import (
	"errors"
	"fmt"
	"strings"

	"rtfm/ruleset"
)

// A Given is a DEFINE that comes with a program from outside, as by an option of a
// command. It stands in place of the program's own DEFINE of that name, which is
// then what holds if nothing is given.
type Given struct {
	Name, Text string
	// Used is set when a program is read in which the name stands.
	Used bool
}

// ParseGiven reads NAME=TEXT. In the text semicolons stand as they are.
func ParseGiven(text string) (*Given, error) {
	name, text, has := strings.Cut(text, "=")
	if name = strings.TrimSpace(name); !has || name == "" {
		return nil, errors.New("want NAME=TEXT")
	}
	if n := word.length(name); n < len(name) || classes[name[0]]&letter == 0 {
		return nil, fmt.Errorf("want NAME=TEXT, and %q is no name: those are letters, digits and _", clip(name))
	}
	if keywordOf(name) != none {
		return nil, fmt.Errorf("%s is a keyword and cannot be DEFINEd", strings.ToUpper(name))
	}
	var fault error
	s := scanner{text: text, line: 1, last: '=', report: func(at Place, format string, args ...any) {
		if fault == nil {
			fault = fmt.Errorf("%d:%d: "+format, append([]any{at.Line, at.Col}, args...)...)
		}
	}}
	for t := (token{kind: kBad}); t.kind != kEOF && fault == nil; s.next(&t) {
		if t.key == kwDefine {
			s.report(t.at, "DEFINE cannot stand in the text of another")
		}
	}
	if fault != nil {
		return nil, fmt.Errorf("the text of %s: %w", name, fault)
	}
	return &Given{Name: name, Text: text}, nil
}

// define returns what replaces the name.
func (g *Given) define() *Define {
	return &Define{
		Define: ruleset.Define{Name: g.Name, Given: true}, given: g,
		text: scanner{text: g.Text, line: 1, last: '=', report: reported},
	}
}
