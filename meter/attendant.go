package meter

import (
	"math"
	"slices"

	"rtfm/meter/flow"
	"rtfm/ruleset/match"
)

// Attendant changes what a meter does, and lets others look at it, while it runs.
// The meter calls it on the goroutine of Run. Filled and Upkeep may read the meter,
// and Filled may set its tasks and its alarm.
type Attendant interface {
	// Filled is called after each packet with which as many flows are active as
	// SetAlarm has said, or more.
	Filled()
	// Upkeep is called when flows are about to be recovered. It sets limits, which
	// are 0, to the time before which a flow of each number must have been active
	// last to be recovered.
	Upkeep(limits *flow.Limits)
	// Yield is called between two packets in the midst of work that takes long:
	// others may have the meter until it returns.
	Yield()
}

// NewAttended returns a meter that has seen nothing yet, with an attendant, and
// without tasks until SetTasks is called. RuleSets and InactivityTimeout mean
// nothing to it.
//
// All methods of such a meter are of those who have it: the goroutine of Run, and
// others while that is in ReadBatch of the source, in Collect of the sink, or in
// Yield.
func NewAttended(cfg Config, a Attendant) *Meter {
	m := newMeter(cfg)
	m.attendant = a
	return m
}

// NewTask returns a task that runs a ruleset, for SetTasks: with this name in
// statistics, and flows that bear this number, from 1 to ruleset.MaxRuleSets. If
// packets are being metered it sees the rest of them.
func (m *Meter) NewTask(p *Prepared, name string, number int) *Task {
	t := m.newTask(p, name, number)
	if m.batch != nil {
		t.prefetch(m.input.sights(m.batch, t.view))
	}
	return t
}

// SetTasks has these tasks run from the next packet on, and no others.
func (m *Meter) SetTasks(tasks []*Task) {
	for _, t := range m.tasks {
		if !slices.Contains(tasks, t) {
			m.leave(t)
		}
	}
	m.tasks, m.streamed = append(m.tasks[:0], tasks...), 0
	for _, t := range tasks {
		m.streamed |= t.streamed
	}
	m.shareMemos()
}

// SetAlarm says at how many active flows Attendant.Filled is called; at first that
// is never.
func (m *Meter) SetAlarm(flows int) { m.alarm = flows }

// Metered returns how many packets have been metered of those that the source gave
// last.
func (m *Meter) Metered() int { return m.metered }

// StartClock starts a clock that others keep going by AdvanceClock, before the first
// packet: at a time in nanoseconds since 1970-01-01 00:00:00 UTC. There are no
// intervals then, and streams end a part at a time, see EndStreams.
func (m *Meter) StartClock(now int64) {
	m.clock = clock{started: true, start: now, now: now, live: true}
	m.next = collection{from: math.MinInt64, end: math.MaxInt64}
	m.beginSeries(now)
}

// AdvanceClock moves a clock that has started on to time t, unless it is later
// already. Packets that were captured before count at that time.
func (m *Meter) AdvanceClock(t int64) {
	if m.clock.started {
		m.clock.now = max(m.clock.now, t)
	}
}

// Start returns the time at which the clock has started, Now what it shows, both 0
// before it does.
func (m *Meter) Start() int64 { return m.clock.start }

// Now is described at Start.
func (m *Meter) Now() int64 { return m.clock.now }

// EndStreams ends some of the streams that have timed out by a time, and reports
// whether there are more.
func (m *Meter) EndStreams(by int64) (more bool) {
	return m.streams != nil && m.streams.AdvanceSome(by, partStreams)
}

// RecoveryDue returns how often Recover is to be called by a time, within the next
// RecoverEvery.
func (m *Meter) RecoveryDue(by int64) int {
	if by < m.clock.recoverAt {
		return 0
	}
	return m.recoverParts()
}

// Destroy takes some flows of this number out of the table, whatever is to be read
// of them.
func (m *Meter) Destroy(number int) {
	m.mayEnd = partStreams
	m.table.Clear(number, m.destroy)
}

// Table returns the flow table, to be read.
func (m *Meter) Table() *flow.Table { return m.table }

// HasMeasures reports whether flows may measure something, which ReadFlow adds to what
// the table has of a flow.
func (m *Meter) HasMeasures() bool { return m.streams != nil || m.ids != nil }

// NextFlowID returns this FlowID, or the first higher one, that a flow of the ruleset of
// this number has, and the flow's row, 0 if there is none.
func (m *Meter) NextFlowID(number int, id uint64) (uint64, uint32) {
	if m.ids == nil {
		return 0, 0
	}
	return m.ids.Next(number, id)
}

// ReadFlow sets f to the flow in row, as it is at the time that now tells.
func (m *Meter) ReadFlow(row uint32, now func() int64, f *match.Flow) {
	m.table.Read(row, f)
	if m.streams != nil {
		f.Counters = m.streams.Counters(row, now())
	}
	if m.ids != nil {
		m.ids.Read(f)
	}
	m.window().censor(f)
}
