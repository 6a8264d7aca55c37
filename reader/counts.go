package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"rtfm/reader/record"

	"rtfm/mib/client"
)

// counts reads what the meter has counted beside flows. A meter without the
// extension tells nothing.
func (k *Collector) counts(ctx context.Context, c *client.Client, st *client.Status, sets []RuleSet) (n record.Counts, levels record.Levels, err error) {
	levels = record.Levels{Active: uint64(st.ActiveFlows), StreamsActive: st.Counts.StreamsActive, Sampling: 1}
	if !st.Extension {
		return n, levels, nil
	}
	interfaces, err := c.Interfaces(ctx)
	if err != nil {
		return n, levels, err
	}
	for number, i := range interfaces.All {
		levels.Sampling = max(levels.Sampling, uint64(i.SampleRate))
		n.AddLost(cmp.Or(i.Name, strconv.Itoa(number)), i.Lost)
	}
	var indexes []int
	for _, s := range sets {
		indexes = append(indexes, s.Index)
	}
	now, err := c.Counts(ctx, indexes)
	if err != nil {
		return n, levels, err
	}
	n.Packets, n.Octets, n.Lost = now.Packets, now.Octets, now.Lost
	n.Duplicates, n.SampledOut = now.Duplicates, now.SampledOut
	n.Outliers, n.Clamped, n.Filtered = now.Outliers, now.Clamped, now.Filtered
	n.Decapsulated, n.EnvelopeFragments = now.Decapsulated, now.EnvelopeFragments
	n.EnvelopesCut, n.EnvelopesUnknown = now.EnvelopesCut, now.EnvelopesUnknown
	for _, by := range []record.Number{{Name: "switched", Value: now.Duplicates - min(now.DuplicatesRouted, now.Duplicates)}, {Name: "routed", Value: now.DuplicatesRouted}} {
		if by.Value > 0 {
			n.DuplicatesBy = append(n.DuplicatesBy, by)
		}
	}
	n.RuleSets = make(map[int]record.RuleSetCounts)
	for i, r := range now.RuleSets {
		n.RuleSets[i] = record.RuleSetCounts{
			Packets: r.Packets, Counted: r.Matched, Ignored: r.Ignored, Unmatched: r.Unmatched, Stopped: r.Stopped, Uncounted: r.Uncounted,
		}
	}
	n.StreamsCreated, n.StreamsEnded, n.Unstreamed = now.StreamsCreated, now.StreamsEnded, now.Unstreamed
	return n, levels, nil
}

// tell warns of packets that are in no flow, and of numbers that do not add up.
// exact tells that the meter stood still while its flows were read.
func (k *Collector) tell(s *record.Summary, exact bool) {
	if s.Uncounted > 0 {
		k.cfg.Warn(fmt.Errorf("the meter's flow table was full: %d packets of the interval are in no flow", s.Uncounted))
	}
	if s.Stopped > 0 {
		k.cfg.Warn(fmt.Errorf("%d packets of the interval hit a limit of the meter's engine and are in no flow: rules loop", s.Stopped))
	}
	for _, fault := range s.Faults(exact) {
		k.cfg.Warn(errors.New("a fault of the meter or the reader: " + fault))
	}
}
