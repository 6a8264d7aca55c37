package filter

import (
	"rtfm/ruleset/srl"
)

// nodeOp is what a node of a filter does.
type nodeOp uint8

const (
	leafOp nodeOp = iota
	andOp
	orOp
	notOp
)

// node is a filter in tcpdump's words, read. Values of one kind that stand beside
// each other with or between them are one leaf: the engine looks up one of many in
// no more time than one of six.
type node struct {
	op     nodeOp
	at     srl.Place
	kids   []*node
	leaves map[head]*node // among the kids, those that further values may join
	tagged bool           // a tag of IEEE 802.1Q is asked for

	head   // of a leaf
	values []srl.Operand
}

// head says what the values of a leaf are.
type head struct {
	kind  headKind
	proto string // as in qualifier
	dir   direction
}

type headKind uint8

const (
	protoKind   headKind = iota // the protocol itself
	addressKind                 // peer addresses
	portKind
	numberKind // of a protocol
	etherKind  // adjacent addresses
	vlanKind
	taggedKind // any VLAN
)

func leafOf(at srl.Place, h head, values ...srl.Operand) *node {
	return &node{at: at, head: h, values: values}
}

// joins returns the leaf that further values may join where op stands between
// them: that of an or, or one that is not to hold where and does. It is nil if n
// is none.
func (n *node) joins(op nodeOp) *node {
	if op == andOp {
		if n.op != notOp {
			return nil
		}
		n = n.kids[0]
	}
	if n.op != leafOp || n.dir == bothEnds || len(n.values) == 0 {
		return nil
	}
	return n
}

// join returns a and b with op between them. It may change a.
func join(op nodeOp, a, b *node) *node {
	if a.op != op {
		all := &node{op: op, at: a.at, tagged: a.tagged}
		all.add(a)
		a = all
	}
	a.add(b)
	a.tagged = a.tagged || b.tagged
	return a
}

// add gives n one more kid.
func (n *node) add(kid *node) {
	if leaf := kid.joins(n.op); leaf != nil {
		if first := n.leaves[leaf.head]; first != nil {
			first.values = append(first.values, leaf.values...)
			return
		}
		if n.leaves == nil {
			n.leaves = map[head]*node{}
		}
		n.leaves[leaf.head] = leaf
	}
	n.kids = append(n.kids, kid)
}

// tree returns the filter as an expression of SRL.
func (n *node) tree() srl.Expr {
	if n.op == leafOp {
		return n.leaf()
	}
	kids := make([]srl.Expr, len(n.kids))
	for i, k := range n.kids {
		kids[i] = k.tree()
	}
	switch {
	case n.op == notOp:
		return &srl.Not{Place: n.at, X: kids[0]}
	case len(kids) == 1:
		return kids[0]
	case n.op == andOp:
		return and(n.at, kids...)
	}
	return or(n.at, kids...)
}

// leaf returns a leaf's test. What fails for most packets stands first.
func (n *node) leaf() srl.Expr {
	switch n.kind {
	case addressKind:
		return and(n.at, n.ends("PeerAddress"), n.families(n.proto))
	case portKind:
		with := portProtos
		if n.proto != "" {
			with = []string{n.proto}
		}
		var numbers []string
		for _, w := range with {
			numbers = append(numbers, protos[w].number)
		}
		return and(n.at, n.ends("TransAddress"), n.test("SourceTransType", numbers...), n.families(""))
	case numberKind:
		return and(n.at, n.compare("SourceTransType"), n.families(n.proto))
	case etherKind:
		return n.ends("AdjacentAddress")
	case vlanKind:
		return n.compare("VLANid")
	case taggedKind:
		return &srl.Not{Place: n.at, X: n.test("VLANid", "0")}
	}
	p := protos[n.proto]
	if p.number == "" {
		return n.families(n.proto)
	}
	return and(n.at, n.test("SourceTransType", p.number), n.families(p.family))
}

// ends returns the tests of an attribute of the ends that are asked of.
func (n *node) ends(attribute string) srl.Expr {
	source, dest := n.compare("Source"+attribute), n.compare("Dest"+attribute)
	switch n.dir {
	case sourceEnd:
		return source
	case destEnd:
		return dest
	case bothEnds:
		return and(n.at, source, dest)
	}
	return or(n.at, source, dest)
}

// families returns the test for a version of IP, for either if there is none.
func (n *node) families(version string) srl.Expr {
	switch version {
	case "ip":
		return n.test("SourcePeerType", "ipv4")
	case "ip6":
		return n.test("SourcePeerType", "ipv6")
	}
	return n.test("SourcePeerType", "ipv4", "ipv6")
}

// compare returns the comparison of an attribute with the leaf's values.
func (n *node) compare(attribute string) *srl.Test {
	return &srl.Test{Place: n.at, Attr: srl.Word{Place: n.at, Text: attribute}, Operands: n.values}
}

// test returns the comparison of an attribute with values of SRL.
func (n *node) test(attribute string, values ...string) *srl.Test {
	t := &srl.Test{Place: n.at, Attr: srl.Word{Place: n.at, Text: attribute}}
	for _, v := range values {
		t.Operands = append(t.Operands, srl.Operand{Value: srl.Word{Place: n.at, Text: v}})
	}
	return t
}

// and returns the conjunction of several expressions, none within another.
func and(at srl.Place, list ...srl.Expr) srl.Expr {
	all := &srl.And{Place: at}
	for _, e := range list {
		if inner, is := e.(*srl.And); is {
			all.Factors = append(all.Factors, inner.Factors...)
		} else {
			all.Factors = append(all.Factors, e)
		}
	}
	return all
}

// or returns the disjunction of several expressions, none within another.
func or(at srl.Place, list ...srl.Expr) srl.Expr {
	any := &srl.Or{Place: at}
	for _, e := range list {
		if inner, is := e.(*srl.Or); is {
			any.Terms = append(any.Terms, inner.Terms...)
		} else {
			any.Terms = append(any.Terms, e)
		}
	}
	return any
}
