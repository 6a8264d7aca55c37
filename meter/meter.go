package meter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/meter/flow"
	"rtfm/meter/ident"
	"rtfm/meter/packet"
	"rtfm/meter/stream"
	"rtfm/ruleset"
	"rtfm/ruleset/pme"
	"rtfm/traces"
	"rtfm/traces/schedule"
)

// Config is the configuration of a meter.
type Config struct {
	// RuleSets are run side by side, each over every packet. Those without a
	// number get the first free one from 2 on.
	RuleSets []*ruleset.RuleSet
	// MaxFlows is the size of the flow table.
	MaxFlows int
	// IPOctets counts the octets of IP datagrams instead of those of frames.
	IPOctets bool
	// Interval is the time between collections; 0 means one, at the end.
	Interval time.Duration
	// Align has intervals end where the clocks of a place, or of UTC, show a multiple
	// of Interval, counted from 1970-01-01 00:00:00 there: on the hour, at midnight,
	// however long a day it is. So the first is shorter than the others. Nil counts
	// intervals from the first packet.
	Align *time.Location
	// Schedule, unless it is nil, has intervals be its windows, of which all packets
	// must be; Interval and Align are not looked at. Flows begin anew in each window.
	Schedule *schedule.Schedule
	// Intervals is the number of collections after which metering ends; 0
	// means with the source.
	Intervals int
	// InactivityTimeout is how long a flow must be idle before its record may be
	// recovered, once it was collected. Without intervals no record is recovered.
	InactivityTimeout time.Duration
	// Streams limits what is kept for distributions of streams.
	Streams stream.Config
	// Filter, if not nil, says which packets are metered: those that it counts as
	// they come. It is not tried with source and destination changed over, nor are
	// there flows of it. Others move the clock on, and are counted as Filtered.
	Filter *pme.Program
	// Tunnels are kinds of envelopes that are opened: what a packet carries in one
	// is metered in its place, filtered too, and has the attributes TunnelKind and
	// TunnelID. It may be TunnelDepth envelopes deep; 0 means 1. Flow records are not
	// looked into.
	Tunnels     packet.TunnelKinds
	TunnelDepth int
	// Series, unless its Interval is 0, is what is counted in each second, or another
	// time.
	Series SeriesConfig
}

// DefaultMaxFlows and DefaultInactivityTimeout are the defaults of the
// commands' options.
const (
	DefaultMaxFlows          = 1_000_000
	DefaultInactivityTimeout = 600 * time.Second
)

// Meter is one meter. It belongs to one goroutine.
type Meter struct {
	cfg   Config
	tasks []*Task
	// retired are rulesets that were replaced, latest the number given last to one in
	// such a place.
	retired []TaskStats
	latest  int
	memos   []*memo // of the tasks
	table   *flow.Table
	// streams builds distributions; nil until a ruleset saves any. streamed is
	// what those want that tasks run.
	streams  *stream.Worker
	streamed stream.Forms
	mayEnd   int        // streams, by what is done now
	ids      *ident.IDs // of flows; nil until a ruleset saves any
	tap      *tap       // nil if there is no feed
	shapes   match.Shapes
	clock    clock
	stats    Stats
	batch    *batch // the one being metered
	input    *input // of the batch, unless batches are read ahead
	sink     Sink
	next     collection // the one under way
	seconds  seconds    // the interval of a series under way
	done     bool       // the last collection was made
	// attendant is nil unless the meter has one; alarm is the number of flows at
	// which it is called, metered how many packets of the batch have been counted.
	attendant Attendant
	alarm     int
	metered   int
	waited    time.Duration
}

// Sink receives a meter's results and complaints. Run calls its methods, in
// order.
type Sink interface {
	// Collect is called at the end of each interval and may read the flows
	// with Meter.Flows. If it returns ErrNotCollected, the next interval begins where
	// this one did, unless it is the last; other errors end the metering.
	Collect(c Collection) error
	// Damage is called when a trace ends before its end, with an error that
	// names file, record and offset; metering goes on with the next trace.
	Damage(err error)
	// BackInTime is called for the first packet of a trace whose time is
	// earlier than that of one before it, with both times.
	BackInTime(file string, before, at int64)
}

// ErrNotCollected is an error of Sink.Collect that has metering go on: the collection
// was not made, and the meter keeps its flows for a later one.
var ErrNotCollected = errors.New("the collection was not made")

func newMeter(cfg Config) *Meter {
	m := &Meter{cfg: cfg, table: flow.New(cfg.MaxFlows), alarm: math.MaxInt}
	m.seconds.end = math.MaxInt64
	return m
}

// New returns a meter that has seen nothing yet.
func New(cfg Config) (*Meter, error) {
	m := newMeter(cfg)
	if len(cfg.RuleSets) == 0 {
		cfg.RuleSets = []*ruleset.RuleSet{ruleset.Default()}
	}
	numbers, err := numberRuleSets(cfg.RuleSets)
	if err != nil {
		return nil, err
	}
	for i, rs := range cfg.RuleSets {
		p, err := Prepare(rs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rs.Name, err)
		}
		m.tasks = append(m.tasks, m.newTask(p, rs.Name, numbers[i]))
	}
	m.shareMemos()
	return m, nil
}

