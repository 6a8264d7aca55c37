package explain

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
)

// Comparison runs two rulesets over the packets of a trace, all of them in order, and
// finds those that become something else. It is not safe for concurrent use.
type Comparison struct {
	sides    [2]side
	ids      map[string]int // of outcomes, by what they are
	outcomes []Outcome      // by ID
	changes  map[[2]int]*Change

	// Packets and their octets, as frames on the wire have them, and how many of them
	// changed.
	Packets, Octets               uint64
	ChangedPackets, ChangedOctets uint64
}

// side is one of the rulesets.
type side struct {
	*Explainer
	known map[place]int // IDs of outcomes
}

// place is where a packet is counted.
type place struct {
	flow match.FlowKey
	back bool
}

// Outcome is what became of a packet.
type Outcome struct {
	Verdict string  `json:"verdict"` // counted, ignored, unmatched or stopped
	Back    bool    `json:"back,omitempty"`
	Flow    []Value `json:"flow,omitempty"` // of packets that are counted
}

// Change is what became of packets with the first ruleset, and with the second.
type Change struct {
	Old     Outcome `json:"old"`
	New     Outcome `json:"new"`
	Packets uint64  `json:"packets"`
	Octets  uint64  `json:"octets"`
	// Example is the first of these packets: its trace, its number there, from 1, and
	// what it is.
	File    string  `json:"file"`
	Example int     `json:"packet"`
	Has     []Value `json:"has"`
}

// Compare prepares two rulesets.
func Compare(old, changed *ruleset.RuleSet) (*Comparison, error) {
	c := &Comparison{ids: map[string]int{}, changes: map[[2]int]*Change{}}
	for i, rs := range []*ruleset.RuleSet{old, changed} {
		e, err := New(rs, nil)
		if err != nil {
			return nil, err
		}
		c.sides[i] = side{e, map[place]int{}}
	}
	return c, nil
}

// Next goes on with the next packet, which has this number in this file.
func (c *Comparison) Next(p *match.Packet, file string, number int) {
	old, changed := c.outcome(&c.sides[0], p), c.outcome(&c.sides[1], p)
	octets := uint64(p.FrameOctets)
	c.Packets++
	c.Octets += octets
	if old == changed {
		return
	}
	c.ChangedPackets++
	c.ChangedOctets += octets
	pair := [2]int{old, changed}
	ch := c.changes[pair]
	if ch == nil {
		ch = &Change{Old: c.outcomes[old], New: c.outcomes[changed], File: file, Example: number, Has: values(p, &p.Key, ends)}
		c.changes[pair] = ch
	}
	ch.Packets++
	ch.Octets += octets
}

// Changes returns all changes there were, those of the most octets first.
func (c *Comparison) Changes() []*Change {
	all := make([]*Change, 0, len(c.changes))
	for _, ch := range c.changes {
		all = append(all, ch)
	}
	slices.SortFunc(all, func(a, b *Change) int {
		return cmp.Or(cmp.Compare(b.Octets, a.Octets), cmp.Compare(b.Packets, a.Packets),
			strings.Compare(a.File, b.File), cmp.Compare(a.Example, b.Example))
	})
	return all
}

// outcome returns the ID of what becomes of a packet, which is the same for both sides.
func (c *Comparison) outcome(s *side, p *match.Packet) int {
	s.packets++
	v, flow, _, back := s.count(p, nil)
	if v != pme.Success {
		return c.id(verdicts[v], func() Outcome { return Outcome{Verdict: verdicts[v]} })
	}
	at := place{flow, back}
	id, known := s.known[at]
	if !known {
		id = c.id(identity(&flow, back), func() Outcome {
			return Outcome{Verdict: verdicts[v], Back: back, Flow: flowValues(&flow)}
		})
		s.known[at] = id
	}
	return id
}

func (c *Comparison) id(of string, outcome func() Outcome) int {
	id, known := c.ids[of]
	if !known {
		id = len(c.outcomes)
		c.ids[of] = id
		c.outcomes = append(c.outcomes, outcome())
	}
	return id
}

// identity returns what tells a flow from others, whatever ruleset it is of: what is
// saved, with masks and values, and the distributions.
func identity(k *match.FlowKey, back bool) string {
	b := []byte{1}
	if back {
		b[0] = 2
	}
	put := func(octets []byte) {
		b = append(binary.AppendUvarint(b, uint64(len(octets))), octets...)
	}
	for i := range k.Shape.Saved {
		s := &k.Shape.Saved[i]
		b = binary.AppendUvarint(b, uint64(s.Attr))
		put(s.Mask.Append(nil))
		put(k.Value(s.Attr))
	}
	for i := range k.Shape.Measures {
		d := &k.Shape.Measures[i]
		b = binary.AppendUvarint(b, uint64(d.Attr))
		put(d.Mask.Append(nil))
		put(d.Value.Append(nil))
	}
	return string(b)
}
