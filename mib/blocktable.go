package mib

import (
	"encoding/binary"
	"math"
	"slices"

	"rtfm/ruleset/match"

	"rtfm/mib/block"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// blockObjects are those of rtfmBlockTable.
func (h *Handler) blockObjects() []object {
	t := &blockTable{h: h, chosen: block.NewSelection(block.Blocks, &h.work)}
	t.add = t.addFlow
	return []object{{oid: module.RtfmBlockData.OID, table: t, get: t.data}}
}

// blockTable is rtfmBlockTable. Its index is a selector, ruleset, TimeMark,
// and the flow indexes between which the block's flows are: they are greater
// than the first, and the last of them is the second.
type blockTable struct {
	h      *Handler
	chosen block.Selection
	add    func() bool // addFlow
	// The block, how many flows it has, the index of the last of them, and
	// the highest that it may have.
	buf         []byte
	flows       int
	filled, end uint32
	span        span
}

// A span is where the flows of one block, or of column activity data, are: what
// they take is bounded by it, beside their octets, however few of the flows in
// the table are asked for and whatever else there is to them.
type span struct {
	end      uint32         // the last row
	shapes   []*match.Shape // of the flows until now
	counters int            // that these have
}

// Limits of a span.
const (
	spanRows     = 1 << 14
	spanShapes   = 64
	spanCounters = 1 << 15
)

// spanOf returns the span of f, which is the first flow.
func spanOf(f *block.View) (s span) {
	s.begin(f)
	return s
}

func (s *span) begin(f *block.View) {
	s.end, s.shapes, s.counters = ((f.Index-1)|(spanRows-1))+1, s.shapes[:0], 0
}

// takes reports whether f, which is the first flow or follows the others, is in
// the span, and notes it.
func (s *span) takes(f *block.View) bool {
	if n := len(s.shapes); n == 0 || s.shapes[n-1] != f.Shape {
		if !slices.Contains(s.shapes, f.Shape) {
			if n == spanShapes {
				return false
			}
			s.shapes = append(s.shapes, f.Shape)
		}
	}
	for _, c := range f.Counters {
		s.counters += len(c)
	}
	return f.Index <= s.end && s.counters <= spanCounters
}

// parse takes the selector from an index.
func (t *blockTable) parse(index smi.OID) (sel, rest smi.OID, ok bool) {
	sel, rest, ok = selector(index)
	if !ok || len(sel) > block.MaxSelector || !t.chosen.Parse(sel) {
		return nil, nil, false
	}
	return sel, rest, block.HeadOctets+t.chosen.MaxOctets() <= block.MaxOctets
}

func (t *blockTable) find(index smi.OID) bool {
	_, rest, ok := t.parse(index)
	return ok && len(rest) == 4 && rest[0] > 0 && rest[2] < rest[3] &&
		t.h.meter.Control().RuleSets.At(int(rest[0])) != nil &&
		t.fill(rest[0], rest[1], rest[2], rest[3]) == rest[3]
}

func (t *blockTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	sel, rest, ok := t.parse(index)
	if !ok {
		return name, false
	}
	name = append(append(name, index[0]), sel...)
	if include && t.find(index) {
		return append(name, rest...), true
	}
	var ruleSet, mark, after uint32
	if len(rest) > 0 {
		ruleSet = rest[0]
	}
	if len(rest) > 1 {
		mark = rest[1]
	}
	if len(rest) > 2 {
		after = rest[2]
	}
	if len(rest) > 3 {
		after = max(after, rest[3])
	}
	for given := ruleSet; t.h.ruleSetFrom(&ruleSet) != nil; ruleSet++ {
		if ruleSet != given {
			mark, after = 0, 0
		}
		if last := t.fill(ruleSet, mark, after, math.MaxUint32); last != 0 {
			return append(name, ruleSet, mark, after, last), true
		}
	}
	return name, false
}

// fill puts as many flows as fit in the block and lie in the span of the first
// one, and returns the index of the last of them: flows of a ruleset, active since
// the TimeMark, with indexes greater than after and up to last. It returns 0 if
// there are none.
func (t *blockTable) fill(ruleSet, mark, after, last uint32) (filled uint32) {
	t.buf = append(t.buf[:0], make([]byte, block.HeadOctets)...)
	t.flows, t.filled, t.end = 0, 0, last
	if after < math.MaxUint32 {
		f := &t.h.flow
		f.Start, f.RuleSet = t.h.meter.Start(), int(ruleSet)
		t.h.meter.Scan(f.RuleSet, after+1, t.h.since(mark), &f.Flow, t.add)
	}
	binary.BigEndian.PutUint16(t.buf, uint16(t.flows))
	return t.filled
}

// addFlow adds the flow at hand to the block, false if it does not belong there
// or has no room.
func (t *blockTable) addFlow() bool {
	f := &t.h.flow
	if t.flows == 0 {
		t.span.begin(f)
	}
	if f.Index > t.end || t.flows == math.MaxUint16 || !t.span.takes(f) && t.flows > 0 {
		return false
	}
	t.h.work++
	b := t.chosen.Append(t.buf, f)
	if len(b) > block.MaxOctets {
		return false
	}
	t.buf, t.filled = b, f.Index
	t.flows++
	return true
}

func (t *blockTable) data(v *smi.Value) bool {
	v.SetOctets(smi.OctetString, t.buf)
	return true
}
