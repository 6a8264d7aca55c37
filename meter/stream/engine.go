package stream

import (
	"math"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/keyhash"
)

// Config limits what an engine keeps. Fields that are 0 take the default.
type Config struct {
	// MaxStreams is the number of streams at a time; packets that would begin
	// more are in no stream.
	MaxStreams int
	// Timeout is the least time that a stream is idle before it ends, in
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
	singles    *singles
	plans      []*plan // of streams, by shape ID, nil until a flow has it
	rows       []row   // by row of the flow table
	soles      []sole  // by row, side by side since most packets need no more
	flows      int     // with measures of streams
	store      store
	own        Reader
	maxStreams int
	timeout    int64
	multiplier int64
	streams    streams
	sequences  sequences
	requests   requests
	wheel      wheel
	near       int // nearStreams
	started    bool
	changed    func(row uint32, now int64)
}

// nearStreams is how many streams the caches near a processor hold.
const nearStreams = 1 << 11

// row is what is known of the flow in a row of the flow table. The zero row is
// one without measures of streams.
type row struct {
	plan    uint32 // shape ID plus 1
	flow    uint32 // in the store
	streams uint32 // the first of the flow's
	single  bool   // see Create
}

// sole is the only stream of a flow, 0 if there is not just one, and a bit if the
// flow is single.
type sole uint32

const soleSingle sole = 1 << 31

func (s sole) stream() uint32 { return uint32(s &^ soleSingle) }
func (s sole) single() bool   { return s&soleSingle != 0 }

