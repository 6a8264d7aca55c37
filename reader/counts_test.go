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
	before := &Counts{LostAt: []flowfile.Number{{Name: "2", Value: 5}, {Name: "eth0", Value: 7}, {Name: "11", Value: 9}}}
	now, places := new(Counts), make(map[string]int)
	for _, at := range []flowfile.Number{{Name: "1", Value: 1}, {Name: "2", Value: 8}, {Name: "eth0", Value: 3}, {Name: "11", Value: 4}, {Name: "eth0", Value: 4}} {
		now.addLost(places, at.Name, at.Value)
	}
	want := []flowfile.Number{{Name: "lost-1", Value: 1}, {Name: "lost-2", Value: 3}, {Name: "lost-eth0", Value: 0}, {Name: "lost-11", Value: 4}}
	if got := summary(now, before, 1, new(client.Status)).More; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
