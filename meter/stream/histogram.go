package stream

import (
	"math/bits"

	"rtfm/ruleset"
)

// histogram is a distribution's place in a flow's counters, and what finds the
// bucket of a value.
type histogram struct {
	at     int // of the first counter
	limits []uint64
	// Of a linear distribution whose limits are low enough: the first limit,
	// how much higher the last one is, and how many steps there are between.
	lower, span, steps uint64
	// Of others, by the bits that a value has: the first bucket that it can be
	// in, and behind it the last.
	first [66]uint8
}

// maxSpan is how far limits may lie apart for the bucket to be computed in 64
// bits.
const maxSpan = 1 << 56

func newHistogram(d *ruleset.Distribution, at int) histogram {
	h := histogram{at: at, limits: d.Limits()}
	last := len(h.limits) - 1
	if span := h.limits[last] - h.limits[0]; d.Transform() == ruleset.Linear && 0 < span && span < maxSpan {
		h.lower, h.span, h.steps = h.limits[0], span, uint64(last)
		return h
	}
	for n := range h.first {
		least := uint64(0) // of n bits
		if n > 0 {
			least = 1 << (n - 1)
		}
		if n > 64 {
			h.first[n] = uint8(last + 1)
			continue
		}
		h.first[n] = uint8(h.search(least, 0, last+1))
	}
	return h
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
		n := bits.Len64(v)
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
