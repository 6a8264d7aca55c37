package ident

import "slices"

// A place is where the flow is that has an identifier.
type place struct {
	id  uint64
	row uint32
}

// index finds the flows of a ruleset by their identifiers, and the next higher one. It is a tree by the
// identifiers' digits, eight bits each, with up to leafLen places in a leaf, which are in
// order. Identifiers are as good as random, so that it is as deep as it must be; those
// who send packets may look for some that share their first digits, which makes only
// the way to these longer, digit by digit.
type index struct {
	root  node
	len   int
	digit int // bits below the first digit
}

const (
	digitBits = 8
	leafLen   = 32
)

// node is a leaf, unless there is anything below it.
type node struct {
	places []place
	below  *[1 << digitBits]node
}

func newIndex(bits int) *index { return &index{digit: bits - digitBits} }

// find returns where in a leaf the first place is whose identifier is not lower. It looks
// first where that would be if the leaf's were spread evenly; digit is how many bits their
// digits have below those that they share.
func (n *node) find(id uint64, digit int) int {
	at := len(n.places) * int(id>>max(digit, 0)%(1<<digitBits)) >> digitBits
	for at > 0 && n.places[at-1].id >= id {
		at--
	}
	for at < len(n.places) && n.places[at].id < id {
		at++
	}
	return at
}

// is reports whether the place at is there and has this identifier.
func (n *node) is(at int, id uint64) bool { return at < len(n.places) && n.places[at].id == id }

// leaf returns the leaf where places of this identifier are, and how many bits its
// digits have below them.
func (x *index) leaf(id uint64) (*node, int) {
	n, digit := &x.root, x.digit
	for ; n.below != nil; digit -= digitBits {
		n = &n.below[id>>digit%(1<<digitBits)]
	}
	return n, digit
}

// add adds a place, false if there is one of its identifier.
func (x *index) add(p place) bool {
	n, digit := x.leaf(p.id)
	at := n.find(p.id, digit)
	if n.is(at, p.id) {
		return false
	}
	x.len++
	n.places = slices.Insert(n.places, at, p)
	for len(n.places) > leafLen {
		n.below = new([1 << digitBits]node)
		for _, p := range n.places {
			to := &n.below[p.id>>digit%(1<<digitBits)]
			to.places = append(to.places, p)
		}
		n.places = nil
		n = &n.below[p.id>>digit%(1<<digitBits)]
		digit -= digitBits
	}
	return true
}

// remove removes the place of an identifier.
func (x *index) remove(id uint64) {
	n, digit := x.leaf(id)
	if at := n.find(id, digit); n.is(at, id) {
		n.places = slices.Delete(n.places, at, at+1)
		x.len--
	}
	if len(n.places) == 0 {
		n.places = nil
	}
	if x.len == 0 {
		x.root = node{}
	}
}

// from returns the place of this identifier or the first higher one; its row is 0 if there
// is none.
func (x *index) from(id uint64) place { return x.root.from(id, x.digit) }

func (n *node) from(id uint64, digit int) place {
	if n.below == nil {
		if at := n.find(id, digit); at < len(n.places) {
			return n.places[at]
		}
		return place{}
	}
	for d := id >> digit % (1 << digitBits); d < 1<<digitBits; d++ {
		if p := n.below[d].from(id, digit-digitBits); p.row != 0 {
			return p
		}
		id = 0 // all that are behind are higher
	}
	return place{}
}
