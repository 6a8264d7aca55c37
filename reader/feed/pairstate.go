package feed

import (
	"encoding/json"
	"fmt"
	"io"

	"rtfm/traces/feed"
)

// pairState is what the next receiver must know of what this one has told: the flows that
// have not ended, and the records of which the other meter may still tell.
type pairState struct {
	Lead    int
	Skewed  bool
	Skew    [3]int64 // median, spread, tolerance
	Horizon [2]int64
	Shapes  []feed.Shape
	Flows   []stateFlow
	Records []stateRecord
}

// stateFlow is a flow, without a Key if its NEW has not come.
type stateFlow struct {
	ID         uint64
	Shape      int
	First      int64
	Index      uint32
	Collisions uint16
	Key        []byte
	Flipped    [2]bool
}

type stateRecord struct {
	Flow, Side     int
	Time           int64
	Octets, Digest uint32
	Backward       bool
}

// Save writes what is to be known by the Pair that goes on, behind Close.
func (p *Pair) Save(w io.Writer) error {
	s := pairState{Lead: p.lead, Skewed: p.skew.known, Skew: [3]int64{p.skew.median, p.skew.spread, p.skew.tolerance}, Horizon: p.table.horizon}
	flows, shapes := make(map[*pairFlow]int), make(map[*feed.Shape]int)
	number := func(f *pairFlow) int {
		n, ok := flows[f]
		if !ok {
			n = len(s.Flows)
			flows[f] = n
			of := stateFlow{ID: f.Flow, First: f.First, Index: f.Index, Collisions: f.Collisions, Key: f.Key, Flipped: f.flipped}
			if f.named {
				if of.Shape, ok = shapes[f.Shape]; !ok {
					of.Shape = len(s.Shapes)
					shapes[f.Shape] = of.Shape
					s.Shapes = append(s.Shapes, *f.Shape)
				}
			}
			s.Flows = append(s.Flows, of)
		}
		return n
	}
	for _, f := range p.flows.byID {
		number(f)
	}
	for i := p.table.from; i < p.table.to; i++ {
		if e := p.table.at(i); e.state == isTold && e.chained {
			q := &e.packet
			s.Records = append(s.Records, stateRecord{number(e.flow), int(e.side), q.Time, q.Octets, q.Digest, q.Backward})
		}
	}
	return json.NewEncoder(w).Encode(&s)
}

// Load has the Pair go on where the one was that has written this.
func (p *Pair) Load(r io.Reader) error {
	var s pairState
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("state of a pair: %w", err)
	}
	p.lead, p.table.horizon = s.Lead&1, s.Horizon
	p.skew = skew{known: s.Skewed, median: s.Skew[0], spread: s.Skew[1], tolerance: s.Skew[2]}
	flows := make([]*pairFlow, len(s.Flows))
	for i := range s.Flows {
		f := &s.Flows[i]
		n, key := feed.New{Flow: f.ID, First: f.First, Index: f.Index, Collisions: f.Collisions, Key: f.Key}, ""
		if len(f.Key) > 0 {
			if f.Shape < 0 || f.Shape >= len(s.Shapes) {
				return fmt.Errorf("state of a pair: a flow of shape %d of %d", f.Shape, len(s.Shapes))
			}
			n.Shape = &s.Shapes[f.Shape]
			key = string(identity(nil, &n, false))
		}
		if flows[i] = p.flows.byKey[key]; flows[i] == nil {
			flows[i] = p.flows.add(&n, key)
		}
		flows[i].flipped = f.Flipped
		// If no meter knows of it any more it is forgotten.
		flows[i].quiet, flows[i].isEnding = p.now+int64(endWait), true
		p.flows.ending = append(p.flows.ending, flows[i])
	}
	for _, q := range s.Records {
		if q.Flow < 0 || q.Flow >= len(flows) {
			return fmt.Errorf("state of a pair: a record of flow %d of %d", q.Flow, len(flows))
		}
		e := pairEntry{flow: flows[q.Flow], at: p.now, side: uint8(q.Side & 1), state: isTold}
		e.packet = feed.Packet{Time: q.Time, Octets: q.Octets, Digest: q.Digest, Backward: q.Backward}
		e.key = e.flow.packetKey(&e.packet)
		e.flow.only[e.side].add(&e.packet, false)
		p.Counts.Only[e.side]++
		if err := p.table.add(&e); err != nil {
			return err
		}
	}
	return nil
}
