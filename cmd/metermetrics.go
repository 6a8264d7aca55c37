package cmd

import (
	"context"
	"strconv"

	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/reader/metrics"
	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
)

// meterMetrics adds what a meter of managers has counted to sets: it stands still while
// its numbers are read, as for an SNMP request.
func meterMetrics(m *control.Meter) func(context.Context, *metrics.Set) {
	return func(_ context.Context, to *metrics.Set) {
		var all meterNumbers
		m.Do(func() { all.read(m) })
		all.Numbers.Add(to)
		all.add(to)
	}
}

// meterNumbers is what a meter of managers tells at a moment.
type meterNumbers struct {
	metrics.Numbers
	counts  mib.Counts
	feed    mib.FeedStatus
	flood   bool
	readers []readerAge
}

// readerAge is since when a reader has not begun a collection.
type readerAge struct {
	row     int
	owner   string
	ruleSet int
	seconds float64
}

// read reads the meter, whom nobody else must have.
func (a *meterNumbers) read(m *control.Meter) {
	a.counts, a.feed = m.Counts(), m.FeedStatus()
	c, n := &a.counts, &a.Numbers
	n.InProcess, n.Created, n.Recovered = true, c.FlowsCreated, c.FlowsRecovered
	n.CutShort, n.Malformed, n.BackInTime = c.CutShort, c.Malformed, c.BackInTime
	n.Packets, n.Octets, n.Lost, n.Duplicates = c.Packets, c.Octets, c.Lost, c.Duplicates
	n.SampledOut, n.Filtered, n.Outliers = c.SampledOut, c.Filtered, c.Outliers
	n.StreamsCreated, n.StreamsActive, n.Unstreamed = c.StreamsCreated, c.StreamsActive, c.Unstreamed
	n.FeedDropped = a.feed.DroppedRecords
	n.Active, n.MaxFlows = uint64(m.Flows(0)), uint64(m.MaxFlows())
	n.ClockKnown, n.ClockRight = m.SystemClock()
	control := m.Control()
	a.flood = control.FloodMode
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
			a.readers = append(a.readers, readerAge{index, r.Owner, r.RuleSet, float64(now-min(r.LastTime, now)) / 100})
		}
	}
}

// add adds what only such a meter has.
func (a *meterNumbers) add(to *metrics.Set) {
	to.Gauge("rtfm_flood_mode", "Whether only the built-in ruleset runs, for the flow table is all but full.", truth(a.flood))
	to.Counter("rtfm_floods_total", "How often that has begun.", a.counts.Floods)
	to.Counter("rtfm_feed_records_total", "Records that the feed has sent.", a.feed.Records)
	to.Counter("rtfm_feed_dropped_messages_total", "Messages of the feed that had no room or no receiver.", a.feed.DroppedMessages)
	for _, r := range a.readers {
		to.Gauge("rtfm_reader_collection_age_seconds", "Time since a reader of the meter has begun its latest collection; since the start, if it has begun none.", r.seconds,
			metrics.Label{Name: "reader", Value: strconv.Itoa(r.row)}, metrics.Label{Name: "owner", Value: r.owner}, metrics.Label{Name: "ruleset", Value: strconv.Itoa(r.ruleSet)})
	}
}

// truth returns 1 for true.
func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
