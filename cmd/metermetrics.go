package cmd

import (
	"context"
	"strconv"

	"rtfm/meter/control"
	"rtfm/reader/metrics"
	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
)

// meterMetrics adds what a meter of managers has counted to sets: it stands still while
// its numbers are read, as for an SNMP request.
func meterMetrics(m *control.Meter) func(context.Context, *metrics.Set) {
	return func(_ context.Context, to *metrics.Set) {
		var all metrics.Managed
		m.Do(func() { all = managedNumbers(m) })
		all.Add(to)
	}
}

// managedNumbers reads a meter, which nobody else must have.
func managedNumbers(m *control.Meter) (a metrics.Managed) {
	c, feed := m.Counts(), m.FeedStatus()
	a.Floods, a.FeedRecords, a.FeedDroppedMessages = c.Floods, feed.Records, feed.DroppedMessages
	n := &a.Numbers
	n.InProcess, n.Created, n.Recovered = true, c.FlowsCreated, c.FlowsRecovered
	n.CutShort, n.Malformed, n.BackInTime = c.CutShort, c.Malformed, c.BackInTime
	n.Packets, n.Octets, n.Lost, n.Duplicates = c.Packets, c.Octets, c.Lost, c.Duplicates
	n.SampledOut, n.Filtered, n.Outliers = c.SampledOut, c.Filtered, c.Outliers
	n.StreamsCreated, n.StreamsActive, n.Unstreamed = c.StreamsCreated, c.StreamsActive, c.Unstreamed
	n.FeedDropped = feed.DroppedRecords
	n.Active, n.MaxFlows = uint64(m.Flows(0)), uint64(m.MaxFlows())
	n.ClockKnown, n.ClockRight = m.SystemClock()
	control := m.Control()
	a.FloodMode = control.FloodMode
	for number, i := range control.Interfaces.All {
		name := i.Name
		if name == "" {
			name = strconv.Itoa(number)
		}
		n.AddInterface(name, i.Lost)
	}
	n.RuleSets, n.Names = make(map[int]record.RuleSetCounts), make(map[int]string)
	for index, rs := range control.RuleSets.All {
		r := m.RuleSetCounts(index)
		n.Names[index] = ruleset.WithoutHash(rs.Name)
		n.RuleSets[index] = record.RuleSetCounts{
			Packets: r.Packets, Counted: r.Matched, Ignored: r.Ignored, Unmatched: r.Unmatched, Stopped: r.Stopped, Uncounted: r.Uncounted,
		}
	}
	now := match.Uptime(m.Now(), m.Start())
	for index, r := range control.Readers.All {
		if r.Active {
			a.Readers = append(a.Readers, metrics.Reader{Row: index, Owner: r.Owner, RuleSet: r.RuleSet, Age: float64(now-min(r.LastTime, now)) / 100})
		}
	}
	return a
}

// truth returns 1 for true.
func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
