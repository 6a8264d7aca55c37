package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rtfm/meter"
	"rtfm/mib"
)

// TestRecovery follows one flow with readers and without.
func TestRecovery(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout int    // InactivityTimeout
		steps   string // <time>: a packet to another host; c<reader>: begins a collection
		readers int
		want    int64 // when it is recovered, -1 never
	}{
		// Recovery looks every 0.1 s of packet time, at blocks in turn.
		{"no reader", 10, "5 9 10 11 12 20 30", 0, 11},
		{"one reader, read twice", 10, "5 c1 8 c1 9 10 11 12", 1, 11},
		{"one reader, read once", 10, "5 c1 8 12 20 30", 1, -1},
		{"one reader, read twice late", 10, "5 12 c1 20 c1 21 22", 1, 21},
		{"two readers, one reads twice", 10, "5 c1 8 c1 c2 9 12 20", 2, -1},
		{"two readers", 10, "5 c1 8 c1 c2 9 12 c2 13 20", 2, 13},
		{"no idle time", 0, "5 c1 8 c1 9 10", 1, 9},
	} {
		r := newRig(t, Config{})
		// Reader 9 is not active, reader 8 reads another ruleset.
		r.set(pairs(2) + runTask(1, 2, 0, 0) + fmt.Sprintf("flowInactivityTimeout.0=%d flowReaderStatus.9=5 flowReaderRuleSet.9=2 flowReaderStatus.8=4 flowReaderRuleSet.8=1", c.timeout))
		for i := range c.readers {
			r.set(fmt.Sprintf("flowReaderStatus.%[1]d=4 flowReaderRuleSet.%[1]d=2", i+1))
		}
		r.feed(to(1, 0), to(2, 0.5))
		recovered := int64(-1)
		for _, s := range strings.Fields(c.steps) {
			if reader, ok := strings.CutPrefix(s, "c"); ok {
				r.set("flowReaderLastTime." + reader + "=t")
				continue
			}
			var at int64
			fmt.Sscan(s, &at)
			r.feed(to(2, float64(at)))
			if recovered < 0 && r.get("flowDataStatus.2.0.1") < 0 {
				recovered = at
			}
		}
		r.want(c.name, recovered, c.want)
		if r.get("flowDataStatus.2.0.2") != 2 {
			t.Errorf("%s: the busy flow was recovered", c.name)
		}
	}
}

// TestReaderTimesOut has a reader that stops reading.
func TestReaderTimesOut(t *testing.T) {
	r := newRig(t, Config{})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "flowReaderStatus.5=4 flowReaderRuleSet.5=2 flowReaderTimeout.5=60 flowReaderStatus.6=4 flowReaderRuleSet.6=2 flowReaderStatus.7=5 flowReaderRuleSet.7=2 flowReaderTimeout.7=1")
	r.feed(to(1, 0))
	r.feed(to(1, 59.5))
	r.set("flowReaderLastTime.5=t")
	r.feed(to(1, 119.4))
	r.want("status before the timeout", r.get("flowReaderStatus.5"), 1)
	r.feed(to(1, 119.7))
	r.want("status after it", r.get("flowReaderStatus.5"), -1)
	r.want("a reader without timeout", r.get("flowReaderStatus.6"), 1)
	r.want("a reader that is not active", r.get("flowReaderStatus.7"), 2)
	want := mib.Notification{Kind: mib.ReaderTimedOut, Index: 5, RuleSet: 2}
	if len(r.told) != 2 || r.told[1] != want {
		t.Errorf("told %+v, want that the meter started and %+v", r.told, want)
	}
}

