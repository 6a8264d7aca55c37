package feed

import (
	"math"
	"time"

	"rtfm/meter/flow"
	"rtfm/meter/ident"
	"rtfm/ruleset/match"
	"rtfm/traces/feed"
)

// Config says what a tap tells.
type Config struct {
	feed.Form
	Domain uint32 // observation domain, the meter's number
	MTU    int    // most octets of a message
	// Delay is how long a record waits at most for others in the same message, Idle
	// how long a flow must be idle to have ended.
	Delay, Idle time.Duration
	// First is how many packets of a flow are told at most, 0 for all.
	First uint32
	// Repeat has templates, and the NEW of each flow, be told again so often; 0 for
	// never, since nothing that was sent is lost.
	Repeat time.Duration
	// Anew, if it is not nil, reports whether NEW of all flows is to be told again, since
	// somebody has come who does not know them, and Remember is feed.Writer's.
	Anew     func() bool
	Remember func(message []byte, records int) []byte
	// Index returns the index by which others know the ruleset that flows know by a
	// number; nil if that is the same.
	Index func(number int) int
	// RuleSet is the name of the ruleset whose flows are told of; of all if it is "".
	RuleSet string
}

// Totals is what the meter has counted so far, for STATS.
type Totals struct{ Packets, Ignored, Uncounted, Lost uint64 }

// Tap is where a meter's feed comes from. It belongs to the meter's goroutine.
type Tap struct {
	cfg    Config
	w      feed.Writer
	table  *flow.Table
	namer  *ident.Namer
	shapes []shape  // by the ID of their match.Shape
	blocks []*block // by row
	open   uint32   // flows
	// bases are what flows had counted before their NEW, if anything.
	bases   map[uint32]base
	joining []uint32 // rows of flows that were there when they began, in this batch
	// closing are flows that TCP has ended, in order of time; the first closed of them
	// have been looked at.
	closing []closing
	closed  int
	left    [256]bool  // rulesets that run no longer
	names   [256]named // by number
	start   int64
	now     int64
	swept   uint32 // row up to which flows were looked at
	tickAt  int64  // when to look at some more
	statsAt int64
	tellAt  int64      // when to tell templates again
	anew    int64      // flows named by then must be told again, as state.named
	flow    match.Flow // room for the one that begins
	ended   match.Flow // and for one that ends
	end     feed.End
	let     func(row uint32) bool
	ending  bool // no flow begins any more
	endedTo int  // row up to which EndPart has ended flows
	// dropped is told by whoever sends the messages.
	dropped func() (messages, records uint64)
}

const blockLen = 1024

type block [blockLen]state

// state is what the tap knows of the flow in a row.
type state struct {
	id      uint64 // 0 if the row has no flow of the feed
	begun   int64  // time of the first packet since NEW
	serial  uint32 // goes up with each NEW that is not told again
	told    uint32 // PACKETs since NEW, if there is Config.First
	named   uint32 // time of the last NEW, in seconds since the first packet
	salt    uint16
	ruleSet uint8
	bits    uint8
}

const (
	isOpen       uint8 = 1 << iota // NEW was told, END was not
	finTo                          // FIN was seen
	finFrom                        // in the other direction
	isClosing                      // is in Tap.closing
	isFresh                        // no packet was told of yet
	isJoining                      // the flow has begun in this batch, and was there before
	isConnection                   // its packets are of the same two ends, so that TCP may end it
)

// named is a ruleset as others know it.
type named struct {
	index uint8
	name  string
}

// shape is of flows of the ruleset with this number.
type shape struct {
	shapes [len(icmps)]*feed.Shape // nil if they were not told
	number uint8
}

type base struct{ pdus, octets [2]uint64 }

type closing struct {
	at          int64
	row, serial uint32
}

// A flow that TCP has ended may still have packets for so long.
const lingers = 5 * time.Second

// New returns a tap of the meter that has this flow table. Its messages go to send, as
// feed.Writer.Send says. dropped returns how many of them, and of the records in them,
// were dropped so far.
func New(cfg Config, table *flow.Table, send func([]byte, int) []byte, dropped func() (messages, records uint64)) *Tap {
	bits := 64
	if cfg.Narrow {
		bits = 32
	}
	t := &Tap{
		cfg: cfg, table: table, namer: ident.NewNamer(bits), bases: make(map[uint32]base), tickAt: math.MinInt64, anew: -1, dropped: dropped,
		w: feed.Writer{Form: cfg.Form, Domain: cfg.Domain, MTU: cfg.MTU, Delay: max(cfg.Delay, 1), Send: send, Remember: cfg.Remember},
	}
	t.let = t.letGo
	return t
}