// shareMemos gives the tasks their memos: tasks that see the same of packets
// share one, which lasts as long as no task joins or leaves them.
func (m *Meter) shareMemos() {
	var groups [][]*Task
	for _, t := range m.tasks {
		i := slices.IndexFunc(groups, func(g []*Task) bool { return g[0].view.key == t.view.key })
		if i < 0 {
			i, groups = len(groups), append(groups, nil)
		}
		groups[i] = append(groups[i], t)
	}
	m.memos = m.memos[:0]
	for _, group := range groups {
		shared := group[0].memo
		if shared == nil || !slices.Equal(shared.tasks, group) {
			shared = newMemo(group[0].view, group...)
		}
		m.memos = append(m.memos, shared)
		for i, t := range group {
			t.memo, t.member = shared, i
		}
	}
}

// flowIDBits is how long a FlowID is.
const flowIDBits = 64

// newTask returns a task that runs a ruleset of this name under this number.
func (m *Meter) newTask(p *Prepared, name string, number int) *Task {
	t := newTask(p, name, number, &m.shapes, m.table)
	t.since = m.stats.Packets
	t.before = m.activityOf(t)
	if slices.ContainsFunc(p.measures, func(d attr.Measure) bool { return d.Attr.OfFlows() }) {
		if m.ids == nil {
			m.ids = ident.New(flowIDBits)
		}
		t.ids = m.ids
	}
	of := func(d attr.Measure) bool { return !d.Attr.OfFlows() }
	if slices.ContainsFunc(p.measures, of) {
		if m.streams == nil {
			m.streams = stream.NewWorker(m.cfg.Streams, m.table.Change)
		}
		t.streams, t.streamed = m.streams, stream.FormsOf(p.measures)
	}
	m.streamed |= t.streamed
	m.tapTask(t)
	return t
}

// numberRuleSets gives each ruleset its number: its own, or the first from 2
// on that nobody has. Number 1 is the built-in one's.
func numberRuleSets(sets []*ruleset.RuleSet) ([]int, error) {
	taken := make(map[int]*ruleset.RuleSet)
	for _, rs := range sets {
		if rs.Number == 0 {
			continue
		}
		if other := taken[rs.Number]; other != nil {
			return nil, fmt.Errorf("%s and %s both ask for number %d with SET: give one of them another", other.Name, rs.Name, rs.Number)
		}
		taken[rs.Number] = rs
	}
	numbers := make([]int, len(sets))
	free := 2
	for i, rs := range sets {
		if numbers[i] = rs.Number; rs.Number != 0 {
			continue
		}
		for taken[free] != nil {
			free++
		}
		if free > ruleset.MaxRuleSets {
			return nil, fmt.Errorf("more than %d rulesets", ruleset.MaxRuleSets)
		}
		numbers[i] = free
		taken[free] = rs
	}
	return numbers, nil
}

// Run meters all packets of src and hands each collection to sink. It ends at
// the end of src, after Config.Intervals collections, when ctx is done, or with
// the first error of sink. A source without packets gives no collection, unless
// the meter has an attendant; ErrPause ends it without one. Unless ctx is done, src is not used after Run has
// returned. Run may be called again, to go on with another source.
func (m *Meter) Run(ctx context.Context, src traces.Source, sink Sink) error {
	m.sink, m.done = sink, false
	if err := m.run(ctx, src); err != nil {
		return err
	}
	return m.endSeries()
}

func (m *Meter) run(ctx context.Context, src traces.Source) error {
	next, stop := m.feed(ctx, src)
	defer stop()
	for ctx.Err() == nil && !m.done {
		b := next()
		if b == nil {
			break
		}
		m.stats.Trace = b.source
		switch {
		case errors.Is(b.err, io.EOF):
			return m.collectLast()
		case b.err == ErrPause:
			return b.err
		case b.err != nil:
			m.sink.Damage(b.err)
		default:
			if err := m.meterBatch(b); err != nil {
				return err
			}
		}
	}
	if m.done {
		return nil
	}
	return m.collectLast()
}

// collectLast makes the collection at the end of the source.
func (m *Meter) collectLast() error {
	switch {
	case !m.clock.started && m.attendant == nil:
		return nil
	case m.cfg.Schedule == nil:
		return m.collect(m.clock.now, true)
	case m.clock.now < m.next.from: // the next window has not begun
		return nil
	}
	return m.collect(m.next.end, true)
}

func (m *Meter) meterBatch(b *batch) error {
	m.batch, m.metered = b, 0
	for i, memo := range m.memos {
		memo.grow()
		k := &b.known[i]
		results := k.results
		if !k.asked {
			memo.results = memo.lookUp(k.sights, memo.results)
			results = memo.results
		}
		for j, t := range memo.tasks {
			t.prefetch(k.sights, results[j])
		}
	}
	if m.tap != nil {
		m.tap.batch = b
	}
	for i := m.countRun(0); i < len(b.seen); i = m.countRun(i + 1) {
		m.metered = i
		if time := b.seen[i].time; m.clock.latest == time && m.stats.Packets > 0 && time < m.seconds.end {
			// The usual case in busy traces: nothing can have ended.
		} else if err := m.advance(time); err != nil {
			return err
		} else if m.done {
			return nil
		}
		m.count(i)
	}
	m.metered = len(b.seen)
	if m.tap != nil && m.clock.started {
		m.advanceFeed()
		if len(b.seen) == 0 { // for some time
			m.tap.feed.Flush()
		}
	}
	if b.until > m.clock.now && m.clock.started {
		return m.passTo(b.until)
	}
	return m.endSeconds(b.until)
}

