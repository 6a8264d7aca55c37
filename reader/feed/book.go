package feed

import (
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"time"

	"rtfm/meter/ident"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/ruleset/match"
	"rtfm/traces/feed"
)

// Book is a Sink that keeps the flows of all meters, and proves of each one that has
// ended that its packets came. Flows that have ended, or whose meter is gone, are written
// as rows of JSON lines.
type Book struct {
	Totals
	// Label, unless it is nil, returns what a flow was found to be, and how surely;
	// false if it was not.
	Label func(m *Meter, id uint64) (name string, score float64, ok bool)

	w        io.Writer // nil if flows are not written
	interval int64     // 0 to write each one at once
	most     int
	meters   map[*Meter]*ledger
	keys     int // octets of the flows' keys
	waiting  int // octets of rows
	err      error
	row      match.Flow
	counters [2][]uint64
	more     []byte
}

// Totals is what a Book has proved.
type Totals struct {
	// Flows have ended. Complete ones have all packets that the meter has told of and,
	// if it tells of all, the octets that its flow table has counted. Lacking ones lack
	// LackingPackets.
	Flows, Complete, Lacking, LackingPackets uint64
	// Wrong flows have as many packets as the meter has told of, or more, and not the
	// same numbers in each direction.
	Wrong uint64
	// Unended flows had no END when their meter was gone.
	Unended uint64
	// Open flows have begun.
	Open uint64
	// Unkept flows had no room. Of those that ended it is not known whether they were
	// complete.
	Unkept, Unproved uint64
	// Packets came with so many octets. Of them, Nameless ones are of flows of which
	// neither NEW nor END came before their meter was gone.
	Packets, Octets, Nameless, NamelessFlows uint64
}

// ledger is the flows of a meter.
type ledger struct {
	flows  map[uint64]*entry
	shapes Shapes
	rows   *flowfile.Rows // those that wait; nil if none is written
	of     record.Collection
	named  [256]bool // rulesets that it has
	now    int64     // the latest time that was told
	next   int64     // when the interval ends
}

// entry is what is known of a flow that has not ended.
type entry struct {
	shape    *feed.Shape // nil before NEW
	key      string
	first    int64
	index    uint32
	backward bool // its first packet was
	part
	// An END, and a NEW behind it, may be among records that are missing: older is what
	// came before some that are.
	older []part
}

// part is the packets of a flow that came one after the other without that records were
// missing in between.
type part struct {
	missing      uint64 // records of the meter before it
	begun, last  int64
	pdus, octets [2]uint64
}

func (p *part) received() uint64 { return p.pdus[0] + p.pdus[1] }

// add adds a part to one before it.
func (p *part) add(q *part) {
	if p.received() == 0 {
		p.begun = q.begun
	}
	p.last = max(p.last, q.last)
	for d := range 2 {
		p.pdus[d] += q.pdus[d]
		p.octets[d] += q.octets[d]
	}
}

// maxOlder is how many older parts of a flow are kept: more are added up.
const maxOlder = 8

// turn begins another part.
func (e *entry) turn(missing uint64) {
	if len(e.older) == maxOlder {
		e.older[0].add(&e.older[1])
		e.older = append(e.older[:1], e.older[2:]...)
	}
	e.older = append(e.older, e.part)
	e.part = part{missing: missing}
}

// whole returns all parts of which anything is of a time or later, and those before. A
// flow whose records are all there up to now has no other: clocks may go back.
func (e *entry) whole(from int64, missing uint64) (since, before part) {
	for i := range e.older {
		if p := &e.older[i]; p.last < from {
			before.add(p)
		} else {
			since.add(p)
		}
	}
	if e.last < from && e.missing != missing {
		before.add(&e.part)
	} else {
		since.add(&e.part)
	}
	return since, before
}

// NewBook returns a Book with room for so many flows that have not ended. If w is not nil
// they are written to it, together those of a meter that have ended in an interval of so
// much time, or each one at once if that is 0.
func NewBook(w io.Writer, interval time.Duration, flows int) *Book {
	b := &Book{w: w, interval: int64(interval), most: flows, meters: make(map[*Meter]*ledger)}
	b.counters = [2][]uint64{make([]uint64, 1), make([]uint64, 3)}
	return b
}