// Feeds reports whether packets of the ruleset with this name are told of.
func (t *Tap) Feeds(name string) bool { return t.cfg.RuleSet == "" || t.cfg.RuleSet == name }

// Digests reports whether packets are told with their digests.
func (t *Tap) Digests() bool { return t.cfg.Digest }

// Begin has flows of the ruleset that flows know by this number be told of.
func (t *Tap) Begin(number int, name string) {
	is := named{uint8(number), name}
	if t.cfg.Index != nil {
		is.index = uint8(t.cfg.Index(number))
	}
	n := number & 255
	t.left[n] = false
	if t.names[n] == is {
		return
	}
	t.names[n] = is
	for i := range t.shapes {
		if s := &t.shapes[i]; int(s.number) == n {
			s.shapes = [len(icmps)]*feed.Shape{}
		}
	}
}

// Leave says that the ruleset of this number runs no longer. Its flows end soon.
func (t *Tap) Leave(number int) { t.left[number&255] = true }

// state returns that of a row.
func (t *Tap) state(row uint32) *state {
	i := int(row / blockLen)
	for len(t.blocks) <= i {
		t.blocks = append(t.blocks, nil)
	}
	if t.blocks[i] == nil {
		t.blocks[i] = new(block)
	}
	return &t.blocks[i][row%blockLen]
}

// Prefetch has the state of a row be there soon; it returns a part of it, so that the
// compiler keeps the access.
func (t *Tap) Prefetch(row uint32) uint32 { return t.state(row).serial }

// Packet tells of a packet that was counted in the flow in row, at its time now, which
// is not earlier than that of one before. The flow's first one makes it known.
func (t *Tap) Packet(row uint32, p *feed.Packet, now int64) {
	t.now = now
	s := t.state(row)
	if s.bits&isOpen == 0 {
		if t.ending {
			return
		}
		t.begin(row, s)
	}
	if s.bits&isJoining != 0 {
		t.takeOff(row, p)
	}
	if t.cfg.First == 0 {
		p.Flow = s.id
		t.w.Packet(p, now)
	} else if s.told < t.cfg.First {
		s.told++
		p.Flow = s.id
		t.w.Packet(p, now)
	}
	if p.TCPFlags&(fin|rst) != 0 && s.bits&(isClosing|isConnection) == isConnection {
		t.close(row, s, p)
	}
}

// takeOff takes a packet that is told of off what the flow in row had counted before.
func (t *Tap) takeOff(row uint32, p *feed.Packet) {
	b, d := t.bases[row], 0
	if p.Backward {
		d = 1
	}
	b.pdus[d]--
	b.octets[d] -= uint64(p.Octets)
	t.bases[row] = b
}

const (
	fin = 1
	rst = 4
)

// close notes that TCP has ended a flow, or one direction of it.
func (t *Tap) close(row uint32, s *state, p *feed.Packet) {
	switch {
	case p.TCPFlags&fin == 0:
	case p.Backward:
		s.bits |= finFrom
	default:
		s.bits |= finTo
	}
	if p.TCPFlags&rst != 0 || s.bits&(finTo|finFrom) == finTo|finFrom {
		s.bits |= isClosing
		t.closing = append(t.closing, closing{later(t.now, int64(lingers)), row, s.serial})
	}
}

// Create says that a flow was made in row, of which no packet was told yet.
func (t *Tap) Create(row uint32) { *t.state(row) = state{bits: isFresh} }

// letGo ends the flow in a row if its ruleset runs no longer, and lets go of its
// identifier.
func (t *Tap) letGo(row uint32) bool {
	s := t.state(row)
	if !t.left[s.ruleSet] {
		return false
	}
	t.finish(row, s, feed.Forced)
	t.namer.Remove(s.id)
	*s = state{}
	return true
}

// begin tells NEW of the flow in row, whose first packet comes at the present time.
func (t *Tap) begin(row uint32, s *state) {
	t.begun(t.now)
	f := &t.flow
	t.table.Read(row, f)
	if s.id == 0 {
		s.ruleSet = uint8(f.Shape.RuleSet)
		s.id, s.salt = t.namer.Assign(row, &f.FlowKey, t.let)
	}
	s.serial++
	s.told, s.begun = 0, f.FirstTime
	fresh := s.bits&isFresh != 0
	if s.bits = isOpen; f.Shape.SavesEnds() {
		s.bits |= isConnection
	}
	if !fresh {
		// The table has counted the packets of this batch too: they are taken off again
		// as they are told.
		s.begun = t.now
		s.bits |= isJoining
		t.joining = append(t.joining, row)
		t.bases[row] = base{[2]uint64{f.ToPDUs, f.FromPDUs}, [2]uint64{f.ToOctets, f.FromOctets}}
	}
	t.open++
	t.tellNew(row, s)
}

