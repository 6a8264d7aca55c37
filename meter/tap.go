package meter

import (
	"slices"

	"rtfm/meter/feed"
	"rtfm/meter/flow"
	"rtfm/ruleset"
	feedrecords "rtfm/traces/feed"
)

// tap collects what a feed is told of the packets of a batch.
type tap struct {
	feed  *feed.Tap
	batch *batch
	at    int // packet of the batch that is being counted
	notes []note
	read  uint32 // sink for prefetch reads, so the compiler keeps them
}

// note is a packet that was counted in a flow.
type note struct {
	row    uint32 // and the direction in its first bit
	number uint32 // of the packet in the batch
	now    int64  // the meter's time
}

// note notes that the packet at hand was counted in the flow in row.
func (t *tap) note(row uint32, d flow.Direction, now int64) {
	t.notes = append(t.notes, note{row | uint32(d)<<31, uint32(t.at), now})
}

// tell tells the feed of the packets that were noted, at a time that is not earlier than
// theirs.
func (t *tap) tell(now int64) {
	for _, n := range t.notes {
		t.read += t.feed.Prefetch(n.row &^ (1 << 31))
	}
	var p feedrecords.Packet
	digests := t.feed.Digests()
	for _, n := range t.notes {
		s := &t.batch.seen[n.number]
		p.Time, p.Octets, p.TCPFlags, p.Backward = s.time, s.octets, t.batch.tcp[n.number], n.row>>31 != 0
		if digests {
			p.Digest = t.batch.digests[n.number]
		}
		t.feed.Packet(n.row&^(1<<31), &p, n.now)
	}
	t.notes = t.notes[:0]
	t.feed.Told(now)
}

// SetFeed has a feed tell of the packets that are metered from now on; nil ends that.
// The meter must not be running, or be of those who have it (NewAttended).
func (m *Meter) SetFeed(f *feed.Tap) {
	m.tap = nil
	if f != nil {
		m.tap = &tap{feed: f, batch: m.batch}
	}
	if m.input != nil {
		m.input.fed, m.input.digests = f != nil, f != nil && f.Digests()
	}
	if m.batch != nil && f != nil { // of whose packets no flags and digests are known
		m.batch.tcp = room(m.batch.tcp, len(m.batch.seen))
		clear(m.batch.tcp)
		m.batch.digests = room(m.batch.digests, len(m.batch.seen))
		clear(m.batch.digests)
	}
	for _, t := range m.tasks {
		m.tapTask(t)
	}
}

// tapTask has the feed tell of a task's flows.
func (m *Meter) tapTask(t *Task) {
	t.tap = nil
	name := ruleset.WithoutHash(t.stats.Name)
	if m.tap == nil || !m.tap.feed.Feeds(name) {
		return
	}
	t.tap = m.tap
	m.tap.feed.Begin(t.stats.RuleSet, name)
}

// advanceFeed has the feed do what is due at the present time.
func (m *Meter) advanceFeed() {
	m.tap.tell(m.clock.now)
	if m.clock.now >= m.tap.feed.Due() {
		m.tap.feed.Advance(m.clock.now, m.feedTotals)
	}
}

// FlushFeed has the feed, if there is one, send what waits to be sent.
func (m *Meter) FlushFeed() {
	if m.tap != nil {
		m.tap.tell(m.clock.now)
		m.tap.feed.Flush()
	}
}

// feedTotals returns what a feed tells in STATS.
func (m *Meter) feedTotals() (n feed.Totals) {
	n.Packets = m.stats.Packets
	all := slices.Clone(m.retired)
	for _, t := range m.tasks {
		all = append(all, m.TaskStats(t))
	}
	for _, t := range append(all, m.stats.Past) {
		n.Ignored += t.Ignored + t.Unmatched
		n.Uncounted += t.Uncounted + t.Stopped
	}
	n.Lost = m.stats.Trace.Lost
	return n
}

// Feed returns the meter's feed, nil if there is none.
func (m *Meter) Feed() *feed.Tap {
	if m.tap == nil {
		return nil
	}
	return m.tap.feed
}

// EndFeedPart ends the flows of the feed in so many rows, and reports whether all have
// ended, so that EndFeed takes no time. From then on no flow begins.
func (m *Meter) EndFeedPart(rows int) bool {
	m.tap.tell(m.clock.now)
	return m.tap.feed.EndPart(rows)
}

// EndFeed ends the feed, if there is one, at the present time.
func (m *Meter) EndFeed() {
	if m.tap != nil {
		m.tap.tell(m.clock.now)
		m.tap.feed.End(m.feedTotals())
	}
}
