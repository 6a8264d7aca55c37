package compile

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// optimise makes a program's rules fewer and returns its first node. What the
// program does with each packet stays what it was: the verdict, and of a packet
// that is counted each attribute's last save.
//
// The passes go through the nodes once each, over and over until none of them
// finds anything, mostRounds times at most:
//
//   - calls (optcalls.go): a subroutine stands in the place of its Gosub where
//     that takes no more rules.
//   - saves (optsaves.go): what is saved again, or not counted, need not be saved.
//   - facts (optfacts.go): a test whose outcome is known goes.
//   - networks (optnetworks.go): tests of one attribute become the fewest prefixes.
//   - share: of nodes that do the same only one stays.
func (c *compiler) optimise(entry *node) *node {
	o := &optimiser{entry: entry, maxNodes: c.maxNodes}
	o.share()
	for range mostRounds {
		before := o.rules
		o.changed = false
		for _, pass := range []func(){o.calls, o.saves, o.facts, o.networks} {
			if pass(); o.stale {
				o.share()
			}
		}
		if !o.changed || before-o.rules < before/least {
			break
		}
	}
	o.chains()
	return o.entry
}

// mostRounds is how often the passes are done, as long as of least rules one at
// least goes. Hardly a program needs more than three.
const (
	mostRounds = 6
	least      = 64
)

type optimiser struct {
	entry    *node
	maxNodes int
	round    int32 // of from, which tells the nodes that it has met
	ordered  []*node
	rules    int  // when share was done
	stale    bool // there is something that only share completes
	changed  bool // since the round has begun

	compared, mostCompared int   // operands, by facts
	walked                 int   // nodes, by calls
	next                   int32 // number of a new node, in calls
}

// edge returns what leads from a node on: success, failure, and what follows
// each return of a Gosub; nil if there is no edge with number i or after it.
func (n *node) edge(i int) **node {
	switch {
	case i == 0:
		return &n.succ
	case i == 1:
		return &n.fail
	case i-2 < len(n.pads):
		return &n.pads[i-2]
	}
	return nil
}

// order returns the nodes that can be reached, each behind all that it leads to,
// and numbers them so. A program has no loops: neither statements nor calls do.
func (o *optimiser) order() []*node {
	if o.ordered == nil {
		o.round++
		o.entry = o.entry.final()
		o.ordered = o.from(o.entry, nil, func(*node) int { return 0 })
		for i, n := range o.ordered {
			n.id = int32(i)
		}
	}
	return o.ordered
}

// leaveOut is the edge of nodes that from does not enter.
const leaveOut = -1

// from appends to list the nodes that can be reached from n, each behind all that
// it leads to; enter tells by which edges from its first one on.
func (o *optimiser) from(n *node, list []*node, enter func(*node) int) []*node {
	type visit struct {
		n    *node
		edge int
	}
	n.round = o.round
	path := []visit{{n, enter(n)}}
	for len(path) > 0 {
		top := &path[len(path)-1]
		e := top.n.edge(top.edge)
		if e == nil {
			list = append(list, top.n)
			path = path[:len(path)-1]
			continue
		}
		top.edge++
		*e = (*e).final()
		if to := *e; to != nil && to.round != o.round {
			to.round = o.round
			if edge := enter(to); edge != leaveOut {
				path = append(path, visit{to, edge})
			}
		}
	}
	return list
}

// final returns the node that stands in the place of n.
func (n *node) final() *node {
	for n != nil && n.same != nil {
		if n.same.same != nil {
			n.same = n.same.same
		}
		n = n.same
	}
	return n
}

