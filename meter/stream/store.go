package stream

import (
	"math"

	"rtfm/meter/huge"
)

// store holds the counters and words of all flows, in blocks of flows of one
// plan. Of counters it holds the lower 8 bits, since few get far and caches then
// hold eight times as many; what has gone over is in a map.
type store struct {
	blocks []storeBlock
	quick  []quickBlock        // by block
	unused []uint32            // blocks
	over   map[uint32][]uint64 // by flow, what its counters have in units of overUnit
	noRest rest                // of flows that have none
	later  []place             // counters to which 1 is to be added; see count
	given  int                 // counters in blocks
}

// storeBlock is the flows of a block. Tallies are there of those that have any, of
// both directions, and with details stand beside those.
type storeBlock struct {
	plan     *plan
	low      []uint8
	words    []uint64
	tallies  [][2]tally
	detailed [][2]detailed
	firsts   [][2]int64 // times of the first packets, for tallies
	rests    []*[2]rest // of the few that need one; nil while there is none
}

// detailed is a tally and what goes with it.
type detailed struct {
	tally  tally
	traits traits
}

// quickBlock is what most packets need of a block: nothing if its flows have anything
// other than a tally, or a tally and traits.
type quickBlock struct {
	tallies  *[blockLen][2]tally
	detailed *[blockLen][2]detailed
}

// pool is the flows of a plan in the store.
type pool struct {
	counters, words int // of a flow
	blocks          []uint32
	free            []uint32 // flows
	low             huge.Slab[uint8]
	slab            huge.Slab[uint64]
	tallies         huge.Slab[[2]tally]
	detailed        huge.Slab[[2]detailed]
	firsts          huge.Slab[[2]int64]
}

// place is one of a flow's counters.
type place struct{ flow, counter uint32 }

const (
	blockLen = 256 // flows in a block
	overUnit = math.MaxUint8 + 1
)

// tallyOf returns the tally of a flow in one direction, and its traits if it has any.
func (s *store) tallyOf(flow uint32, direction int) (*tally, *traits) {
	b, i := &s.blocks[flow/blockLen], flow%blockLen
	if b.detailed == nil {
		return &b.tallies[i][direction&1], nil
	}
	both := &b.detailed[i][direction&1]
	return &both.tally, &both.traits
}

// firstOf returns the time of a flow's first packet in one direction.
func (s *store) firstOf(flow uint32, direction int) *int64 {
	return &s.blocks[flow/blockLen].firsts[flow%blockLen][direction&1]
}

// restOf returns the rest of a flow's tally and traits in one direction, which it makes
// if there is none.
func (s *store) restOf(flow uint32, direction int) *rest {
	b, i := &s.blocks[flow/blockLen], flow%blockLen
	if b.rests == nil {
		b.rests = make([]*[2]rest, blockLen)
	}
	if b.rests[i] == nil {
		b.rests[i] = new([2]rest)
	}
	return &b.rests[i][direction&1]
}

// restIfAny is restOf for reading only: if there is none, of zeros.
func (s *store) restIfAny(flow uint32, direction int) *rest {
	b, i := &s.blocks[flow/blockLen], flow%blockLen
	if b.rests == nil || b.rests[i] == nil {
		return &s.noRest
	}
	return &b.rests[i][direction&1]
}

// planOf returns the plan of a flow.
func (s *store) planOf(flow uint32) *plan { return s.blocks[flow/blockLen].plan }

// lowOf returns the lower bits of a flow's counters.
func (s *store) lowOf(flow uint32) []uint8 {
	b := &s.blocks[flow/blockLen]
	n := len(b.low) / blockLen
	from := int(flow%blockLen) * n
	return b.low[from : from+n]
}

// wordsOf returns a flow's words.
func (s *store) wordsOf(flow uint32) []uint64 {
	b := &s.blocks[flow/blockLen]
	n := len(b.words) / blockLen
	from := int(flow%blockLen) * n
	return b.words[from : from+n]
}

// count adds n to one of a flow's counters. If there are more than a
// processor's caches hold it may be done later, many together, so that the
// fetches overlap.
func (s *store) count(flow uint32, counter int, n uint64) {
	if n != 1 || s.given < farCounters {
		s.add(place{flow, uint32(counter)}, n)
		return
	}
	if s.later = append(s.later, place{flow, uint32(counter)}); len(s.later) == maxLater {
		s.settle()
	}
}

