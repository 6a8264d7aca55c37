package compile

import "rtfm/ruleset"

// layOut gives every node that can be reached from entry a place and returns
// the rules, nil if there are more than maxRules.
//
// A test's failure goes on to the next rule, so after a test stands what
// follows its failure, or a rule on Null, whose test always succeeds, that
// leads there. Everything else may stand anywhere. The first rule's test is
// performed, so an action that must not be tested has such a rule in front.
func layOut(entry *node, maxRules int) []ruleset.Rule {
	l := &layout{pending: []*node{entry}}
	if !entry.test && !entry.always() {
		l.put(entry.lead(true))
	}
	for len(l.pending) > 0 || len(l.subs) > 0 {
		if l.rules > maxRules {
			return nil
		}
		if len(l.pending) == 0 {
			l.pending, l.subs = l.subs[:1:1], l.subs[1:]
		}
		n := l.pending[len(l.pending)-1]
		l.pending = l.pending[:len(l.pending)-1]
		if n.rule == 0 {
			l.chain(n.first())
		}
	}
	if l.rules > maxRules {
		return nil
	}
	rules := make([]ruleset.Rule, 0, l.rules)
	for _, n := range l.order {
		rules = n.finish(rules)
	}
	return rules
}

type layout struct {
	order   []*node
	rules   int     // of those in order
	pending []*node // to be placed, the next one last
	subs    []*node // likewise, after the program
}

// put gives a node the next place.
func (l *layout) put(n *node) {
	n.rule = l.rules + 1
	l.rules += n.rules()
	l.order = append(l.order, n)
}

// chain places n and what must or had best stand after it.
func (l *layout) chain(n *node) {
	from := len(l.pending)
	for n != nil {
		l.put(n)
		switch {
		case n.test:
			l.later(n.succ)
			to := n.fail
			if to.rule != 0 || !to.test && !to.always() || to.before != nil && to.before != n {
				l.put(to.lead(true))
			}
			n = to
		case n.op == ruleset.OpGosub:
			for _, p := range n.pads {
				if p.rule != 0 || p.test || p.op == ruleset.OpGosub {
					p = p.lead(false)
				}
				l.put(p)
				l.later(p.succ)
			}
			if n.succ.rule == 0 {
				l.subs = append(l.subs, n.succ)
			}
			n = nil
		default:
			n = n.succ
		}
		if n == nil || n.rule != 0 {
			break
		}
		n = n.first()
	}
	// What was met first is placed first.
	for i, j := from, len(l.pending)-1; i < j; i, j = i+1, j-1 {
		l.pending[i], l.pending[j] = l.pending[j], l.pending[i]
	}
}

// first returns the node with which the chain begins in which n is to stand.
func (n *node) first() *node {
	for n.before != nil && n.before.rule == 0 {
		n = n.before
	}
	return n
}

// later notes a node to be placed.
func (l *layout) later(n *node) {
	if n == nil || n.rule != 0 || len(l.pending) > 0 && l.pending[len(l.pending)-1] == n {
		return
	}
	l.pending = append(l.pending, n)
}

// lead returns a rule that does n in another place, reached with its test
// to be performed or not: a second n if that does the same, else a jump.
func (n *node) lead(tested bool) *node {
	if n.op != ruleset.OpGosub && (n.always() || !n.test && !tested) {
		copied := *n
		return &copied
	}
	return &node{at: n.at, op: ruleset.OpGoto, succ: n}
}

// finish appends the node's rules to others.
func (n *node) finish(rules []ruleset.Rule) []ruleset.Rule {
	r := ruleset.Rule{Attr: n.attr, Mask: n.mask, Value: n.value, Op: n.op, Param: n.ret, At: n.at}
	if n.succ != nil {
		r.Param = n.succ.rule
		if !n.succ.test {
			r.Op++ // the Act form, which goes on without a test
		}
	}
	if !n.test {
		return append(rules, r)
	}
	for i := range n.list {
		r.Mask, r.Value, r.At = n.list[i].mask, n.list[i].value, n.list[i].from.Value.Place
		rules = append(rules, r)
	}
	return rules
}
