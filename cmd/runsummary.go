package cmd

import (
	"cmp"
	"fmt"
	"slices"

	"rtfm/meter"
	"rtfm/reader/flowfile"
)

// summary returns what was counted since the collection before, whose flows are
// written but for the end. It tells of numbers that do not add up.
func (s *runSink) summary() flowfile.Summary {
	now := s.meter.Stats()
	before := s.before
	s.before = now
	sum := flowfile.Summary{
		Lost:    now.Trace.Lost - before.Trace.Lost,
		Packets: now.Packets - before.Packets,
		Octets:  now.Octets - before.Octets,
		Active:  uint64(now.Active),
	}
	for i := range now.Tasks {
		task := meter.TaskStats{RuleSet: now.Tasks[i].RuleSet}
		if i < len(before.Tasks) {
			task = before.Tasks[i]
		}
		sum.RuleSets = append(sum.RuleSets, s.ruleSet(&now.Tasks[i], &task))
	}
	slices.SortFunc(sum.RuleSets, func(a, b flowfile.RuleSetSummary) int { return cmp.Compare(a.RuleSet, b.RuleSet) })
	sum.AddRuleSets()
	if now.Streams.Created > 0 {
		n, b := &now.Streams, &before.Streams
		sum.More = flowfile.StreamNumbers(uint64(n.Active), n.Created-b.Created, n.Ended()-b.Ended(), n.Unstreamed-b.Unstreamed)
	}
	if now.Outliers > 0 {
		sum.More = append(sum.More, flowfile.Number{Name: "outliers", Value: now.Outliers - before.Outliers})
	}
	sum.More = slices.Concat(sum.More, more(&now.Trace, &before.Trace), stampNumbers(&now.Trace, &before.Trace))
	return sum
}

// ruleSet returns what became of the packets that a ruleset has seen since the
// collection before, and checks it: each packet of the meter is in one of the
// numbers, and what was counted is in the flows.
func (s *runSink) ruleSet(now, before *meter.TaskStats) flowfile.RuleSetSummary {
	r := flowfile.RuleSetSummary{
		RuleSet: uint64(now.RuleSet), Packets: now.Packets - before.Packets, Counted: now.Counted - before.Counted,
		Ignored: now.Ignored - before.Ignored, Unmatched: now.Unmatched - before.Unmatched,
		Stopped: now.Stopped - before.Stopped, Uncounted: now.Uncounted - before.Uncounted,
		Collected: s.writer.Collected(now.RuleSet),
	}
	if r.Sum() != r.Packets {
		s.fault("ruleset %d %s has seen %d packets, of which %d were counted, %d ignored, %d unmatched, %d stopped and %d uncounted, in sum %d",
			now.RuleSet, now.Name, r.Packets, r.Counted, r.Ignored, r.Unmatched, r.Stopped, r.Uncounted, r.Sum())
	}
	if r.Collected != nil && *r.Collected != r.Counted {
		s.fault("ruleset %d %s has counted %d packets, its flows have %d", now.RuleSet, now.Name, r.Counted, *r.Collected)
	}
	return r
}

// fault tells that the program has miscounted.
func (s *runSink) fault(format string, args ...any) {
	s.faulty = true
	fmt.Fprintf(s.errors, "rtfm: a fault of the program: "+format+"\n", args...)
}
