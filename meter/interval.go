package meter

import (
	"errors"
	"math"
	"slices"
	"time"

	"rtfm/ruleset/match"

	"rtfm/meter/flow"
	"rtfm/meter/ident"
	"rtfm/meter/stream"
)

// maxEmpty is how many empty collections in a row are made; in a longer gap
// the rest is passed over, since a trace may span decades.
const maxEmpty = 100

// Collection is the end of an interval. Meter.Flows reads the flows that were
// active in it.
type Collection struct {
	// Start is the time of the meter's first packet, or with a schedule when the first
	// window began, from which its Uptime counts.
	// From and To are the interval's ends: From is 0 in the first, To is not part
	// of the interval, except in the last. Nanoseconds since 1970-01-01 00:00:00
	// UTC.
	Start, From, To int64
	// PassedOver is the number of empty intervals just before this one for
	// which no collection was made.
	PassedOver int64
	// Last is set for the last collection.
	Last bool
}

// collection is the one under way.
type collection struct {
	from       int64 // flows active from here on belong to it
	end        int64 // math.MaxInt64 without intervals
	to         int64 // the time it was made for, once it is
	empty      int   // empty ones made in a row before this one
	passedOver int64
	made       int64 // collections made or passed over before this one
	packets    uint64
	window     int64 // the number of the window that it is of, if there is a schedule
}

// clock is the meter's time.
type clock struct {
	started    bool
	start, now int64
	live       bool   // it goes on without packets, see StartClock
	latest     int64  // time of the latest packet; now may have been moved on for a reader
	warned     string // the file that was last complained about
	recoverAt  int64
}

// advance moves the clock to a packet's time, and does what is due before the
// packet is counted.
func (m *Meter) advance(time int64) error {
	c := &m.clock
	if !c.started {
		c.started = true
		c.start, c.now, c.latest = time, time, time
		m.next = collection{from: math.MinInt64, end: math.MaxInt64}
		if m.cfg.Schedule != nil {
			m.nextWindow(m.cfg.Schedule.Behind(time))
			c.start = min(time, m.next.from)
		} else if m.cfg.Interval > 0 {
			m.next.end = m.nextEnd(time)
		}
		m.beginSeries(time)
		return nil
	}
	if time < c.latest {
		m.stats.BackInTime++
		if c.warned != m.batch.file {
			c.warned = m.batch.file
			m.sink.BackInTime(m.batch.file, c.latest, time)
		}
		return nil
	}
	c.latest = time
	if time < c.now {
		return m.endSeconds(time)
	}
	return m.passTo(time)
}

// due returns the time from which on passTo has anything to do.
func (m *Meter) due() int64 {
	due := min(m.next.end, m.seconds.end)
	if m.recovers() {
		due = min(due, m.clock.recoverAt)
	}
	if m.tap != nil {
		due = min(due, m.tap.feed.Due())
	}
	return due
}

// recovers reports whether recover is to be called.
func (m *Meter) recovers() bool {
	return m.cfg.Schedule == nil && (m.cfg.Interval > 0 || m.attendant != nil) || m.streams != nil
}

// passTo moves the clock on to time t, and does what is due until then.
func (m *Meter) passTo(t int64) error {
	c := &m.clock
	for t >= m.next.end && m.next.end < math.MaxInt64 && !m.done {
		if err := m.closeInterval(t); err != nil {
			return err
		}
	}
	if m.done {
		return nil // the flows of the last collection may still have to be read
	}
	if err := m.endSeconds(t); err != nil {
		return err
	}
	c.now = t
	if m.tap != nil && t >= m.tap.feed.Due() {
		m.advanceFeed()
	}
	if m.recovers() && c.now >= c.recoverAt {
		m.Recover()
	}
	return nil
}