// New returns an engine without flows. It calls changed when the end of a
// stream has changed the counters of the flow in a row.
func New(c Config, changed func(row uint32, now int64)) *Engine {
	e := &Engine{changed: changed, singles: &singles{near: nearTallies}, near: nearStreams, maxStreams: c.MaxStreams, timeout: c.Timeout, multiplier: c.Multiplier}
	if e.maxStreams <= 0 {
		e.maxStreams = DefaultMaxStreams
	}
	if e.timeout <= 0 {
		e.timeout = DefaultTimeout
	}
	if e.multiplier <= 0 {
		e.multiplier = DefaultMultiplier
	}
	e.streams.secret = keyhash.NewSecret() // nothing that is seen of an engine depends on it
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

// Create begins a flow of shape s in this row of the flow table. The flow is
// single if all its packets are of one protocol, and TCP segments or UDP datagrams
// go between the same two addresses and ports.
func (e *Engine) Create(at uint32, s *match.Shape, single bool, now int64) {
	e.singles.begin(at, s, now)
	e.beginFlow(at, s, single, now)
}

// beginFlow is Create for the half of streams.
func (e *Engine) beginFlow(at uint32, s *match.Shape, single bool, now int64) {
	if !e.started {
		e.started, e.wheel.start = true, now
	}
	for len(e.plans) <= s.ID {
		e.plans = append(e.plans, nil)
	}
	if e.plans[s.ID] == nil {
		e.plans[s.ID] = newPlan(s, &e.store, streamHalf)
	}
	p := e.plans[s.ID]
	if len(p.measures) == 0 {
		return
	}
	for len(e.rows) <= int(at) {
		e.rows, e.soles = append(e.rows, row{}), append(e.soles, 0)
	}
	r := &e.rows[at]
	*r = row{plan: uint32(s.ID) + 1, flow: e.store.begin(p), single: single}
	e.flows++
}

// flow returns the flow in a row, nil if it has no measures of streams.
func (e *Engine) flow(at uint32) *row {
	if int(at) >= len(e.rows) || e.rows[at].plan == 0 {
		return nil
	}
	return &e.rows[at]
}

// counted returns the flow in a row, for its measures of streams to be counted in.
func (e *Engine) counted(r *row) counted { return counted{e.plans[r.plan-1], r.flow} }

// Packet counts a packet with this many octets that the flow in this row has
// counted, in direction 0 if it goes from source to destination, else 1. Its
// stream may be the one with this number.
func (e *Engine) Packet(at uint32, direction int, packet Packet, stream uint32, octets uint64, now int64) {
	e.singles.packet(at, direction, packet, octets, now)
	e.singles.settle()
	e.inStream(at, direction, packet, stream, octets, now)
}

// inStream is Packet for the half of streams.
func (e *Engine) inStream(at uint32, direction int, packet Packet, stream uint32, octets uint64, now int64) {
	if int(at) >= len(e.soles) {
		return
	}
	direction &= 1
	d := packet.digest()
	sole := e.soles[at]
	if sole.single() {
		flow := e.streams.at(sole.stream()).flow
		if c := (counted{e.store.planOf(flow), flow}); c.kept[d.form] && d.of(c.plan) {
			e.packet(c, sole.stream(), packet.of, d, direction, octets, now)
			return
		}
	}
	r := e.flow(at)
	if r == nil {
		return
	}
	c := e.counted(r)
	if !c.kept[d.form] {
		return
	}
	k := packet.key()
	if c.dhcp {
		other := *d
		other.side = k.anywhere(d.side)
		d = &other
	}
	if sole != 0 {
		stream = sole.stream()
	}
	if stream == 0 || stream > e.streams.used || !e.streams.at(stream).is(at, &k) {
		if stream = e.streams.find(at, &k, e.streams.hash(&k, at)); stream == 0 {
			if stream = e.begin(at, &k, now); stream == 0 {
				return
			}
		}
	}
	e.packet(c, stream, packet.of, d, direction, octets, now)
}

// of reports whether the packet belongs to the only stream of a single flow.
func (d *digest) of(p *plan) bool {
	return d.form >= formCut || d.form == formDatagram && !p.dhcp
}

// packet counts a packet, one of these, in stream i.
func (e *Engine) packet(c counted, i uint32, of *Packets, d *digest, direction int, octets uint64, now int64) {
	s := e.streams.at(i)
	if now-s.last > e.timeout && e.due(s) < now || d.form == formSegment && d.begins(s) {
		e.unschedule(s)
		at, k := s.row, s.key
		e.end(i, min(e.due(s), now), now)
		if i = e.begin(at, &k, now); i == 0 {
			return
		}
		s = e.streams.at(i)
	}
	s.count(c.plan, d.side, direction, octets, now)
	if c.plainPairs {
		c.plain(s, d.side, uint8(direction), now)
	}
	switch d.form {
	case formSegment:
		e.tcp(c, s, d, uint8(direction), now)
		if c.sequenced {
			e.sequences.segment(c, i, s, d, uint8(direction))
		}
	case formDatagram:
		e.udp(c, s, of.payload(d), d.side, uint8(direction), now)
	case formMessage:
		if c.echo {
			e.pairs(c, s, d.role, d.side, newRequest(now, attr.PairEcho, uint64(d.seq), uint8(direction)))
		}
	}
}

// begin makes a stream of the flow in a row and returns its number, 0 if there
// are too many.
func (e *Engine) begin(at uint32, k *key, now int64) uint32 {
	if e.streams.active >= e.maxStreams {
		e.streams.refused++
		return 0
	}
	i := e.streams.add(at, k, e.streams.hash(k, at))
	s := e.streams.at(i)
	r := &e.rows[at]
	s.flow, s.first, s.last = r.flow, now, now
	s.siblings.next = r.streams
	if r.streams != 0 {
		e.streams.at(r.streams).siblings.before = i
	}
	r.streams = i
	e.seeSole(at)
	if e.plans[r.plan-1].sequenced {
		e.sequences.begin(i)
	}
	e.schedule(i, e.due(s))
	return i
}

// seeSole notes whether the flow in a row has just one stream.
func (e *Engine) seeSole(at uint32) {
	r := &e.rows[at]
	e.soles[at] = 0
	if r.streams == 0 || e.streams.at(r.streams).siblings.next != 0 {
		return
	}
	e.soles[at] = sole(r.streams)
	if r.single {
		e.soles[at] |= soleSingle
	}
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
		s.state = s.state&^of(opposite, side) | of(opposite, side)*uint16(direction&1)
		if s.state&of(saw, 1-side) == 0 {
			s.state |= of(opposite, 1-side) * uint16(1-direction&1)
		}
	}
}

