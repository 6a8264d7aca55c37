package feature

import (
	"slices"

	"rtfm/reader/feed"
	"rtfm/ruleset/attr"
	records "rtfm/traces/feed"
)

// Defaults of Config.
const (
	DefaultFirst    = 30
	DefaultMaxFlows = 1_000_000
)

// idle is how long no packet has come when a flow has its row: nanoseconds of the
// packets' times.
const idle = 1e9

// Config says what a Table makes.
type Config struct {
	// First is how many packets of a flow are listed, and when it has its row: 1 to
	// attr.MaxListed.
	First int
	// MaxFlows is how many flows are followed at most, each of which takes some 900
	// octets with First 30. What more there are have no rows.
	MaxFlows int
	Rows     []Rows
	// Scorer, if there is one, is among Rows. Its labels are told to Labelled.
	Scorer   *Scorer
	Labelled func(m *feed.Meter, id uint64, l Label) error
}

// Counts are what a Table has done.
type Counts struct {
	Rows, Flows uint64
	// LeftOut flows were more than MaxFlows. Unknown packets and ends are of flows that
	// are not followed: those, or flows whose NEW has not come.
	LeftOut, Unknown uint64
}

// Table is a feed.Sink that makes rows. What it takes for a packet does not depend on
// how many flows there are, and it allocates nothing.
type Table struct {
	cfg    Config
	counts Counts
	meters map[*feed.Meter]*meter
	recent *meter // the one whose record came last
	shapes feed.Shapes
	free   []*Flow
	live   int

	row      Row
	identity identity
	ended    ended
}

// ended is the flow that has ended last.
type ended struct {
	m     *feed.Meter
	id    uint64
	label Label
}

// New returns a Table that has seen nothing yet.
func New(cfg Config) *Table { return &Table{cfg: cfg, meters: make(map[*feed.Meter]*meter)} }

// Counts returns them.
func (t *Table) Counts() Counts { return t.counts }

// Label returns that of a flow that is followed, or has ended last.
func (t *Table) Label(m *feed.Meter, id uint64) (Label, bool) {
	if t.ended.m == m && t.ended.id == id {
		return t.ended.label, t.ended.label.Name != ""
	}
	if mt := t.meters[m]; mt != nil {
		if f := mt.flows[id]; f != nil {
			return f.label, f.label.Name != ""
		}
	}
	return Label{}, false
}

// meter returns what is known of a meter.
func (t *Table) meter(m *feed.Meter) *meter {
	if t.recent != nil && t.recent.Meter == m {
		return t.recent
	}
	mt := t.meters[m]
	if mt == nil {
		mt = &meter{Meter: m, flows: make(map[uint64]*Flow)}
		t.meters[m] = mt
	}
	t.recent = mt
	return mt
}

// New implements feed.Sink. What is told again is known.
func (t *Table) New(m *feed.Meter, n *records.New) error {
	mt := t.meter(m)
	if mt.flows[n.Flow] != nil {
		return nil
	}
	if t.live >= t.cfg.MaxFlows {
		t.counts.LeftOut++
		return nil
	}
	f := t.newFlow()
	key := append(f.Key[:0], n.Key...)
	f.New = *n
	f.Key = key
	mt.flows[n.Flow] = f
	if t.ended.m == m && t.ended.id == n.Flow {
		t.ended = ended{}
	}
	t.counts.Flows++
	t.live++
	return nil
}

// newFlow returns a flow that has seen nothing.
func (t *Table) newFlow() *Flow {
	n := len(t.free)
	if n == 0 {
		return &Flow{first: make([]attr.Listed, 0, t.cfg.First)}
	}
	f := t.free[n-1]
	t.free = t.free[:n-1]
	key := f.Key
	*f = Flow{first: f.first[:0], serial: f.serial + 1}
	f.Key = key
	return f
}

