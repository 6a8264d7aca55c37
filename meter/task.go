package meter

import (
	"slices"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/meter/flow"
	"rtfm/meter/ident"
	"rtfm/meter/stream"
	"rtfm/ruleset"
	"rtfm/ruleset/pme"
)

// Task is a ruleset that is run over every packet.
type Task struct {
	program  *pme.Program
	table    *flow.Table
	view     *view
	memo     *memo          // shared with tasks of equal views
	member   int            // which of these the task is
	streams  *stream.Worker // nil if the ruleset measures no packets
	streamed stream.Forms   // what it wants of them
	ids      *ident.IDs     // nil if the ruleset saves none
	tap      *tap           // nil if no feed tells of its flows
	ends     bool           // see pme.Program.EndsOfPackets
	since    uint64         // packets that the meter had seen when the task started
	stats    TaskStats      // but for Packets
	before   activity       // when the interval of a series began
	row      uint32         // of the flow that has counted last
	sights   []uint64       // of the packets of the batch at hand
	results  []result       // what was remembered of them
	rows     []uint32       // the flows among them
	near     int            // nearFlows
	// Packets of the batch of which nothing was remembered and that were matched
	// ahead: in order, and how many of them have been passed.
	matched []matched
	passed  int
	// Room for the packet at hand.
	recalled match.Packet // by view.recall
	key      attr.Key
	own      matched // of one that was not matched ahead
	reverse  flow.Key
}

// matched is a packet that has matched, and its flow.
type matched struct {
	number int // of the packet in the batch
	flow   match.FlowKey
	key    flow.Key
}

// TaskStats counts what became of the packets that a ruleset has seen.
type TaskStats struct {
	RuleSet int
	Name    string
	// Packets were run through the ruleset: each is counted once below.
	Packets uint64
	// Counted packets are in a flow. Ignored ones were left out by an Ignore
	// rule; Unmatched ones matched in neither direction; Stopped ones hit a
	// limit of the engine; Uncounted ones found the flow table full.
	Counted, Ignored, Unmatched, Stopped, Uncounted uint64
}

// Add adds u's counts to s.
func (s *TaskStats) Add(u TaskStats) {
	s.Packets += u.Packets
	s.Counted += u.Counted
	s.Ignored += u.Ignored
	s.Unmatched += u.Unmatched
	s.Stopped += u.Stopped
	s.Uncounted += u.Uncounted
}

// Prepared is a ruleset that is ready to run, any number of times.
type Prepared struct {
	program  *pme.Program
	view     *view
	ends     bool
	measures []attr.Measure
}

// Prepare does what takes long before a ruleset runs. It looks at nothing else, so
// that it may be called while a meter is at work.
func Prepare(rs *ruleset.RuleSet) (*Prepared, error) {
	p, err := pme.Compile(rs, 0, nil)
	if err != nil {
		return nil, err
	}
	return &Prepared{p, newView(p.Visible()), p.EndsOfPackets(), rs.Measures()}, nil
}

// Forms returns what pme.Program.Forms does.
func (p *Prepared) Forms() int { return p.program.Forms() }

// newTask returns a task that runs a ruleset of this name under this number.
func newTask(p *Prepared, name string, number int, shapes *match.Shapes, table *flow.Table) *Task {
	return &Task{
		program: p.program.Start(number, shapes), table: table, view: p.view, near: nearFlows, ends: p.ends,
		stats: TaskStats{RuleSet: number, Name: name},
	}
}

// nearFlows is how many flows the caches near a processor hold.
const nearFlows = nearWords / 8

// prefetch prefetches for a batch of packets that have these sights, of which
// these results were remembered: all flows together that they lead to, and then
// those of the packets of which nothing was remembered, unless there are so few
// flows that they are in the cache.
func (t *Task) prefetch(sights []uint64, results []result) {
	t.sights, t.results, t.rows = sights, results, t.rows[:0]
	t.matched, t.passed = t.matched[:0], 0
	if t.table.Active() < t.near {
		return
	}
	for _, r := range results {
		if row := r.row(); row != 0 {
			t.rows = append(t.rows, row)
		}
	}
	t.table.Prefetch(t.rows)
	for i, r := range results {
		if r == 0 {
			t.expectFlow(i, t.view.sight(sights, i))
		}
	}
	t.table.PrefetchKeys(len(t.matched), func(i int) *flow.Key { return &t.matched[i].key })
}

// expectFlow matches packet i of the batch, of this sight.
func (t *Task) expectFlow(i int, sight []uint64) {
	if sight[len(sight)-1]&sightOdd != 0 {
		return
	}
	if len(t.matched) == cap(t.matched) {
		t.matched = slices.Grow(t.matched, batchLen)
	}
	t.matched = t.matched[:len(t.matched)+1]
	m := &t.matched[len(t.matched)-1]
	t.view.recall(sight, &t.recalled)
	if t.program.Match(&t.recalled, &t.recalled.Key, false, &m.flow) != pme.Success {
		t.matched = t.matched[:len(t.matched)-1]
		return
	}
	m.number = i
	t.table.Prepare(&m.key, &m.flow)
}

// takeMatched returns packet i of the batch if it was matched by prefetch, else nil.
func (t *Task) takeMatched(i int) *matched {
	for t.passed < len(t.matched) && t.matched[t.passed].number < i {
		t.passed++
	}
	if t.passed == len(t.matched) || t.matched[t.passed].number > i {
		return nil
	}
	return &t.matched[t.passed]
}

