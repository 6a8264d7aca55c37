package compile

import "rtfm/ruleset"

// node is one rule in the making. Its op is the form without Act; which form
// it gets depends on the rule that follows. Without attribute, mask and value
// it is a rule on Null.
type node struct {
	op    ruleset.Opcode
	attr  ruleset.Attr
	mask  ruleset.Value
	value ruleset.Value

	test bool    // the rule's test must be performed; otherwise it must not, or need not
	succ *node   // what follows, for opcodes with a target
	fail *node   // what follows a failed test
	ret  int     // Return's parameter
	pads []*node // of a Gosub: what follows each return

	rule int // its number once it has a place
}

// always tells whether the rule does the same with its test performed or not.
func (n *node) always() bool { return n.attr == ruleset.Null }

// ends tells whether the node ends the match without counting.
func (n *node) ends() bool {
	return n.always() && (n.op == ruleset.OpIgnore || n.op == ruleset.OpNoMatch)
}

func (c *compiler) add(n node) *node {
	if c.nodes++; c.nodes > c.maxNodes {
		c.tooLong()
	}
	return &n
}

// action makes a node that tests nothing.
func (c *compiler) action(n node) *node {
	switch {
	case n.op.HasTarget() && n.op != ruleset.OpGosub && n.succ.ends():
		return n.succ // nothing that was saved is used
	case n.op.HasTarget() && n.op != ruleset.OpGosub:
		n.count()
	}
	return c.add(n)
}

// test makes a node that tests and goes on to succ or fail.
func (c *compiler) test(n node) *node {
	n.test = true
	switch {
	case n.mask.Zero() && n.op == ruleset.OpGoto:
		return n.succ // always true
	case n.mask.Zero():
		n.test, n.fail = false, nil
		return c.action(n)
	case n.op == ruleset.OpGoto && n.succ == n.fail:
		return n.succ
	case n.succ.ends(), n.op == ruleset.OpGoto && n.succ.always() && n.succ.op == ruleset.OpReturn:
		n.op, n.ret, n.succ = n.succ.op, n.succ.ret, nil
	default:
		n.count()
	}
	return c.add(n)
}

// count joins a push with the COUNT that follows it: Count and CountPkt push
// before they count.
func (n *node) count() {
	if !n.succ.always() || n.succ.op != ruleset.OpCount || n.attr.Info().Class == ruleset.ClassDistrib {
		return
	}
	switch n.op {
	case ruleset.OpPushRuleTo:
		n.op, n.succ = ruleset.OpCount, nil
	case ruleset.OpPushPktTo:
		n.op, n.succ = ruleset.OpCountPkt, nil
	}
}
