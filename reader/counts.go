package reader

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"rtfm/mib/client"
	"rtfm/reader/flowfile"
)

// Counts are sums since the meter started.
type Counts struct {
	Packets    uint64 `json:"packets"`
	Octets     uint64 `json:"octets"`
	Lost       uint64 `json:"lost"`
	Duplicates uint64 `json:"duplicates,omitempty"`
	SampledOut uint64 `json:"sampledOut,omitempty"`
	Outliers   uint64 `json:"outliers,omitempty"`
	Clamped    uint64 `json:"clamped,omitempty"`
	// RuleSets are what became of the packets, by ruleset.
	RuleSets map[int]ruleSetCounts `json:"ruleSets,omitempty"`
	// Of streams, if there have been any.
	StreamsCreated uint64 `json:"streamsCreated,omitempty"`
	StreamsEnded   uint64 `json:"streamsEnded,omitempty"`
	Unstreamed     uint64 `json:"unstreamed,omitempty"`
	// LostAt are the packets lost at each interface that has lost any, by its
	// name, or its number if that is not known.
	LostAt []flowfile.Number `json:"lostAt,omitempty"`
}

// ruleSetCounts is mib.RuleSetCounts as a state file has it.
type ruleSetCounts struct {
	Packets   uint64 `json:"packets"`
	Matched   uint64 `json:"counted"`
	Ignored   uint64 `json:"ignored"`
	Unmatched uint64 `json:"unmatched"`
	Stopped   uint64 `json:"stopped"`
	Uncounted uint64 `json:"uncounted"`
}

// counts reads what the meter has counted beside flows, and one of how many
// packets it meters. A meter without the extension tells nothing.
func (k *Collector) counts(ctx context.Context, c *client.Client, st *client.Status, sets []RuleSet) (n Counts, sampling uint64, err error) {
	if !st.Extension {
		return n, 1, nil
	}
	interfaces, err := c.Interfaces(ctx)
	if err != nil {
		return n, 0, err
	}
	places := make(map[string]int)
	for number, i := range interfaces.All {
		sampling = max(sampling, uint64(i.SampleRate))
		if i.Lost > 0 {
			n.addLost(places, cmp.Or(i.Name, strconv.Itoa(number)), i.Lost)
		}
	}
	var indexes []int
	for _, s := range sets {
		indexes = append(indexes, s.Index)
	}
	now, err := c.Counts(ctx, indexes)
	if err != nil {
		return n, 0, err
	}
	n.Packets, n.Octets, n.Lost = now.Packets, now.Octets, now.Lost
	n.Duplicates, n.SampledOut = now.Duplicates, now.SampledOut
	n.Outliers, n.Clamped = now.Outliers, now.Clamped
	n.RuleSets = make(map[int]ruleSetCounts)
	for i, counts := range now.RuleSets {
		n.RuleSets[i] = ruleSetCounts(counts)
	}
	n.StreamsCreated, n.StreamsEnded, n.Unstreamed = now.StreamsCreated, now.StreamsEnded, now.Unstreamed
	return n, sampling, nil
}

