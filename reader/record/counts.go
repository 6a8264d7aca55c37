package record

import (
	"maps"
	"slices"
)

// Counts are sums since the meter started. State files have them as JSON.
type Counts struct {
	Packets    uint64 `json:"packets"`
	Octets     uint64 `json:"octets"`
	Lost       uint64 `json:"lost"`
	Duplicates uint64 `json:"duplicates,omitempty"`
	// DuplicatesBy are the same by class, and by class and pair of interfaces, named
	// as in flow data behind "duplicates-", if that is known.
	DuplicatesBy []Number `json:"duplicatesBy,omitempty"`
	SampledOut   uint64   `json:"sampledOut,omitempty"`
	Filtered     uint64   `json:"filtered,omitempty"`
	Outliers     uint64   `json:"outliers,omitempty"`
	Clamped      uint64   `json:"clamped,omitempty"`
	// Of packets that are tunnels: those that count as what they carry, and those
	// that stay what they are.
	Decapsulated      uint64 `json:"decapsulated,omitempty"`
	EnvelopeFragments uint64 `json:"envelopeFragments,omitempty"`
	EnvelopesCut      uint64 `json:"envelopesCut,omitempty"`
	EnvelopesUnknown  uint64 `json:"envelopesUnknown,omitempty"`
	// FeedDropped are records of a feed of packets that had no room, or no receiver.
	FeedDropped uint64 `json:"feedDropped,omitempty"`
	// RuleSets are what became of the packets, by ruleset.
	RuleSets map[int]RuleSetCounts `json:"ruleSets,omitempty"`
	// Of streams, if there have been any.
	StreamsCreated uint64 `json:"streamsCreated,omitempty"`
	StreamsEnded   uint64 `json:"streamsEnded,omitempty"`
	Unstreamed     uint64 `json:"unstreamed,omitempty"`
	// LostAt are the packets lost at each interface that has lost any, by its
	// name, or its number if that is not known; AddLost adds some.
	LostAt []Number `json:"lostAt,omitempty"`
	// Stamped are the packets of each interface by the clock that has stamped them,
	// named as in flow data, if that is known.
	Stamped []Number `json:"stamped,omitempty"`

	places map[string]int // of names in LostAt
}

// RuleSetCounts is what became of the packets that a ruleset has seen: Packets is
// the sum of the others. RuleSetSummary says what they are.
type RuleSetCounts struct {
	Packets   uint64 `json:"packets"`
	Counted   uint64 `json:"counted"`
	Ignored   uint64 `json:"ignored"`
	Unmatched uint64 `json:"unmatched"`
	Stopped   uint64 `json:"stopped"`
	Uncounted uint64 `json:"uncounted"`
}

// Levels are what a meter tells of the moment, which is no sum.
type Levels struct {
	Active        uint64 // flows in the flow table
	StreamsActive uint64
	Sampling      uint64 // one of so many packets is metered; 0 means all
	// ClockKnown is set if the system's clock stamps packets and its state is known;
	// ClockRight says that it is synchronised.
	ClockKnown, ClockRight bool
}

// AddLost counts packets that were lost at an interface, if there are any. Several
// interfaces may have one name.
func (n *Counts) AddLost(name string, lost uint64) {
	if lost == 0 {
		return
	}
	i, ok := n.places[name]
	if !ok {
		if n.places == nil {
			n.places = make(map[string]int)
		}
		i = len(n.LostAt)
		n.places[name] = i
		n.LostAt = append(n.LostAt, Number{Name: name})
	}
	n.LostAt[i].Value += lost
}

// since returns what was counted between b and n. Numbers that went back have
// started again.
func since(n, b uint64) uint64 {
	if n < b {
		return n
	}
	return n - b
}

// Summarize returns what was counted between two collections, of which the flows of
// the second have counted collected. All pipelines have their numbers from here.
func Summarize(now, before *Counts, levels Levels, collected func(ruleSet int) *uint64) Summary {
	s := Summary{
		Lost:     since(now.Lost, before.Lost),
		Sampling: max(levels.Sampling, 1),
		Packets:  since(now.Packets, before.Packets),
		Octets:   since(now.Octets, before.Octets),
		Active:   levels.Active,
		RuleSets: ruleSets(now, before, collected),
	}
	s.addRuleSets()
	if now.StreamsCreated > 0 {
		s.More = streamNumbers(levels.StreamsActive, since(now.StreamsCreated, before.StreamsCreated),
			since(now.StreamsEnded, before.StreamsEnded), since(now.Unstreamed, before.Unstreamed))
	}
	if now.Outliers > 0 {
		s.More = append(s.More, Number{Name: "outliers", Value: since(now.Outliers, before.Outliers)})
	}
	s.More = append(s.More, now.Rare(before)...)
	s.More = appendSince(s.More, "", now.Stamped, before.Stamped)
	if levels.ClockKnown {
		n := Number{Name: "clock-synchronised"}
		if levels.ClockRight {
			n.Value = 1
		}
		s.More = append(s.More, n)
	}
	return s
}

// Rare returns those of Summary.More that most meters never have: what was lost at
// each interface, duplicates, packets whose times do not fit, those
// passed over, those left out by a filter, what became of tunnels, and of feeds.
func (n *Counts) Rare(before *Counts) []Number {
	more := appendSince(nil, "lost-", n.LostAt, before.LostAt)
	for _, c := range []struct {
		name     string
		now, was uint64
	}{
		{"duplicates", n.Duplicates, before.Duplicates},
		{"clamped", n.Clamped, before.Clamped},
		{"sampled-out", n.SampledOut, before.SampledOut},
		{"filtered", n.Filtered, before.Filtered},
		{"decapsulated", n.Decapsulated, before.Decapsulated},
		{"envelope-fragments", n.EnvelopeFragments, before.EnvelopeFragments},
		{"envelopes-cut", n.EnvelopesCut, before.EnvelopesCut},
		{"envelopes-unknown", n.EnvelopesUnknown, before.EnvelopesUnknown},
		{"feed-dropped", n.FeedDropped, before.FeedDropped},
	} {
		if c.now > 0 {
			more = append(more, Number{Name: c.name, Value: since(c.now, c.was)})
		}
	}
	return appendSince(more, "duplicates-", n.DuplicatesBy, before.DuplicatesBy)
}

// appendSince appends what each of the numbers has grown by.
func appendSince(to []Number, prefix string, now, before []Number) []Number {
	was := make(map[string]uint64, len(before))
	for _, n := range before {
		was[n.Name] = n.Value
	}
	for _, n := range now {
		to = append(to, Number{Name: prefix + n.Name, Value: since(n.Value, was[n.Name])})
	}
	return to
}

// ruleSets returns what became of packets between two collections, by ruleset, of
// those that have ever seen a packet. One whose packets are fewer than before is
// another.
func ruleSets(now, before *Counts, collected func(ruleSet int) *uint64) (sets []RuleSetSummary) {
	for _, i := range slices.Sorted(maps.Keys(now.RuleSets)) {
		n, b, c := now.RuleSets[i], before.RuleSets[i], collected(i)
		if n.Packets == 0 && (c == nil || *c == 0) {
			continue
		}
		if n.Packets < b.Packets {
			b = RuleSetCounts{}
		}
		sets = append(sets, RuleSetSummary{
			RuleSet: uint64(i), Packets: n.Packets - b.Packets, Counted: n.Counted - b.Counted, Ignored: n.Ignored - b.Ignored,
			Unmatched: n.Unmatched - b.Unmatched, Stopped: n.Stopped - b.Stopped, Uncounted: n.Uncounted - b.Uncounted,
			Collected: c,
		})
	}
	return sets
}