// Packet implements feed.Sink.
func (t *Table) Packet(m *feed.Meter, p *records.Packet) error {
	mt := t.meter(m)
	f := mt.flows[p.Flow]
	if f == nil {
		t.counts.Unknown++
		return nil
	}
	if err := t.advance(mt, p.Time); err != nil {
		return err
	}
	begins := f.packets() == 0
	if !f.told && !begins && mt.now-f.last >= idle {
		if err := t.tell(mt, f, Idle); err != nil {
			return err
		}
	}
	f.add(p, mt.now, t.cfg.First)
	switch {
	case f.told:
	case len(f.first) == t.cfg.First:
		return t.tell(mt, f, Nth)
	case begins:
		mt.await(f)
	}
	return nil
}

// End implements feed.Sink.
func (t *Table) End(m *feed.Meter, e *records.End) error {
	mt := t.meter(m)
	f := mt.flows[e.Flow]
	if f == nil {
		t.counts.Unknown++
		return nil
	}
	if err := t.advance(mt, e.Last); err != nil {
		return err
	}
	// A meter tells ends before the packet by whose time it sees them.
	if !f.told && f.packets() > 0 && (e.Reason == records.Idle || e.Reason == records.Ended || mt.now-f.last >= idle) {
		if err := t.tell(mt, f, Idle); err != nil {
			return err
		}
	}
	t.row = Row{Meter: m, Flow: f, Why: End, Reason: e.Reason, Begun: e.Begun, Last: e.Last, PDUs: e.PDUs, Octets: e.Octets}
	if err := t.write(); err != nil {
		return err
	}
	if s := t.cfg.Scorer; s != nil && s.waits {
		s.settle()
	}
	if err := t.answers(); err != nil {
		return err
	}
	t.ended = ended{m, e.Flow, f.label}
	t.drop(mt, f)
	return nil
}

// drop forgets a flow.
func (t *Table) drop(mt *meter, f *Flow) {
	delete(mt.flows, f.Flow)
	f.serial++
	t.free = append(t.free, f)
	t.live--
}

// Stats implements feed.Sink.
func (t *Table) Stats(m *feed.Meter, s *records.Stats) error {
	return t.advance(t.meter(m), s.Time)
}

// Missing implements feed.Sink.
func (t *Table) Missing(*feed.Meter, uint64) error { return nil }

// Gone implements feed.Sink. Flows that have no end have a row.
func (t *Table) Gone(m *feed.Meter) error {
	mt := t.meter(m)
	var ids []uint64
	for id := range mt.flows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		f := mt.flows[id]
		if err := t.tell(mt, f, Gone); err != nil {
			return err
		}
		t.drop(mt, f)
	}
	delete(t.meters, m)
	t.recent = nil
	return nil
}

// tell has a row of a flow as it is.
func (t *Table) tell(mt *meter, f *Flow, why Why) error {
	t.row = Row{Meter: mt.Meter, Flow: f, Why: why, Begun: f.begun, Last: f.last}
	for way := range f.sides {
		t.row.PDUs[way], t.row.Octets[way] = f.sides[way].sizes[attr.StatCount], f.sides[way].sizes[attr.StatSum]
	}
	f.told = true
	return t.write()
}

// write writes the row.
func (t *Table) write() error {
	t.counts.Rows++
	t.identity.read(&t.shapes, t.row.Flow)
	t.row.identity = &t.identity
	for _, r := range t.cfg.Rows {
		if err := r.Row(&t.row); err != nil {
			return err
		}
	}
	return t.answers()
}

// Flush has others see the rows so far, and takes labels that have come. It is to be
// called now and then.
func (t *Table) Flush() error {
	if err := t.answers(); err != nil {
		return err
	}
	for _, r := range t.cfg.Rows {
		if err := r.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is not written yet, and closes all Rows.
func (t *Table) Close() error {
	for _, r := range t.cfg.Rows {
		if err := r.Close(); err != nil {
			return err
		}
	}
	return t.answers()
}