// ledger returns that of a meter.
func (b *Book) ledger(m *Meter) *ledger {
	l := b.meters[m]
	if l == nil {
		l = &ledger{flows: make(map[uint64]*entry), now: math.MinInt64}
		l.of.Meter = m.Name
		b.meters[m] = l
	}
	return l
}

// at notes that a meter has told of a time. Rows of an interval that has ended are
// written.
func (b *Book) at(l *ledger, t int64) {
	if t <= l.now {
		return
	}
	if l.now == math.MinInt64 {
		l.of.Epoch, l.of.To, l.of.Boot = t, t, record.BootOf(t)
		l.next = b.after(t)
	}
	if t >= l.next {
		b.close(l, l.next)
		l.of.To = max(l.of.To, b.after(t)-b.interval)
		l.next = b.after(t)
	}
	l.now = t
}

// after returns the end of the interval that a time is in.
func (b *Book) after(t int64) int64 {
	if b.interval == 0 || t > math.MaxInt64-b.interval {
		return math.MaxInt64
	}
	return t - t%b.interval + b.interval
}

// close writes the rows of a meter that wait. They are of the time from the last one on
// to this one.
func (b *Book) close(l *ledger, to int64) {
	if l.rows == nil || l.rows.Octets() == 0 {
		return
	}
	c := &l.of
	c.From, c.To = c.To, max(to, c.To+1)
	b.waiting -= l.rows.Octets()
	if err := l.rows.Write(b.w, c); b.err == nil {
		b.err = err
	}
}

// entry returns that of a flow, nil if there is no room for another one.
func (b *Book) entry(l *ledger, id uint64) *entry {
	e := l.flows[id]
	if e == nil && b.Open < uint64(b.most) {
		e = new(entry)
		l.flows[id] = e
		b.Open++
	}
	return e
}

// keyRoom is how many octets there are for the key of each flow that may be kept: more than
// that of one that saves all attributes.
const keyRoom = 256

// New implements Sink.
func (b *Book) New(m *Meter, n *feed.New) error {
	l := b.ledger(m)
	e := b.entry(l, n.Flow)
	if e == nil || b.keys+len(n.Key)-len(e.key) > b.most*keyRoom {
		b.Unkept++
		return nil
	}
	if e.shape != n.Shape || e.key != string(n.Key) {
		b.keys += len(n.Key) - len(e.key)
		e.shape, e.key = n.Shape, string(n.Key)
	}
	e.first, e.index = n.First, n.Index
	return nil
}

// Packet implements Sink.
func (b *Book) Packet(m *Meter, p *feed.Packet) error {
	b.Packets++
	b.Octets += uint64(p.Octets)
	l := b.ledger(m)
	b.at(l, p.Time)
	e := b.entry(l, p.Flow)
	if e == nil {
		return nil
	}
	d := 0
	if p.Backward {
		d = 1
	}
	if e.missing != m.Missing && e.received() > 0 {
		e.turn(m.Missing)
	}
	if e.received() == 0 {
		e.begun, e.missing = p.Time, m.Missing
		if len(e.older) == 0 {
			e.backward = p.Backward
		}
	}
	e.last = p.Time
	e.pdus[d]++
	e.octets[d] += uint64(p.Octets)
	return nil
}

// End implements Sink.
func (b *Book) End(m *Meter, n *feed.End) error {
	l := b.ledger(m)
	b.at(l, n.Last)
	b.Flows++
	e := l.flows[n.Flow]
	if e != nil {
		delete(l.flows, n.Flow)
		b.Open--
		b.keys -= len(e.key)
	} else {
		if b.Open >= uint64(b.most) { // it may have had no room
			b.Unproved++
			b.write(m, l, &n.New, n, nil, false)
			return b.err
		}
		e = new(entry)
	}
	since, before := e.whole(n.Begun, m.Missing)
	if before.received() > 0 { // the flow has begun again, and its END before did not come
		b.Unended++
		b.write(m, l, &n.New, nil, &before, e.backward)
	}
	b.prove(&since, n)
	b.write(m, l, &n.New, n, &since, e.backward)
	return b.err
}

// prove compares the packets of a flow with what its END tells.
func (b *Book) prove(e *part, n *feed.End) {
	switch received := e.received(); {
	case received < n.Told:
		b.Lacking++
		b.LackingPackets += n.Told - received
	case received > n.Told, n.Told == n.PDUs[0]+n.PDUs[1] && (e.pdus != n.PDUs || e.octets != n.Octets):
		b.Wrong++
	default:
		b.Complete++
	}
}

