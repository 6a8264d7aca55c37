package ident

import "rtfm/meter/huge"

// A place is where the flow is that has an identifier. None is 0.
type place struct {
	id  uint64
	row uint32
}

// index finds the flows of a ruleset by their identifiers, and the next higher one.
//
// A directory tells by the first bits of an identifier which segment it is in. In a
// segment places stand in order, each where the bits behind those say, or behind
// others that do, without a gap. Identifiers are as good as random, so that finding
// one takes a look at one place in memory, or its neighbours (BenchmarkCreate). A
// segment that is full is split, and the directory doubled if it has to be; two halves
// in which few places are left are joined again, so that what is in use at a time bounds
// the memory, not what ever was.
//
// Those who send packets may look for identifiers that share their first bits. So a
// directory has a largest size, and behind that a segment's places are in an index of
// their own, by the bits that follow: the way to those is longer, and to no others.
type index struct {
	bits      int // of an identifier
	above     int // first bits, which all have in common
	depth     int // bits behind these by which the directory tells
	most      int // what depth is at most
	directory []*segment
	deepest   int    // segments that are as deep as that, unless it is 0
	store     *store // for the slots of the segments
}

// segment holds the places whose identifiers have the same bits: those above its
// index, and as many more as it is deep.
type segment struct {
	depth int
	used  int    // how many places
	slots *slots // where they are, nil if there are none
	below *index // has them, unless nil
}

type slots [segmentLen]place

// A store has room for slots, in huge pages: a flow may look anywhere.
type store struct {
	slab huge.Slab[slots]
	free []*slots // all zero
}

// take returns slots that are zero.
func (r *store) take() *slots {
	if n := len(r.free) - 1; n >= 0 {
		s := r.free[n]
		r.free = r.free[:n]
		return s
	}
	return &r.slab.Take(1)[0]
}

// give takes slots back, which must be zero.
func (r *store) give(s *slots) { r.free = append(r.free, s) }

const (
	homeBits    = 8
	segmentLen  = 1<<homeBits + 48 // the last home has some room behind it too
	segmentFull = 180
	fewPlaces   = 48 // of which two segments become one: they have room behind any home
	rootMost    = 16
	belowMost   = 8
)

func newIndex(bits int, in *store) *index { return newIndexBelow(bits, 0, rootMost, in) }

func newIndexBelow(bits, above, most int, in *store) *index {
	return &index{bits: bits, above: above, most: most, directory: []*segment{{}}, store: in}
}

// digits returns so many bits of an identifier, behind the first from ones.
func (x *index) digits(id uint64, from, n int) int {
	return int(id << (64 - x.bits) << from >> (64 - n))
}

// segment returns that of an identifier, which may be below.
func (x *index) segment(id uint64) *segment { return x.directory[x.digits(id, x.above, x.depth)] }

// home returns the first slot of s where the place of an identifier may be.
func (x *index) home(s *segment, id uint64) int { return x.digits(id, x.above+s.depth, homeBits) }

// find returns the first slot from its home on that has no lower identifier, or is empty.
func (x *index) find(s *segment, id uint64) int {
	at := x.home(s, id)
	for at < segmentLen && s.slots[at].id != 0 && s.slots[at].id < id {
		at++
	}
	return at
}

// add adds a place, false if there is one of its identifier.
func (x *index) add(p place) bool {
	s := x.segment(p.id)
	for s.below == nil {
		if s.slots == nil {
			s.slots = x.store.take()
		}
		at := x.find(s, p.id)
		if at < segmentLen && s.slots[at].id == p.id {
			return false
		}
		if s.used < segmentFull && s.insert(at, p) {
			return true
		}
		x.split(s, p.id)
		s = x.segment(p.id)
	}
	added := s.below.add(p)
	if added {
		s.used++
	}
	return added
}

// insert makes room for p in a slot, false if there is none.
func (s *segment) insert(at int, p place) bool {
	gap := at
	for gap < segmentLen && s.slots[gap].id != 0 {
		gap++
	}
	if gap == segmentLen {
		return false
	}
	copy(s.slots[at+1:gap+1], s.slots[at:gap])
	s.slots[at] = p
	s.used++
	return true
}

