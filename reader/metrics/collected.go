package metrics

import (
	"strings"
	"sync"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Collected sums up the collections of one meter. It is a record.Sink, to stand behind
// those that write: a collection counts when it is said to be Written.
type Collected struct {
	name    string
	values  *values // nil without
	pending struct {
		collection record.Collection
		summary    record.Summary
	}

	mu          sync.Mutex // of what follows
	numbers     Numbers
	away        bool
	collections uint64
	flows       uint64
	made        time.Time // when the latest was written
	to          int64     // its end, by the meter's clock
}

// NewCollected returns sums of a meter of this name. Unless ruleSet is empty, what the
// flows of that ruleset have counted is told too, by what they save, in at most so many
// series and one more for the others.
func NewCollected(meter, ruleSet string, limit int) *Collected {
	c := &Collected{name: meter}
	if ruleSet != "" {
		c.values = newValues(ruleSet, limit)
	}
	return c
}

// Differences implements record.Differing.
func (c *Collected) Differences() bool { return c.values != nil }

// Begin implements record.Sink.
func (c *Collected) Begin(in *record.Collection) error {
	c.pending.collection = *in
	if c.values != nil {
		c.values.begin(in)
	}
	return nil
}

// Flow implements record.Sink.
func (c *Collected) Flow(f *match.Flow, counted *record.Counters) error {
	if c.values != nil && counted != nil {
		c.values.flow(f, counted)
	}
	return nil
}

// End implements record.Sink.
func (c *Collected) End(sum *record.Summary) error {
	c.pending.summary = *sum
	return nil
}

// Written tells that the collection whose End was called last is where it belongs. The
// meter's flow table has this size, 0 if it is not known.
func (c *Collected) Written(maxFlows uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in, sum, n := &c.pending.collection, &c.pending.summary, &c.numbers
	c.collections++
	c.flows += sum.Flows
	c.made, c.to = time.Now(), in.To
	c.away = false
	n.Packets += sum.Packets
	n.Octets += sum.Octets
	n.Lost += sum.Lost
	n.Active, n.MaxFlows = sum.Active, maxFlows
	n.more(sum.More)
	if n.RuleSets == nil {
		n.RuleSets, n.Names = make(map[int]record.RuleSetCounts), make(map[int]string)
	}
	for _, r := range sum.RuleSets {
		at := n.RuleSets[int(r.RuleSet)]
		at.Packets += r.Packets
		at.Counted += r.Counted
		at.Ignored += r.Ignored
		at.Unmatched += r.Unmatched
		at.Stopped += r.Stopped
		at.Uncounted += r.Uncounted
		n.RuleSets[int(r.RuleSet)] = at
		n.Names[int(r.RuleSet)] = in.RuleSet(int(r.RuleSet)).Name
	}
	if c.values != nil {
		c.values.written()
	}
}

// more adds the numbers that collections end with.
func (n *Numbers) more(more []record.Number) {
	for _, m := range more {
		switch m.Name {
		case "duplicates":
			n.Duplicates += m.Value
		case "sampled-out":
			n.SampledOut += m.Value
		case "filtered":
			n.Filtered += m.Value
		case "outliers":
			n.Outliers += m.Value
		case "feed-dropped":
			n.FeedDropped += m.Value
		case "streams":
			n.StreamsActive = m.Value
		case "streams-created":
			n.StreamsCreated += m.Value
		case "unstreamed":
			n.Unstreamed += m.Value
		case "clock-synchronised":
			n.ClockKnown, n.ClockRight = true, m.Value == 1
		default:
			if at, is := strings.CutPrefix(m.Name, "lost-"); is {
				n.AddInterface(at, m.Value)
			}
		}
	}
}

// Reached tells whether the meter answers.
func (c *Collected) Reached(is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = !is
}

// Add adds the sums to a set, as they are at a time.
func (c *Collected) Add(s *Set, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := []Label{{"meter", c.name}}
	s.Gauge("rtfm_meter_reachable", "Whether the meter answers.", truth(!c.away && c.collections > 0), of...)
	c.addCollections(s, now, of)
	c.numbers.Add(s, of...)
}

// addCollections adds what is told of collections, and by values.
func (c *Collected) addCollections(s *Set, now time.Time, of []Label) {
	s.Counter("rtfm_collections_total", "Collections made.", c.collections, of...)
	s.Counter("rtfm_collected_flows_total", "Flow records in them.", c.flows, of...)
	if c.collections > 0 {
		s.Gauge("rtfm_collection_age_seconds", "Time since the latest collection was made.", max(0, now.Sub(c.made).Seconds()), of...)
		s.Gauge("rtfm_collection_end_timestamp_seconds", "When the latest collection's interval ended, by the meter's clock.", float64(c.to)/1e9, of...)
	}
	if c.values != nil {
		c.values.add(s, of)
	}
}

// AddBeside adds what is told of collections only: the meter is in this process, which
// knows the rest.
func (c *Collected) AddBeside(s *Set, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addCollections(s, now, nil)
}
