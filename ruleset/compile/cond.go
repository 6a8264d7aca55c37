package compile

import (
	"slices"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// plain makes the nodes of an expression that saves nothing and returns the
// first; t is what follows when it is true, f when it is false.
func (c *compiler) plain(sc *scope, e srl.Expr, t, f *node) *node {
	switch e := e.(type) {
	case *srl.Or:
		for i := len(e.Terms) - 1; i >= 0; i-- {
			f = c.plain(sc, e.Terms[i], t, f)
		}
		return f
	case *srl.And:
		for i := len(e.Factors) - 1; i >= 0; i-- {
			t = c.plain(sc, e.Factors[i], t, f)
		}
		return t
	case *srl.Not:
		c.notYet(e.Place)
	case *srl.Test:
		return c.tests(sc, e, false, func() *node { return t }, f)
	}
	return f
}

// saving makes the nodes of an expression that saves the operands by which it
// becomes true: as each test succeeds it pushes. pushed is how many pushes of
// the whole expression have been done before it; t gives what follows the
// expression when it is true, for the number of pushes done by then, which
// depends on the way through it. f follows when it is false, with all of its
// own pushes taken back.
//
// What follows a test depends on how many pushes each && around it has seen, so
// an || of different numbers of tests has what is after it compiled once for
// each of them.
func (c *compiler) saving(sc *scope, e srl.Expr, pushed int, t func(pushed int) *node, f *node) *node {
	if c.spend(1); c.full() {
		return f
	}
	switch e := e.(type) {
	case *srl.Or:
		for i := len(e.Terms) - 1; i >= 0; i-- {
			f = c.saving(sc, e.Terms[i], pushed, t, f)
		}
		return f
	case *srl.And:
		// falses[k] follows a factor that is false after k pushes.
		falses := []*node{f}
		for i := len(e.Factors) - 1; i >= 0; i-- {
			factor, then := e.Factors[i], t
			var done []*node // by the pushes of this &&
			t = func(n int) *node {
				for len(done) <= n-pushed {
					done = append(done, nil)
				}
				if done[n-pushed] == nil {
					for len(falses) <= n-pushed {
						falses = append(falses, c.action(node{op: ruleset.OpPopTo, succ: falses[len(falses)-1]}))
					}
					done[n-pushed] = c.saving(sc, factor, n, then, falses[n-pushed])
				}
				return done[n-pushed]
			}
		}
		return t(pushed)
	case *srl.Not:
		c.notYet(e.Place)
	case *srl.Test:
		return c.tests(sc, e, true, func() *node { return t(pushed + 1) }, f)
	}
	return f
}

// mostSaves returns how many operands an expression may save.
func mostSaves(e srl.Expr) int {
	n := 0
	switch e := e.(type) {
	case *srl.Or:
		for _, t := range e.Terms {
			n = max(n, mostSaves(t))
		}
	case *srl.And:
		for _, f := range e.Factors {
			n += mostSaves(f)
		}
	case *srl.Test:
		return 1
	}
	return n
}

// ownNumber compares the ruleset's number, which the rules of a meter cannot
// test (RFC 2720, RuleAttributeNumber), now.
func (c *compiler) ownNumber(ref reference, e *srl.Test, onTrue func() *node, f *node) *node {
	list := c.list(ref, e)
	if c.prog.Set == nil {
		c.errorf(e.Attr.Place, "%s can be tested where the program tells it, by SET", ref)
		return f
	}
	own := operand{value: attr.MakeValue(byte(c.prog.Set.N))}
	for i := range list {
		if list[i].holds(&own) {
			return onTrue()
		}
	}
	return f
}

// tests makes the nodes of a comparison with a list of operands; onTrue gives
// what follows if one of them matches.
func (c *compiler) tests(sc *scope, e *srl.Test, save bool, onTrue func() *node, f *node) *node {
	ref, ok := c.attribute(sc, e.Attr)
	if !ok {
		return f
	}
	if e.Op != srl.Equal || slices.ContainsFunc(e.Operands, func(o srl.Operand) bool { return o.To.Text != "" }) {
		c.notYet(e.Place)
		return f
	}
	switch {
	case ref.attr == attr.FlowRuleSet:
		return c.ownNumber(ref, e, onTrue, f)
	case ref.class() == attr.ClassDistrib:
		c.errorf(e.Attr.Place, "%s is a distribution: it can be saved, not tested", ref)
		return f
	case save && ref.class() == attr.ClassMatching:
		c.errorf(e.Attr.Place, "%s cannot be saved: it is the direction of matching, not part of a flow", ref)
		return f
	}
	op := func(o operand) ruleset.Opcode {
		switch {
		case !save:
			return ruleset.OpGoto
		case ref.class() == attr.ClassComputed && o.mask != attr.Ones(1):
			// A pushed rule value would become the variable's.
			return ruleset.OpPushPktTo
		}
		return ruleset.OpPushRuleTo
	}
	list := c.list(ref, e)
	if len(list) == 0 || c.full() {
		return f
	}
	for t := onTrue(); len(list) > 0 && !c.full(); {
		from := len(list) - 1
		last := list[from]
		for from > 0 && !last.mask.Zero() && !list[from-1].mask.Zero() && op(list[from-1]) == op(last) {
			from--
		}
		f = c.test(node{at: e.Place, op: op(last), attr: ref.attr, list: list[from:], succ: t, fail: f})
		list = list[:from]
	}
	return f
}

func (c *compiler) notYet(at srl.Place) {
	if !c.prog.Strict && !c.prog.Faulty {
		c.errorf(at, "not compiled yet")
	}
}
