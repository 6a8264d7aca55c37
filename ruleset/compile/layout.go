package compile

import "rtfm/ruleset"

// layOut gives every node that can be reached from entry a place and returns
// the rules.
//
// A test's failure goes on to the next rule, so behind a test stands what
// follows its failure, or a rule on Null, whose test always succeeds, that
// leads there. Everything else may stand anywhere.
func layOut(entry *node) []ruleset.Rule {
	l := &layout{pending: []*node{entry}}
	for len(l.pending) > 0 || len(l.subs) > 0 {
		if len(l.pending) == 0 {
			l.pending, l.subs = l.subs[:1:1], l.subs[1:]
		}
		n := l.pending[len(l.pending)-1]
		l.pending = l.pending[:len(l.pending)-1]
		if n.rule == 0 {
			l.chain(n)
		}
	}
	rules := make([]ruleset.Rule, len(l.order))
	for i, n := range l.order {
		rules[i] = n.finish()
	}
	return rules
}

type layout struct {
	order   []*node
	pending []*node // to be placed, the next one last
	subs    []*node // likewise, behind the program
}

// put gives a node the next place.
func (l *layout) put(n *node) {
	l.order = append(l.order, n)
	n.rule = len(l.order)
}

// chain places n and what must or had best stand behind it.
func (l *layout) chain(n *node) {
	from := len(l.pending)
	for n != nil {
		l.put(n)
		switch {
		case n.test:
			l.later(n.succ)
			if n.fail.rule != 0 || !n.fail.test && !n.fail.always() {
				l.put(n.fail.lead())
			}
			n = n.fail
		case n.op == ruleset.OpGosub:
			for _, p := range n.pads {
				l.put(p.lead())
				l.later(p)
			}
			if n.succ.rule == 0 {
				l.subs = append(l.subs, n.succ)
			}
			n = nil
		default:
			n = n.succ
		}
		if n != nil && n.rule != 0 {
			break
		}
	}
	// What was met first is placed first.
	for i, j := from, len(l.pending)-1; i < j; i, j = i+1, j-1 {
		l.pending[i], l.pending[j] = l.pending[j], l.pending[i]
	}
}

// later notes a node to be placed.
func (l *layout) later(n *node) {
	if n == nil || n.rule != 0 || len(l.pending) > 0 && l.pending[len(l.pending)-1] == n {
		return
	}
	l.pending = append(l.pending, n)
}

// lead returns a rule that does n wherever it stands and however it is
// reached: a second n if it can be had, else a jump.
func (n *node) lead() *node {
	if n.always() && n.op != ruleset.OpGosub {
		copied := *n
		return &copied
	}
	return &node{op: ruleset.OpGoto, mask: zero, value: zero, succ: n}
}

// finish makes the rule.
func (n *node) finish() ruleset.Rule {
	r := ruleset.Rule{Attr: n.attr, Mask: n.mask, Value: n.value, Op: n.op, Param: n.ret}
	if n.succ != nil {
		r.Param = n.succ.rule
		if !n.succ.test {
			r.Op++ // the Act form, which goes on without a test
		}
	}
	return r
}
