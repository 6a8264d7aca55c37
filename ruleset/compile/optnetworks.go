package compile

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// networks makes the fewest prefixes of tests of one attribute that follow each
// other's failures and save nothing of what matches: neighbours become one, and
// what has exceptions is tested for these first. The way to them is that of
// R. Draves and others, "Constructing Optimal IP Routing Tables" (INFOCOM 1999);
// where they have a next hop, here is what follows a match.
func (o *optimiser) networks() {
	order := o.order()
	in := make([]int32, len(order)) // how many edges lead to a node
	for _, n := range order {
		for i := 0; n.edge(i) != nil; i++ {
			if to := *n.edge(i); to != nil {
				in[to.id]++
			}
		}
	}
	done := make([]bool, len(order))
	for _, n := range slices.Backward(order) {
		alone := n.fail == nil || n.fail.attr != n.attr || in[n.fail.id] > 1 // which is cheap to find
		if done[n.id] || alone && len(n.list) < 2 || !n.mergeable() {
			continue
		}
		t := prefixes{attr: n.attr, actions: make([]action, 1, 4)}
		last := n
		for done[n.id] = t.add(n); last.fail.attr == n.attr && in[last.fail.id] == 1 && last.fail.mergeable() && t.add(last.fail); {
			last = last.fail
			done[last.id] = true
		}
		if len(t.operands) < 2 || n.tried == len(t.operands) {
			continue
		}
		n.tried = len(t.operands)
		t.actions[0].to = last.fail
		if t.shorten(); t.rules < len(t.operands) {
			o.put(n, &t)
		}
	}
}

// mergeable reports whether a node's operands are prefixes, of which it does not
// matter which one matches.
func (n *node) mergeable() bool {
	if !n.test || n.table || n.op.Pushes() || n.attr.Info().Class == attr.ClassMatching {
		return false
	}
	return !slices.ContainsFunc(n.list, func(o operand) bool { return o.width < 0 })
}

// action is what follows a match.
type action struct {
	op    ruleset.Opcode
	to    *node // of opcodes with a target
	ret   int
	test  *node // one that has it
	first int32 // its first operand
}

// mostActions is how many actions a set can hold. The first stands for what
// follows when nothing matches.
const mostActions = 64

// prefixes are the operands of some tests, and the tree that they make.
type prefixes struct {
	attr     attr.Attr
	actions  []action
	operands []operand
	does     []uint8 // of each operand, the action
	tree     []branch
	rules    int
	found    [][]prefixRule // by width
}

// branch is a prefix, and what is done within it.
type branch struct {
	at     attr.Prefix // its Place is that of the first operand in it
	does   uint8       // where no longer prefix is
	skips  bool        // all within it but the one below does the same
	within uint64      // actions with any of which around it fewest rules are in it
	below  [2]int32
}

// prefixRule is a prefix that is to be tested.
type prefixRule struct {
	at   attr.Prefix
	does uint8
}

// add takes the operands of a test, unless there are too many actions.
func (p *prefixes) add(n *node) bool {
	i := slices.IndexFunc(p.actions[1:], func(a action) bool { return a.op == n.op && a.to == n.succ && a.ret == n.ret }) + 1
	if i == 0 {
		if i = len(p.actions); i == mostActions {
			return false
		}
		p.actions = append(p.actions, action{n.op, n.succ, n.ret, n, int32(len(p.operands))})
	}
	if p.operands == nil {
		p.operands = n.list[:len(n.list):len(n.list)]
	} else {
		p.operands = append(p.operands, n.list...)
	}
	for range n.list {
		p.does = append(p.does, uint8(i))
	}
	return true
}

// shorten finds the fewest rules.
func (p *prefixes) shorten() {
	none := p.actions[0].to
	for i := range p.does {
		a := &p.actions[p.does[i]]
		if a.to == none || a.to == nil && none.always() && none.op == a.op && none.ret == a.ret {
			p.does[i] = 0
		}
	}
	list := make([]attr.Prefix, len(p.operands), 2*len(p.operands))
	for i := range list {
		list[i] = attr.MakePrefix(p.operands[i].value, int(p.operands[i].width), i)
	}
	list = attr.SortPrefixes(list, list[len(list):2*len(list)])
	var around []attr.Prefix // each with the first place of it and those around it
	n := 0
	for _, at := range list {
		for len(around) > 0 && !around[len(around)-1].Holds(&at) {
			around = around[:len(around)-1]
		}
		if len(around) > 0 && around[len(around)-1].Place < at.Place {
			continue // never comes to it
		}
		around = append(around, at)
		list[n] = at
		n++
	}
	p.tree = make([]branch, 0, 2*n+1)
	p.found = make([][]prefixRule, 8*attr.MaxAddress+1)
	p.emit(p.branch(list[:n], attr.Prefix{}, 0), 0)
}

