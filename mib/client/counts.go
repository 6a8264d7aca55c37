package client

import (
	"context"
	"fmt"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// Counts are what a meter with the extension has counted at one moment.
type Counts struct {
	// Packets, Octets, Lost, Duplicates, SampledOut, Outliers, Clamped,
	// Filtered, those of tunnels and those of streams.
	mib.Counts
	// RuleSets is by index. Those beyond the first ruleSetsAtOnce are of later
	// moments.
	RuleSets map[int]mib.RuleSetCounts
}

// ruleSetsAtOnce is how many rulesets' counters one request asks for, beside
// those of the meter.
const ruleSetsAtOnce = 15

// Counts reads what the meter has counted, and what became of the packets that
// these rulesets have seen. Rulesets that the meter has not got are left out; numbers
// that an older meter has not got are 0.
func (c *Client) Counts(ctx context.Context, ruleSets []int) (*Counts, error) {
	n := &Counts{RuleSets: make(map[int]mib.RuleSetCounts)}
	objects := []*module.Object{
		module.RtfmPacketsMetered, module.RtfmPacketsOctets, module.RtfmPacketsLost, module.RtfmPacketsDuplicates, module.RtfmPacketsSampledOut,
		module.RtfmPacketsOutliers, module.RtfmPacketsClamped, module.RtfmPacketsFiltered,
		module.RtfmPacketsDecapsulated, module.RtfmPacketsEnvelopeFragments, module.RtfmPacketsEnvelopesCut, module.RtfmPacketsEnvelopesUnknown, module.RtfmPacketsDuplicatesRouted,
		module.RtfmStreamsCreated, module.RtfmStreamsEnded, module.RtfmStreamsUnstreamed, module.RtfmStreamsActive,
	}
	numbers := []*uint64{
		&n.Packets, &n.Octets, &n.Lost, &n.Duplicates, &n.SampledOut,
		&n.Outliers, &n.Clamped, &n.Filtered,
		&n.Decapsulated, &n.EnvelopeFragments, &n.EnvelopesCut, &n.EnvelopesUnknown, &n.DuplicatesRouted,
		&n.StreamsCreated, &n.StreamsEnded, &n.Unstreamed, &n.StreamsActive,
	}
	for len(objects) > 0 || len(ruleSets) > 0 {
		part := ruleSets[:min(len(ruleSets), ruleSetsAtOnce)]
		ruleSets = ruleSets[len(part):]
		var names []smi.OID
		for _, o := range objects {
			names = append(names, o.At(0))
		}
		for _, i := range part {
			for _, o := range ruleSetColumns {
				names = append(names, o.At(uint32(i)))
			}
		}
		vars, err := c.get(ctx, names...)
		if err != nil {
			return nil, fmt.Errorf("reading the meter's counters: %w", err)
		}
		var r values
		for i, o := range objects {
			switch o {
			case module.RtfmStreamsActive:
				*numbers[i] = r.uint(&vars[i], smi.Gauge32)
			case module.RtfmPacketsDuplicates, module.RtfmPacketsSampledOut, module.RtfmPacketsOutliers, module.RtfmPacketsClamped, module.RtfmPacketsFiltered,
				module.RtfmPacketsDecapsulated, module.RtfmPacketsEnvelopeFragments, module.RtfmPacketsEnvelopesCut, module.RtfmPacketsEnvelopesUnknown, module.RtfmPacketsDuplicatesRouted:
				*numbers[i] = r.later(&vars[i])
			default:
				*numbers[i] = r.uint(&vars[i], smi.Counter64)
			}
		}
		vars, objects = vars[len(objects):], nil
		for _, i := range part {
			row := vars[:len(ruleSetColumns)]
			vars = vars[len(ruleSetColumns):]
			if row[1].Value.Type != smi.NoSuchInstance {
				n.RuleSets[i] = r.ruleSetCounts(row)
			}
		}
		if r.err != nil {
			return nil, c.wrap(fmt.Errorf("reading the meter's counters: %w", r.err))
		}
	}
	return n, nil
}

// ruleSetColumns are what ruleSetCounts reads.
var ruleSetColumns = []*module.Object{
	module.RtfmRuleSetPackets, module.RtfmRuleSetMatched, module.RtfmRuleSetIgnored, module.RtfmRuleSetUnmatched, module.RtfmRuleSetStopped, module.RtfmRuleSetUncounted,
}

func (r *values) ruleSetCounts(row []smi.VarBind) mib.RuleSetCounts {
	n := func(at int) uint64 { return r.uint(&row[at], smi.Counter64) }
	counts := mib.RuleSetCounts{Packets: r.later(&row[0]), Matched: n(1), Ignored: n(2), Unmatched: n(3), Stopped: n(4), Uncounted: n(5)}
	if absent(&row[0]) {
		counts.Packets = counts.Matched + counts.Ignored + counts.Unmatched + counts.Stopped + counts.Uncounted
	}
	return counts
}
