package stream

import (
	"math/bits"

	"rtfm/ruleset/attr"
)

// histogram is a distribution's place in a flow's counters, and what finds the
// bucket of a value.
type histogram struct {
	at     int // of the first counter
	limits []uint64
	// Of a linear distribution whose limits are low enough: the first limit,
	// how much higher the last one is, and how many steps there are between.
	lower, span, steps uint64
	// Of others, by the cell that a value is in: the first bucket that it can be
	// in, and after it the last. There are cells up to that of the last limit.
	first []uint8
}

// maxLinear is how far limits may lie apart for the bucket to be computed in 64
// bits.
const maxLinear = 1 << 56

func newHistogram(d *attr.Measure, at int) histogram {
	h := histogram{at: at, limits: d.Limits()}
	last := len(h.limits) - 1
	if span := h.limits[last] - h.limits[0]; d.Transform() == attr.Linear && 0 < span && span < maxLinear {
		h.lower, h.span, h.steps = h.limits[0], span, uint64(last)
		return h
	}
	for n := range cell(h.limits[last]) + 1 {
		h.first = append(h.first, uint8(h.search(least(n), 0, last)))
	}
	h.first = append(h.first, uint8(last))
	return h
}

// cell returns the number of the cell that v is in: the first have a value each,
// then there are as many for all values of so many bits.
func cell(v uint64) int {
	shift := max(bits.Len64(v)-1-cellBits, 0)
	return shift<<cellBits + int(v>>shift)
}

const cellBits = 4

// least returns the least value in cell n.
func least(n int) uint64 {
	shift := max(n>>cellBits-1, 0)
	return uint64(n-shift<<cellBits) << shift
}

// search returns the first bucket from low on whose limit is not below v, high
// if there is none before it.
func (h *histogram) search(v uint64, low, high int) int {
	for low < high {
		middle := int(uint(low+high) / 2)
		if h.limits[middle] < v {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// bucket returns the number of the bucket that v is in.
func (h *histogram) bucket(v uint64) int {
	if h.span == 0 {
		last := len(h.limits) - 1
		if v > h.limits[last] {
			return last + 1
		}
		n := cell(v)
		return h.search(v, int(h.first[n]), int(h.first[n+1]))
	}
	if v <= h.lower {
		return 0
	}
	if v -= h.lower; v > h.span {
		return len(h.limits)
	}
	// The first i for which span i / steps, cut off, is at least v.
	return int((v*h.steps + h.span - 1) / h.span)
}
