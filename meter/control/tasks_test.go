package control

import (
	"testing"
)

// TestTasks starts, switches and stops tasks.
func TestTasks(t *testing.T) {
	r := newRig(t, Config{})
	r.feed(to(1, 0), to(2, 1))
	r.want("built-in flows at the start", r.flows(1, 0), "1:2")
	r.set(pairs(2) + pairs(3) + runTask(7, 2, 0, 0))
	r.feed(to(1, 2), to(2, 3), to(1, 4))
	r.want("built-in flows when a task runs", r.flows(1, 0), "1:2")
	r.want("ruleset 2", r.flows(2, 0), "1025:2 1026:1")
	r.want("its flow records", r.get("flowRuleInfoFlowRecords.2"), 2)
	r.want("active flows", r.get("flowActiveFlows.0"), 3)
	r.set(runTask(8, 2, 0, 0)) // a second task with the same ruleset
	r.feed(to(1, 5))
	r.want("ruleset of two tasks", r.flows(2, 0), "1025:3 1026:1")
	r.set("flowManagerCurrentRuleSet.7=3")
	r.feed(to(1, 6))
	r.want("ruleset 2, still run by one task", r.flows(2, 0), "1025:4 1026:1")
	r.want("ruleset 3", r.flows(3, 0), "2049:1")
	r.set("flowManagerStatus.8=6")
	r.feed(to(1, 7))
	r.want("ruleset 2, stopped", r.flows(2, 0), "1025:4 1026:1")
	r.set("flowManagerCurrentRuleSet.7=0")
	r.feed(to(1, 8))
	r.want("ruleset 3, stopped", r.flows(3, 0), "2049:2")
	r.want("built-in flows without tasks", r.flows(1, 0), "1:2")
	r.set("flowManagerCurrentRuleSet.7=3")
	r.feed(to(1, 9), to(2, 9))
	r.want("ruleset 3, started again", r.flows(3, 0), "2049:3 2050:1")
	r.want("active since 9 s", r.flows(3, 900), "2049:3 2050:1")
	r.want("ruleset 2 active since 6 s", r.flows(2, 600), "1025:4")
	r.want("its last time", r.get("flowDataLastActiveTime.2.0.1025"), 600)
	r.want("matched packets of ruleset 3", r.get("rtfmRuleSetMatched.3"), 4)
	r.want("matched packets of ruleset 1", r.get("rtfmRuleSetMatched.1"), 2)
	r.set("flowManagerStatus.7=6")
	r.feed(to(1, 10))
	r.want("built-in flows when the last task is gone", r.flows(1, 0), "1:2")
}

// TestDestroy destroys rulesets with their flows.
func TestDestroy(t *testing.T) {
	r := newRig(t, Config{})
	r.set(pairs(2) + pairs(3) + runTask(1, 2, 0, 0) + runTask(2, 3, 0, 0))
	r.feed(to(1, 0), to(2, 1))
	r.set("flowManagerStatus.1=6")
	// An undone destruction leaves the flows.
	x, err := r.h.Test(bindings(t, "flowRuleInfoStatus.2=6"))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Commit(); err != nil {
		t.Fatal(err)
	}
	r.want("flows of a destroyed ruleset", r.flows(2, 0), "")
	x.Undo()
	x.Cleanup()
	r.feed(to(3, 2))
	r.want("flows after the undo", r.flows(2, 0), "1:1 2:1")
	r.set("flowRuleInfoStatus.2=6")
	r.want("flows of a destroyed ruleset", r.flows(2, 0), "")
	r.want("active flows", r.get("flowActiveFlows.0"), 3)
	// Another ruleset takes the index before the flows are gone.
	r.set(pairs(2) + runTask(1, 2, 0, 0))
	r.want("flows of a new ruleset", r.flows(2, 0), "")
	r.feed(to(1, 3))
	r.want("flows of a new ruleset, after a packet", r.get("flowRuleInfoFlowRecords.2"), 1)
	r.want("flows of ruleset 3", r.flows(3, 0), "1025:2 1026:1 1027:1")
	r.want("active flows", r.get("flowActiveFlows.0"), 4)
	r.want("recovered", r.get("rtfmMeterFlowsRecovered.0"), 2)
	r.m.Do(func() {
		for n, s := range r.m.slots {
			if s != nil && s.doomed {
				t.Errorf("slot %d is still there", n)
			}
		}
	})
}

// TestManyRuleSets makes and destroys more rulesets than there are numbers.
func TestManyRuleSets(t *testing.T) {
	r := newRig(t, Config{})
	for i := range 600 {
		r.set(pairs(2) + runTask(1, 2, 0, 0))
		if i%300 == 0 {
			r.feed(to(1, float64(i)))
			r.want("flows", r.get("flowRuleInfoFlowRecords.2"), 1)
		}
		r.set("flowManagerStatus.1=6 flowRuleInfoStatus.2=6")
	}
}
