package cmd

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"rtfm/meter"
	"rtfm/reader/record"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// metered is a meter in this process as the pipeline of collections sees it.
type metered struct {
	*meter.Meter
	feed     *feeding
	sampling uint64 // one of so many packets is metered; 0 is all
}

// Parts implements record.Meter.
func (m metered) Parts() (parts []func(func(*match.Flow))) {
	all, _ := m.Meter.Parts()
	for _, p := range all {
		parts = append(parts, p.Flows)
	}
	return parts
}

// Counts implements record.Meter.
func (m metered) Counts() (record.Counts, record.Levels) {
	s := m.Stats()
	n := traceCounts(&s.Trace)
	n.Packets, n.Octets, n.Outliers, n.Filtered = s.Packets, s.Octets, s.Outliers, s.Filtered
	n.SampledOut = s.Trace.NotSampled
	n.FeedDropped = m.feed.counts().DroppedRecords
	n.StreamsCreated, n.StreamsEnded, n.Unstreamed = s.Streams.Created, s.Streams.Ended(), s.Streams.Unstreamed
	n.Decapsulated, n.EnvelopeFragments = s.Tunnels.Opened, s.Tunnels.Fragments
	n.EnvelopesCut, n.EnvelopesUnknown = s.Tunnels.Cut, s.Tunnels.Unknown
	n.RuleSets = make(map[int]record.RuleSetCounts, len(s.Tasks))
	for _, t := range s.Tasks {
		n.RuleSets[t.RuleSet] = record.RuleSetCounts{
			Packets: t.Packets, Counted: t.Counted, Ignored: t.Ignored, Unmatched: t.Unmatched, Stopped: t.Stopped, Uncounted: t.Uncounted,
		}
	}
	return n, record.Levels{
		Sampling: m.sampling,
		Active:   uint64(s.Active), StreamsActive: uint64(s.Streams.Active),
		ClockKnown: s.Trace.SystemClock != traces.ClockUnknown, ClockRight: s.Trace.SystemClock == traces.ClockSynchronised,
	}
}

// traceCounts returns what a source has counted.
func traceCounts(s *traces.Stats) record.Counts {
	n := record.Counts{Lost: s.Lost, Duplicates: s.Duplicates.Total(), Clamped: s.Clamped}
	lossy := slices.Clone(s.PerInterface)
	slices.SortStableFunc(lossy, func(a, b traces.InterfaceStats) int { return cmp.Compare(a.Number, b.Number) })
	for i := range lossy {
		n.AddLost(lossy[i].String(), lossy[i].Lost)
	}
	n.DuplicatesBy = duplicatesBy(s)
	for _, at := range s.Stamps {
		for by, packets := range at.By {
			if packets > 0 {
				n.Stamped = append(n.Stamped, record.Number{Name: fmt.Sprintf("stamped-%v-%s", traces.StampSource(by), at.Name), Value: packets})
			}
		}
	}
	return n
}

// duplicatesBy returns what duplicates there were, by class and by the interfaces
// where they were seen first and again. Several interfaces may have one name.
func duplicatesBy(s *traces.Stats) (by []record.Number) {
	add := func(name string, packets uint64) {
		i := slices.IndexFunc(by, func(n record.Number) bool { return n.Name == name })
		if i < 0 {
			i, by = len(by), append(by, record.Number{Name: name})
		}
		by[i].Value += packets
	}
	for class, n := range s.Duplicates.By {
		if n > 0 {
			add(traces.Duplicate(class).String(), n)
		}
	}
	for _, p := range s.Duplicates.Pairs {
		add(fmt.Sprintf("%v-%s/%s", p.Class, interfaceName(s, p.First), interfaceName(s, p.Again)), p.Packets)
	}
	return by
}

// interfaceName returns what an interface where duplicates were seen is called.
func interfaceName(s *traces.Stats, number uint32) string {
	if number == 0 {
		return "other"
	}
	for i := range s.PerInterface {
		if at := &s.PerInterface[i]; at.Number == number {
			return at.String()
		}
	}
	return strconv.FormatUint(uint64(number), 10)
}

// check tells of numbers that do not add up, which the program has miscounted.
func (s *runSink) check(sum *record.Summary) {
	for _, fault := range sum.Faults(true) {
		s.faulty = true
		fmt.Fprintf(s.errors, "rtfm: a fault of the program: %s\n", fault)
	}
}