// TestHighWaterMark fills the flow table.
func TestHighWaterMark(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{MaxFlows: 100}})
	r.set(pairs(2) + pairs(3) + pairs(4) + runTask(1, 2, 1, 65) + runTask(2, 3, 0, 80) + runTask(3, 0, 4, 1) + runTask(4, 1, 0, 100))
	// Three flows of two packets' hosts, and the built-in one's.
	r.feed(many(0, 32, 0)...)
	r.want("flows", r.get("flowActiveFlows.0"), 65)
	r.want("standby at the mark", r.get("flowManagerRunningStandby.1"), 2)
	r.feed(to(32, 1), to(33, 1))
	r.want("standby above the mark", r.get("flowManagerRunningStandby.1"), 1)
	// The packet that passed the mark was counted, the next one was not.
	r.want("flows of ruleset 2", r.get("flowRuleInfoFlowRecords.2"), 33)
	r.want("flows of ruleset 3", r.get("flowRuleInfoFlowRecords.3"), 34)
	r.want("packets of ruleset 1", r.flows(1, 0), "1:34")
	r.want("the task with no current ruleset", r.get("flowManagerRunningStandby.3"), 2)
	r.feed(many(34, 46, 2)...)
	r.want("at the second mark", r.get("flowManagerRunningStandby.2"), 2)
	r.feed(to(46, 3), to(47, 3))
	r.want("above the second mark", r.get("flowManagerRunningStandby.2"), 1)
	r.want("flows of ruleset 3", r.get("flowRuleInfoFlowRecords.3"), 47)
	r.want("flows", r.get("flowActiveFlows.0"), 81)
	// Back, which does not last since the table is still full.
	r.set("flowManagerRunningStandby.2=2")
	r.want("told to go back", r.get("flowManagerRunningStandby.2"), 2)
	r.feed(to(48, 4), to(49, 4))
	r.want("at standby again", r.get("flowManagerRunningStandby.2"), 1)
	r.want("flows of ruleset 3", r.get("flowRuleInfoFlowRecords.3"), 48)
	want := []mib.Notification{
		{Kind: mib.MeterStarted, Identity: r.m.Identity()},
		{Kind: mib.Standby, Index: 1, RuleSet: 2, StandbyRuleSet: 1, Count: 67},
		{Kind: mib.Standby, Index: 2, RuleSet: 3, Count: 81},
		{Kind: mib.StandbyOver, Index: 2, RuleSet: 3, Count: 81},
		{Kind: mib.Standby, Index: 2, RuleSet: 3, Count: 82},
	}
	if !slices.Equal(r.told, want) {
		t.Errorf("told %+v\nwant %+v", r.told, want)
	}
}

// TestFlood has the flow table pass FloodMark.
func TestFlood(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{MaxFlows: 100}})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "flowInactivityTimeout.0=10")
	r.feed(many(0, 95, 0)...)
	r.want("flood mode at 95 %", r.get("flowFloodMode.0"), 2)
	r.feed(to(95, 1), to(96, 1), to(97, 1))
	r.want("flood mode above", r.get("flowFloodMode.0"), 1)
	r.want("flows of ruleset 2", r.get("flowRuleInfoFlowRecords.2"), 96)
	r.want("flows of ruleset 1", r.flows(1, 0), "1025:2")
	r.want("the task", r.get("flowManagerRunningStandby.1"), 2)
	r.feed(to(1, 12), to(1, 13)) // the others are recovered
	r.want("flows", r.get("flowActiveFlows.0"), 1)
	r.want("flood mode when it has receded", r.get("flowFloodMode.0"), 1)
	r.set("flowFloodMode.0=2")
	r.feed(to(1, 14))
	r.want("flows of ruleset 2, run again", r.get("flowRuleInfoFlowRecords.2"), 1)
	r.set("flowFloodMode.0=1")
	r.feed(to(2, 15))
	r.want("flows of ruleset 2 in flood mode by a manager", r.get("flowRuleInfoFlowRecords.2"), 1)
	r.want("floods", r.get("rtfmMeterFloods.0"), 2)
	if want := []mib.Notification{
		{Kind: mib.MeterStarted, Identity: r.m.Identity()}, {Kind: mib.Flood, Count: 96}, {Kind: mib.FloodOver, Count: 1}, {Kind: mib.Flood, Count: 2},
	}; !slices.Equal(r.told, want) {
		t.Errorf("told %+v, want %+v", r.told, want)
	}
	for _, mark := range []int{0, 100} {
		r := newRig(t, Config{Config: meter.Config{MaxFlows: 10}})
		r.set(fmt.Sprintf("%s%sflowFloodMark.0=%d", pairs(2), runTask(1, 2, 1, mark), mark))
		r.feed(many(0, 20, 0)...)
		r.want("flood mode without a mark", r.get("flowFloodMode.0"), 2)
		r.want("standby without a mark", r.get("flowManagerRunningStandby.1"), 2)
		r.want("uncounted", r.get("rtfmRuleSetUncounted.2"), 10)
	}
}

