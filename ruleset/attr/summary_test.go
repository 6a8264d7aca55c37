package attr

import "testing"

// TestSummaryOfWholeNumbers has values that buckets of one number tell exactly.
func TestSummaryOfWholeNumbers(t *testing.T) {
	if s := Summarise([]uint64{0, 1, 2}, []uint64{22, 7, 1, 0}); s.Count != 30 || s.Mean != 0.3 || s.Quantiles != [...]uint64{0, 1, 2} {
		t.Errorf("%+v", s)
	}
}
