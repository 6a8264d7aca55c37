package cover

import (
	"slices"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// endings tell which COUNT, IGNORE, NOMATCH or RETURN a rule does: the compiler joins
// them with the test or SAVE before them, whose place the rule has.
type endings struct {
	stmts  map[place]srl.Stmt      // COUNTs and so on
	follow map[place][]srl.Stmt    // what comes behind a test or SAVE
	behind map[srl.Stmt][]srl.Stmt // what comes behind statements that may have no rule
	exits  map[string]srl.Stmt     // what comes behind labels, in small letters
	tests  map[place]operand
	tables map[entry]ruleset.Place
}

// operand is one of a test.
type operand struct {
	test *srl.Test
	of   *srl.Operand
}

// entry is a rule of a table: its place is that of the entry in the table's file.
type entry struct {
	file  string
	attr  attr.Attr
	saves bool
}

// place is one of a program, of whatever reading of it.
type place struct {
	file          string
	line, col     int32
	inLine, inCol int32 // in a DEFINE
}

func placeOf(at ruleset.Place) place {
	file, _ := fileOf(at)
	return place{file, at.Line, at.Col, at.DefLine, at.DefCol}
}

// endingsOf looks through a program; nil for none.
func endingsOf(p *srl.Program) *endings {
	e := &endings{stmts: map[place]srl.Stmt{}, follow: map[place][]srl.Stmt{}, behind: map[srl.Stmt][]srl.Stmt{}, exits: map[string]srl.Stmt{}, tests: map[place]operand{}, tables: map[entry]ruleset.Place{}}
	if p != nil {
		e.list(p.Stmts, nil)
		for _, s := range p.Subs {
			e.list(s.Stmts, nil)
		}
	}
	return e
}

// list looks through a sequence of statements; next is what comes behind it, nil if
// that is none of one statement. It returns the first one.
func (e *endings) list(list []srl.Stmt, next srl.Stmt) srl.Stmt {
	for i := len(list) - 1; i >= 0; i-- {
		next = e.stmt(list[i], next)
	}
	return next
}

// stmt looks through a statement and returns what is done first in it.
func (e *endings) stmt(s, next srl.Stmt) srl.Stmt {
	switch s := s.(type) {
	case nil, *srl.Empty:
		return next
	case *srl.Compound:
		e.exits[strings.ToLower(s.Label.Text)] = next
		return e.list(s.Stmts, next)
	case *srl.Leave:
		return e.exits[strings.ToLower(s.Label.Text)]
	case *srl.Save:
		e.saveTable(s, s.Place)
		e.then(s, next)
	case *srl.SaveList:
		for _, one := range s.List {
			e.saveTable(one, s.Place)
		}
		e.then(s, next)
	case *srl.Store:
		e.then(s, next)
	case *srl.Count, *srl.Ignore, *srl.NoMatch, *srl.Back:
		e.stmts[placeOf(s.At())] = s
	case *srl.Call:
		for _, r := range s.Returns {
			e.stmt(r.Stmt, next)
		}
	case *srl.If:
		otherwise := e.stmt(s.Else, next)
		e.behind[s] = append(e.behind[s], otherwise)
		for i := len(s.Arms) - 1; i >= 0; i-- {
			a := &s.Arms[i]
			then := e.stmt(a.Then, next)
			e.behind[s] = append(e.behind[s], then)
			e.add(a.Place, then)
			e.expr(a.Cond, then, otherwise)
		}
	}
	return s
}

// saveTable notes where a SAVE of a table stands.
func (e *endings) saveTable(s *srl.Save, at ruleset.Place) {
	if s.Table != nil {
		e.table(s.Table, s.Attr, true, at)
	}
}

// table notes where a table stands: of several places with one attribute, the first.
func (e *endings) table(t *srl.Table, w srl.Word, saves bool, at ruleset.Place) {
	all := attr.ByWord(w.Text)
	if a, ok := attr.ByName(w.Text); ok {
		all = []attr.Attr{a}
	}
	for _, a := range all {
		e.tables[entry{t.File, a, saves}] = at
	}
}

// at returns where a rule stands in the program: that of a table's entry where the table
// is named.
func (e *endings) at(r *ruleset.Rule) ruleset.Place {
	if r.At.Def != nil {
		if at, ok := e.tables[entry{r.At.Def.File, r.Attr, r.Op.Pushes()}]; ok {
			return at
		}
	}
	return r.At
}

// then notes what comes behind a statement.
func (e *endings) then(s, next srl.Stmt) {
	e.add(s.At(), next)
	e.behind[s] = append(e.behind[s], next)
}

func (e *endings) add(at ruleset.Place, next ...srl.Stmt) {
	for _, s := range next {
		if s != nil {
			e.follow[placeOf(at)] = append(e.follow[placeOf(at)], s)
		}
	}
}

func (e *endings) expr(x srl.Expr, then, otherwise srl.Stmt) {
	switch x := x.(type) {
	case *srl.Or:
		for _, t := range x.Terms {
			e.expr(t, then, otherwise)
		}
	case *srl.And:
		for _, f := range x.Factors {
			e.expr(f, then, otherwise)
		}
	case *srl.Not:
		e.expr(x.X, then, otherwise)
	case *srl.Test:
		e.add(x.Place, then, otherwise)
		if x.Table != nil {
			e.table(x.Table, x.Attr, false, x.Place)
			e.table(x.Table, x.Attr, true, x.Place)
			return
		}
		for i := range x.Operands {
			e.tests[placeOf(x.Operands[i].Value.Place)] = operand{x, &x.Operands[i]}
			e.add(x.Operands[i].Value.Place, then, otherwise)
		}
	}
}

// of returns the statement that a rule does beside its own, nil if there is none. before
// is the rule that was done before it, nil if there is none: a RETURN may be one rule for
// several, of which that tells the one.
func (e *endings) of(r, before *ruleset.Rule) srl.Stmt {
	if r.Op == ruleset.OpReturn && before != nil && r.Attr == attr.Null {
		if s := e.ends(before, r.Op); s != nil {
			return s
		}
		return e.stmts[placeOf(r.At)]
	}
	if own := e.stmts[placeOf(r.At)]; own != nil {
		return nil
	}
	return e.ends(r, r.Op)
}

// ends returns the statement behind a rule's that such an opcode is of: the first one on
// the ways through those that got no rules.
func (e *endings) ends(r *ruleset.Rule, op ruleset.Opcode) srl.Stmt {
	todo := slices.Clone(e.follow[placeOf(e.at(r))])
	for i := 0; i < len(todo); i++ {
		is := false
		switch todo[i].(type) {
		case *srl.Count:
			is = op == ruleset.OpCount || op == ruleset.OpCountPkt
		case *srl.Ignore:
			is = op == ruleset.OpIgnore
		case *srl.NoMatch:
			is = op == ruleset.OpNoMatch
		case *srl.Back:
			is = op == ruleset.OpReturn
		}
		if is {
			return todo[i]
		}
		for _, next := range e.behind[todo[i]] {
			if next != nil && !slices.Contains(todo, next) {
				todo = append(todo, next)
			}
		}
	}
	return nil
}