// meter counts packet i of batch b, which prefetch has prepared for, as so many
// PDUs and octets; s is what streams need of it, if there are any.
func (t *Task) meter(b *batch, i int, s stream.Packet, pdus, octets uint64, now int64) {
	if r := t.results[i]; r != 0 && t.again(r, s, pdus, octets, now) {
		return
	}
	// A packet of the batch may have been the first that is like this one.
	sight := t.view.sight(t.sights, i)
	if r := t.memo.remembered(sight, t.member); r != 0 && t.again(r, s, pdus, octets, now) {
		return
	}
	if m := t.takeMatched(i); m != nil {
		t.memo.remember(sight, t.member, t.place(m, s, pdus, octets, now))
		return
	}
	p := &t.recalled
	if sight[len(sight)-1]&sightOdd != 0 {
		p = b.oddPacket(i)
	} else {
		t.view.recall(sight, p)
	}
	t.memo.remember(sight, t.member, t.match(p, s, pdus, octets, now))
}

// again does with a packet what was done with one alike, false if that does
// not hold any longer.
func (t *Task) again(r result, s stream.Packet, pdus, octets uint64, now int64) bool {
	if row := r.row(); row != 0 {
		if !t.table.CountIf(row, r.generation(), r.direction(), pdus, octets, now) {
			return false
		}
		t.row = row
		t.stats.Counted += pdus
		if t.tap != nil {
			t.tap.note(row, r.direction(), now)
		}
		if t.streams != nil {
			t.streams.Packet(row, int(r.direction()), s, octets, now)
		}
		return true
	}
	t.note(r.verdict(), pdus)
	return true
}

// match meters the packet by the algorithm of RFC 2722 section 4.3: one that
// matches as it comes belongs to the flow of its direction, or of the other
// one if that is current; one that only matches with source and destination
// swapped belongs to the reverse of that flow.
func (t *Task) match(p *match.Packet, s stream.Packet, pdus, octets uint64, now int64) result {
	m := &t.own
	v := t.program.Match(p, &p.Key, false, &m.flow)
	if v == pme.Success {
		t.table.Prepare(&m.key, &m.flow)
		return t.place(m, s, pdus, octets, now)
	}
	if v == pme.NoMatch {
		t.key = p.Key.Reverse()
		v = t.program.Match(p, &t.key, true, &m.flow)
	}
	if v == pme.Success {
		t.table.Prepare(&m.key, &m.flow)
		if row := t.table.Find(&m.key); row != 0 {
			return t.count(row, flow.Backward, s, pdus, octets, now)
		}
		// Packets that were counted in the reverse flow for want of this one
		// are no longer.
		if row := t.findReverse(m); row != 0 {
			t.table.Supersede(row)
		}
		return t.create(m, flow.Backward, s, pdus, octets, now)
	}
	t.note(v, pdus)
	return verdictResult(v)
}

// place meters a packet that has matched as it comes, as one of the flow.
func (t *Task) place(m *matched, s stream.Packet, pdus, octets uint64, now int64) result {
	if t.table.Alike(&m.key) {
		if row := t.table.Find(&m.key); row != 0 {
			return t.count(row, flow.Forward, s, pdus, octets, now)
		}
		if row := t.findReverse(m); row != 0 {
			return t.count(row, flow.Backward, s, pdus, octets, now)
		}
	}
	return t.create(m, flow.Forward, s, pdus, octets, now)
}

// findReverse returns the row of the flow whose key is the reverse of m's.
func (t *Task) findReverse(m *matched) uint32 {
	t.table.PrepareReverse(&t.reverse, &m.key)
	return t.table.Find(&t.reverse)
}

// count counts the packet in the flow in row.
func (t *Task) count(row uint32, d flow.Direction, s stream.Packet, pdus, octets uint64, now int64) result {
	t.table.Count(row, d, pdus, octets, now)
	t.row = row
	t.stats.Counted += pdus
	if t.tap != nil {
		t.tap.note(row, d, now)
	}
	if t.streams != nil {
		t.streams.Packet(row, int(d), s, octets, now)
	}
	return flowResult(row, d, t.table.Generation(row))
}

// create makes the flow of packet m and counts the packet in it.
func (t *Task) create(m *matched, d flow.Direction, s stream.Packet, pdus, octets uint64, now int64) result {
	row := t.table.Create(&m.key, now)
	if row == 0 {
		t.stats.Uncounted += pdus
		return 0
	}
	if t.tap != nil {
		t.tap.feed.Create(row)
	}
	if t.ids != nil && m.flow.Shape.Identified() {
		t.ids.Create(row, &m.flow, d == flow.Backward)
	}
	if t.streams != nil {
		t.streams.Create(row, m.flow.Shape, s, t.ends && m.flow.Shape.SavesEnds(), now)
	}
	return t.count(row, d, s, pdus, octets, now)
}

// note counts packets that are in no flow.
func (t *Task) note(v pme.Verdict, pdus uint64) {
	switch v {
	case pme.Ignore:
		t.stats.Ignored += pdus
	case pme.Stopped:
		t.stats.Stopped += pdus
	default:
		t.stats.Unmatched += pdus
	}
}
