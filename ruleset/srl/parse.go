package srl

import (
	"fmt"
	"math"
	"strings"

	"rtfm/ruleset"
)

// maxNesting bounds how deep statements and parentheses may nest: every level
// takes a piece of the stack.
const maxNesting = 250

// maxLabel is the greatest return label: RFC 2723 wants any integer.
const maxLabel = math.MaxInt32

// parser reads a program by recursive descent. A statement with a fault is
// reported and left at the next point where one may begin, so that the rest
// is understood.
type parser struct {
	prog  *Program
	in    *expander
	room  [3]token // for these two and the one read last
	tok   *token   // the one to be read
	ahead *token   // the one after it
	taken int      // tokens read

	list gathered // the operands of the test that is being read

	errs    ruleset.Diagnostics
	badAt   int // value of taken at the last fault
	nesting int
	tested  string // the attribute of the last test
	single  bool   // an expression is read, no program

	sub    *Subroutine      // whose body is being read, nil outside
	labels map[string]Place // of compound statements in this scope
	open   []string         // labels of the compound statements around this one
	subs   map[string]*Subroutine
	given  map[string]Place // NeTraMet's statements there have been
	tables map[string]*Table
}

// report notes a fault. One too many ends the program.
func (p *parser) report(at Place, format string, args ...any) {
	switch {
	case len(p.errs) < MaxErrors:
		p.errs = append(p.errs, p.prog.Diagnose(at, format, args...))
	case len(p.errs) == MaxErrors:
		p.errs = append(p.errs, p.prog.Diagnose(at, "too many errors"))
	}
	if len(p.errs) > MaxErrors && p.in != nil {
		p.in.stop()
	}
}

// fault reports what is wrong at the current token, once for each token.
func (p *parser) fault(format string, args ...any) {
	if p.taken == p.badAt || p.in.stopped {
		return
	}
	p.badAt = p.taken
	if p.tok.kind != kBad {
		p.report(p.tok.at, format, args...)
	}
}

// expected reports that something else stands here.
func (p *parser) expected(what string, args ...any) {
	p.fault("expected %s, found %s", fmt.Sprintf(what, args...), p.found())
}

// found describes the current token.
func (p *parser) found() string {
	if p.single && p.tok.kind == kEOF {
		return "the end of the expression"
	}
	return p.tok.String()
}

// begins reports whether a statement may begin with the current token.
func (p *parser) begins() bool {
	switch p.tok.key {
	case kwCall, kwCount, kwExit, kwIf, kwIgnore, kwNomatch, kwReturn, kwSave, kwStore, kwSubroutine:
		return true
	}
	return p.tok.kind == '{'
}

// closes reports whether the current token ends a sequence of statements.
func (p *parser) closes() bool {
	switch p.tok.key {
	case kwElse, kwEndcall, kwEndsub:
		return true
	}
	return p.tok.kind == '}' || p.tok.kind == kEOF
}

// resume goes on after the semicolon of a faulty statement, or to where
// another one begins or a sequence ends.
func (p *parser) resume() {
	for !p.begins() && !p.closes() {
		if p.next().kind == ';' {
			return
		}
	}
}

// enter goes one level down; false when that is too deep, which ends the
// program.
func (p *parser) enter() bool {
	if p.nesting == maxNesting {
		p.fault("nested more than %d deep", maxNesting)
		p.in.stop()
		p.restart()
		return false
	}
	p.nesting++
	return true
}

func (p *parser) leave() { p.nesting-- }

func (p *parser) program(text string, opts Options) {
	p.begin(text, opts)
	p.prog.Stmts = p.stmts(func() bool { return p.tok.kind == kEOF })
}

// begin reads the first tokens of a text.
func (p *parser) begin(text string, opts Options) {
	p.badAt = -1
	p.subs = map[string]*Subroutine{}
	p.labels = map[string]Place{}
	p.given = map[string]Place{}
	p.in = newExpander(p.prog, opts, text, p.report)
	if len(p.errs) > MaxErrors {
		p.in.stop()
	}
	p.restart()
}

// stmts reads statements until done says so, which it must at the end of the
// file.
func (p *parser) stmts(done func() bool) []Stmt {
	var list []Stmt
	for !done() {
		if s := p.stmt(); s != nil {
			list = append(list, s)
		}
	}
	return list
}