const (
	farCounters = 1 << 19
	maxLater    = 1 << 10
)

// settle does what is to be done later.
func (s *store) settle() {
	if len(s.later) == 0 {
		return // and others may be reading
	}
	for _, at := range s.later {
		s.add(at, 1)
	}
	s.later = s.later[:0]
}

// add adds n to a counter.
func (s *store) add(at place, n uint64) {
	b := &s.blocks[at.flow/blockLen]
	low := &b.low[int(at.flow%blockLen)*b.plan.flows.counters+int(at.counter)]
	n += uint64(*low)
	*low = uint8(n)
	if n >= overUnit {
		if s.over == nil {
			s.over = make(map[uint32][]uint64)
		}
		if s.over[at.flow] == nil {
			s.over[at.flow] = make([]uint64, b.plan.flows.counters)
		}
		s.over[at.flow][at.counter] += n / overUnit
	}
}

// appendCounters appends a flow's counters to all.
func (s *store) appendCounters(all []uint64, flow uint32) []uint64 {
	s.settle()
	over := s.over[flow]
	for i, low := range s.lowOf(flow) {
		n := uint64(low)
		if over != nil {
			n += over[i] * overUnit
		}
		all = append(all, n)
	}
	return all
}

// begin returns the number of a flow of plan p, all zero.
func (s *store) begin(p *plan) uint32 {
	f := &p.flows
	if n := len(f.free); n > 0 {
		flow := f.free[n-1]
		f.free = f.free[:n-1]
		s.clear(flow)
		return flow
	}
	block := uint32(len(s.blocks))
	if n := len(s.unused); n > 0 {
		block = s.unused[n-1]
		s.unused = s.unused[:n-1]
	} else {
		s.blocks, s.quick = append(s.blocks, storeBlock{}), append(s.quick, quickBlock{})
	}
	b := &s.blocks[block]
	*b = storeBlock{plan: p, low: f.low.Take(blockLen * f.counters), words: f.slab.Take(blockLen * f.words)}
	quick := &s.quick[block]
	*quick = quickBlock{}
	if p.tallied {
		b.firsts = f.firsts.Take(blockLen)
	}
	switch {
	case p.detailed:
		b.detailed = f.detailed.Take(blockLen)
		if f.counters+f.words == 0 {
			quick.detailed = (*[blockLen][2]detailed)(b.detailed)
		}
	case p.tallied:
		b.tallies = f.tallies.Take(blockLen)
		if f.counters+f.words == 0 {
			quick.tallies = (*[blockLen][2]tally)(b.tallies)
		}
	}
	s.given += blockLen * f.counters
	f.blocks = append(f.blocks, block)
	for i := uint32(blockLen - 1); i > 0; i-- {
		f.free = append(f.free, block*blockLen+i)
	}
	return block * blockLen
}

// clear makes a flow all zero.
func (s *store) clear(flow uint32) {
	clear(s.lowOf(flow))
	clear(s.wordsOf(flow))
	b, i := &s.blocks[flow/blockLen], flow%blockLen
	switch {
	case b.plan.detailed:
		b.detailed[i], b.firsts[i] = [2]detailed{}, [2]int64{}
	case b.plan.tallied:
		b.tallies[i], b.firsts[i] = [2]tally{}, [2]int64{}
	}
}

// remove takes a flow back. When none of its plan is in use, all their memory is
// given back.
func (s *store) remove(flow uint32) {
	s.settle()
	f := &s.planOf(flow).flows
	delete(s.over, flow)
	if b := &s.blocks[flow/blockLen]; b.rests != nil {
		b.rests[flow%blockLen] = nil
	}
	if f.free = append(f.free, flow); len(f.free) < len(f.blocks)*blockLen {
		return
	}
	for _, b := range f.blocks {
		s.blocks[b], s.quick[b] = storeBlock{}, quickBlock{}
	}
	s.given -= len(f.blocks) * blockLen * f.counters
	s.unused = append(s.unused, f.blocks...)
	*f = pool{counters: f.counters, words: f.words}
}
