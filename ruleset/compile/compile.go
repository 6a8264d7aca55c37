// Package compile turns SRL programs into rulesets.
//
// A program becomes a graph of nodes, each one rule: a test with a node for
// success and one for failure, or an action with a node that follows. The graph
// is made from the end of the program to its beginning, so that every statement
// knows what comes next (stmt.go, cond.go). Laying it out gives the rules
// (layout.go): a rule names the one that follows its success, but a failed test
// goes on to the next rule, so only failures bind rules together. Unreachable
// code never gets a place. Before that the graph is made smaller (optimise.go),
// unless srl.Options.Plain asks for each test and statement as it stands there:
// tools that tell of the program, and not of what it does with packets, do.
//
// The rules rest on RFC 2722 section 4.4:
//
//   - An IF's SAVE pushes while it tests, since then the rule that matched is
//     at hand; where a later test of an && fails, PopTo rules undo the pushes.
//   - A negation exchanges what follows a test; where an IF saves, it goes down to
//     the tests. Ranges and comparisons become the fewest prefixes (span.go).
//   - A subroutine becomes one copy for every list of parameters it is called
//     with, so parameters are known, their widths can be checked, and calls may
//     nest; the meter variables are not used. It is entered by Gosub, and left
//     by Return to one of the rules after the Gosub, one for each return label
//     in use and one for what follows the ENDCALL.
//   - Operands of a list stand together by mask, since engines make one lookup
//     of a run of rules with the same attribute and mask (RFC 2123 section
//     2.3.3).
package compile