// Stats implements Sink.
func (b *Book) Stats(m *Meter, s *feed.Stats) error {
	b.at(b.ledger(m), s.Time)
	return b.err
}

// Missing implements Sink.
func (b *Book) Missing(*Meter, uint64) error { return nil }

// Gone implements Sink. Flows of a meter that is gone have no END.
func (b *Book) Gone(m *Meter) error {
	l := b.ledger(m)
	for id, e := range l.flows {
		b.keys -= len(e.key)
		all, _ := e.whole(math.MinInt64, m.Missing)
		if e.shape == nil {
			b.NamelessFlows++
			b.Nameless += all.received()
			continue
		}
		b.Unended++
		b.write(m, l, &feed.New{Flow: id, Shape: e.shape, First: e.first, Index: e.index, Key: []byte(e.key)}, nil, &all, e.backward)
	}
	b.close(l, l.now+1)
	b.Open -= uint64(len(l.flows))
	delete(b.meters, m)
	return b.err
}

// Close writes the rows that wait, when nothing more comes.
func (b *Book) Close() error {
	for _, l := range b.meters {
		b.close(l, l.now+1)
	}
	return b.err
}

// maxWaiting is how many octets the rows of all meters have that wait. Intervals are
// shorter if they have more.
const maxWaiting = 32 << 20

// write writes the row of a flow: of one that had no END, what has come of it; of one that
// had no room, what END tells.
func (b *Book) write(m *Meter, l *ledger, n *feed.New, end *feed.End, e *part, backward bool) {
	if b.w == nil {
		return
	}
	if l.rows == nil {
		l.rows = flowfile.NewRows(l.of.Epoch)
	}
	if !l.named[n.Shape.RuleSet] {
		l.named[n.Shape.RuleSet] = true
		l.of.RuleSets = append(l.of.RuleSets, record.RuleSet{Number: int(n.Shape.RuleSet), Name: n.Shape.Name})
	}
	f := &b.row
	l.shapes.Set(f, n.Shape, n.Key)
	f.Index, f.FirstTime = n.Index, n.First
	b.counters[0][0] = n.Flow
	community, _ := ident.CommunityOf(&f.FlowKey, backward)
	c := b.counters[1]
	c[0], c[1], c[2] = binary.BigEndian.Uint64(community[:]), binary.BigEndian.Uint64(community[8:]), uint64(binary.BigEndian.Uint32(community[16:]))
	f.Counters = b.counters[:]
	b.more = b.more[:0]
	member := func(name string, n uint64) {
		b.more = strconv.AppendUint(append(append(append(b.more, `,"`...), name...), `":`...), n, 10)
	}
	if end != nil {
		f.LastTime = end.Last
		f.ToPDUs, f.FromPDUs, f.ToOctets, f.FromOctets = end.PDUs[0], end.PDUs[1], end.Octets[0], end.Octets[1]
		b.more = append(append(append(b.more, `,"EndReason":"`...), ReasonName(end.Reason)...), `","BegunNs":`...)
		b.more = strconv.AppendInt(b.more, end.Begun, 10)
		member("Told", end.Told)
	} else {
		f.LastTime = max(e.last, n.First)
		f.ToPDUs, f.FromPDUs, f.ToOctets, f.FromOctets = e.pdus[0], e.pdus[1], e.octets[0], e.octets[1]
	}
	if e != nil {
		member("Received", e.received())
	}
	if b.Label != nil {
		if name, score, ok := b.Label(m, n.Flow); ok {
			b.more = appendLabel(b.more, name, score)
		}
	}
	b.waiting -= l.rows.Octets()
	l.rows.Flow(f, &record.Counters{ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets}, b.more)
	if b.waiting += l.rows.Octets(); b.interval == 0 || b.waiting > maxWaiting {
		b.close(l, l.now)
	}
}

// ReasonName returns why a flow has ended as rows tell it.
func ReasonName(r feed.Reason) string {
	switch r {
	case feed.Idle:
		return "idle"
	case feed.Ended:
		return "tcp"
	case feed.Forced:
		return "forced"
	}
	return strconv.Itoa(int(r))
}
