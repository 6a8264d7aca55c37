package stream

import (
	"rtfm/meter/prefetch"
	"rtfm/ruleset/match"
)

// singles is the half of an Engine that builds distributions and statistics of single
// packets. It has nothing to do with streams, so that another goroutine may do those.
type singles struct {
	plans   []*plan  // by shape ID, nil until a flow has it
	flows   []uint32 // by row of the flow table: plus 1 its flow in the store, 0 if there is none
	store   store
	active  int     // flows
	near    int     // nearTallies
	waiting waiting // packets to count
}

// waiting is packets to count, of one batch.
type waiting struct {
	of    *Packets
	n     int
	all   [ahead]single
	flows [ahead]*uint32 // among singles.flows, nil if there is none
	// What they change; nil if there is none, or the flow has something else too.
	tallies [ahead]*tally
	traits  [ahead]*traits
	details [ahead]*detail // what they add to traits
}

// single is a packet of the flow in this row that is to be counted.
type single struct {
	now    int64
	row    uint32 // when its flow was found, plus 1 that in the store, 0 for none
	octets uint32
	packet uint32 // its number twice, plus the direction
}

// ahead is how many packets are looked at together before they are counted.
const ahead = 128

// nearTallies is how many flows with statistics the caches near a processor hold.
const nearTallies = 1 << 8

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
		s.flows, s.waiting = nil, waiting{} // which keeps memory
	}
}

// packet counts a packet, now or when settle is called: of many together the fetches
// from memory overlap.
func (s *singles) packet(at uint32, direction int, p Packet, octets uint64, now int64) {
	b := &s.waiting
	if p.of != b.of || b.n == ahead {
		s.settle()
		b.of = p.of
	}
	// Field by field: to copy a whole one is to wait for its fields.
	w := &b.all[b.n%ahead]
	b.n++
	w.now, w.row, w.octets, w.packet = now, at, uint32(octets), uint32(p.number)<<1|uint32(direction&1)
}

// settle counts the packets that wait.
func (s *singles) settle() {
	b := &s.waiting
	if b.n == 0 {
		return
	}
	far := s.active >= s.near
	s.findRows(b)
	if far {
		prefetch.Lines(b.flows[:b.n])
	}
	s.find(b)
	if far {
		prefetch.Lines(b.tallies[:b.n])
		prefetch.Lines(b.traits[:b.n])
		prefetch.Lines(b.details[:b.n])
	}
	s.count(b)
	b.n, b.of = 0, nil
}

// findRows finds where it is told what the packets' flows are.
func (s *singles) findRows(b *waiting) {
	for i := range b.all[:b.n] {
		if row := b.all[i].row; int(row) < len(s.flows) {
			b.flows[i] = &s.flows[row]
		} else {
			b.flows[i] = nil
		}
	}
}

// find finds what packets change.
func (s *singles) find(b *waiting) {
	for i := range b.all[:b.n] {
		w := &b.all[i]
		flow := uint32(0)
		if at := b.flows[i]; at != nil {
			flow = *at
		}
		w.row = flow
		b.tallies[i], b.traits[i], b.details[i] = nil, nil, nil
		if flow == 0 {
			continue
		}
		flow--
		q := &s.store.quick[flow/blockLen]
		if q.detailed != nil {
			both := &q.detailed[flow%blockLen][w.packet&1]
			b.tallies[i], b.traits[i], b.details[i] = &both.tally, &both.traits, &b.of.details[w.packet>>1]
		} else if q.tallies != nil {
			b.tallies[i] = &q.tallies[flow%blockLen][w.packet&1]
		}
	}
}

// count counts packets for which find was called.
func (s *singles) count(b *waiting) {
	for i := range b.all[:b.n] {
		w := &b.all[i]
		if w.row == 0 {
			continue
		}
		flow := w.row - 1
		t := b.tallies[i]
		if t == nil {
			c := counted{s.store.planOf(flow), flow}
			c.packet(int(w.packet&1), Packet{b.of, int(w.packet >> 1)}, uint64(w.octets), w.now)
			continue
		}
		at := spot{&s.store, flow, int(w.packet & 1)}
		first := t.count(at, w.octets, w.now)
		if more := b.traits[i]; more != nil {
			more.count(at, b.details[i], first)
		}
	}
}
