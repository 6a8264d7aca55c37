package flow

// The index is an extendible hash table: a directory of segments, each an
// open-addressing table of entries. A segment that gets full gives half of its
// entries to a new one; the directory doubles when it must. Growing thus never
// stops the meter for longer than one segment takes, some ten microseconds, and
// leaves nothing to the garbage collector.
//
// Whatever the hashes are, there is room for every entry: a segment that cannot
// be split any more is continued in another one when it is full. Hashes that nobody
// can choose do not lead there; then looking for an entry takes as long as there
// are segments.

const (
	segmentLen  = 4096
	segmentFull = segmentLen * 3 / 4
	homeBits    = 12 // of segmentLen
	maxDepth    = 32 - homeBits
)

// indexEntry is a hash and a row; 0 is an empty slot.
type indexEntry uint64

func entry(hash, row uint32) indexEntry { return indexEntry(hash)<<32 | indexEntry(row) }
func (e indexEntry) hash() uint32       { return uint32(e >> 32) }
func (e indexEntry) row() uint32        { return uint32(e) }

type segment struct {
	slots [segmentLen]indexEntry
	used  int
	depth int      // how many leading bits its hashes share
	more  *segment // for entries that have no room here, if depth is maxDepth
}

type index struct {
	directory []*segment // by the leading depth bits of the hash
	depth     int
	slab      []segment // that are not used yet
	made      int       // segments
	moving    [segmentLen]indexEntry
}

func (x *index) init() { x.directory = []*segment{x.newSegment(0)} }

// newSegment returns an empty segment.
func (x *index) newSegment(depth int) *segment {
	if len(x.slab) == 0 {
		// As many as there are, from one to 64: 2 MiB. Huge pages are not worth
		// asking for here, and to get one takes a while.
		x.slab = make([]segment, min(max(x.made, 1), 64))
	}
	s := &x.slab[0]
	x.slab = x.slab[1:]
	x.made++
	s.depth = depth
	return s
}

// segment returns where entries of this hash are. A shift by 32 gives 0.
func (x *index) segment(hash uint32) *segment {
	return x.directory[uint64(hash)>>(32-x.depth)]
}

// first returns the row of the first entry of this hash, 0 if there is none.
func (s *segment) first(hash uint32) uint32 {
	for ; s != nil; s = s.more {
		for i := hash % segmentLen; s.slots[i] != 0; i = (i + 1) % segmentLen {
			if e := s.slots[i]; e.hash() == hash {
				return e.row()
			}
		}
	}
	return 0
}

// insert puts e where there is room for it, or makes some.
func (x *index) insert(e indexEntry) {
	s := x.segment(e.hash())
	for s.used >= segmentFull && s.depth < maxDepth {
		x.split(s, e.hash())
		s = x.segment(e.hash())
	}
	for s.used == segmentLen-1 { // one slot is always empty
		if s.more == nil {
			s.more = x.newSegment(maxDepth)
		}
		s = s.more
	}
	s.insert(e)
}

func (s *segment) insert(e indexEntry) {
	i := e.hash() % segmentLen
	for s.slots[i] != 0 {
		i = (i + 1) % segmentLen
	}
	s.slots[i] = e
	s.used++
}

// split gives half of segment s, to which hash belongs, to a new one.
func (x *index) split(s *segment, hash uint32) {
	if s.depth == x.depth {
		d := make([]*segment, 2*len(x.directory))
		for i, s := range x.directory {
			d[2*i], d[2*i+1] = s, s
		}
		x.directory = d
		x.depth++
	}
	// The directory entries that share s: a run of a power of two.
	n := 1 << (x.depth - s.depth)
	first := int(uint64(hash)>>(32-x.depth)) &^ (n - 1)
	s.depth++
	upper := x.newSegment(s.depth)
	for i := n / 2; i < n; i++ {
		x.directory[first+i] = upper
	}
	x.moving = s.slots
	clear(s.slots[:])
	s.used = 0
	for _, e := range x.moving {
		if e != 0 {
			x.segment(e.hash()).insert(e)
		}
	}
}

// remove takes e, which must be there, out of its segment and closes the gap.
func (x *index) remove(e indexEntry) {
	s := x.segment(e.hash())
	i := e.hash() % segmentLen
	for s.slots[i] != e {
		if s.slots[i] == 0 {
			s, i = s.more, e.hash()%segmentLen
			continue
		}
		i = (i + 1) % segmentLen
	}
	for j := (i + 1) % segmentLen; s.slots[j] != 0; j = (j + 1) % segmentLen {
		// What stands at j may move to i unless its home lies after i.
		home := s.slots[j].hash() % segmentLen
		if (j-home)%segmentLen >= (j-i)%segmentLen {
			s.slots[i] = s.slots[j]
			i = j
		}
	}
	s.slots[i] = 0
	s.used--
}
