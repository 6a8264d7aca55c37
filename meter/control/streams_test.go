package control

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/ruleset/attr"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/traces"
)

// lifetimes downloads a ruleset with a flow for each destination, and a
// distribution of how long its streams last: up to 0 s, 1 s, and longer.
func lifetimes(index int) string {
	return fmt.Sprintf(`flowRuleInfoStatus.%[1]d=4 flowRuleInfoSize.%[1]d=4
		flowRuleSelector.%[1]d.1=0 flowRuleMask.%[1]d.1=h00 flowRuleMatchedValue.%[1]d.1=h00 flowRuleAction.%[1]d.1=13 flowRuleParameter.%[1]d.1=2
		flowRuleSelector.%[1]d.2=19 flowRuleMask.%[1]d.2=hffffffff flowRuleMatchedValue.%[1]d.2=h00 flowRuleAction.%[1]d.2=15 flowRuleParameter.%[1]d.2=3
		flowRuleSelector.%[1]d.3=84 flowRuleMask.%[1]d.3=h0103000003e8 flowRuleMatchedValue.%[1]d.3=h020000000000 flowRuleAction.%[1]d.3=15 flowRuleParameter.%[1]d.3=4
		flowRuleSelector.%[1]d.4=0 flowRuleMask.%[1]d.4=h00 flowRuleMatchedValue.%[1]d.4=h00 flowRuleAction.%[1]d.4=4 `, index)
}

// lasted returns the counters of that distribution of a flow, read as its column
// in flowDataTable, in hex.
func (r *rig) lasted(ruleSet, flow int) string {
	r.t.Helper()
	out := make([]smi.VarBind, 1)
	r.h.Get([]smi.OID{module.FlowDataEntry.At(84, uint32(ruleSet), 0, uint32(flow))}, out)
	if out[0].Value.Type != smi.OctetString {
		return out[0].Value.Type.String()
	}
	object := hex.EncodeToString(out[0].Value.Octets)
	const parameters = "301b" + "0406" + "0103000003e8" + "0406" + "020000000000"
	if len(object) < len(parameters) || object[:len(parameters)] != parameters {
		r.t.Errorf("the object is %s", object)
		return ""
	}
	return object[len(parameters):]
}

// What lasted returns: none, one stream of one packet, two.
const (
	endedNone = "3009" + "460100" + "460100" + "460100"
	endedOne  = "3009" + "460101" + "460100" + "460100"
	endedTwo  = "3009" + "460102" + "460100" + "460100"
)

// TestControlledStreams follows streams while their ruleset is started, stopped,
// started again and destroyed.
func TestControlledStreams(t *testing.T) {
	r := newRig(t, Config{})
	active := func() (n int) {
		r.m.Do(func() { n = r.m.meter.Stats().Streams.Active })
		return n
	}
	r.set(lifetimes(2) + runTask(1, 2, 0, 0))
	r.feed(to(1, 0), to(2, 1))
	r.want("streams", active(), 2)
	r.want("none has ended", r.lasted(2, 1), endedNone)
	r.want("which distributions there are", r.get("flowDataEntry.65.2.0.1"), 1<<(84-66))
	r.feed(to(2, 5.5))
	r.want("one has ended", r.lasted(2, 1), endedOne)
	r.want("flows that have changed since 5.01 s", r.flows(2, 501), "1:1 2:2")

	r.set("flowManagerCurrentRuleSet.1=0")
	r.feed(to(1, 6))
	r.want("streams of a stopped ruleset", active(), 1)
	r.feed(to(1, 200))
	r.want("streams of a stopped ruleset, in the end", active(), 0)

	r.set("flowManagerCurrentRuleSet.1=2")
	r.feed(to(1, 201))
	r.want("streams of a ruleset that runs again", active(), 1)
	r.feed(to(2, 210))
	r.want("a second stream has ended", r.lasted(2, 1), endedTwo)

	// A destroyed ruleset takes its streams along, at once.
	r.set(lifetimes(3) + "flowManagerCurrentRuleSet.1=3")
	r.feed(to(1, 211))
	r.want("streams of both rulesets", active(), 2)
	r.set("flowRuleInfoStatus.2=6")
	r.feed(to(3, 212), to(3, 212))
	r.want("flows of a destroyed ruleset", r.flows(2, 0), "")
	r.want("flows of another", r.get("flowRuleInfoFlowRecords.3"), 2)
	r.want("streams of another", active(), 2)
	r.set("flowManagerStatus.1=6 flowRuleInfoStatus.3=6")
	r.feed(to(1, 213))
	r.want("streams without rulesets", active(), 0)
	r.want("made", int(r.m.meter.Stats().Streams.Created), 6)
}

