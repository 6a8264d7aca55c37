package reader

import (
	"fmt"
	"slices"
	"strings"
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

// TestRuleSetNumbers has one ruleset that has counted, one that was destroyed and
// another put in its place, one that has seen its first packets only while the
// flows were read, and one that has never seen any.
func TestRuleSetNumbers(t *testing.T) {
	before := &Counts{RuleSets: map[int]ruleSetCounts{
		2: {Packets: 100, Matched: 60, Ignored: 10, Unmatched: 10, Stopped: 10, Uncounted: 10}, 3: {Packets: 50, Matched: 50},
	}}
	now := &Counts{RuleSets: map[int]ruleSetCounts{
		2: {Packets: 115, Matched: 61, Ignored: 12, Unmatched: 13, Stopped: 14, Uncounted: 15}, 3: {Packets: 7, Matched: 7}, 4: {}, 5: {},
	}}
	sum := summary(now, before, 1, new(client.Status))
	now.finish(&sum, func(ruleSet int) *uint64 { n := map[int]uint64{2: 1, 3: 7, 4: 8}[ruleSet]; return &n })
	var told []string
	k := &Collector{cfg: Config{Warn: func(err error) { told = append(told, err.Error()) }}}
	k.tell(&sum, false)
	var got []string
	for _, r := range sum.RuleSets {
		got = append(got, fmt.Sprint(r.RuleSet, r.Packets, r.Counted, r.Ignored, r.Unmatched, r.Stopped, r.Uncounted, *r.Collected))
	}
	if want := []string{"2 15 1 2 3 4 5 1", "3 7 7 0 0 0 0 7", "4 0 0 0 0 0 0 8"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if sum.Stopped != 4 || sum.Uncounted != 5 || sum.Ignored != 2 || sum.Unmatched != 3 {
		t.Errorf("the sums are %+v", sum)
	}
	if len(told) != 2 || !strings.Contains(told[0], "5 packets of the interval are in no flow") || !strings.Contains(told[1], "4 packets of the interval hit a limit") {
		t.Errorf("told is %q", told)
	}
	// A meter that miscounts, and flows that have not what was counted.
	told = nil
	sum.RuleSets[0].Packets++
	k.tell(&sum, true)
	if all := strings.Join(told, "\n"); len(told) != 4 || !strings.Contains(all, "ruleset 2 has seen 16 packets, of which 15 are told") || !strings.Contains(all, "ruleset 4 has counted 0 packets, its flows have 8") {
		t.Errorf("told is %q", told)
	}
}
