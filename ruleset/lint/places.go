package lint

import (
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// spot is a place of the text that was written: of what came from a DEFINE, that in
// the DEFINE.
type spot struct {
	file      string
	line, col int32
}

func spotOf(at ruleset.Place) spot {
	if at.Def == nil {
		return spot{"", at.Line, at.Col}
	}
	if at.Def.Name == "" {
		return spot{at.Def.File, at.Line, at.Col}
	}
	return spot{at.Def.DefFile + "\x00" + at.Def.Name, at.DefLine, at.DefCol}
}

// operand is one of a test.
type operand struct {
	test *srl.Test
	of   *srl.Operand
}

// places tells what stands in the program at the places that rules have.
type places struct {
	operands map[srl.Place]operand
	saves    map[srl.Place][]*srl.Save
	inOrder  []*srl.Save // of the text
	stores   map[srl.Place]bool
	tests    []*srl.Test // in the order of the text
	negated  map[*srl.Test]bool
}

func placesOf(p *srl.Program) *places {
	ps := &places{operands: map[srl.Place]operand{}, saves: map[srl.Place][]*srl.Save{}, stores: map[srl.Place]bool{}, negated: map[*srl.Test]bool{}}
	ps.stmts(p.Stmts)
	for _, s := range p.Subs {
		ps.stmts(s.Stmts)
	}
	return ps
}

func (ps *places) stmts(list []srl.Stmt) {
	for _, s := range list {
		ps.stmt(s)
	}
}

func (ps *places) stmt(s srl.Stmt) {
	switch s := s.(type) {
	case *srl.If:
		for i := range s.Arms {
			ps.expr(s.Arms[i].Cond)
			ps.stmt(s.Arms[i].Then)
		}
		ps.stmt(s.Else)
	case *srl.Compound:
		ps.stmts(s.Stmts)
	case *srl.Save:
		ps.saves[s.Place] = []*srl.Save{s}
		ps.inOrder = append(ps.inOrder, s)
	case *srl.SaveList:
		ps.saves[s.Place] = s.List
		ps.inOrder = append(ps.inOrder, s.List...)
	case *srl.Store:
		ps.stores[s.Place] = true
	case *srl.Call:
		for _, r := range s.Returns {
			ps.stmt(r.Stmt)
		}
	}
}

func (ps *places) expr(e srl.Expr) {
	ps.negation(e, false)
	for _, t := range testsOf(e, nil) {
		ps.tests = append(ps.tests, t)
		if t.Table != nil {
			continue
		}
		for i := range t.Operands {
			ps.operands[t.Operands[i].Value.Place] = operand{t, &t.Operands[i]}
		}
	}
}

// negation notes the tests of an expression whose negation it asks for.
func (ps *places) negation(e srl.Expr, not bool) {
	switch e := e.(type) {
	case *srl.Or:
		for _, x := range e.Terms {
			ps.negation(x, not)
		}
	case *srl.And:
		for _, x := range e.Factors {
			ps.negation(x, not)
		}
	case *srl.Not:
		ps.negation(e.X, !not)
	case *srl.Test:
		ps.negated[e] = not
	}
}

// testsOf appends the tests of an expression to a list.
func testsOf(e srl.Expr, list []*srl.Test) []*srl.Test {
	switch e := e.(type) {
	case *srl.Or:
		for _, x := range e.Terms {
			list = testsOf(x, list)
		}
	case *srl.And:
		for _, x := range e.Factors {
			list = testsOf(x, list)
		}
	case *srl.Not:
		return testsOf(e.X, list)
	case *srl.Test:
		return append(list, e)
	}
	return list
}

// Excludes reports whether a rule, which tests an operand of a test, holds where the test
// does not.
func Excludes(t *srl.Test, o *srl.Operand, r *ruleset.Rule) bool {
	return operand{t, o}.inverted(r) != (t.Op == srl.NotEqual)
}

// inverted reports whether a rule that tests an operand holds for what the test
// excludes: such are the rules of some ranges and orders.
func (o operand) inverted(r *ruleset.Rule) bool {
	is := func(w srl.Word) number {
		v, err := attr.ParseValue(w.Text, sizeOf(r.Attr))
		if named, ok := attr.ValueName(r.Attr, w.Text); err != nil && ok {
			v = named
		}
		v, _ = v.Fit(r.Attr)
		return v.Padded()
	}
	v := number(r.Value.Padded())
	first := is(o.of.Value)
	order := v.compare(&first)
	switch o.test.Op {
	case srl.Less:
		return order >= 0
	case srl.LessEqual:
		return order > 0
	case srl.Greater:
		return order <= 0
	case srl.GreaterEqual:
		return order < 0
	}
	if o.of.To.Text == "" {
		return false
	}
	last := is(o.of.To)
	return order < 0 || v.compare(&last) > 0
}

// sizeOf returns the octets that a number of an attribute takes, 0 for addresses.
func sizeOf(a attr.Attr) int {
	if in := a.Info(); !in.Variable {
		return in.Size
	}
	return 0
}
