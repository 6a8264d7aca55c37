package ipfix

import (
	"math/rand/v2"
	"testing"
)

// TestTime: a time that is written is read again, to the nanosecond.
func TestTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, ns := range []int64{0, 1, 999_999_999, 1_000_000_000, 2085978495_999999999, 2085978496_000000000} {
		if got := Nanoseconds(Time(ns)); got != ns {
			t.Errorf("%d is read as %d", ns, got)
		}
	}
	for range 1_000_000 {
		ns := r.Int64N(4294967296_000000000)
		if got := Nanoseconds(Time(ns)); got != ns {
			t.Fatalf("%d is read as %d", ns, got)
		}
	}
}
