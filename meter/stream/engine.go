package stream

import (
	"math"
	"math/rand/v2"

	"rtfm/ruleset"
)

// Config limits what an engine keeps. Fields that are 0 take the default.
type Config struct {
	// MaxStreams is the number of streams at a time; packets that would begin
	// more are in no stream.
	MaxStreams int
	// Timeout is how long a stream is idle at least before it ends, in
	// nanoseconds.
	Timeout int64
	// Multiplier is how many times the average interval between its packets a
	// stream may be idle.
	Multiplier int64
}

// Defaults of Config; the timeout is in nanoseconds.
const (
	DefaultMaxStreams = 1_000_000
	DefaultTimeout    = 5 * second
	DefaultMultiplier = 20
)

// Engine builds the distributions of all flows of a meter. It belongs to one
// goroutine.
type Engine struct {
	plans []*plan // by shape ID, nil until a flow has it
	rows  []row   // by row of the flow table
	flows int     // with distributions
	// By row, the stream of a flow that has only one, else 0: what most packets
	// need, side by side.
	only       []uint32
	counts     [][]uint64 // what Counters has returned last
	counters   []uint64   // the same one behind the other
	maxStreams int
	timeout    int64
	multiplier int64
	streams    streams
	requests   requests
	wheel      wheel
	touched    uint64 // means nothing; see expect
	started    bool
	changed    func(row uint32, now int64)
}

// row is what is known of the flow in a row of the flow table. The zero row is
// one without distributions.
type row struct {
	plan    uint32 // shape ID plus 1
	flow    uint32 // in the plan's store
	streams uint32 // the first of the flow's
}

// New returns an engine without flows. It calls changed when the end of a
// stream has changed the counters of the flow in a row.
func New(c Config, changed func(row uint32, now int64)) *Engine {
	e := &Engine{changed: changed, maxStreams: c.MaxStreams, timeout: c.Timeout, multiplier: c.Multiplier}
	if e.maxStreams <= 0 {
		e.maxStreams = DefaultMaxStreams
	}
	if e.timeout <= 0 {
		e.timeout = DefaultTimeout
	}
	if e.multiplier <= 0 {
		e.multiplier = DefaultMultiplier
	}
	// The seed keeps whoever sends the packets from making keys that collide.
	// Nothing that is seen of an engine depends on it.
	e.streams.seed = rand.Uint64() | 1
	return e
}

// Stats counts streams: those in use now, those begun since the start, and
// packets that found MaxStreams in use and are in none.
type Stats struct {
	Active     int
	Created    uint64
	Unstreamed uint64
	Requests   int // that wait for their answers, but for the latest TCP data
}

// Ended returns the number of streams that have ended.
func (s *Stats) Ended() uint64 { return s.Created - uint64(s.Active) }

// Stats returns what was counted so far.
func (e *Engine) Stats() Stats {
	return Stats{e.streams.active, e.streams.created, e.streams.refused, e.requests.active}
}

// Create begins a flow of shape s in this row of the flow table.
func (e *Engine) Create(at uint32, s *ruleset.Shape, now int64) {
	if !e.started {
		e.started, e.wheel.start = true, now
	}
	if len(s.Distributions) == 0 {
		return
	}
	for len(e.plans) <= s.ID {
		e.plans = append(e.plans, nil)
	}
	if e.plans[s.ID] == nil {
		e.plans[s.ID] = newPlan(s)
	}
	for len(e.rows) <= int(at) {
		e.rows, e.only = append(e.rows, row{}), append(e.only, 0)
	}
	p := e.plans[s.ID]
	r := &e.rows[at]
	*r = row{plan: uint32(s.ID) + 1, flow: p.flows.add()}
	e.flows++
	if p.rated {
		p.flows.wordsOf(r.flow)[p.first] = uint64(now)
	}
}

// flow returns the flow in a row and its plan, nil if it has none.
func (e *Engine) flow(at uint32) (*row, *plan) {
	if int(at) >= len(e.rows) || e.rows[at].plan == 0 {
		return nil, nil
	}
	r := &e.rows[at]
	return r, e.plans[r.plan-1]
}

// Packet counts a packet of so many octets that the flow in this row has
// counted, in direction 0 if it goes from source to destination, else 1. Its
// stream may be the one with this number.
func (e *Engine) Packet(at uint32, direction int, packet Packet, stream uint32, octets uint64, now int64) {
	direction &= 1
	p := packet.digest()
	if stream != 0 && stream <= e.streams.used {
		if s := e.streams.at(stream); s.is(at, &p.key) {
			plan := e.plans[s.plan]
			plan.packet(s.flow, direction, octets, now)
			e.packet(plan, stream, packet.of, p, direction, octets, now)
			return
		}
	}
	r, plan := e.flow(at)
	if plan == nil {
		return
	}
	plan.packet(r.flow, direction, octets, now)
	if !plan.streams || p.form == formless {
		return
	}
	if plan.dhcp {
		other := *p
		p = &other
		p.anywhere()
	}
	i := e.streams.find(at, &p.key, e.streams.hash(&p.key, at))
	if i == 0 {
		if i = e.begin(at, p, now); i == 0 {
			return
		}
	}
	e.packet(plan, i, packet.of, p, direction, octets, now)
}

