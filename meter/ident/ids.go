package ident

import (
	"encoding/binary"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// IDs are the identifiers of the flows in a flow table. While none is made or removed,
// several goroutines may read them.
type IDs struct {
	bits   int // of a FlowID
	blocks []*block
	namers [256]*Namer // by number of their ruleset
	room   *room       // of the namers
}

// block is what is known of flows in blockLen neighbouring rows.
type block struct {
	backward [blockLen / 64]uint64
	ids      []uint64 // FlowIDs, 0 of rows without; nil if none has any
}

const blockLen = 1024

// New returns no identifiers yet, with so many bits in a FlowID: 64 or less.
func New(bits int) *IDs { return &IDs{bits: bits, room: new(room)} }

// hasFlowID reports whether the flows of a shape have a FlowID.
func hasFlowID(s *match.Shape) bool {
	for i := range s.Measures {
		if s.Measures[i].Attr == attr.FlowID {
			return true
		}
	}
	return false
}

// Create gives a flow of an identified shape, which is new in this row, its identifiers.
// It is backward if its first packet goes from its dest to its source.
func (x *IDs) Create(row uint32, k *match.FlowKey, backward bool) {
	for len(x.blocks) <= int(row/blockLen) {
		x.blocks = append(x.blocks, nil)
	}
	b := x.blocks[row/blockLen]
	if b == nil {
		b = new(block)
		x.blocks[row/blockLen] = b
	}
	word, bit := &b.backward[row%blockLen/64], uint64(1)<<(row%64)
	if *word &^= bit; backward {
		*word |= bit
	}
	if hasFlowID(k.Shape) {
		if b.ids == nil {
			b.ids = make([]uint64, blockLen)
		}
		namer := &x.namers[k.Shape.RuleSet&255]
		if *namer == nil {
			*namer = newNamer(x.bits, x.room)
		}
		b.ids[row%blockLen], _ = (*namer).Assign(row, k, nil)
	}
}

// Remove forgets the identifiers of the flow in this row, of this ruleset, if it has
// any.
func (x *IDs) Remove(row uint32, ruleSet int) {
	if id := x.flowID(row); id != 0 {
		x.namers[ruleSet&255].Remove(id)
		x.blocks[row/blockLen].ids[row%blockLen] = 0
	}
}

// flowID returns that of the flow in this row, 0 if it has none.
func (x *IDs) flowID(row uint32) uint64 {
	if int(row/blockLen) >= len(x.blocks) || x.blocks[row/blockLen] == nil || x.blocks[row/blockLen].ids == nil {
		return 0
	}
	return x.blocks[row/blockLen].ids[row%blockLen]
}

// Read sets those of f's counters that are identifiers, and makes room for all of them
// if f has none.
func (x *IDs) Read(f *match.Flow) {
	makeRoom(f)
	for i := range f.Shape.Measures {
		m := &f.Shape.Measures[i]
		if !m.Attr.Identifies() {
			continue
		}
		if m.Attr == attr.FlowID {
			f.Counters[i][0] = x.flowID(f.Index)
			continue
		}
		backward := x.blocks[f.Index/blockLen].backward[f.Index%blockLen/64]>>(f.Index%64)&1 != 0
		id, _ := CommunityOf(&f.FlowKey, backward)
		f.Counters[i][0] = binary.BigEndian.Uint64(id[:])
		f.Counters[i][1] = binary.BigEndian.Uint64(id[8:])
		f.Counters[i][2] = uint64(binary.BigEndian.Uint32(id[16:]))
	}
}

// makeRoom makes room for all numbers that f measures, in the memory that f has if that
// is enough.
func makeRoom(f *match.Flow) {
	all := f.Shape.Measures
	for len(f.Counters) < len(all) {
		f.Counters = append(f.Counters, nil)
	}
	f.Counters = f.Counters[:len(all)]
	for i := range all {
		if n := all[i].Counters(); len(f.Counters[i]) != n {
			f.Counters[i] = make([]uint64, n)
		}
	}
}

// Next returns this FlowID, or the first higher one, that a flow of a ruleset has, and the
// flow's row, 0 if there is none.
func (x *IDs) Next(ruleSet int, id uint64) (uint64, uint32) {
	namer := x.namers[ruleSet&255]
	if namer == nil {
		return 0, 0
	}
	return namer.Next(id)
}
