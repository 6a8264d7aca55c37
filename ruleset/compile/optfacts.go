package compile

import (
	"slices"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// The work is in proportion to the number of nodes: mostFacts are known at a
// node, lists of mostOperands are compared with each other, mostSkips tests are
// passed by one edge, and operands compared with others, in all rounds together,
// fewComparisons and comparisons for each node.
const (
	mostFacts    = 8
	mostOperands = 16
	mostSkips    = 32
	comparisons  = 1

	fewComparisons = 1 << 17
)

// fact is the outcome of a test, one or more of whose operands have matched, or
// none.
type fact struct {
	of   *node
	held bool
}

// numbers are the variables' values, where they are known.
type numbers struct {
	known uint8 // a bit for each
	value [attr.FlowKind - attr.SourceClass + 1]byte
}

// situation is what is known of each packet that comes to a node.
type situation struct {
	facts []fact // the latest last
	vars  numbers
	fails bool // some come because a test has failed
}

// knowing is the pass that goes from the program's beginning to its end with
// what is known.
type knowing struct {
	*optimiser
	at    []*situation // by number of the node
	spare []*situation
	in    []int32 // how many edges lead to a node
	fails []int32 // how many of these are failures
}

// facts leaves out tests whose outcome is known from those before: what leads to
// such a test leads on to what follows it. Where a failed test did, this is only
// done if it takes no jump that was not needed before.
func (o *optimiser) facts() {
	order := o.order()
	o.mostCompared = max(o.mostCompared, fewComparisons+comparisons*len(order))
	k := knowing{optimiser: o, at: make([]*situation, len(order)), in: make([]int32, len(order)), fails: make([]int32, len(order))}
	for _, n := range order {
		for i := 0; n.edge(i) != nil; i++ {
			if to := *n.edge(i); to != nil {
				k.in[to.id]++
			}
		}
		if n.test {
			k.fails[n.fail.id]++
		}
	}
	k.at[o.entry.id] = &situation{vars: numbers{known: 1<<len(numbers{}.value) - 1}} // which are 0
	for _, n := range slices.Backward(order) {
		if s := k.at[n.id]; s != nil {
			k.visit(n, s)
			k.spare = append(k.spare, s)
		}
	}
}

// visit tells what n leads to what is known there.
func (k *knowing) visit(n *node, s *situation) {
	if n.table && n.test {
		k.tell(n.fail, s.with(k, nil, false), true)
		if n.succ != nil {
			k.tell(n.succ, s.with(k, nil, false), false)
		}
		return
	}
	if n.test {
		k.prune(n, s)
		if held, sure := k.outcome(s, n); sure && held && len(n.list) == 1 && !s.fails && n.op.HasTarget() {
			k.fails[n.fail.id]--
			k.in[n.fail.id]--
			n.mask, n.value = n.list[0].mask, n.list[0].value
			n.test, n.list, n.fail = false, nil, nil
			k.touch()
		}
	}
	if n.test {
		k.lead(&n.fail, s.with(k, n, false), true)
	}
	switch {
	case n.op == ruleset.OpGosub:
		k.tell(n.succ, s.with(k, nil, false), false) // one beginning for all calls
		for i := range n.pads {
			after := s.with(k, nil, false)
			after.vars = numbers{} // the subroutine may set them
			k.lead(&n.pads[i], after, false)
		}
	case n.succ != nil:
		k.lead(&n.succ, s.with(k, n, true), false)
	}
}

// with returns a situation with the outcome of n added, if that is not nil, and
// with what its action does.
func (s *situation) with(k *knowing, n *node, held bool) *situation {
	t := &situation{facts: make([]fact, 0, mostFacts)}
	if last := len(k.spare) - 1; last >= 0 {
		t = k.spare[last]
		k.spare = k.spare[:last]
	}
	t.facts, t.vars, t.fails = append(t.facts[:0], s.facts...), s.vars, false
	if n == nil {
		return t
	}
	class := n.attr.Info().Class
	if n.test && (class == attr.ClassInteger || class == attr.ClassAddress) {
		if len(t.facts) == mostFacts {
			t.facts = slices.Delete(t.facts, 0, 1)
		}
		t.facts = append(t.facts, fact{n, held})
	}
	if class == attr.ClassComputed && held {
		t.vars.after(n)
	}
	return t
}

// after notes what the variable that n tests or sets is when it has succeeded.
func (v *numbers) after(n *node) {
	i := n.attr - attr.SourceClass
	mask, value := n.mask, n.value
	if n.test && len(n.list) > 0 {
		mask, value = n.list[0].mask, n.list[0].value
	}
	sets := n.op == ruleset.OpPushRuleTo
	switch {
	case n.test && (len(n.list) > 1 || mask.At(0) != 0xff):
		if sets {
			v.known &^= 1 << i
		}
	case n.test || sets:
		v.known |= 1 << i
		v.value[i] = value.At(0) & mask.At(0)
	}
}

// lead has an edge lead past all tests whose outcome is known there.
func (k *knowing) lead(edge **node, s *situation, fail bool) {
	for skips := 0; (*edge).test && skips < mostSkips; skips++ {
		past := *edge
		held, sure := k.outcome(s, past)
		to := past.fail
		if held {
			to = past.succ
		}
		if !sure || held && past.op != ruleset.OpGoto || fail && !k.free(past, to) {
			break
		}
		k.in[past.id]--
		k.in[to.id]++
		if fail {
			k.fails[past.id]--
			k.fails[to.id]++
		}
		*edge = to
		k.touch()
	}
	k.tell(*edge, s, fail)
}

// tell tells a node what is known of the packets that come from another one.
func (k *knowing) tell(to *node, s *situation, fail bool) {
	s.fails = fail
	if before := k.at[to.id]; before != nil {
		before.meet(s)
		k.spare = append(k.spare, s)
		return
	}
	k.at[to.id] = s
}

// free reports whether a failure may lead to another node without needing
// more rules.
func (k *knowing) free(from, to *node) bool {
	if k.in[from.id] == 1 {
		return true // which goes
	}
	jumps := 0
	if k.fails[from.id] > 1 {
		jumps--
	}
	if k.fails[to.id] > 0 || !to.test && !to.always() {
		jumps++
	}
	return jumps <= 0
}

// meet leaves of s what is known in t too.
func (s *situation) meet(t *situation) {
	s.facts = slices.DeleteFunc(s.facts, func(f fact) bool { return !slices.Contains(t.facts, f) })
	s.vars.known &= t.vars.known
	for i, v := range t.vars.value {
		if v != s.vars.value[i] {
			s.vars.known &^= 1 << i
		}
	}
	s.fails = s.fails || t.fails
}

// outcome tells whether the test of n succeeds, if that is sure.
func (k *knowing) outcome(s *situation, n *node) (held, sure bool) {
	switch n.attr.Info().Class {
	case attr.ClassComputed:
		i := n.attr - attr.SourceClass
		is := operand{value: attr.MakeValue(s.vars.value[i])}
		return slices.ContainsFunc(n.list, func(o operand) bool { return o.holds(&is) }), s.vars.known>>i&1 != 0
	case attr.ClassInteger, attr.ClassAddress:
	default:
		return false, false
	}
	for i := range s.facts {
		f := &s.facts[i]
		switch {
		case f.of.attr != n.attr:
		case &f.of.list[0] == &n.list[0] && len(f.of.list) == len(n.list):
			return f.held, true
		case len(f.of.list) > mostOperands || len(n.list) > mostOperands || k.compared > k.mostCompared:
		case f.held:
			if held, sure = k.among(s, f.of.list, n); sure {
				return held, true
			}
		}
	}
	if len(n.list) > mostOperands || k.compared > k.mostCompared {
		return false, false
	}
	return false, !slices.ContainsFunc(n.list, func(o operand) bool { return !k.excluded(s, n.attr, &o) })
}

// among tells the outcome of n where one of a list's operands has matched.
func (k *knowing) among(s *situation, list []operand, n *node) (held, sure bool) {
	first := true
	k.compared += len(list) * len(n.list)
	for i := range list {
		l := &list[i]
		if k.excluded(s, n.attr, l) {
			continue
		}
		in := slices.ContainsFunc(n.list, func(o operand) bool { return o.covers(l) })
		if !in && slices.ContainsFunc(n.list, func(o operand) bool { return !o.apart(l) }) || !first && in != held {
			return false, false
		}
		held, first = in, false
	}
	return held, !first
}

// excluded reports whether no value that o matches can be there.
func (k *knowing) excluded(s *situation, a attr.Attr, o *operand) bool {
	for i := range s.facts {
		list := s.facts[i].of.list
		if s.facts[i].of.attr != a || len(list) > mostOperands {
			continue
		}
		k.compared += len(list)
		if s.facts[i].held {
			if !slices.ContainsFunc(list, func(l operand) bool { return !l.apart(o) }) {
				return true
			}
		} else if slices.ContainsFunc(list, func(l operand) bool { return l.covers(o) }) {
			return true
		}
	}
	return false
}

// covers reports whether l matches whatever o does.
func (l *operand) covers(o *operand) bool {
	return l.mask.And(o.mask).Padded() == l.mask.Padded() && l.holds(o)
}

// apart reports whether no value matches both l and o.
func (l *operand) apart(o *operand) bool {
	m := l.mask.And(o.mask)
	return l.value.And(m).Padded() != o.value.And(m).Padded()
}

// prune leaves out of a list what cannot match.
func (k *knowing) prune(n *node, s *situation) {
	if class := n.attr.Info().Class; len(n.list) < 2 || len(n.list) > mostOperands || class != attr.ClassInteger && class != attr.ClassAddress || k.compared > k.mostCompared {
		return
	}
	possible := func(o operand) bool { return !k.excluded(s, n.attr, &o) }
	if !slices.ContainsFunc(n.list, possible) || !slices.ContainsFunc(n.list, func(o operand) bool { return !possible(o) }) {
		return
	}
	n.list = slices.DeleteFunc(slices.Clone(n.list), func(o operand) bool { return !possible(o) })
	k.touch()
}