// stmt reads a statement; nil when it was none or could not be understood. It
// goes over at least one token, unless the current one closes something
// around it.
func (p *parser) stmt() Stmt {
	if !p.enter() {
		return nil
	}
	defer p.leave()
	at := p.tok.at
	switch p.tok.key {
	case kwIf:
		return p.ifStmt()
	case kwSave:
		return p.save()
	case kwStore:
		return p.store()
	case kwCall:
		return p.call()
	case kwCount:
		p.next()
		p.end("COUNT")
		return &Count{at}
	case kwIgnore:
		p.next()
		p.end("IGNORE")
		return &Ignore{at}
	case kwNomatch:
		p.next()
		p.end("NOMATCH")
		return &NoMatch{at}
	case kwExit:
		return p.exit()
	case kwReturn:
		return p.back()
	case kwSubroutine:
		p.subroutine()
		return nil
	case kwElse:
		p.fault("ELSE without an IF in front of it: several statements of an IF stand in { }")
		p.next()
		return nil
	case kwEndcall:
		p.fault("ENDCALL without a CALL in front of it")
		return p.skip()
	case kwEndsub:
		p.fault("ENDSUB without a SUBROUTINE in front of it")
		return p.skip()
	case none:
	default:
		p.expected("a statement")
		return p.skip()
	}
	switch p.tok.kind {
	case ';':
		p.next()
		return &Empty{at}
	case '{':
		return p.compound(Word{})
	case kName:
		return p.named()
	case '}':
		p.fault("} without a { in front of it")
		p.next()
		return nil
	case kValue:
		if p.ahead.kind == ':' {
			p.fault("a return label stands in a CALL only")
			p.next()
			p.next()
			return nil
		}
	}
	p.expected("a statement")
	if p.tok.kind == kEOF {
		return nil
	}
	return p.skip()
}

// skip goes over the current token and on to where the program can be
// understood again.
func (p *parser) skip() Stmt {
	if p.next().kind != ';' {
		p.resume()
	}
	return nil
}

// named reads a statement that begins with an identifier: a labelled compound
// statement, a call by bare name, or one of NeTraMet's statements.
func (p *parser) named() Stmt {
	t := *p.next()
	word := Word{t.at, t.text}
	if p.take(':') {
		if p.tok.kind == '{' {
			return p.compound(word)
		}
		p.expected("{ behind the label %s", clip(t.text))
		return nil
	}
	switch strings.ToLower(t.text) {
	case "set":
		if p.tok.kind != ';' {
			p.set(t.at)
			return nil
		}
	case "format":
		if p.tok.kind != ';' {
			p.format(t.at)
			return nil
		}
	case "statistics":
		if p.subs["statistics"] == nil && p.tok.kind == ';' {
			p.statistics(t.at)
			return nil
		}
	}
	if p.take(';') {
		if p.prog.Strict {
			p.report(t.at, "a CALL by the subroutine's bare name is not in RFC 2723 (--strict)")
		}
		return &Call{Place: t.at, Sub: word, Bare: true}
	}
	// The fault is the word itself, not what follows.
	if p.taken-1 != p.badAt && !p.in.stopped {
		msg := fmt.Sprintf("expected a statement, found %s", t)
		if strings.EqualFold(t.text, "include") {
			msg = "INCLUDE stands where a statement can begin in the program or in braces"
		} else if instead := foreignWords[strings.ToLower(t.text)]; instead != "" {
			msg = fmt.Sprintf("SRL has no %s: %s", strings.ToUpper(t.text), instead)
		} else if k, ok := nearKeyword(t.text); ok {
			msg += "; did you mean " + k + "?"
		}
		if p.tok.kind == '=' || p.tok.kind == kAssign {
			msg += "; variables are set by STORE FlowKind := 1, names by DEFINE name = text"
		}
		p.report(t.at, "%s", msg)
		p.badAt = p.taken
	}
	if p.tok.kind == ';' {
		p.next()
	} else {
		p.resume()
	}
	return nil
}

func (p *parser) compound(label Word) Stmt {
	s := &Compound{Place: p.tok.at, Label: label}
	if label.Text != "" {
		s.Place = label.Place
		key := strings.ToLower(label.Text)
		if before, ok := p.labels[key]; ok {
			p.report(label.Place, "label %s is already used at %s", clip(label.Text), before.Where())
		} else {
			p.labels[key] = label.Place
		}
		p.open = append(p.open, key)
		defer func() { p.open = p.open[:len(p.open)-1] }()
	}
	at := p.next().at
	if p.tok.kind == '}' {
		p.fault("expected a statement, found }; an empty statement is ;")
	}
	s.Stmts = p.stmts(func() bool {
		switch p.tok.key {
		case kwEndcall, kwEndsub:
			return true
		case kwSubroutine:
			return p.sub != nil
		}
		return p.tok.kind == '}' || p.tok.kind == kEOF
	})
	if !p.take('}') {
		p.expected("} for the { at %s", at.Where())
	}
	return s
}