// tellNew tells NEW of the flow in row, which was read into t.flow.
func (t *Tap) tellNew(row uint32, s *state) {
	s.named = t.seconds()
	t.fill(&t.end.New, row, s, &t.flow)
	t.w.New(&t.end.New, t.now)
}

// seconds returns the present time in seconds since the first packet, modulo 2^32.
func (t *Tap) seconds() uint32 { return uint32((t.now - t.start) / int64(time.Second)) }

// fill sets n to the flow f in row.
func (t *Tap) fill(n *feed.New, row uint32, s *state, f *match.Flow) {
	n.Flow, n.First, n.Index, n.Collisions = s.id, f.FirstTime, row, s.salt
	n.Shape = t.shape(&f.FlowKey)
	n.Key = n.Key[:0]
	for i := range f.Shape.Saved {
		n.Key = append(n.Key, f.Value(f.Shape.Saved[i].Attr)...)
	}
}

// shape returns what the feed has for the shape of a flow of this key, and tells SHAPE of
// it if it is new.
func (t *Tap) shape(k *match.FlowKey) *feed.Shape {
	s := k.Shape
	for len(t.shapes) <= s.ID {
		t.shapes = append(t.shapes, shape{})
	}
	i, of := icmpOf(k), &t.shapes[s.ID]
	if of.shapes[i] == nil {
		of.number, of.shapes[i] = uint8(s.RuleSet), newShape(s, &t.names[s.RuleSet&255], icmps[i])
		t.w.Shape(of.shapes[i], t.now)
	}
	return of.shapes[i]
}

// finish tells END of the flow in row if it is open.
func (t *Tap) finish(row uint32, s *state, reason feed.Reason) {
	if s.bits&isOpen == 0 {
		return
	}
	s.bits = 0
	t.open--
	e, f := &t.end, &t.ended
	t.table.Read(row, f)
	t.fill(&e.New, row, s, f)
	e.Reason, e.Begun, e.Last = reason, s.begun, f.LastTime
	e.PDUs, e.Octets = [2]uint64{f.ToPDUs, f.FromPDUs}, [2]uint64{f.ToOctets, f.FromOctets}
	if b, ok := t.bases[row]; ok {
		for d := range 2 {
			e.PDUs[d] -= b.pdus[d]
			e.Octets[d] -= b.octets[d]
		}
		delete(t.bases, row)
	}
	if e.Told = e.PDUs[0] + e.PDUs[1]; t.cfg.First > 0 {
		e.Told = uint64(s.told)
	}
	t.w.End(e, t.now)
}

// Release ends the flow in row, which is about to leave the flow table.
func (t *Tap) Release(row uint32) {
	i := int(row / blockLen)
	if i >= len(t.blocks) || t.blocks[i] == nil {
		return
	}
	s := &t.blocks[i][row%blockLen]
	if s.id == 0 {
		return
	}
	reason := feed.Idle
	if t.left[s.ruleSet] {
		reason = feed.Forced
	}
	t.finish(row, s, reason)
	t.namer.Remove(s.id)
	*s = state{}
}

// Next returns this identifier, or the first higher one, that a flow has, and the flow's
// row, 0 if there is none.
func (t *Tap) Next(id uint64) (uint64, uint32) {
	if t.cfg.Narrow && id > math.MaxUint32 {
		return 0, 0
	}
	return t.namer.Next(id)
}

// Flows returns how many have had a NEW and no END.
func (t *Tap) Flows() uint32 { return t.open }

// Told says that all packets so far were told of, at a time that is not earlier than
// theirs.
func (t *Tap) Told(now int64) {
	t.now = now
	for _, row := range t.joining {
		t.state(row).bits &^= isJoining
	}
	t.joining = t.joining[:0]
	t.w.Wait(now)
}

// Flush sends the message under way, if there is one.
func (t *Tap) Flush() { t.w.Flush() }

// Packet time between two looks at what has ended, and between two STATS.
const (
	tick       = 100 * time.Millisecond
	statsEvery = time.Second
)

// Due returns the time from which on Advance has anything to do.
func (t *Tap) Due() int64 { return t.tickAt }