// TestStreamsOfOtherForms has a ruleset with streams of UDP begin in the middle of
// a batch that was prepared for one with ICMP's.
func TestStreamsOfOtherForms(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{Interval: 10 * time.Second}})
	state := func(want mib.TraceState) {
		t.Helper()
		for range 4000 {
			if r.get("rtfmTraceState.0") == int64(want) {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("state %d, want %d", r.get("rtfmTraceState.0"), want)
	}
	echoes := strings.NewReplacer("=84 ", fmt.Sprintf("=%d ", attr.ToTurnaroundTime), "h020000000000", "h020100000000").Replace(lifetimes(2))
	r.set(echoes + runTask(1, 2, 0, 0) + " flowReaderStatus.1=4 flowReaderRuleSet.1=2")
	state(mib.TraceReading)
	<-r.src.waiting
	other := to(1, 12)
	other.Data[29]++ // of the source address
	r.src.batches <- []traces.Packet{to(1, 0), to(2, 9), to(1, 11), other, to(2, 13), to(1, 14)}
	state(mib.TraceWaitingForReader)
	r.m.Do(func() {
		if s := r.m.meter.Stats().Streams; s.Created != 0 {
			t.Errorf("%d streams of a ruleset that wants none of UDP", s.Created)
		}
	})
	r.set(lifetimes(3) + "flowManagerCurrentRuleSet.1=3")
	r.set("flowReaderLastTime.1=t rtfmTraceState.0=3")
	<-r.src.waiting
	r.want("streams of the other one", r.m.meter.Stats().Streams.Created, 3)
	r.src.waiting <- struct{}{}
}

// TestStreamsAreReadFirst has a flow whose stream ends while it is recovered: it
// stays until its reader has the last counts.
func TestStreamsAreReadFirst(t *testing.T) {
	cfg := Config{}
	cfg.Streams.Timeout = 1e12 // streams last as long as their flow
	r := newRig(t, cfg)
	r.set(lifetimes(2) + runTask(1, 2, 0, 0) + "flowInactivityTimeout.0=10 flowReaderStatus.1=4 flowReaderRuleSet.1=2")
	r.feed(to(1, 0), to(2, 1))
	r.set("flowReaderLastTime.1=t")
	r.feed(to(2, 2))
	r.set("flowReaderLastTime.1=t")
	r.feed(to(2, 11), to(2, 12))
	r.want("a flow that was idle for 10 s", r.lasted(2, 1), endedOne)
	r.want("flows that have changed since 11 s", r.flows(2, 1100), "1:1 2:4")
	r.set("flowReaderLastTime.1=t")
	r.feed(to(2, 13), to(2, 14))
	r.want("read once", r.lasted(2, 1), endedOne)
	r.set("flowReaderLastTime.1=t")
	r.feed(to(2, 22), to(2, 23))
	r.want("read", r.lasted(2, 1), "noSuchInstance")
}

// TestManyStreamRuleSets runs and destroys rulesets with distributions again and
// again: what they had is given back.
func TestManyStreamRuleSets(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{MaxFlows: 2000}})
	for i := range 50 {
		r.set(lifetimes(2) + runTask(1, 2, 0, 0))
		var packets []traces.Packet
		for n := range 1000 {
			packets = append(packets, to(n, float64(i)))
		}
		r.feed(packets...)
		r.want("flows", r.get("flowRuleInfoFlowRecords.2"), 1000)
		r.set("flowManagerStatus.1=6 flowRuleInfoStatus.2=6")
		r.feed(to(0, float64(i)))
		r.m.Do(func() {
			if s := r.m.meter.Stats(); s.Active != 0 || s.Streams.Active != 0 {
				t.Fatalf("round %d: %d flows and %d streams are left", i, s.Active, s.Streams.Active)
			}
		})
	}
}
