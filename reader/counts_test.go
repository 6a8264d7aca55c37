package reader

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/record"
)

// TestRuleSetNumbers has one ruleset that has counted, one that was destroyed and
// another put in its place, one that has seen its first packets only while the
// flows were read, and one that has never seen any.
func TestRuleSetNumbers(t *testing.T) {
	before := &record.Counts{RuleSets: map[int]record.RuleSetCounts{
		2: {Packets: 100, Counted: 60, Ignored: 10, Unmatched: 10, Stopped: 10, Uncounted: 10}, 3: {Packets: 50, Counted: 50},
	}}
	now := &record.Counts{RuleSets: map[int]record.RuleSetCounts{
		2: {Packets: 115, Counted: 61, Ignored: 12, Unmatched: 13, Stopped: 14, Uncounted: 15}, 3: {Packets: 7, Counted: 7}, 4: {}, 5: {},
	}}
	sum := record.Summarize(now, before, record.Levels{}, func(ruleSet int) *uint64 { n := map[int]uint64{2: 1, 3: 7, 4: 8}[ruleSet]; return &n })
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
	if all := strings.Join(told, "\n"); len(told) != 4 || !strings.Contains(all, "ruleset 2 has seen 16 packets, of which 1 were counted, 2 ignored, 3 unmatched, 4 stopped and 5 uncounted, in sum 15") || !strings.Contains(all, "ruleset 4 has counted 0 packets, its flows have 8") {
		t.Errorf("told is %q", told)
	}
}
