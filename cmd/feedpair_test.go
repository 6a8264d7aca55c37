package cmd

import (
	"testing"

	"rtfm/reader/feed"
)

func TestAreStrangers(t *testing.T) {
	for _, tc := range []struct {
		c    feed.PairCounts
		want bool
	}{
		{feed.PairCounts{}, false},
		{feed.PairCounts{Only: [2]uint64{999, 5000}}, false},
		{feed.PairCounts{Only: [2]uint64{1000, 5000}}, true},
		{feed.PairCounts{Only: [2]uint64{1000, 5000}, Both: 100}, true},
		{feed.PairCounts{Only: [2]uint64{1000, 5000}, Both: 101}, false},
		{feed.PairCounts{Only: [2]uint64{0, 5000}}, false}, // the other meter is away
	} {
		if got := areStrangers(tc.c); got != tc.want {
			t.Errorf("%+v: %v", tc.c, got)
		}
	}
}
