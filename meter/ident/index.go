package ident

import "slices"

// A place is where the flow of a ruleset is that has an identifier.
type place struct {
	id      uint64
	ruleSet uint32
	row     uint32
}

// before reports whether p comes before q.
func (p place) before(q place) bool { return p.id < q.id || p.id == q.id && p.ruleSet < q.ruleSet }

// index finds flows by their identifiers, and the next higher one. It is a tree by the
// identifiers' digits, four bits each, with up to leafLen places in a leaf, which are in
// order. Identifiers are as good as random, so that it is as deep as it must be; those
// who send packets may look for some that share their first digits, which makes only
// the way to these longer, digit by digit.
type index struct {
	root  node
	len   int
	digit int // bits below the first digit
}

const (
	digitBits = 4
	leafLen   = 32
)

// node is a leaf, unless there is anything below it.
type node struct {
	places []place
	below  *[1 << digitBits]node
}

func newIndex(bits int) index { return index{digit: bits - digitBits} }

// find returns where in a leaf the first place is that does not come before p, and whether
// that is one of the same identifier and ruleset.
func (n *node) find(p place) (at int, found bool) {
	for at < len(n.places) && n.places[at].before(p) {
		at++
	}
	return at, at < len(n.places) && !p.before(n.places[at])
}

// leaf returns the leaf where places of this identifier are, and how many bits its
// digits have below them.
func (x *index) leaf(id uint64) (*node, int) {
	n, digit := &x.root, x.digit
	for ; n.below != nil; digit -= digitBits {
		n = &n.below[id>>digit%(1<<digitBits)]
	}
	return n, digit
}

// add adds a place, false if there is one of its identifier and ruleset.
func (x *index) add(p place) bool {
	n, digit := x.leaf(p.id)
	at, found := n.find(p)
	if found {
		return false
	}
	x.len++
	n.places = slices.Insert(n.places, at, p)
	// All digits of equal identifiers are: these stay together.
	for len(n.places) > leafLen && digit >= 0 {
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

// remove removes the place of an identifier and ruleset.
func (x *index) remove(id uint64, ruleSet uint32) {
	n, _ := x.leaf(id)
	if at, found := n.find(place{id: id, ruleSet: ruleSet}); found {
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

// from returns the first place from p on, false if there is none.
func (x *index) from(p place) (place, bool) { return x.root.from(p, x.digit) }

func (n *node) from(p place, digit int) (place, bool) {
	if n.below == nil {
		at, _ := n.find(p)
		if at == len(n.places) {
			return place{}, false
		}
		return n.places[at], true
	}
	for d := p.id >> digit % (1 << digitBits); d < 1<<digitBits; d++ {
		if found, ok := n.below[d].from(p, digit-digitBits); ok {
			return found, true
		}
		p = place{} // all that are behind are higher
	}
	return place{}, false
}