// packet counts a packet, one of these, in stream i.
func (e *Engine) packet(plan *plan, i uint32, of *Packets, p *digest, direction int, octets uint64, now int64) {
	s := e.streams.at(i)
	if now-s.last > e.timeout && e.due(s) < now || p.form == formSegment && p.begins(s) {
		e.unschedule(s)
		at := s.row
		e.end(i, min(e.due(s), now), now)
		if i = e.begin(at, p, now); i == 0 {
			return
		}
		s = e.streams.at(i)
	}
	s.count(plan, p.side, direction, octets, now)
	if plan.plainPairs {
		plan.plain(s, p.side, uint8(direction), now)
	}
	switch {
	case p.form == formSegment:
		e.tcp(plan, s, p, uint8(direction), now)
	case s.proto() == protoUDP:
		e.udp(plan, s, of.payload(p), p.side, uint8(direction), now)
	case plan.echo:
		e.pairs(plan, s, p.role, p.side, request{time: now, id: uint64(p.seq), kind: ruleset.PairEcho, direction: uint8(direction)})
	}
}

// begin makes a stream of the flow in a row and returns its number, 0 if there
// are too many.
func (e *Engine) begin(at uint32, p *digest, now int64) uint32 {
	if e.streams.active >= e.maxStreams {
		e.streams.refused++
		return 0
	}
	i := e.streams.add(at, &p.key, e.streams.hash(&p.key, at))
	s := e.streams.at(i)
	r := &e.rows[at]
	s.plan, s.flow = r.plan-1, r.flow
	s.first, s.last = now, now
	if s.ends[0] == s.ends[1] && s.port(0) == s.port(1) {
		s.state |= sameEnds
	}
	s.siblings.next = r.streams
	e.only[at] = i
	if r.streams != 0 {
		e.streams.at(r.streams).siblings.before = i
		e.only[at] = 0
	}
	r.streams = i
	e.schedule(i)
	return i
}

// count adds a packet to what the stream has counted.
func (s stream) count(p *plan, side uint8, direction int, octets uint64, now int64) {
	s.last = now
	if s.packets < math.MaxUint32 {
		s.packets++
	}
	if p.sized {
		s.pdus[direction&1]++
		s.octets[direction&1] += octets
	}
	if s.state&of(saw, side) == 0 {
		s.state |= of(saw, side)
		s.directions[side&1] = uint8(direction)
		if s.state&of(saw, 1-side) == 0 {
			s.directions[1-side&1] = uint8(1 - direction)
		}
	}
}

// end takes stream i, which has ended at time ended, out of its flow, whose
// distributions of whole streams it adds to. It must not be in the wheel.
func (e *Engine) end(i uint32, ended, now int64) {
	s := e.streams.at(i)
	r, p := e.flow(s.row)
	e.unanswered(p, s, ended)
	p.stream(s)
	e.changed(s.row, now)
	if s.siblings.before != 0 {
		e.streams.at(s.siblings.before).siblings.next = s.siblings.next
	} else {
		r.streams = s.siblings.next
	}
	if s.siblings.next != 0 {
		e.streams.at(s.siblings.next).siblings.before = s.siblings.before
	}
	e.only[s.row] = 0
	if r.streams != 0 && e.streams.at(r.streams).siblings.next == 0 {
		e.only[s.row] = r.streams
	}
	e.streams.remove(i)
}

// stream counts a stream that has ended.
func (p *plan) stream(s stream) {
	for i := range p.times {
		p.count(&p.times[i], s.flow, uint64(s.last-s.first)/1000, 1)
	}
	add := func(all []histogram, v uint64) {
		for i := range all {
			p.count(&all[i], s.flow, v, 1)
		}
	}
	for direction := range 2 {
		add(p.octets[direction], s.octets[direction])
		add(p.pdus[direction], s.pdus[direction])
		if l := &p.losses[direction]; l.wanted {
			p.count(&l.histogram, s.flow, uint64(s.lost[direction]), 1)
		}
	}
	if s.proto() != protoTCP {
		return
	}
	for side := range s.tcp {
		t := &s.sent[side]
		direction := s.directions[side] & 1
		micros := uint64(t.last-t.first) / 1000
		add(p.tcpSizes[direction], t.size)
		if s.state&of(sentData, uint8(side)) != 0 {
			add(p.tcpTimes[direction], micros)
		}
		if micros > 0 {
			add(p.tcpRates[direction], t.size*8*1_000_000/micros)
		}
	}
}

// Release forgets the flow in this row, unless it has streams: then these end,
// for their counts to be read before, and it returns false.
func (e *Engine) Release(at uint32, now int64) bool {
	r, plan := e.flow(at)
	if plan == nil {
		return true
	}
	if r.streams != 0 {
		for r.streams != 0 {
			e.unschedule(e.streams.at(r.streams))
			e.end(r.streams, now, now)
		}
		return false
	}
	plan.flows.remove(r.flow)
	*r = row{}
	if e.flows--; e.flows == 0 {
		e.rows, e.only = nil, nil
	}
	return true
}

// Finish ends all streams.
func (e *Engine) Finish(now int64) {
	for slot := range e.wheel.slots {
		for e.wheel.slots[slot] != 0 {
			i := e.wheel.slots[slot]
			s := e.streams.at(i)
			e.unschedule(s)
			e.end(i, min(e.due(s), now), now)
		}
	}
}

// Counters returns the counters of the distributions of the flow in this row,
// as of time now, in the order of its shape's. They are valid until the next
// call.
func (e *Engine) Counters(at uint32, now int64) [][]uint64 {
	r, plan := e.flow(at)
	if plan == nil {
		return nil
	}
	plan.settle(r.flow, now)
	e.counters = plan.flows.appendCounters(e.counters[:0], r.flow)
	e.counts = e.counts[:0]
	words := e.counters
	for i := range plan.shape.Distributions {
		n := plan.shape.Distributions[i].Counters()
		e.counts = append(e.counts, words[:n:n])
		words = words[n:]
	}
	return e.counts
}

// later returns t + d, or the latest time there is.
func later(t, d int64) int64 {
	if t > 0 && d > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + d
}
