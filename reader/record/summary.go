package record

import "fmt"

// Summary is what is known of the packets of one interval beside the flows.
type Summary struct {
	// Known is how much of what follows is known, beside Flows.
	Known     Known
	Flows     uint64 // flow records
	Lost      uint64 // packets that were not captured
	Uncounted uint64 // packets of flows for which the flow table had no room
	Sampling  uint64 // one of so many packets was metered
	Packets   uint64 // packets metered
	Octets    uint64
	Ignored   uint64 // packets that rules said to ignore
	Unmatched uint64 // packets that no rules matched
	Stopped   uint64 // packets that hit a limit of the Packet Matching Engine
	Active    uint64 // flows in the flow table
	// RuleSets are those whose flows the collection has.
	RuleSets []RuleSetSummary
	// More are written after these, in #Stats: those of streams, "duplicates" and, by
	// class and by interfaces, "duplicates-" with a name, "outliers", "clamped",
	// "sampled-out", packets lost at an interface as "lost-" with its name, those stamped by a clock as "stamped-kernel-" and the like, and
	// "clock-synchronised".
	More []Number
}

// Known says how much of a Summary is known: files tell less than meters do.
type Known uint8

// What of a Summary is known.
const (
	KnownAll   Known = iota
	KnownLoss        // Lost, Uncounted, Sampling and Stopped: of text without #Stats
	KnownFlows       // nothing: of text without #EndData, and CSV
)

// RuleSetSummary is what became of the packets of one interval that a ruleset
// has seen.
type RuleSetSummary struct {
	RuleSet uint64 // its number
	// Packets is the sum of what follows: packets that are in a flow, those left
	// out by rules that said so, those that no rules matched, that hit a limit of
	// the engine, and those of flows for which the flow table had no room.
	Packets, Counted, Ignored, Unmatched, Stopped, Uncounted uint64
	// Collected is what the collection's flow records have counted in the
	// interval, nil if that is not known of all. JSON only. A meter that
	// counts on while it is read has flow records that know more than Counted
	// does; the next ones then add less.
	Collected *uint64
}

// Sum is the number of packets of which it is known what became of them.
func (s *RuleSetSummary) Sum() uint64 {
	return s.Counted + s.Ignored + s.Unmatched + s.Stopped + s.Uncounted
}

// Faults tells, one sentence each, of numbers that do not add up: each packet that
// a ruleset has seen is in one of its numbers, and, where flows is set since the
// meter stood still while they were read, what was counted is in the flows.
func (s *Summary) Faults(flows bool) (faults []string) {
	for i := range s.RuleSets {
		r := &s.RuleSets[i]
		if r.Sum() != r.Packets {
			faults = append(faults, fmt.Sprintf("ruleset %d has seen %d packets, of which %d were counted, %d ignored, %d unmatched, %d stopped and %d uncounted, in sum %d",
				r.RuleSet, r.Packets, r.Counted, r.Ignored, r.Unmatched, r.Stopped, r.Uncounted, r.Sum()))
		}
		if flows && r.Collected != nil && *r.Collected != r.Counted {
			faults = append(faults, fmt.Sprintf("ruleset %d has counted %d packets, its flows have %d", r.RuleSet, r.Counted, *r.Collected))
		}
	}
	return faults
}

// addRuleSets sets Ignored, Unmatched, Stopped and Uncounted to the sums over
// RuleSets.
func (s *Summary) addRuleSets() {
	s.Ignored, s.Unmatched, s.Stopped, s.Uncounted = 0, 0, 0, 0
	for i := range s.RuleSets {
		r := &s.RuleSets[i]
		s.Ignored += r.Ignored
		s.Unmatched += r.Unmatched
		s.Stopped += r.Stopped
		s.Uncounted += r.Uncounted
	}
}

// streamNumbers are those of a meter that keeps streams: how many there are, how
// many were begun and have ended in the interval, and how many packets are in
// none because there were too many.
func streamNumbers(active, created, ended, unstreamed uint64) []Number {
	return []Number{{"streams", active}, {"streams-created", created}, {"streams-ended", ended}, {"unstreamed", unstreamed}}
}

// Number is one that only some meters have.
type Number struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}