// later returns t + d, or the latest time there is.
func later(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

// closeInterval makes the collection whose interval has ended, given that the
// next packet comes at time at.
func (m *Meter) closeInterval(at int64) error {
	n := &m.next
	if err := m.endSeconds(n.end); err != nil {
		return err
	}
	empty := n.packets == m.stats.Packets+m.stats.Filtered
	if empty && n.empty >= maxEmpty && m.passOver(at) {
		return nil
	}
	if m.streams != nil {
		// What has changed belongs to this interval, rounded up too.
		m.endStreams(n.end - flow.Centisecond)
		m.streams.Sync()
	}
	last := m.cfg.Intervals > 0 && n.made+1 >= int64(m.cfg.Intervals)
	err := m.collect(n.end, last)
	if errors.Is(err, ErrNotCollected) && !last {
		m.extend()
		return nil
	} else if err != nil {
		return err
	}
	if empty {
		n.empty++
	} else {
		n.empty = 0
	}
	if m.cfg.Schedule != nil {
		m.clear()
		m.nextWindow(m.cfg.Schedule.Numbered(n.window + 1))
		return nil
	}
	n.from, n.end = n.end, m.nextEnd(n.end)
	return nil
}

// extend has the interval under way end with the one behind it.
func (m *Meter) extend() {
	n := &m.next
	if m.cfg.Schedule == nil {
		n.end = m.nextEnd(n.end)
		return
	}
	n.window++
	n.end = m.cfg.Schedule.Numbered(n.window).To
}

// passOver passes over all intervals that are over, but for one that -N asks for, given
// that the next packet comes at time at. It returns false if there are none.
func (m *Meter) passOver(at int64) bool {
	n, interval := &m.next, int64(m.cfg.Interval)
	var over int64
	if m.cfg.Schedule != nil {
		over = m.cfg.Schedule.Behind(at).Number - n.window
	} else {
		over = (min(at, m.sameEnds(n.end)-1)-n.end)/interval + 1
	}
	if m.cfg.Intervals > 0 {
		over = min(over, int64(m.cfg.Intervals)-n.made-1)
	}
	if over <= 0 {
		return false
	}
	n.passedOver += over
	n.made += over
	if m.cfg.Schedule != nil {
		m.nextWindow(m.cfg.Schedule.Numbered(n.window + over))
		return true
	}
	n.from = n.end + (over-1)*interval
	n.end = m.nextEnd(n.from)
	return true
}

// collect hands the collection that ends at to to the sink.
func (m *Meter) collect(to int64, last bool) error {
	n := &m.next
	n.to = to
	m.done = last
	ends := last || m.cfg.Schedule != nil // flows do
	for m.streams != nil && ends && m.streams.FinishSome(to, m.mostStreams()) {
		m.attendant.Yield()
	}
	c := Collection{Start: m.clock.start, From: max(n.from, 0), To: to, PassedOver: n.passedOver, Last: last}
	err := m.sink.Collect(c)
	if err == nil {
		n.made++
		n.packets = m.stats.Packets + m.stats.Filtered
		n.passedOver = 0
	}
	m.forget()
	return err
}

// Flows calls f for each flow that was active in the current collection, or was
// changed by a stream that ended in it, in order of ruleset number and index,
// as readers of a meter do, until f returns an error. The flow is valid until f
// returns.
func (m *Meter) Flows(f func(*match.Flow) error) error {
	var fl match.Flow
	to := func() int64 { return m.next.to }
	for _, n := range m.ruleSets() {
		for row := m.table.NextOf(n, 1, m.next.from); row != 0; row = m.table.NextOf(n, row+1, m.next.from) {
			m.ReadFlow(row, to, &fl)
			if err := f(&fl); err != nil {
				return err
			}
		}
	}
	return nil
}

// ruleSets returns the numbers of the tasks' rulesets, and of those that were replaced,
// in order.
func (m *Meter) ruleSets() (numbers []int) {
	for _, t := range m.tasks {
		numbers = append(numbers, t.stats.RuleSet)
	}
	for _, t := range m.retired {
		numbers = append(numbers, t.RuleSet)
	}
	slices.Sort(numbers)
	return numbers
}

// Part is a part of the flows of a collection: a few thousand at most.
type Part struct {
	table  *flow.Table
	ids    *ident.IDs     // nil if flows have none
	reader *stream.Reader // nil if flows measure no packets; to be copied
	blocks []uint32       // their first rows
	since  int64
	to     int64 // the end of the collection
	window window
}

// partBlocks is the most blocks in a Part.
const partBlocks = 2

// Parts returns the flows that Flows goes through, in the same order, in parts
// that several goroutines may read until Collect returns. It returns false if
// they can only be read one after the other; see stream.Worker.Reader.
func (m *Meter) Parts() (parts []Part, ok bool) {
	var reader *stream.Reader
	if m.streams != nil {
		if reader = m.streams.Reader(); reader == nil {
			return nil, false
		}
	}
	for _, n := range m.ruleSets() {
		for blocks := range slices.Chunk(m.table.Blocks(n, m.next.from), partBlocks) {
			parts = append(parts, Part{m.table, m.ids, reader, blocks, m.next.from, m.next.to, m.window()})
		}
	}
	return parts, true
}

// Flows calls f for each flow of the part. The flow is valid until f returns.
func (p Part) Flows(f func(*match.Flow)) {
	var fl match.Flow
	var reader stream.Reader
	if p.reader != nil {
		reader = *p.reader
	}
	for _, row := range p.blocks {
		p.table.ScanBlock(row, p.since, &fl, func() bool {
			if p.reader != nil {
				fl.Counters = reader.Counters(fl.Index, p.to)
			}
			if p.ids != nil {
				p.ids.Read(&fl)
			}
			p.window.censor(&fl)
			f(&fl)
			return true
		})
	}
}

// RecoverEvery is the packet time in which 1/100 of the flow table, or a little more,
// is looked at for flows to recover.
const RecoverEvery = 100 * time.Millisecond

// Recovery looks at a part of the flow table at a time, at fixed packet times,
// so that which flows are recovered, and when, depends on the packets alone.
const (
	recoverEvery = int64(RecoverEvery)
	recoverSteps = 100       // in which all flows are looked at
	recoverLeast = 1024      // flows are looked at in any
	recoverMost  = 2048      // in any: of larger tables parts are looked at more often
	recoverOften = 1_000_000 // but not more often than that
)

// recoverParts returns how many parts of recoverMost flows, at most, are to be
// looked at in the time recoverEvery.
func (m *Meter) recoverParts() int {
	rows := m.table.Active()/recoverSteps + recoverLeast
	return min((rows+recoverMost-1)/recoverMost, int(recoverEvery/recoverOften))
}

// Recover ends streams that have timed out, and takes flows out of a part of the
// table that have been idle for the inactivity timeout and were collected since
// their last packet, or for as long as an attendant says. A meter calls it itself
// as packets come.
func (m *Meter) Recover() {
	parts := m.recoverParts()
	m.clock.recoverAt = later(m.clock.now, recoverEvery/int64(parts))
	if m.streams != nil {
		m.endStreams(m.clock.now)
		if m.cfg.Interval == 0 && m.attendant == nil {
			return
		}
		m.streams.Sync()
	}
	var limits flow.Limits
	if m.attendant != nil {
		m.attendant.Upkeep(&limits)
	} else {
		idle := min(m.clock.now-int64(m.cfg.InactivityTimeout), m.next.from)
		for i := range limits {
			limits[i] = idle
		}
	}
	m.mayEnd = m.mostStreams()
	m.table.Recover(min(m.table.Active()/recoverSteps+recoverLeast, recoverMost), &limits, m.release)
}

// release reports whether the flow in row may be recovered: not while a change
// of what it measures is to be read.
func (m *Meter) release(row uint32) bool {
	if m.streams != nil && !m.streams.Release(row, m.clock.now, &m.mayEnd) {
		return false
	}
	if m.tap != nil {
		m.tap.tell(m.clock.now)
		m.tap.feed.Release(row)
	}
	if m.ids != nil {
		m.ids.Remove(row, m.table.Owner(row))
	}
	return true
}

// destroy lets the flow in row be recovered, whatever is to be read of it, unless
// it has more streams than may end.
func (m *Meter) destroy(row uint32) bool {
	for !m.release(row) {
		if m.mayEnd == 0 {
			return false
		}
	}
	return true
}

// partStreams is how many streams of a meter with an attendant end, or are looked
// at to find whether they have, while nobody else may have the meter.
const partStreams = 1024

// mostStreams returns how many streams may end at a time.
func (m *Meter) mostStreams() int {
	if m.attendant == nil {
		return math.MaxInt
	}
	return partStreams
}

// endStreams ends the streams that have timed out by a time. An attendant yields
// the meter to others now and then until all have ended; while it is live packets
// come first, and what is left ends later, by EndStreams.
func (m *Meter) endStreams(by int64) {
	if m.attendant == nil {
		m.streams.Advance(by)
		return
	}
	for m.streams.AdvanceSome(by, partStreams) && !m.clock.live {
		m.attendant.Yield()
	}
}