// countRun is the fast path of count. It handles packets from i on while they
// are in time order, nothing is due before them, and they need only be counted
// in flows, and returns the index where it stopped.
func (m *Meter) countRun(i int) int {
	b := m.batch
	if m.attendant != nil || m.streamed&^b.digested != 0 || len(b.records) > 0 || !m.clock.started {
		return i
	}
	var streamed stream.Packet
	now, due := m.clock.now, m.due()
	from, octets, filtered, opened := i, uint64(0), uint64(0), uint64(0)
	for ; i < len(b.seen); i++ {
		p := &b.seen[i]
		if p.time < now || p.time >= due {
			break
		}
		f := p.flags & (noted | match.Filtered)
		if f&^match.Filtered != 0 || p.found > packet.Opened {
			break
		}
		opened += uint64(p.found)
		if f != 0 {
			filtered++
			now = p.time
			continue
		}
		now = p.time
		octets += uint64(p.octets)
		if m.streamed != 0 {
			streamed = b.streamed.At(i)
		}
		for _, t := range m.tasks {
			r := t.results[i]
			if row := r.row(); row == 0 || !t.table.CountIf(row, r.generation(), r.direction(), 1, uint64(p.octets), now) {
				if t.tap != nil {
					t.tap.at = i
				}
				t.meter(b, i, streamed, 1, uint64(p.octets), now)
				continue
			}
			t.stats.Counted++
			if t.tap != nil {
				t.tap.at = i
				t.tap.note(r.row(), r.direction(), now)
			}
			if t.streams != nil {
				t.streams.Packet(r.row(), int(r.direction()), streamed, uint64(p.octets), now)
			}
		}
	}
	if i > from {
		m.clock.now, m.clock.latest = now, now
		m.stats.Packets += uint64(i-from) - filtered
		m.stats.Filtered += filtered
		m.stats.Octets += octets
		m.stats.Tunnels.Opened += opened
		m.seconds.noteRun(b, from, i, uint64(i-from)-filtered, octets, filtered)
	}
	return i
}

// count meters packet i of the batch, at the meter's present time.
func (m *Meter) count(i int) {
	b := m.batch
	p := &b.seen[i]
	pdus, octets := uint64(1), uint64(p.octets)
	record := len(b.records) > 0
	if record {
		pdus, octets = b.records[i].PDUs, b.records[i].Octets
	}
	s := &m.stats
	if p.flags&noted != 0 {
		s.note(p.flags, traces.LinkType(p.link))
	}
	if p.found != packet.NoEnvelope {
		s.Tunnels.note(p.found)
	}
	m.seconds.note(b, i, i+1)
	if p.flags&match.Filtered != 0 {
		s.Filtered += pdus
		return
	}
	s.Packets += pdus
	s.Octets += octets
	var streamed stream.Packet
	if m.streamed != 0 && !record {
		if m.streamed&^b.digested != 0 {
			m.streams.Sync() // what was told of the batch
			m.input.digest(b, m.streamed)
		}
		streamed = b.streamed.At(i)
	}
	late := m.seconds.links != nil && m.clock.latest < m.clock.now
	if m.tap != nil {
		m.tap.at = i
	}
	for _, t := range m.tasks {
		t.row = 0
		t.meter(b, i, streamed, pdus, octets, m.clock.now)
		if late && t.row != 0 {
			m.table.Backdate(t.row, m.clock.latest)
		}
	}
	if m.table.Active() >= m.alarm {
		m.attendant.Filled()
	}
}

// Waited returns for how long Run has had nothing to do but wait for the source, once
// it has returned; 0 of a meter with an attendant.
func (m *Meter) Waited() time.Duration { return m.waited }

// Stats returns what was counted so far: by the tasks, and behind them by those that
// were replaced.
func (m *Meter) Stats() Stats {
	s := m.Totals()
	for _, t := range m.tasks {
		s.Tasks = append(s.Tasks, m.TaskStats(t))
	}
	s.Tasks = append(s.Tasks, m.retired...)
	return s
}

// Totals is Stats without those of the tasks.
func (m *Meter) Totals() Stats {
	s := m.stats
	s.First, s.Last = m.clock.start, m.clock.now
	s.Active, s.Created, s.Recovered = m.table.Active(), m.table.Created(), m.table.Recovered()
	if m.streams != nil {
		s.Streams = m.streams.Stats()
	}
	return s
}

// TaskStats returns what the task has counted so far.
func (m *Meter) TaskStats(t *Task) TaskStats {
	s := t.stats
	s.Packets = m.stats.Packets - t.since
	return s
}