// share leaves one of the nodes that do the same, and folds those that became
// simpler: tails of the program that are alike become one, from its end on.
func (o *optimiser) share() {
	order := o.order()
	s := sharing{nodes: make(map[shape]*node, len(order)), lists: map[uint64][]int32{}, pads: map[string]int32{}, seed: maphash.MakeSeed()}
	o.rules = 0
	for _, n := range order {
		if n.same != nil {
			continue
		}
		for i := 0; n.edge(i) != nil; i++ {
			*n.edge(i) = (*n.edge(i)).final()
		}
		if n.table {
			o.rules += n.rules()
			continue
		}
		if to := n.fold(); to != nil {
			o.replace(n, to)
			continue
		}
		key := s.shape(n)
		if like := s.nodes[key]; like != nil {
			o.replace(n, like)
		} else {
			s.nodes[key] = n
			o.rules += n.rules() + len(n.pads)
		}
	}
	o.entry = o.entry.final()
	o.stale = false
}

// replace has another node stand in the place of n, once share has seen to it.
func (o *optimiser) replace(n, by *node) {
	n.same = by
	o.touch()
}

// touch notes that something has changed.
func (o *optimiser) touch() { o.stale, o.changed, o.ordered = true, true, nil }

// fold makes a node simpler that leads where nothing of it is needed, and
// returns what stands in its place, if anything does.
func (n *node) fold() *node {
	nothing := n.succ != nil && n.succ.ends() && n.op != ruleset.OpGosub
	switch {
	case !n.test && (nothing || n.op == ruleset.OpGoto):
		return n.succ
	case n.test && n.op == ruleset.OpGoto && n.succ == n.fail:
		return n.succ
	case n.test && (nothing || n.op == ruleset.OpGoto && n.succ.always() && n.succ.op == ruleset.OpReturn):
		n.op, n.ret, n.succ = n.succ.op, n.succ.ret, nil
	case n.succ != nil && n.op != ruleset.OpGosub:
		n.count()
	}
	if n.test && n.fail.always() && n.fail.op == n.op && n.fail.ret == n.ret && !n.op.Pushes() {
		return n.fail
	}
	return nil
}

// shape is what a node does.
type shape struct {
	op          ruleset.Opcode
	test        bool
	attr        attr.Attr
	mask, value attr.Value
	succ, fail  *node
	ret         int
	list, pads  int32
}

// sharing knows the nodes of one pass.
type sharing struct {
	nodes map[shape]*node
	lists map[uint64][]int32 // by hash
	known [][]operand        // by number, from 1
	pads  map[string]int32
	seed  maphash.Seed
	room  []byte
}

func (s *sharing) shape(n *node) shape {
	key := shape{op: n.op, test: n.test, attr: n.attr, mask: n.mask, value: n.value, succ: n.succ, fail: n.fail, ret: n.ret}
	if n.test {
		key.list = s.list(n.list)
	}
	if n.op == ruleset.OpGosub {
		s.room = s.room[:0]
		for _, p := range n.pads {
			s.room = binary.NativeEndian.AppendUint32(s.room, uint32(p.id))
		}
		id, ok := s.pads[string(s.room)]
		if !ok {
			id = int32(len(s.pads))
			s.pads[string(s.room)] = id
		}
		key.pads = id
	}
	return key
}

// list returns the number of a list of operands.
func (s *sharing) list(list []operand) int32 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for i := range list {
		m, v := list[i].mask.Padded(), list[i].value.Padded()
		h.Write(m[:])
		h.Write(v[:])
	}
	sum := h.Sum64()
	for _, id := range s.lists[sum] {
		if slices.EqualFunc(s.known[id-1], list, sameOperand) {
			return id
		}
	}
	s.known = append(s.known, list)
	id := int32(len(s.known))
	s.lists[sum] = append(s.lists[sum], id)
	return id
}

func sameOperand(a, b operand) bool { return a.mask == b.mask && a.value == b.value }

// chains notes for each node after which test it is to stand, so that it follows
// the test's failure without a jump: after the first one of the program.
func (o *optimiser) chains() {
	order := o.order()
	for _, n := range slices.Backward(order) {
		if n.test && n.fail.before == nil && (n.fail.test || n.fail.always()) {
			n.fail.before = n
		}
	}
}
