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
		return c.plain(sc, e.X, f, t)
	case *srl.Test:
		refs, n := c.attributes(sc, e.Attr)
		for i := n - 1; i >= 0; i-- {
			if first := c.tests(refs[i], e, t, f); e.Op == srl.NotEqual {
				t = first
			} else {
				f = first
			}
		}
		if n > 0 && e.Op == srl.NotEqual {
			return t
		}
	}
	return f
}

// saving makes the nodes of an expression, or of its negation if not is set,
// that saves the operands by which it becomes true: as each test succeeds it
// pushes. pushed is how many pushes of the whole expression have been done
// before it; t gives what follows the expression when it is true, for the
// number of pushes done by then, which depends on the way through it. f
// follows when it is false, with all of its own pushes taken back.
//
// What follows a test depends on how many pushes each && around it has seen, so
// an || of different numbers of tests has what is after it compiled once for
// each of them. The negation of an || is the && of its negated terms, that
// of an && the ||.
func (c *compiler) saving(sc *scope, e srl.Expr, not bool, pushed int, t func(pushed int) *node, f *node) *node {
	if c.spend(1); c.full() {
		return f
	}
	switch e := e.(type) {
	case *srl.Or:
		if not {
			return c.savingAll(sc, e.Terms, not, pushed, t, f)
		}
		return c.savingOne(sc, e.Terms, not, pushed, t, f)
	case *srl.And:
		if not {
			return c.savingOne(sc, e.Factors, not, pushed, t, f)
		}
		return c.savingAll(sc, e.Factors, not, pushed, t, f)
	case *srl.Not:
		return c.saving(sc, e.X, !not, pushed, t, f)
	case *srl.Test:
		switch refs, n := c.attributes(sc, e.Attr); {
		case n == 1:
			return c.savingTest(refs[0], e, not, pushed, t, f)
		case n == 2:
			return c.savingEnds(refs, e, not, pushed, t, f)
		}
	}
	return f
}

// savingEnds makes the nodes of a test of both ends, one of which must be true, or
// both.
func (c *compiler) savingEnds(refs [2]reference, e *srl.Test, not bool, pushed int, t func(pushed int) *node, f *node) *node {
	if not == (e.Op == srl.NotEqual) {
		return c.savingTest(refs[0], e, not, pushed, t, c.savingTest(refs[1], e, not, pushed, t, f))
	}
	back := c.action(node{op: ruleset.OpPopTo, succ: f})
	then := func(n int) *node { return c.savingTest(refs[1], e, not, n, t, back) }
	return c.savingTest(refs[0], e, not, pushed, then, f)
}

// savingOne makes the nodes of an ||.
func (c *compiler) savingOne(sc *scope, list []srl.Expr, not bool, pushed int, t func(pushed int) *node, f *node) *node {
	for i := len(list) - 1; i >= 0; i-- {
		f = c.saving(sc, list[i], not, pushed, t, f)
	}
	return f
}

// savingAll makes the nodes of an &&.
func (c *compiler) savingAll(sc *scope, list []srl.Expr, not bool, pushed int, t func(pushed int) *node, f *node) *node {
	// falses[k] follows a factor that is false after k pushes.
	falses := []*node{f}
	for i := len(list) - 1; i >= 0; i-- {
		factor, then := list[i], t
		var done []*node // by the pushes of this &&
		t = func(n int) *node {
			for len(done) <= n-pushed {
				done = append(done, nil)
			}
			if done[n-pushed] == nil {
				for len(falses) <= n-pushed {
					falses = append(falses, c.action(node{op: ruleset.OpPopTo, succ: falses[len(falses)-1]}))
				}
				done[n-pushed] = c.saving(sc, factor, not, n, then, falses[n-pushed])
			}
			return done[n-pushed]
		}
	}
	return t(pushed)
}

// mostSaves returns how many operands an expression may save, or its negation if
// not is set.
func mostSaves(e srl.Expr, not bool) int {
	list, all := []srl.Expr(nil), false
	switch e := e.(type) {
	case *srl.Or:
		list, all = e.Terms, not
	case *srl.And:
		list, all = e.Factors, !not
	case *srl.Not:
		return mostSaves(e.X, !not)
	case *srl.Test:
		return max(1, len(attr.ByWord(e.Attr.Text)))
	}
	n := 0
	for _, x := range list {
		if all {
			n += mostSaves(x, not)
		} else {
			n = max(n, mostSaves(x, not))
		}
	}
	return n
}