// TestFullTableIsTold has packets find no room in the flow table of a meter
// without marks, and looks when it tells of them.
func TestFullTableIsTold(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{MaxFlows: 10}})
	r.set(pairs(2) + pairs(3) + runTask(1, 2, 0, 0) + runTask(2, 3, 0, 0) + "flowFloodMark.0=0")
	r.feed(many(0, 5, 0)...)
	r.feed(many(0, 5, 1)...)
	r.want("uncounted", r.get("rtfmRuleSetUncounted.2"), 0)
	r.feed(many(5, 12, 2)...)
	r.feed(many(0, 5, 3)...)
	r.feed(many(5, 9, 4)...)
	r.feed(many(0, 5, 62)...) // a minute later
	r.feed(many(0, 5, 63.5)...)
	want := []mib.Notification{
		{Kind: mib.MeterStarted, Identity: r.m.Identity()},
		{Kind: mib.TableFull, Index: 2, RuleSet: 2, Count: 7}, {Kind: mib.TableFull, Index: 3, RuleSet: 3, Count: 7},
		{Kind: mib.TableFull, Index: 2, RuleSet: 2, Count: 11}, {Kind: mib.TableFull, Index: 3, RuleSet: 3, Count: 11},
	}
	if !slices.Equal(r.told, want) {
		t.Errorf("told %+v\nwant %+v", r.told, want)
	}
	for i := range 2 {
		packets, sum := r.get(fmt.Sprint("rtfmRuleSetPackets.", i+2)), int64(0)
		for _, became := range []string{"Matched", "Ignored", "Unmatched", "Stopped", "Uncounted"} {
			sum += r.get(fmt.Sprintf("rtfmRuleSet%s.%d", became, i+2))
		}
		if packets != 36 || sum != packets {
			t.Errorf("ruleset %d has seen %d packets, %d are told", i+2, packets, sum)
		}
	}
}

// TestFloodRecedes enters flood mode with flows that were collected. They are
// recovered long before they are idle, until the table is far below the mark;
// those that a reader still has to collect are kept.
func TestFloodRecedes(t *testing.T) {
	for _, collected := range []bool{true, false} {
		r := newRig(t, Config{Config: meter.Config{MaxFlows: 10_000}})
		r.set(pairs(2) + runTask(1, 2, 0, 0) + "flowFloodMark.0=80 flowReaderStatus.5=4 flowReaderRuleSet.5=2")
		r.feed(many(0, 8100, 0)...)
		r.want("flood mode", r.get("flowFloodMode.0"), 1)
		before := r.get("flowRuleInfoFlowRecords.2")
		r.feed(to(1, 1))
		if collected {
			r.set("flowReaderLastTime.5=t0")
			r.feed(to(1, 2))
			r.set("flowReaderLastTime.5=t0")
		}
		for i := range 20 {
			r.feed(to(1, 3+float64(i)/5))
		}
		if after := r.get("flowRuleInfoFlowRecords.2"); collected && after >= 8000/2 || !collected && after != before {
			t.Errorf("collected %v: %d flows are left of %d", collected, after, before)
		}
	}
}

// TestFullTableRecoversWhatWasRead passes a mark with flows that were collected
// but are not idle yet.
func TestFullTableRecoversWhatWasRead(t *testing.T) {
	for _, reader := range []bool{true, false} {
		r := newRig(t, Config{Config: meter.Config{MaxFlows: 100}})
		r.set(pairs(2) + runTask(1, 2, 2, 50))
		if reader {
			r.set("flowReaderStatus.5=4 flowReaderRuleSet.5=2")
		}
		r.feed(many(0, 60, 0)...)
		r.feed(to(0, 1))
		if reader {
			r.set("flowReaderLastTime.5=t")
			r.set("flowReaderLastTime.5=t")
		}
		r.feed(to(0, 2))
		want := 60
		if reader {
			want = 1
		}
		r.want(fmt.Sprint("flows with a reader ", reader), r.get("flowActiveFlows.0"), want)
	}
}