import (
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// maxSaves and maxCalls are what one match may push besides COUNT's own rule,
// and how deep its calls may nest: the limits of package pme, beyond which it
// stops a match.
const (
	maxSaves = 255
	maxCalls = 256
)

// Source reads and compiles a program. Warnings are for what compiles but
// hardly does what was meant; err is a ruleset.Diagnostics of all the program's
// faults, those of its grammar and those of its names, values, labels and
// parameters. Both are in the order of the text. Files that the program includes
// are read from the disk unless opts tell otherwise, their names relative to the
// folder of the file that does, to the working folder where there is none.
func Source(file string, text []byte, opts srl.Options) (rs *ruleset.RuleSet, warnings ruleset.Diagnostics, err error) {
	if opts.Open == nil {
		opts.Open = Open
	}
	p, grammar := srl.Parse(file, text, opts)
	if faults, ok := grammar.(ruleset.Diagnostics); ok && len(faults) > srl.MaxErrors {
		return nil, nil, grammar // the rest of the program is missing
	}
	rs, warnings, err = Compile(p)
	if grammar == nil {
		return rs, warnings, err
	}
	all := append(ruleset.Diagnostics{}, grammar.(ruleset.Diagnostics)...)
	if err != nil {
		all = append(all, err.(ruleset.Diagnostics)...)
	}
	all.Sort()
	return nil, warnings, all
}

// Compile makes the ruleset of a program; warnings and err are as Source
// returns them. The ruleset's name is that of the program's file without
// directory and extension. Its last rule acts as NOMATCH for packets that reach
// the program's end without a COUNT.
func Compile(p *srl.Program) (rs *ruleset.RuleSet, warnings ruleset.Diagnostics, err error) {
	return newCompiler(p, ruleset.MaxRules).compile()
}

func newCompiler(p *srl.Program, maxRules int) *compiler {
	return &compiler{
		prog:     p,
		maxNodes: maxRules,
		subs:     map[string]*subroutine{},
		lists:    map[listKey]operands{},
		tables:   map[tableKey]table{},
		names:    new(ruleset.Names),
		ending:   map[srl.Stmt]bool{},
		seen:     map[ruleset.Diagnostic]bool{},
		at:       srl.Place{Line: 1, Col: 1},
	}
}

func (c *compiler) compile() (*ruleset.RuleSet, ruleset.Diagnostics, error) {
	p := c.prog
	c.declare()
	main := &scope{exits: map[string]*node{}}
	entry := c.stmts(main, p.Stmts, c.action(node{op: ruleset.OpNoMatch}))
	c.uncalled()
	c.unused()
	if !c.counts && len(c.errs) == 0 && !p.Faulty {
		c.warnf(srl.Place{Line: 1, Col: 1}, NoCount, "nothing is counted: the program has no COUNT")
	}
	rs := &ruleset.RuleSet{Name: ruleset.NameOf(p.File), File: p.File, Statistics: p.Statistics != nil}
	if p.Set != nil {
		rs.Number = p.Set.N
	}
	if c.names.Len() > 0 {
		rs.Names = c.names
	}
	if p.Format != nil {
		rs.Format = c.format(p.Format)
	}
	if len(c.errs) == 0 {
		if !p.Plain && !p.Faulty { // whose rules nobody gets
			entry = c.optimise(entry)
		}
		if rs.Rules = layOut(entry, c.maxNodes); rs.Rules == nil {
			c.at = srl.Place{Line: 1, Col: 1}
			c.tooLong("takes more than %d rules", c.maxNodes)
		}
		c.identity(rs.Rules)
	}
	c.errs.Sort()
	c.warnings.Sort()
	if len(c.errs) > 0 {
		return nil, c.warnings, c.errs
	}
	return rs, c.warnings, nil
}

type compiler struct {
	prog     *srl.Program
	subs     map[string]*subroutine // by lower-case name
	calls    []*instance            // being compiled, the innermost last
	lists    map[listKey]operands
	tables   map[tableKey]table
	reading  *srl.Table // the one at hand
	large    bool       // nodes are of one that the optimiser is not to look at
	names    *ruleset.Names
	ending   map[srl.Stmt]bool // see ends
	maxNodes int
	nodes    int       // their rules
	pads     int       // of all Gosubs: each becomes a rule
	steps    int       // see spend
	at       srl.Place // of the statement or IF arm being compiled
	long     bool      // the program takes too much, which has been reported
	room     []node    // where the next ones are made
	counts   bool      // there is a COUNT

	// Room for the list of operands at hand: them, where they stand in the
	// program, and the networks among them.
	operands []operand
	places   []int32 // one behind the other if they are of one range
	networks []attr.Prefix

	compared       int // unknown names, with those there are
	errs, warnings ruleset.Diagnostics
	seen           map[ruleset.Diagnostic]bool // of both: a subroutine is compiled several times
}

// scope is the main program or one copy of a subroutine.
type scope struct {
	params map[string]reference // by lower-case name
	exits  map[string]*node     // where EXIT goes, by lower-case label
	copy   *instance            // nil for the main program
}

func (c *compiler) errorf(at srl.Place, format string, args ...any) {
	c.note(&c.errs, "errors", c.prog.Diagnose(at, format, args...))
}

func (c *compiler) warnf(at srl.Place, number int, format string, args ...any) {
	e := c.prog.Diagnose(at, format, args...)
	e.Warning, e.Number = true, number
	c.note(&c.warnings, "warnings", e)
}

// Numbers of warnings. They never change; package lint explains them.
const (
	Unreached     = 1 + iota // a statement that nothing comes to
	SavedAgain               // an attribute saved twice in a row
	Covered                  // an operand of which one in front of it holds all
	OutsideMask              // an operand that no value can be equal to
	OneAddress               // a short address without a width
	UnusedDefine             // a DEFINE whose name stands nowhere
	Uncalled                 // a subroutine without a CALL
	NoReturn                 // a label of a CALL that no RETURN has
	NoCount                  // a program that counts nothing
	NeverInOrder             // a comparison of numbers that cannot hold
	AlwaysInOrder            // one that always holds
	SavedOutside             // a SAVE of a value with bits outside of its mask
	SavedAnyway              // a SAVE of what each flow has
	InsideEntry              // an entry of a table inside another one
	DoubleEntry              // an entry of a table that stands there already
	NoIdentity               // a SAVE of CommunityID without what it is made of
)

// note puts e into list, once. Too many are given up.
func (c *compiler) note(list *ruleset.Diagnostics, what string, e ruleset.Diagnostic) {
	if len(*list) > srl.MaxErrors || c.seen[e] {
		return
	}
	if len(*list) == srl.MaxErrors {
		e.Msg = "too many " + what
	}
	c.seen[e] = true
	*list = append(*list, e)
}

// tooLong reports, once, at which statement the program has become too much.
// It is compiled from its end to its beginning.
func (c *compiler) tooLong(what string, limit int) {
	if !c.long {
		c.long = true
		c.errorf(c.at, "the program "+what, limit)
	}
}

// stepsPerRule is how many steps a program may take to compile for each rule
// that it may have.
const stepsPerRule = 8

// spend counts steps of what a short program can have done very often without
// getting rules for it: an IF's ways to become true, the operands of a list for
// each attribute that it is compared with, the parameters and returns of each
// copy of a subroutine.
func (c *compiler) spend(steps int) {
	if c.steps += steps; c.steps > stepsPerRule*c.maxNodes {
		c.tooLong("takes more than %d steps to compile: its IFs, lists or CALLs multiply each other", stepsPerRule*c.maxNodes)
	}
}

// full tells that the program has become too long to go on, or too wrong.
func (c *compiler) full() bool { return c.long || len(c.errs) > srl.MaxErrors }

// unused warns of DEFINEs that stand nowhere.
func (c *compiler) unused() {
	if c.prog.Faulty || len(c.errs) > 0 {
		return // they may be what is missing
	}
	for _, d := range c.prog.Defines {
		if d.Used() {
			continue
		}
		if key := d.Swallowed(); key != "" {
			c.warnf(d.NamePlace, UnusedDefine, "DEFINE %s is never used; its text holds %s: is the ; in front of that missing?", d.Name, key)
		} else {
			c.warnf(d.NamePlace, UnusedDefine, "DEFINE %s is never used", d.Name)
		}
	}
}

// format takes a FORMAT statement's attributes and separators together.
func (c *compiler) format(f *srl.Format) *ruleset.Format {
	var all strings.Builder
	for i, w := range f.Items {
		text := w.Text
		if !w.IsName() && i > 0 { // a separator needs an attribute in front
			text = attr.FlowIndex.String() + " " + text + " " + attr.FlowIndex.String()
		}
		if _, err := ruleset.ParseFormat(text); err != nil {
			c.errorf(w.Place, "%v", err)
		}
		all.WriteString(w.Text + " ")
	}
	rf, _ := ruleset.ParseFormat(all.String())
	return rf
}
