package control

import (
	"math"
	"runtime/metrics"

	"rtfm/mib"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// Control implements mib.Meter.
func (c *Meter) Control() *mib.Control { return c.control }

// Start implements mib.Meter.
func (c *Meter) Start() int64 { return c.meter.Start() }

// Now implements mib.Meter. The clock of a live meter never goes back to before
// a time that was reported: packets that were captured before but not yet
// metered count at that time, so that no reading misses them.
func (c *Meter) Now() int64 {
	switch {
	case c.cfg.Live:
		c.meter.AdvanceClock(c.wall())
	case c.state == mib.TraceWaitingForReader, c.state == mib.TraceEnded:
		return c.trace.To
	}
	return c.meter.Now()
}

// Ending implements mib.Meter.
func (c *Meter) Ending() bool { return c.ending }

// NextFlow implements mib.Meter.
func (c *Meter) NextFlow(index int, row uint32, since int64, f *match.Flow) int {
	number := 0
	if index != 0 {
		if number = c.number(index); number == 0 || c.meter.Table().ActiveOf(number) == 0 {
			return 0
		}
	}
	t := c.meter.Table()
	if row = t.NextOf(number, row, since); row == 0 {
		return 0
	}
	c.meter.ReadFlow(row, c.Now, f)
	c.spent += flowSpent
	if f.Shape.Identified() {
		c.spent += idSpent
	}
	for _, counters := range f.Counters {
		c.spent += len(counters) / counterSpent
	}
	return c.slots[t.Owner(row)].index
}

// Scan implements mib.Meter.
func (c *Meter) Scan(index int, row uint32, since int64, f *match.Flow, yield func() bool) {
	number := c.number(index)
	switch {
	case number == 0:
	case !c.meter.HasMeasures():
		c.meter.Table().Scan(number, row, since, f, yield)
	default:
		for c.NextFlow(index, row, since, f) != 0 && yield() {
			row = f.Index + 1
		}
	}
}

// NextFlowID implements mib.Meter.
func (c *Meter) NextFlowID(id uint64, ruleSet int) (first mib.FlowPlace) {
	for number, s := range c.slots {
		if s == nil || s.doomed {
			continue
		}
		c.spent += idSpent
		next, row := c.meter.NextFlowID(number, id)
		if row != 0 && next == id && s.index < ruleSet && id < math.MaxUint64 {
			next, row = c.meter.NextFlowID(number, id+1)
		}
		if row == 0 || next == id && s.index < ruleSet {
			continue
		}
		if first.Row == 0 || next < first.ID || next == first.ID && s.index < first.RuleSet {
			first = mib.FlowPlace{ID: next, RuleSet: s.index, Row: row}
		}
	}
	if first.Row != 0 {
		first.FirstTime = c.meter.Table().FirstTime(first.Row)
	}
	return first
}

// PrefetchNext implements mib.Meter.
func (c *Meter) PrefetchNext(rows []uint32) { c.meter.Table().PrefetchNext(rows) }

// Flows implements mib.Meter.
func (c *Meter) Flows(index int) int {
	if index != 0 {
		return c.meter.Table().ActiveOf(c.number(index))
	}
	n := c.meter.Table().Active()
	for number, s := range c.slots {
		if s != nil && s.doomed {
			n -= c.meter.Table().ActiveOf(number)
		}
	}
	return n
}

// MaxFlows implements mib.Meter.
func (c *Meter) MaxFlows() int { return c.meter.Table().Max() }

// Identity implements mib.Meter.
func (c *Meter) Identity() mib.Identity {
	return mib.Identity{Version: c.cfg.Version, Boot: c.boot}
}

// Counts implements mib.Meter.
func (c *Meter) Counts() mib.Counts {
	s := c.meter.Totals()
	counts := mib.Counts{
		Packets: s.Packets, Octets: s.Octets, CutShort: s.CutHeaders, Malformed: s.Malformed,
		BackInTime: s.BackInTime, Lost: c.source.Lost, Duplicates: c.source.Duplicates.Total(), SampledOut: c.interfaces.sampledOut,
		Outliers: s.Outliers, Clamped: c.source.Clamped, Filtered: s.Filtered,
		Decapsulated: s.Tunnels.Opened, EnvelopeFragments: s.Tunnels.Fragments,
		EnvelopesCut: s.Tunnels.Cut, EnvelopesUnknown: s.Tunnels.Unknown, DuplicatesRouted: c.source.Duplicates.By[traces.Routed],
		Memory: processMemory(),
		Floods: c.told.floods, FlowsCreated: s.Created, FlowsRecovered: s.Recovered,
		StreamsActive: uint64(s.Streams.Active), StreamsCreated: s.Streams.Created, StreamsEnded: s.Streams.Ended(),
		Unstreamed: s.Streams.Unstreamed,
	}
	for _, n := range s.UnknownLinks {
		counts.UnknownLink += n
	}
	return counts
}

// SystemClock reports whether the state of the system's clock is known, and it stamps the
// packets; and whether it is synchronised.
func (c *Meter) SystemClock() (known, right bool) {
	return c.source.SystemClock != traces.ClockUnknown, c.source.SystemClock == traces.ClockSynchronised
}

// processMemory returns what the process has from the operating system, in octets.
func processMemory() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// RuleSetCounts implements mib.Meter.
func (c *Meter) RuleSetCounts(index int) mib.RuleSetCounts {
	s := c.slots[c.number(index)]
	if s == nil {
		return mib.RuleSetCounts{}
	}
	sum := s.past
	if s.task != nil {
		sum.Add(c.meter.TaskStats(s.task))
	}
	return mib.RuleSetCounts{
		Packets: sum.Packets, Matched: sum.Counted, Ignored: sum.Ignored, Unmatched: sum.Unmatched,
		Stopped: sum.Stopped, Uncounted: sum.Uncounted,
	}
}

// Trace implements mib.Meter.
func (c *Meter) Trace() mib.Trace {
	collected := c.ended
	switch {
	case c.state == mib.TraceWaitingForReader:
		collected--
	case c.dismissed:
		collected++
	}
	return mib.Trace{
		State: c.state, Collections: c.ended, Collected: collected,
		From: max(c.trace.From, c.trace.Start), To: c.trace.To, PassedOver: c.trace.PassedOver,
	}
}
