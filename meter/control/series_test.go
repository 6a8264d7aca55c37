package control

import (
	"fmt"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/traces"
)

// TestSeriesOfDestroyedRuleSet destroys a ruleset, and the one that is then made with
// its index, within a second: what both have seen counts under that index.
func TestSeriesOfDestroyedRuleSet(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{MaxFlows: 10_000, Series: meter.SeriesConfig{Interval: time.Second}}})
	destroy := "flowManagerStatus.1=6 flowRuleInfoStatus.3=6"
	r.set(pairs(3) + runTask(1, 3, 0, 0))
	var many []traces.Packet
	for n := range 8000 { // more than are destroyed at once
		many = append(many, to(n, 0))
	}
	r.feed(many...)
	r.set(destroy)
	r.set(pairs(3) + runTask(1, 3, 0, 0))
	r.feed(to(1, 0.1), to(2, 0.1))
	r.set(destroy)
	for range 9 {
		r.feed(to(1, 0.2))
	}
	r.feed(to(1, 1))
	i, _ := r.m.Series().Next(1)
	var got []string
	for _, row := range i.Rows {
		if !row.IsInterface() {
			got = append(got, fmt.Sprintf("%d: %d packets", row.RuleSet, row.PDUs))
		}
	}
	r.want("rulesets", got, "[3: 8002 packets]")
}