// Advance ends flows and tells STATS, if it is time. All packets before must have been
// told of.
func (t *Tap) Advance(now int64, totals func() Totals) {
	if now < t.tickAt {
		return
	}
	t.now = now
	t.begun(now)
	ticks := (now-t.tickAt)/int64(tick) + 1
	t.tickAt = later(t.tickAt, ticks*int64(tick))
	if t.cfg.Anew != nil && t.cfg.Anew() {
		t.anew = int64(t.seconds())
		if t.cfg.Repeat > 0 {
			t.tellAt = now
		}
	}
	t.endClosing()
	t.sweep(ticks)
	if now >= t.tellAt {
		t.tellAt = later(now, int64(t.cfg.Repeat))
		t.w.Templates(now)
	}
	if now >= t.statsAt {
		t.statsAt = later(now, int64(statsEvery))
		t.tellStats(totals())
	}
}

// begun tells templates if nothing was told yet.
func (t *Tap) begun(now int64) {
	if t.tickAt != math.MinInt64 {
		return
	}
	t.start, t.tickAt, t.statsAt, t.tellAt = now, now, later(now, int64(statsEvery)), math.MaxInt64
	if t.cfg.Repeat > 0 {
		t.tellAt = later(now, int64(t.cfg.Repeat))
	}
	t.w.Templates(now)
}

func (t *Tap) tellStats(n Totals) {
	messages, records := t.dropped()
	t.w.Stats(&feed.Stats{
		Time: t.now, Packets: n.Packets, Ignored: n.Ignored, Uncounted: n.Uncounted, Lost: n.Lost,
		DroppedMessages: messages, DroppedRecords: records, Flows: t.open, First: t.cfg.First,
	}, t.now)
}

// endClosing ends the flows that TCP has ended long enough ago.
func (t *Tap) endClosing() {
	for ; t.closed < len(t.closing) && t.closing[t.closed].at <= t.now; t.closed++ {
		c := &t.closing[t.closed]
		if s := t.state(c.row); s.serial == c.serial && s.bits&isClosing != 0 {
			t.finish(c.row, s, feed.Ended)
		}
	}
	if t.closed > len(t.closing)/2 {
		t.closing, t.closed = append(t.closing[:0], t.closing[t.closed:]...), 0
	}
}

// sweep looks at a part of the flows, as many as so many ticks have: in Idle/4, or
// between 1 and 5 seconds, at all of them.
func (t *Tap) sweep(ticks int64) {
	rows := len(t.blocks) * blockLen
	parts := int64(min(max(t.cfg.Idle/4, time.Second), 5*time.Second) / tick)
	n := rows
	if ticks < parts {
		n = (rows*int(ticks) + int(parts) - 1) / int(parts)
	}
	for range n {
		if t.swept++; int(t.swept) >= rows {
			t.swept = 0
		}
		row := t.swept
		if t.blocks[row/blockLen] == nil {
			continue
		}
		s := &t.blocks[row/blockLen][row%blockLen]
		switch {
		case s.bits&isOpen == 0:
		case t.left[s.ruleSet]:
			t.finish(row, s, feed.Forced)
		case t.now-t.table.LastTime(row) >= int64(t.cfg.Idle):
			t.finish(row, s, feed.Idle)
		case int64(s.named) <= t.anew, t.cfg.Repeat > 0 && t.seconds()-s.named >= uint32(t.cfg.Repeat/time.Second):
			t.table.Read(row, &t.flow)
			t.tellNew(row, s)
		}
	}
}

// EndPart ends the flows of so many rows more, and reports whether all have ended. From
// the first time on no flow begins.
func (t *Tap) EndPart(rows int) bool {
	t.ending = true
	all := len(t.blocks) * blockLen
	for ; rows > 0 && t.endedTo < all; rows-- {
		if b := t.blocks[t.endedTo/blockLen]; b != nil {
			t.finish(uint32(t.endedTo), &b[t.endedTo%blockLen], feed.Forced)
		}
		t.endedTo++
	}
	return t.endedTo == all
}

// End ends all flows, and the feed. If there was no packet nothing is told.
func (t *Tap) End(totals Totals) {
	if t.tickAt == math.MinInt64 {
		return
	}
	for i, b := range t.blocks {
		if b == nil {
			continue
		}
		for j := range b {
			t.finish(uint32(i*blockLen+j), &b[j], feed.Forced)
		}
	}
	t.tellStats(totals)
	t.w.Flush()
}

// later returns t + d, or the latest time there is.
func later(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}
