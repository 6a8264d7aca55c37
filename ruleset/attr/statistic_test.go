package attr

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestForm sees that just the statistics have a form of their own.
func TestForm(t *testing.T) {
	for i := range attributes {
		if a := &attributes[i]; (a.Attr.Form() != FormBuckets) != (a.Class == ClassStatistic) {
			t.Errorf("%s: form %d, class %d", a.Name, a.Attr.Form(), a.Class)
		}
	}
}

// TestAppendSumOfSquares compares sums with what package math/big writes.
func TestAppendSumOfSquares(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	some := []uint64{0, 1, 9, partOfDigits - 1, partOfDigits, partOfDigits + 1, 5421010862427522170, 5421010862427522169, math.MaxUint64 - 1, math.MaxUint64}
	for range 200 {
		some = append(some, r.Uint64()>>r.IntN(64))
	}
	var stats [statNumbers]uint64
	for _, stats[StatSquaresHigh] = range some {
		for _, stats[StatSquaresLow] = range some {
			if got, want := string(AppendSumOfSquares(nil, stats[:])), SumOfSquares(stats[:]).String(); got != want {
				t.Fatalf("%d, %d: %s, want %s", stats[StatSquaresHigh], stats[StatSquaresLow], got, want)
			}
		}
	}
}