func (p *parser) ifStmt() Stmt {
	s := &If{Place: p.tok.at}
	for {
		arm := Arm{Place: p.next().at}
		var ok bool
		if arm.Cond, ok = p.expr(); !ok || p.afterExpr() {
			for !p.begins() && !p.closes() && p.tok.kind != ';' {
				p.next()
			}
		}
		arm.Save, arm.Then = p.action()
		s.Arms = append(s.Arms, arm)
		if !p.takeKey(kwElse) {
			return s
		}
		if p.tok.key != kwIf {
			s.Else = p.stmt()
			return s
		}
	}
}

// afterExpr reports what cannot follow an expression but is meant for a part of it.
func (p *parser) afterExpr() bool {
	switch p.tok.kind {
	case ',':
		p.fault("several values stand in parentheses, == (A, B)")
	case ')':
		p.fault("this ) has no ( in front of it")
	case kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual:
		p.fault("expected a statement, found %s; two comparisons are joined by &&", *p.tok)
	case kName, kEOF, '{', '}', ';':
		return false
	default:
		p.expected("&&, || or a statement behind the IF's expression")
	}
	return true
}

// action reads what an IF does when its expression is true.
func (p *parser) action() (save bool, then Stmt) {
	if p.tok.key == kwSave {
		switch p.ahead.kind {
		case ';':
			p.next()
			p.next()
			return true, nil
		case ',':
			p.next()
			p.next()
			return true, p.stmt()
		}
	}
	if p.closes() {
		p.expected("a statement behind the IF's expression")
		return false, nil
	}
	return false, p.stmt()
}

// save reads a SAVE statement.
func (p *parser) save() Stmt {
	at := p.next().at
	if p.begins() {
		p.fault("expected ; behind the SAVE of an IF, or , and a statement, or an attribute; found %s", *p.tok)
		return nil
	}
	var list []*Save
	for what := "an attribute behind SAVE"; ; what = "an attribute behind the comma of SAVE" {
		s, ok := p.saved(what)
		if !ok {
			p.resume()
			return nil
		}
		s.Place = s.Attr.Place
		if list = append(list, s); p.tok.kind != ',' {
			break
		}
		if len(list) == 1 {
			p.added(p.tok.at, "a list behind SAVE", "write SAVE "+clip(s.Attr.Text)+"; SAVE "+clip(p.ahead.text)+";")
		}
		p.next()
	}
	p.end("SAVE " + clip(list[len(list)-1].Attr.Text))
	if len(list) > 1 {
		return &SaveList{at, list}
	}
	list[0].Place = at
	return list[0]
}

// saved reads what a SAVE saves: an attribute, and its mask or an operand.
func (p *parser) saved(what string) (s *Save, ok bool) {
	s = &Save{}
	if s.Attr, ok = p.attribute(what); !ok {
		return nil, false
	}
	switch p.tok.kind {
	case '=':
		p.next()
		s.Assign = true
		if p.isTable() {
			s.Table, ok = p.table()
			return s, ok
		}
		if s.Operand, ok = p.operand(); ok && s.Operand.To.Text != "" {
			p.fault("SAVE %s = takes one value, no range", clip(s.Attr.Text))
			ok = false
		}
	case '/', '&':
		ok = p.mask(&s.Operand)
	}
	return s, ok
}

func (p *parser) store() Stmt {
	s := &Store{Place: p.next().at}
	var ok bool
	if s.Variable, ok = p.name("a variable behind STORE"); ok {
		if ok = p.take(kAssign); !ok {
			p.expected(":= behind STORE %s", clip(s.Variable.Text))
		}
	}
	if ok {
		s.Value, ok = p.value("a value behind :=")
	}
	if !ok {
		p.resume()
		return nil
	}
	p.end("STORE " + clip(s.Variable.Text))
	return s
}

func (p *parser) exit() Stmt {
	s := &Leave{Place: p.next().at}
	var ok bool
	if s.Label, ok = p.name("a label behind EXIT"); !ok {
		p.resume()
		return nil
	}
	key := strings.ToLower(s.Label.Text)
	found := false
	for _, l := range p.open {
		found = found || l == key
	}
	_, known := p.labels[key]
	switch {
	case found:
	case known:
		p.report(s.Label.Place, "EXIT %s does not stand inside the statement of that label", clip(s.Label.Text))
	case len(p.open) == 0:
		p.report(s.Label.Place, "EXIT %s: no labelled statement is around it", clip(s.Label.Text))
	default:
		p.report(s.Label.Place, "no label %q; did you mean %s?", clip(s.Label.Text), p.open[len(p.open)-1])
	}
	p.end("EXIT " + clip(s.Label.Text))
	if !found {
		return nil
	}
	return s
}
