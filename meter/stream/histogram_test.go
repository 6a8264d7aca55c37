package stream

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"rtfm/ruleset/attr"
)

// TestBuckets finds the buckets of values at and beside all limits, and of
// others, and compares them with what a search through the limits finds.
func TestBuckets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 300 {
		transform, buckets := 1+i%2, 1+r.IntN(255)
		lower, upper, scale := r.IntN(1<<r.IntN(17)), 0, r.IntN(15)
		switch {
		case buckets == 1:
			upper = lower
		case lower < 65535:
			upper = lower + 1 + r.IntN(65535-lower)
		}
		if transform == attr.Logarithmic {
			lower = max(lower, 1)
		}
		d := attr.Measure{
			Attr: attr.ToPacketSize, Mask: attr.MakeValue(byte(transform), byte(scale), byte(lower>>8), byte(lower), byte(upper>>8), byte(upper)),
			Value: attr.MakeValue(byte(buckets), 0, 0, 0, 0, 0),
		}
		if d.Check() != nil {
			continue
		}
		h := newHistogram(&d, 0)
		limits := d.Limits()
		values := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1}
		for _, limit := range limits {
			values = append(values, limit-1, limit, limit+1, r.Uint64N(limit+1))
		}
		for _, v := range values {
			if got, want := h.bucket(v), sort.Search(len(limits), func(i int) bool { return v <= limits[i] }); got != want {
				t.Fatalf("%v: %d is in bucket %d, want %d", fmt.Sprint(d.Mask, " = ", d.Value), v, got, want)
			}
		}
	}
}

// TestCells has each cell begin where the one before it ends.
func TestCells(t *testing.T) {
	for n := 1; n <= cell(math.MaxUint64); n++ {
		if v := least(n); cell(v) != n || cell(v-1) != n-1 {
			t.Fatalf("%d, the least value of cell %d, is in cell %d, and the one before in %d", v, n, cell(v), cell(v-1))
		}
	}
}
