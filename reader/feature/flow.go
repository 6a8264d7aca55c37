package feature

import (
	"math/bits"

	"rtfm/ruleset/attr"
	"rtfm/traces/feed"
)

// Buckets of histograms: up to 16, 32, 64, ... 1024, and more; octets or milliseconds.
const (
	buckets     = 8
	firstBucket = 4 // its limit is 2 to the power of this
)

// stats are the numbers of an attr.FormStats.
type stats [attr.StatMax + 1]uint64

func (s *stats) add(v uint64) {
	if s[attr.StatCount] == 0 || v < s[attr.StatMin] {
		s[attr.StatMin] = v
	}
	s[attr.StatMax] = max(s[attr.StatMax], v)
	s[attr.StatCount]++
	s[attr.StatSum] += v
	high, low := bits.Mul64(v, v)
	var carry uint64
	s[attr.StatSquaresLow], carry = bits.Add64(s[attr.StatSquaresLow], low, 0)
	s[attr.StatSquaresHigh] += high + carry
}

// side is what the packets of one direction have come to.
type side struct {
	sizes, gaps           stats // octets; nanoseconds
	sizeCounts, gapCounts [buckets]uint32
	flags                 [len(attr.FlagNames)]uint32
	last                  int64 // time of the latest packet
}

// Flow is what the packets of a flow have come to since its NEW.
type Flow struct {
	feed.New
	sides  [2]side       // to the flow's dest, and from it
	first  []attr.Listed // the first packets, in both directions
	begun  int64         // time of the first packet, last of the latest one
	last   int64
	listed int64 // of the one listed last
	// backward is set if the first packet went to the flow's source.
	backward bool
	told     bool // it has had a row
	serial   uint32
	label    Label
}

// packets returns how many there were.
func (f *Flow) packets() uint64 {
	return f.sides[0].sizes[attr.StatCount] + f.sides[1].sizes[attr.StatCount]
}

// add counts a packet that comes at a time, which does not go back. The first most ones
// are listed.
func (f *Flow) add(p *feed.Packet, at int64, most int) {
	way := 0
	if p.Backward {
		way = 1
	}
	s := &f.sides[way]
	size := uint64(p.Octets)
	s.sizes.add(size)
	s.sizeCounts[bucket(size)]++
	if s.sizes[attr.StatCount] > 1 {
		gap := uint64(at - s.last)
		s.gaps.add(gap)
		// Distributions of times have whole microseconds.
		s.gapCounts[bucket((gap/1000+999)/1000)]++
	}
	s.last = at
	for flags := p.TCPFlags; flags != 0; flags &= flags - 1 {
		s.flags[bits.TrailingZeros8(flags)]++
	}
	if f.packets() == 1 {
		f.begun, f.listed, f.backward = at, at, p.Backward
	}
	if len(f.first) < most {
		f.first = append(f.first, attr.NewListed(size, p.TCPFlags, at-f.listed, p.Backward))
		f.listed = at
	}
	f.last = at
}

// bucket returns the place of a value among the counters of a histogram.
func bucket(v uint64) int {
	if v <= 1<<firstBucket {
		return 0
	}
	return min(bits.Len64(v-1)-firstBucket, buckets-1)
}
