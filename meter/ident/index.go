package ident

import "slices"

// A place is where the flow is that has an identifier.
type place struct {
	id  uint64
	row uint32
}

// index finds the flows of a ruleset by their identifiers, and the next higher one. It is
// a tree by the identifiers' digits, eight bits each, with up to leafLen places in a leaf,
// which are in order. Identifiers are as good as random, so that it is as deep as it must be; those
// who send packets may look for some that share their first digits, which makes only
// the way to these longer, digit by digit. A branch becomes a leaf again when few are
// left, so that what is in use now bounds the memory, not what ever was.
type index struct {
	root  node
	digit int // bits below the first digit
}

const (
	digitBits = 8
	leafLen   = 32
	fewPlaces = leafLen / 2 // of which a branch becomes a leaf
)

// node is a leaf, unless there is a branch below it.
type node struct {
	places []place
	below  *branch
}

// branch is the nodes of all digits.
type branch struct {
	len   int // places in all of them
	nodes [1 << digitBits]node
}

// at returns the node of an identifier's digit, which has so many bits below it.
func (b *branch) at(id uint64, digit int) *node { return &b.nodes[id>>digit%(1<<digitBits)] }

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
		n = n.below.at(id, digit)
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
	n.places = slices.Insert(n.places, at, p)
	for m, digit := &x.root, x.digit; m.below != nil; digit -= digitBits {
		m.below.len++
		m = m.below.at(p.id, digit)
	}
	for len(n.places) > leafLen {
		n.split(digit)
		n = n.below.at(p.id, digit)
		digit -= digitBits
	}
	return true
}

// split puts a branch below a leaf.
func (n *node) split(digit int) {
	n.below = &branch{len: len(n.places)}
	for _, p := range n.places {
		to := n.below.at(p.id, digit)
		to.places = append(to.places, p)
	}
	n.places = nil
}

// remove removes the place of an identifier.
func (x *index) remove(id uint64) { x.root.remove(id, x.digit) }

// remove reports whether there was one.
func (n *node) remove(id uint64, digit int) bool {
	if b := n.below; b != nil {
		if !b.at(id, digit).remove(id, digit-digitBits) {
			return false
		}
		if b.len--; b.len <= fewPlaces {
			n.join()
		}
		return true
	}
	at := n.find(id, digit)
	if !n.is(at, id) {
		return false
	}
	if n.places = slices.Delete(n.places, at, at+1); len(n.places) == 0 {
		n.places = nil
	}
	return true
}

// join makes a leaf of a branch that has few places. What is below it are leaves: a
// branch there, which has no more places, has become one before.
func (n *node) join() {
	n.places = make([]place, 0, n.below.len)
	for i := range n.below.nodes {
		n.places = append(n.places, n.below.nodes[i].places...)
	}
	n.below = nil
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
		if p := n.below.nodes[d].from(id, digit-digitBits); p.row != 0 {
			return p
		}
		id = 0 // all that are behind are higher
	}
	return place{}
}