// split moves half of s, where id is, to a new segment, or all of it below.
func (x *index) split(s *segment, id uint64) {
	var room [segmentLen]place
	places := x.empty(s, room[:0])
	if s.depth == x.most {
		s.below = newIndexBelow(x.bits, x.above+x.most, belowMost, x.store)
	} else {
		if s.depth == x.depth {
			d := make([]*segment, 2*len(x.directory))
			for i, s := range x.directory {
				d[2*i], d[2*i+1] = s, s
			}
			x.directory, x.depth, x.deepest = d, x.depth+1, 0
		}
		first, n := x.run(s, id)
		s.depth++
		upper := &segment{depth: s.depth}
		for i := n / 2; i < n; i++ {
			x.directory[first+i] = upper
		}
		if s.depth == x.depth {
			x.deepest += 2
		}
	}
	for _, p := range places {
		x.add(p)
	}
}

// run returns the directory entries of s, where id is, which are a power of two: the
// first one and how many.
func (x *index) run(s *segment, id uint64) (first, n int) {
	n = 1 << (x.depth - s.depth)
	return x.digits(id, x.above, x.depth) &^ (n - 1), n
}

// empty takes all places out of s and appends them to others.
func (x *index) empty(s *segment, to []place) []place {
	if b := s.below; b != nil {
		for i := 0; i < len(b.directory); {
			s := b.directory[i]
			to = b.empty(s, to)
			i += 1 << (b.depth - s.depth)
		}
	} else if s.slots != nil {
		for _, p := range s.slots {
			if p.id != 0 {
				to = append(to, p)
			}
		}
		*s.slots = slots{}
		x.store.give(s.slots)
	}
	s.slots, s.below, s.used = nil, nil, 0
	return to
}

// remove removes the place of an identifier, false if there is none.
func (x *index) remove(id uint64) bool {
	s := x.segment(id)
	switch {
	case s.below != nil:
		if !s.below.remove(id) {
			return false
		}
		s.used--
	case s.slots == nil:
		return false
	default:
		at := x.find(s, id)
		if at == segmentLen || s.slots[at].id != id {
			return false
		}
		x.take(s, at)
	}
	for s.used <= fewPlaces && x.join(s, id) {
	}
	return true
}

// join makes one of two segments that have few places, of which s, where id is, is
// one, or of what is below s; false if there is nothing of that kind.
func (x *index) join(s *segment, id uint64) bool {
	var room [fewPlaces]place
	places := room[:0]
	if s.below != nil {
		places = x.empty(s, places)
	} else {
		if s.depth == 0 {
			return false
		}
		first, n := x.run(s, id)
		other := x.directory[first^n]
		if other.depth != s.depth || other.used+s.used > fewPlaces {
			return false
		}
		places = x.empty(other, x.empty(s, places))
		for i := range n {
			x.directory[first^n+i] = s
		}
		if s.depth--; s.depth == x.depth-1 {
			x.deepest -= 2
			x.shrink()
		}
	}
	for _, p := range places {
		x.add(p)
	}
	return true
}

// shrink makes the directory as small as it can be.
func (x *index) shrink() {
	for x.deepest == 0 && x.depth > 0 {
		d := make([]*segment, len(x.directory)/2)
		x.depth--
		for i := range d {
			d[i] = x.directory[2*i]
			if d[i].depth == x.depth {
				x.deepest++
			}
		}
		x.directory = d
	}
}

// take takes the place in a slot out of s and closes the gap.
func (x *index) take(s *segment, at int) {
	end := at + 1
	for end < segmentLen && s.slots[end].id != 0 && x.home(s, s.slots[end].id) < end {
		end++
	}
	copy(s.slots[at:], s.slots[at+1:end])
	s.slots[end-1] = place{}
	if s.used--; s.used == 0 {
		x.store.give(s.slots)
		s.slots = nil
	}
}

// from returns the place of this identifier or the first higher one; its row is 0 if there
// is none.
func (x *index) from(id uint64) place {
	for d := x.digits(id, x.above, x.depth); d < len(x.directory); {
		s := x.directory[d]
		if p := x.fromIn(s, id); p.row != 0 {
			return p
		}
		n := 1 << (x.depth - s.depth) // entries that share s
		d = d&^(n-1) + n
		id = 0 // all that are behind are higher
	}
	return place{}
}

// fromIn is from for those in s.
func (x *index) fromIn(s *segment, id uint64) place {
	switch {
	case s.below != nil:
		return s.below.from(id)
	case s.slots == nil:
		return place{}
	}
	for at := x.find(s, id); at < segmentLen; at++ {
		if p := s.slots[at]; p.id != 0 {
			return p
		}
	}
	return place{}
}
