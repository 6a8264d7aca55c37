package reader

import (
	"slices"
	"testing"

	"rtfm/mib/client"
	"rtfm/reader/flowfile"
)

// TestSummaryOfLosses has interfaces lose packets, more than before, none since,
// none at all before, and anew after the meter's restart.
func TestSummaryOfLosses(t *testing.T) {
	before := &Counts{LostAt: map[int]uint64{2: 5, 10: 7, 11: 9}}
	now := &Counts{LostAt: map[int]uint64{2: 8, 10: 7, 11: 4, 1: 1}}
	want := []flowfile.Number{{Name: "lost-1", Value: 1}, {Name: "lost-2", Value: 3}, {Name: "lost-10", Value: 0}, {Name: "lost-11", Value: 4}}
	if got := summary(now, before, 1, new(client.Status)).More; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