// end takes stream i, which has ended at time ended, out of its flow, whose
// distributions of whole streams it adds to. It must not be in the wheel.
func (e *Engine) end(i uint32, ended, now int64) {
	s := e.streams.at(i)
	r := &e.rows[s.row]
	c := e.counted(r)
	e.unanswered(c.plan, s, ended)
	missing := c.sequenced && e.sequences.end(c, i, s)
	if c.whole {
		c.stream(s)
	}
	if c.whole || missing {
		e.changed(s.row, now)
	}
	if s.siblings.before != 0 {
		e.streams.at(s.siblings.before).siblings.next = s.siblings.next
	} else {
		r.streams = s.siblings.next
	}
	if s.siblings.next != 0 {
		e.streams.at(s.siblings.next).siblings.before = s.siblings.before
	}
	e.seeSole(s.row)
	if e.streams.remove(i); e.streams.active == 0 && len(e.sequences.blocks) > 1 {
		e.sequences = sequences{}
	}
}

// stream counts a stream that has ended.
func (c counted) stream(s stream) {
	for i := range c.times {
		c.count(&c.times[i], uint64(s.last-s.first)/1000, 1)
	}
	add := func(all []histogram, v uint64) {
		for i := range all {
			c.count(&all[i], v, 1)
		}
	}
	for direction := range 2 {
		add(c.octets[direction], s.octets[direction])
		add(c.pdus[direction], s.pdus[direction])
		if l := &c.losses[direction]; l.wanted {
			c.count(&l.histogram, uint64(s.lost[direction]), 1)
		}
	}
	if s.proto() != protoTCP {
		return
	}
	for side := range s.tcp {
		t := &s.sent[side]
		direction := s.state / of(opposite, uint8(side)) & 1
		micros := uint64(t.last-t.first) / 1000
		add(c.tcpSizes[direction], t.size)
		if s.state&of(sentData, uint8(side)) != 0 {
			add(c.tcpTimes[direction], micros)
		}
		if micros > 0 {
			add(c.tcpRates[direction], t.size*8*1_000_000/micros)
		}
	}
}

// Release forgets the flow in this row, unless it has streams: then it ends
// these, so that their counts can be read first, and returns false. It ends no more
// than *most, which it lessens; call it again for others.
func (e *Engine) Release(at uint32, now int64, most *int) bool {
	r := e.flow(at)
	if r == nil {
		e.singles.release(at)
		return true
	}
	if r.streams != 0 {
		for ; r.streams != 0 && *most > 0; *most-- {
			e.unschedule(e.streams.at(r.streams))
			e.end(r.streams, now, now)
		}
		return false
	}
	e.singles.release(at)
	e.store.remove(r.flow)
	*r = row{}
	if e.flows--; e.flows == 0 {
		e.rows, e.soles = nil, nil
	}
	return true
}

// Finish ends all streams.
func (e *Engine) Finish(now int64) { e.FinishSome(now, math.MaxInt) }

// FinishSome is Finish that ends so many streams at most. It returns false when
// there are none left; until then it is to be called again.
func (e *Engine) FinishSome(now int64, most int) (more bool) {
	for slot := range e.wheel.slots {
		for e.wheel.slots[slot] != 0 {
			if most--; most < 0 {
				return true
			}
			i := e.wheel.slots[slot]
			s := e.streams.at(i)
			e.unschedule(s)
			e.end(i, min(e.due(s), now), now)
		}
	}
	return false
}

// Counters is that of a Reader.
func (e *Engine) Counters(at uint32, now int64) [][]uint64 {
	e.own.engine = e
	return e.own.Counters(at, now)
}

// later returns t + d, or the latest time there is.
func later(t, d int64) int64 {
	if t > 0 && d > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + d
}
