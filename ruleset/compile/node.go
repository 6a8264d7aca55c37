package compile

import (
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// node is one rule in the making, or several: the tests of an attribute for a
// list of operands with which the same is done. Its op is the form without Act;
// which form it gets depends on the rule that follows. Without attribute, mask
// and value it is a rule on Null.
type node struct {
	op    ruleset.Opcode
	attr  attr.Attr
	mask  attr.Value
	value attr.Value
	list  []operand // of tests, in the place of mask and value

	at   srl.Place // of the statement or test
	test bool      // the tests must be performed; otherwise the rule's must not, or need not
	succ *node     // what follows, for opcodes with a target
	fail *node     // what follows a failed test
	ret  int       // Return's parameter
	pads []*node   // of a Gosub: what follows each return

	rule int // its number, or its first rule's, once it has a place

	// Of the optimiser.
	same   *node // what stands in its place
	table  bool  // it is of a large table, and stays as it is
	before *node // the test after which it is to stand
	round  int32 // in which order has met it
	id     int32 // its place there
	back   bool  // a Return of its subroutine is reached from it
	tried  int   // of how many operands networks has tried to make fewer
}

// always reports whether the rule does the same with its test performed or not.
func (n *node) always() bool { return n.attr == attr.Null }

// ends reports whether the node ends the match without counting.
func (n *node) ends() bool {
	return n.always() && (n.op == ruleset.OpIgnore || n.op == ruleset.OpNoMatch)
}

// rules is how many rules the node becomes.
func (n *node) rules() int { return max(1, len(n.list)) }

func (c *compiler) add(n node) *node {
	if c.nodes += n.rules(); c.nodes > c.maxNodes {
		c.tooLong("takes more than %d rules", c.maxNodes)
	}
	if !n.at.Known() {
		n.at = c.at
	}
	n.table = c.large
	if len(c.room) == cap(c.room) {
		c.room = make([]node, 0, 64)
	}
	c.room = append(c.room, n)
	return &c.room[len(c.room)-1]
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

// test makes a node that tests and goes on to succ or fail. A mask of zeros is
// the only one of its list.
func (c *compiler) test(n node) *node {
	n.test = true
	always := n.list[0].mask.Zero()
	switch {
	case always && n.op == ruleset.OpGoto:
		return n.succ
	case always:
		n.mask, n.value = n.list[0].mask, n.list[0].value
		n.test, n.list, n.fail = false, nil, nil
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
	if !n.succ.always() || n.succ.op != ruleset.OpCount || n.attr.IsMeasure() {
		return
	}
	switch n.op {
	case ruleset.OpPushRuleTo:
		n.op, n.succ = ruleset.OpCount, nil
	case ruleset.OpPushPktTo:
		n.op, n.succ = ruleset.OpCountPkt, nil
	}
}