// branch adds the prefix at with those of list, which are in it, to the tree.
func (p *prefixes) branch(list []attr.Prefix, at attr.Prefix, does uint8) int32 {
	if len(list) > 0 && list[0].Len == at.Len {
		at.Place, does = list[0].Place, p.does[list[0].Place]
		list = list[1:]
	}
	id := int32(len(p.tree))
	p.tree = append(p.tree, branch{at: at, does: does, within: 1 << does, below: [2]int32{-1, -1}})
	if len(list) == 0 {
		return id
	}
	first, last := &list[0], &list[len(list)-1]
	b := branch{at: at, does: does, within: 1 << does, below: [2]int32{-1, -1}}
	if common := min(first.Len, commonBits(first, last)); common > at.Len {
		in := *first
		in.Len = common
		cut(&in)
		to := p.branch(list, in, does)
		b.skips, b.below[0] = true, to
		if within := p.tree[to].within; common == at.Len+1 && within&b.within == 0 {
			b.within |= within
		}
		b.at.Place = p.tree[to].at.Place
	} else {
		word, bit := at.Len/64, uint64(1)<<(63-at.Len%64)
		half := sort.Search(len(list), func(i int) bool { return list[i].Bits[word]&bit != 0 })
		low, high := at, at
		low.Len++
		high.Len++
		high.Bits[word] |= bit
		b.below = [2]int32{p.branch(list[:half], low, does), p.branch(list[half:], high, does)}
		l, h := &p.tree[b.below[0]], &p.tree[b.below[1]]
		if b.within = l.within & h.within; b.within == 0 {
			b.within = l.within | h.within
		}
		b.at.Place = min(l.at.Place, h.at.Place)
	}
	p.tree[id] = b
	return id
}

// commonBits returns how many bits two prefixes begin with that are the same.
func commonBits(p, q *attr.Prefix) uint8 {
	for i, b := range p.Bits {
		if differ := b ^ q.Bits[i]; differ != 0 {
			return uint8(64*i + bits.LeadingZeros64(differ))
		}
	}
	return min(p.Len, q.Len)
}

// cut clears the bits beyond a prefix.
func cut(p *attr.Prefix) {
	for i := range p.Bits {
		p.Bits[i] &^= ^uint64(0) >> min(64, max(0, int(p.Len)-64*i))
	}
}

// emit finds the rules of a branch where around it this is done.
func (p *prefixes) emit(id int32, around uint8) {
	b := &p.tree[id]
	if b.within>>around&1 == 0 {
		around = uint8(bits.TrailingZeros64(b.within))
		if b.skips {
			around = b.does
		}
		p.found[b.at.Len] = append(p.found[b.at.Len], prefixRule{b.at, around})
		p.rules++
	}
	if b.skips && around != b.does { // the other half of it
		other := p.tree[b.below[0]].at
		other.Bits[b.at.Len/64] ^= 1 << (63 - b.at.Len%64)
		p.found[other.Len] = append(p.found[other.Len], prefixRule{other, b.does})
		p.rules++
	}
	for _, below := range b.below {
		if below >= 0 {
			p.emit(below, around)
		}
	}
}

// put has the rules that were found stand in the place of n and the tests that
// follow its failures.
func (o *optimiser) put(n *node, p *prefixes) {
	o.touch()
	next := p.actions[0].to
	if all := p.found[0]; len(all) > 0 {
		next = p.actions[all[0].does].always(next)
	}
	var nodes []node
	for width := len(p.found) - 1; width > 0; width-- {
		list := p.found[width]
		slices.SortFunc(list, func(a, b prefixRule) int {
			return cmp.Or(cmp.Compare(a.does, b.does), cmp.Compare(a.at.Place, b.at.Place))
		})
		for i := range list {
			does := &p.actions[list[i].does]
			if last := len(nodes) - 1; last < 0 || nodes[last].op != does.op || nodes[last].succ != does.to || nodes[last].ret != does.ret {
				nodes = append(nodes, does.tested(p.attr))
			}
			to := &nodes[len(nodes)-1].list
			*to = append(*to, p.operand(&list[i]))
		}
	}
	if len(nodes) == 0 {
		n.same = next
		return
	}
	for i := len(nodes) - 1; i > 0; i-- {
		nodes[i].fail = next
		next = &nodes[i]
	}
	first := &nodes[0]
	n.at, n.op, n.list, n.succ, n.ret, n.fail = first.at, first.op, first.list, first.succ, first.ret, next
}

// tested returns a node of the action that tests an attribute. Where nothing
// matched, there was none.
func (a *action) tested(of attr.Attr) node {
	if a.test == nil {
		return node{at: a.to.at, test: true, op: ruleset.OpGoto, attr: of, succ: a.to}
	}
	return node{at: a.test.at, test: true, op: a.op, attr: of, succ: a.to, ret: a.ret}
}

// always returns the node of an action that follows all that fails; none is that
// of the first action.
func (a *action) always(none *node) *node {
	switch {
	case a.test == nil:
		return none
	case a.op == ruleset.OpGoto:
		return a.to
	}
	return &node{at: a.test.at, op: a.op, succ: a.to, ret: a.ret}
}

// operand returns the prefix of a rule as a test has it.
func (p *prefixes) operand(r *prefixRule) operand {
	from := &p.operands[r.at.Place]
	if does := p.does[r.at.Place]; does != r.does && r.does != 0 {
		from = &p.operands[p.actions[r.does].first]
	}
	width := int(r.at.Len)
	if at := attr.MakePrefix(from.value, width, 0); int(from.width) == width && at.Bits == r.at.Bits {
		return *from
	}
	var b [8 * len(r.at.Bits)]byte
	for i, w := range r.at.Bits {
		binary.BigEndian.PutUint64(b[8*i:], w)
	}
	size := p.attr.Info().Size
	if p.attr.Info().Variable {
		lengths := usualLengths(p.attr)
		at, _ := slices.BinarySearch(lengths, max((width+7)/8, from.value.Len()))
		size = lengths[at]
	}
	return operand{
		mask: attr.WidthMask(width, size), value: canonical(p.attr, attr.MakeValue(b[:attr.MaxAddress]...).Resize(size)),
		width: int16(width), from: from.from,
	}
}
