package stream

import (
	"slices"

	"rtfm/ruleset/match"
)

// singles is the half of an Engine that builds distributions and statistics of single
// packets. It has nothing to do with streams, so that another goroutine may do those.
type singles struct {
	plans   []*plan  // by shape ID, nil until a flow has it
	flows   []uint32 // by row of the flow table: plus 1 its flow in the store, 0 if there is none
	store   store
	active  int      // flows
	near    int      // nearTallies
	waiting []single // packets to count
	of      *Packets // that they are among
	none    struct { // of flows without statistics, what is fetched instead
		tally
		traits // a sink, so the compiler keeps the reads
	}
}

// single is a packet of the flow in this row that is to be counted.
type single struct {
	now    int64
	row    uint32
	octets uint32
	packet uint32 // its number twice, plus the direction
}

// nearTallies is how many flows with statistics the caches near a processor hold.
const nearTallies = 1 << 10

// begin begins a flow of shape s in this row, if it has measures of this half.
func (s *singles) begin(at uint32, shape *match.Shape, now int64) {
	for len(s.plans) <= shape.ID {
		s.plans = append(s.plans, nil)
	}
	if s.plans[shape.ID] == nil {
		s.plans[shape.ID] = newPlan(shape, &s.store, packetHalf)
	}
	p := s.plans[shape.ID]
	if len(p.measures) == 0 {
		return
	}
	if len(s.flows) <= int(at) {
		s.flows = append(s.flows, make([]uint32, int(at)+1-len(s.flows))...)
	}
	flow := s.store.begin(p)
	s.flows[at] = flow + 1
	s.active++
	if p.rated {
		s.store.wordsOf(flow)[p.first] = uint64(now)
	}
}

// counted returns the flow in a row, false if it has no measures of this half.
func (s *singles) counted(at uint32) (counted, bool) {
	if int(at) >= len(s.flows) || s.flows[at] == 0 {
		return counted{}, false
	}
	flow := s.flows[at] - 1
	return counted{s.store.planOf(flow), flow}, true
}

// release forgets the flow in a row, if there is one.
func (s *singles) release(at uint32) {
	c, ok := s.counted(at)
	if !ok {
		return
	}
	s.store.remove(c.flow)
	s.flows[at] = 0
	if s.active--; s.active == 0 {
		s.flows = nil
	}
}

// packet counts a packet, now or when settle is called: of many together the fetches
// from memory overlap.
func (s *singles) packet(at uint32, direction int, p Packet, octets uint64, now int64) {
	if p.of != s.of || len(s.waiting) == ahead {
		s.settle()
		s.of = p.of
	}
	if len(s.waiting) == cap(s.waiting) {
		s.waiting = slices.Grow(s.waiting, ahead)
	}
	s.waiting = s.waiting[:len(s.waiting)+1]
	// Field by field: to copy a whole one is to wait for its fields.
	w := &s.waiting[len(s.waiting)-1]
	w.now, w.row, w.octets, w.packet = now, at, uint32(octets), uint32(p.number)<<1|uint32(direction&1)
}

// settle counts the packets that wait.
func (s *singles) settle() {
	var flows [ahead]uint32 // in the store, plus 1
	for i := range s.waiting {
		if at := int(s.waiting[i].row); at < len(s.flows) {
			flows[i%ahead] = s.flows[at]
		}
	}
	if s.active >= s.near {
		s.prefetch(&flows)
	}
	for i := range s.waiting {
		flow := flows[i%ahead]
		if flow == 0 {
			continue
		}
		w := &s.waiting[i]
		c := counted{s.store.planOf(flow - 1), flow - 1}
		c.packet(int(w.packet&1), Packet{s.of, int(w.packet >> 1)}, uint64(w.octets), w.now)
	}
	s.waiting, s.of = s.waiting[:0], nil
}

// prefetch prefetches what the packets that wait will change in these flows. First it
// finds where all of that is: the fewer steps lie between fetches, the more overlap.
func (s *singles) prefetch(flows *[ahead]uint32) {
	var tallies [ahead]*tally
	var details [ahead]*traits
	for i := range s.waiting {
		tallies[i%ahead], details[i%ahead] = &s.none.tally, &s.none.traits
		if flows[i%ahead] == 0 {
			continue
		}
		flow, direction := flows[i%ahead]-1, s.waiting[i].packet&1
		b := &s.store.blocks[flow/blockLen]
		if b.plan.tallied {
			tallies[i%ahead] = &b.tallies[flow%blockLen][direction]
		}
		if b.plan.detailed {
			details[i%ahead] = &b.traits[flow%blockLen][direction]
		}
	}
	sum := uint64(0)
	for i := range len(s.waiting) {
		sum += tallies[i%ahead].gapLeast + details[i%ahead].pushes
	}
	var heads [ahead]*uint64
	listing := 0
	for i := range s.waiting {
		if flows[i%ahead] == 0 {
			continue
		}
		flow := flows[i%ahead] - 1
		if p := s.store.planOf(flow); p.listed != details[i%ahead].listed {
			heads[listing%ahead] = &s.store.wordsOf(flow)[p.lists[0].head]
			listing++
		}
	}
	for _, head := range heads[:listing] {
		sum += *head
	}
	s.none.pushes = sum
}
