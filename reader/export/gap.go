package export

import (
	"encoding/json"
	"slices"
	"strings"

	"rtfm/reader/spool"
)

// Gap is collections that were dropped because the spool was full, as one row in the
// columns of record.OfCollection: Dropped and DroppedFlows say how many there were,
// Flows is 0, for none is there, and the other numbers are those of all of them. Numbers
// that are not known of all are nil.
type Gap struct {
	Schema          uint8
	Meter           string
	Boot            string `json:",omitempty"`
	RuleSets        string // behind "dropped", so that no collection has the same key
	EpochNs         int64
	IntervalStartNs int64 // of the first
	IntervalEndNs   int64 // of the last
	Skipped         uint64
	Flows           uint64
	Lost            *uint64 `json:",omitempty"`
	Uncounted       *uint64 `json:",omitempty"`
	Sampling        *uint64 `json:",omitempty"`
	Packets         *uint64 `json:",omitempty"`
	Octets          *uint64 `json:",omitempty"`
	Ignored         *uint64 `json:",omitempty"`
	Unmatched       *uint64 `json:",omitempty"`
	Stopped         *uint64 `json:",omitempty"`
	Dropped         uint64
	DroppedFlows    uint64
}

// ReadGap reads a gap's row.
func ReadGap(row []byte) (*Gap, error) {
	g := new(Gap)
	if err := json.Unmarshal(row, g); err != nil {
		return nil, err
	}
	return g, nil
}

// Row returns the gap as a JSON object. The first of several may tell of a collection that
// has come, and whose acknowledgement has not: its key is another than that of the
// collection, which stays.
func (g *Gap) Row() ([]byte, error) { return json.Marshal(g) }

// dropped stands before the rulesets of a gap.
const dropped = "dropped"

// mostRuleSets bounds a gap's row.
const mostRuleSets = 255

// about is a spool.Config's About.
func about(before json.RawMessage, segment *spool.Segment) (json.RawMessage, error) {
	row, err := NewCollection(segment).Row()
	if err != nil {
		return nil, err
	}
	g, err := ReadGap(row)
	if err != nil {
		return nil, err
	}
	g.Dropped, g.DroppedFlows, g.Flows = 1, g.Flows, 0
	g.RuleSets = strings.TrimSuffix(dropped+","+g.RuleSets, ",")
	if before != nil {
		first, err := ReadGap(before)
		if err != nil {
			return nil, err
		}
		if !first.add(g) {
			return nil, nil
		}
		g = first
	}
	return g.Row()
}

// add adds a gap that follows, and returns false if one row cannot tell of both.
func (g *Gap) add(next *Gap) bool {
	sets := strings.Split(g.RuleSets+strings.TrimPrefix(next.RuleSets, dropped), ",")
	slices.Sort(sets[1:])
	sets = slices.Compact(sets)
	if g.Meter != next.Meter || g.Boot != next.Boot || g.EpochNs != next.EpochNs || !same(g.Sampling, next.Sampling) || len(sets) > mostRuleSets {
		return false
	}
	g.RuleSets = strings.Join(sets, ",")
	g.IntervalStartNs = min(g.IntervalStartNs, next.IntervalStartNs)
	g.IntervalEndNs = max(g.IntervalEndNs, next.IntervalEndNs)
	g.Skipped += next.Skipped
	for _, n := range [][2]**uint64{
		{&g.Lost, &next.Lost}, {&g.Uncounted, &next.Uncounted}, {&g.Packets, &next.Packets}, {&g.Octets, &next.Octets},
		{&g.Ignored, &next.Ignored}, {&g.Unmatched, &next.Unmatched}, {&g.Stopped, &next.Stopped},
	} {
		if *n[0] == nil || *n[1] == nil {
			*n[0] = nil
			continue
		}
		**n[0] += **n[1]
	}
	g.Dropped += next.Dropped
	g.DroppedFlows += next.DroppedFlows
	return true
}

func same(a, b *uint64) bool { return a == b || a != nil && b != nil && *a == *b }

// SpoolConfig says what a spool may take, in octets, and whether the oldest collections
// are dropped when it is full: then their places are told of it.
func SpoolConfig(limit int64, drop bool) spool.Config {
	return spool.Config{Limit: limit, Drop: drop, About: about}
}
