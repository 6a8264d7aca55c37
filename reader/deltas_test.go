package reader

import (
	"slices"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/reader/flowfile"
)

// TestDeltasOfDistributions follows the counters of a flow's distributions.
func TestDeltasOfDistributions(t *testing.T) {
	var shapes match.Shapes
	f := match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 0, 0, nil)}, Index: 3, FirstTime: 5}
	var d Deltas
	for i, step := range []struct {
		first    int64
		counters [][]uint64
		want     []uint64
	}{
		{5, [][]uint64{{1, 2}, {3}}, []uint64{1, 2, 3}},
		{5, [][]uint64{{1, 5}, {10}}, []uint64{0, 3, 7}},
		{5, [][]uint64{{1, 5}, {10}}, []uint64{0, 0, 0}},
		{6, [][]uint64{{1, 5}, {10}}, []uint64{1, 5, 10}}, // another flow
	} {
		f.FirstTime, f.Counters = step.first, step.counters
		got := d.Since(&f)
		clear(step.counters[0]) // are only valid for the moment
		if !slices.Equal(got.Distributions, step.want) {
			t.Errorf("step %d: %v, want %v", i, got.Distributions, step.want)
		}
	}
	if all := flowfile.CountersOf(&f); !slices.Equal(all.Distributions, []uint64{0, 0, 10}) {
		t.Errorf("%+v", all)
	}
}