// ownNumber compares the ruleset's number, which the rules of a meter cannot
// test (RFC 2720, RuleAttributeNumber), now.
func (c *compiler) ownNumber(ref reference, e *srl.Test) (is bool) {
	given := c.list(ref, e)
	if c.prog.Set == nil {
		c.errorf(e.Attr.Place, "%s can be tested where the program tells it, by SET", ref)
		return false
	}
	own := operand{value: attr.MakeValue(byte(c.prog.Set.N))}
	return slices.ContainsFunc(given.list, func(o operand) bool { return o.holds(&own) }) != given.inverted
}

// tests makes the nodes of a comparison with a list of operands, followed by t
// if one of them matches.
func (c *compiler) tests(ref reference, e *srl.Test, t, f *node) *node {
	switch {
	case ref.measure():
		instead := ""
		if ref.class() == attr.ClassStatistic {
			instead = "; rtfm flows filter tests those of flows"
		}
		c.errorf(e.Attr.Place, "%s is %s: it can be saved, not tested%s", ref, ref.kind(), instead)
		return f
	case ref.attr == attr.FlowRuleSet && c.ownNumber(ref, e):
		return t
	case ref.attr == attr.FlowRuleSet:
		return f
	}
	given := c.list(ref, e)
	if given.inverted {
		t, f = f, t
	}
	return c.listed(ref, e, given.list, f, func(int) (ruleset.Opcode, *node) { return ruleset.OpGoto, t })
}

// savingTest makes the nodes of a comparison, or of its negation, that saves:
// the operand that matches; the packet's value if that is in a range, or not
// what it is compared with.
func (c *compiler) savingTest(ref reference, e *srl.Test, not bool, pushed int, t func(pushed int) *node, f *node) *node {
	switch {
	case ref.measure():
		return c.tests(ref, e, f, f) // for the fault
	case ref.attr == attr.FlowRuleSet:
		if c.ownNumber(ref, e) != not {
			return t(pushed) // every flow has it
		}
		return f
	case ref.class() == attr.ClassMatching:
		c.errorf(e.Attr.Place, "%s cannot be saved: it is the direction of matching, not part of a flow", ref)
		return f
	}
	given := c.list(ref, e)
	if not = not != given.inverted; !not && len(given.list) == 0 || c.full() {
		return f
	}
	then := t(pushed + 1)
	whole := func() *node {
		return c.action(node{op: ruleset.OpPushPktTo, attr: ref.attr, mask: attr.Ones(ref.attr.Info().Size), value: zeroOf(ref.attr), succ: then})
	}
	if not {
		return c.listed(ref, e, given.list, whole(), func(int) (ruleset.Opcode, *node) { return ruleset.OpGoto, f })
	}
	var value *node
	return c.listed(ref, e, given.list, f, func(i int) (ruleset.Opcode, *node) {
		switch o := &given.list[i]; {
		case o.span && value == nil:
			value = whole()
			fallthrough
		case o.span:
			return ruleset.OpGoto, value
		case ref.class() == attr.ClassComputed && o.mask != attr.Ones(1):
			// A pushed rule value would become the variable's.
			return ruleset.OpPushPktTo, then
		}
		return ruleset.OpPushRuleTo, then
	})
}

// listed makes the nodes that test operands, of which what tells, for each, opcode and what
// follows; f is for those that none matches.
func (c *compiler) listed(ref reference, e *srl.Test, list []operand, f *node, what func(i int) (ruleset.Opcode, *node)) *node {
	for len(list) > 0 && !c.full() {
		from := len(list) - 1
		last := &list[from]
		op, succ := what(from)
		for from > 0 && !last.mask.Zero() && !list[from-1].mask.Zero() {
			if o, s := what(from - 1); o != op || s != succ {
				break
			}
			from--
		}
		f = c.test(node{at: e.Place, op: op, attr: ref.attr, list: list[from:], succ: succ, fail: f})
		list = list[:from]
	}
	return f
}
