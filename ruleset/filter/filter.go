package filter

import (
	"fmt"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// file stands in diagnostics where a program's file would.
const file = "filter"

// Limits of a filter.
const (
	// maxText is the length of a text in octets: 10,000 addresses and more.
	maxText = 1 << 20
	// maxTests is how many tests there may be, lists of values counting as one: what
	// a packet goes through stays below the limit of the engine, which would stop it.
	maxTests = pme.MaxActions / 4
)

// Compile makes a ruleset of a filter. It counts packets that pass, without
// saving anything of them, and ignores all others; no packet leads to NoMatch,
// and none is stopped by a limit of the engine. Warnings are for what compiles
// but hardly does what was meant; err is a ruleset.Diagnostics, with places in
// the text.
func Compile(text string) (rs *ruleset.RuleSet, warnings ruleset.Diagnostics, err error) {
	e, words, err := parse(text)
	if err != nil {
		return nil, nil, err
	}
	if at, n := tests(e); n > maxTests {
		return nil, nil, fault(at.At(), "the filter has %d tests, lists of one kind counting as one; %d is the most", n, maxTests)
	}
	at := srl.Place{Line: 1, Col: 1}
	rs, warnings, err = compile.Compile(&srl.Program{File: file, Stmts: []srl.Stmt{&srl.If{
		Place: at,
		Arms:  []srl.Arm{{Place: at, Cond: e, Then: &srl.Count{Place: at}}},
		Else:  &srl.Ignore{Place: at},
	}}})
	if words {
		warnings = nil // they are of SRL that nobody wrote
	}
	return rs, warnings, err
}

// parse reads a filter in the language that it is written in. The two have no
// text in common: SRL compares, tcpdump's words do not.
func parse(text string) (e srl.Expr, words bool, err error) {
	switch {
	case len(text) > maxText:
		return nil, false, fault(srl.Place{Line: 1, Col: 1}, "%d octets are more than a filter may have, %d", len(text), maxText)
	case strings.TrimSpace(text) == "":
		return nil, false, fault(srl.Place{Line: 1, Col: 1}, "the filter is empty")
	}
	e, bad := parseWords(text)
	switch {
	case bad == nil:
		return e, true, nil
	case bad.refused:
		return nil, true, ruleset.Diagnostics{bad.Diagnostic}
	}
	e, err = srl.ParseExpr(file, text, srl.Options{})
	if err != nil && !strings.ContainsAny(text, "=<>") {
		err = ruleset.Diagnostics{bad.Diagnostic}
	}
	return e, false, err
}

// fault returns what is wrong at a place of a filter.
func fault(at srl.Place, format string, args ...any) error {
	return ruleset.Diagnostics{at.Diagnose(file, fmt.Sprintf(format, args...))}
}

// tests counts the tests of an expression, and returns one of them.
func tests(e srl.Expr) (one srl.Expr, n int) {
	var parts []srl.Expr
	switch e := e.(type) {
	case *srl.Or:
		parts = e.Terms
	case *srl.And:
		parts = e.Factors
	case *srl.Not:
		parts = []srl.Expr{e.X}
	default:
		return e, 1
	}
	for _, p := range parts {
		var more int
		one, more = tests(p)
		n += more
	}
	return one, n
}