// addLost counts packets that were lost at an interface, which may have several
// rows of its name. places are those of names in LostAt.
func (n *Counts) addLost(places map[string]int, name string, lost uint64) {
	i, ok := places[name]
	if !ok {
		i = len(n.LostAt)
		places[name] = i
		n.LostAt = append(n.LostAt, flowfile.Number{Name: name})
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

// summary returns what was counted between two collections.
func summary(now, before *Counts, sampling uint64, st *client.Status) flowfile.Summary {
	s := flowfile.Summary{
		Lost:     since(now.Lost, before.Lost),
		Sampling: sampling,
		Packets:  since(now.Packets, before.Packets),
		Octets:   since(now.Octets, before.Octets),
		Active:   uint64(st.ActiveFlows),
		RuleSets: ruleSets(now, before),
	}
	s.AddRuleSets()
	if now.StreamsCreated > 0 {
		s.More = flowfile.StreamNumbers(st.Counts.StreamsActive, since(now.StreamsCreated, before.StreamsCreated),
			since(now.StreamsEnded, before.StreamsEnded), since(now.Unstreamed, before.Unstreamed))
	}
	if now.Outliers > 0 {
		s.More = append(s.More, flowfile.Number{Name: "outliers", Value: since(now.Outliers, before.Outliers)})
	}
	lostBefore := make(map[string]uint64)
	for _, at := range before.LostAt {
		lostBefore[at.Name] = at.Value
	}
	for _, at := range now.LostAt {
		s.More = append(s.More, flowfile.Number{Name: "lost-" + at.Name, Value: since(at.Value, lostBefore[at.Name])})
	}
	if now.Duplicates > 0 {
		s.More = append(s.More, flowfile.Number{Name: "duplicates", Value: since(now.Duplicates, before.Duplicates)})
	}
	if now.Clamped > 0 {
		s.More = append(s.More, flowfile.Number{Name: "clamped", Value: since(now.Clamped, before.Clamped)})
	}
	if now.SampledOut > 0 {
		s.More = append(s.More, flowfile.Number{Name: "sampled-out", Value: since(now.SampledOut, before.SampledOut)})
	}
	return s
}

// finish completes the numbers of rulesets by what the collection's records have
// counted, and leaves those out that have never seen a packet.
func (n *Counts) finish(s *flowfile.Summary, collected func(ruleSet int) *uint64) {
	s.RuleSets = slices.DeleteFunc(s.RuleSets, func(r flowfile.RuleSetSummary) bool {
		c := collected(int(r.RuleSet))
		return n.RuleSets[int(r.RuleSet)].Packets == 0 && (c == nil || *c == 0)
	})
	for i := range s.RuleSets {
		s.RuleSets[i].Collected = collected(int(s.RuleSets[i].RuleSet))
	}
}

// ruleSets returns what became of packets between two collections, by ruleset.
// One whose packets are fewer than before is another.
func ruleSets(now, before *Counts) (sets []flowfile.RuleSetSummary) {
	for _, i := range slices.Sorted(maps.Keys(now.RuleSets)) {
		n, b := now.RuleSets[i], before.RuleSets[i]
		if n.Packets < b.Packets {
			b = ruleSetCounts{}
		}
		sets = append(sets, flowfile.RuleSetSummary{
			RuleSet: uint64(i), Packets: n.Packets - b.Packets, Counted: n.Matched - b.Matched, Ignored: n.Ignored - b.Ignored,
			Unmatched: n.Unmatched - b.Unmatched, Stopped: n.Stopped - b.Stopped, Uncounted: n.Uncounted - b.Uncounted,
		})
	}
	return sets
}

// tell warns of packets that are in no flow, and of numbers that do not add up.
// exact tells that the meter stood still while its flows were read.
func (k *Collector) tell(s *flowfile.Summary, exact bool) {
	if s.Uncounted > 0 {
		k.cfg.Warn(fmt.Errorf("the meter's flow table was full: %d packets of the interval are in no flow", s.Uncounted))
	}
	if s.Stopped > 0 {
		k.cfg.Warn(fmt.Errorf("%d packets of the interval hit a limit of the meter's engine and are in no flow: rules loop", s.Stopped))
	}
	for i := range s.RuleSets {
		r := &s.RuleSets[i]
		if r.Sum() != r.Packets {
			k.cfg.Warn(fmt.Errorf("a fault of the meter: ruleset %d has seen %d packets, of which %d are told", r.RuleSet, r.Packets, r.Sum()))
		}
		if exact && r.Collected != nil && *r.Collected != r.Counted {
			k.cfg.Warn(fmt.Errorf("a fault of the meter or the reader: ruleset %d has counted %d packets, its flows have %d", r.RuleSet, r.Counted, *r.Collected))
		}
	}
}
