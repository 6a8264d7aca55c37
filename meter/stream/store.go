package stream

import (
	"math"

	"rtfm/meter/huge"
)

// store holds the counters and words of all flows of a plan. Of counters it holds
// the lower 16 bits, since few get further and caches then hold four times as
// many; what has gone over is in a map.
type store struct {
	counters, words int // of a flow
	blocks          []storeBlock
	low             huge.Slab[uint16]
	slab            huge.Slab[uint64]
	over            map[place]uint64 // what counters have in units of overUnit
	used            uint32
	free            []uint32
}

type storeBlock struct {
	low   []uint16
	words []uint64
}

// place is one of a flow's counters.
type place struct{ flow, counter uint32 }

const (
	blockLen = 64 // flows in a block
	overUnit = math.MaxUint16 + 1
)

// lowOf returns the lower bits of a flow's counters.
func (s *store) lowOf(flow uint32) []uint16 {
	from := int(flow%blockLen) * s.counters
	return s.blocks[flow/blockLen].low[from : from+s.counters]
}

// wordsOf returns a flow's words.
func (s *store) wordsOf(flow uint32) []uint64 {
	from := int(flow%blockLen) * s.words
	return s.blocks[flow/blockLen].words[from : from+s.words]
}

// count adds n to one of a flow's counters.
func (s *store) count(flow uint32, counter int, n uint64) {
	low := &s.lowOf(flow)[counter]
	n += uint64(*low)
	*low = uint16(n)
	if n >= overUnit {
		if s.over == nil {
			s.over = make(map[place]uint64)
		}
		s.over[place{flow, uint32(counter)}] += n / overUnit
	}
}

// appendCounters appends a flow's counters to all.
func (s *store) appendCounters(all []uint64, flow uint32) []uint64 {
	for i, low := range s.lowOf(flow) {
		n := uint64(low)
		if len(s.over) > 0 {
			n += s.over[place{flow, uint32(i)}] * overUnit
		}
		all = append(all, n)
	}
	return all
}

// large tells whether the counters are more than the caches near a processor hold.
func (s *store) large() bool { return s.low.Len() > 1<<19 }

// add returns the number of a flow, all zero.
func (s *store) add() uint32 {
	if n := len(s.free); n > 0 {
		flow := s.free[n-1]
		s.free = s.free[:n-1]
		clear(s.lowOf(flow))
		clear(s.wordsOf(flow))
		return flow
	}
	if int(s.used) == len(s.blocks)*blockLen {
		s.blocks = append(s.blocks, storeBlock{s.low.Take(blockLen * s.counters), s.slab.Take(blockLen * s.words)})
	}
	s.used++
	return s.used - 1
}

// remove takes a flow back. When none is in use, all memory is given back.
func (s *store) remove(flow uint32) {
	if len(s.over) > 0 {
		for i := range s.counters {
			delete(s.over, place{flow, uint32(i)})
		}
	}
	if s.free = append(s.free, flow); len(s.free) == int(s.used) {
		*s = store{counters: s.counters, words: s.words}
	}
}
