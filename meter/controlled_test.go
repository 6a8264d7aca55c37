package meter

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rtfm/ruleset/match"

	"rtfm/mib"
	"rtfm/mib/smi"
	"rtfm/ruleset"
	"rtfm/traces"
)

// TestTasks starts, switches and stops tasks.
func TestTasks(t *testing.T) {
	r := newRig(t, ControlConfig{})
	r.feed(to(1, 0), to(2, 1))
	r.want("built-in flows at the start", r.flows(1, 0), "1:2")
	r.set(pairs(2) + pairs(3) + runTask(7, 2, 0, 0))
	r.feed(to(1, 2), to(2, 3), to(1, 4))
	r.want("built-in flows when a task runs", r.flows(1, 0), "1:2")
	r.want("ruleset 2", r.flows(2, 0), "1025:2 1026:1")
	r.want("its flow records", r.get("1.1.1.8.2"), 2)
	r.want("active flows", r.get("1.7.0"), 3)
	r.set(runTask(8, 2, 0, 0)) // a second task with the same ruleset
	r.feed(to(1, 5))
	r.want("ruleset of two tasks", r.flows(2, 0), "1025:3 1026:1")
	r.set("1.4.1.2.7=3")
	r.feed(to(1, 6))
	r.want("ruleset 2, still run by one task", r.flows(2, 0), "1025:4 1026:1")
	r.want("ruleset 3", r.flows(3, 0), "2049:1")
	r.set("1.4.1.8.8=6")
	r.feed(to(1, 7))
	r.want("ruleset 2, stopped", r.flows(2, 0), "1025:4 1026:1")
	r.set("1.4.1.2.7=0")
	r.feed(to(1, 8))
	r.want("ruleset 3, stopped", r.flows(3, 0), "2049:2")
	r.want("built-in flows without tasks", r.flows(1, 0), "1:2")
	r.set("1.4.1.2.7=3")
	r.feed(to(1, 9), to(2, 9))
	r.want("ruleset 3, started again", r.flows(3, 0), "2049:3 2050:1")
	r.want("active since 9 s", r.flows(3, 900), "2049:3 2050:1")
	r.want("ruleset 2 active since 6 s", r.flows(2, 600), "1025:4")
	r.want("its last time", r.get("2.1.1.32.2.0.1025"), 600)
	r.want("matched packets of ruleset 3", r.get("x.1.3.1.1.3"), 4)
	r.want("matched packets of ruleset 1", r.get("x.1.3.1.1.1"), 2)
	r.set("1.4.1.8.7=6")
	r.feed(to(1, 10))
	r.want("built-in flows when the last task is gone", r.flows(1, 0), "1:2")
}

// TestDestroy destroys rulesets with their flows.
func TestDestroy(t *testing.T) {
	r := newRig(t, ControlConfig{})
	r.set(pairs(2) + pairs(3) + runTask(1, 2, 0, 0) + runTask(2, 3, 0, 0))
	r.feed(to(1, 0), to(2, 1))
	r.set("1.4.1.8.1=6")
	// An undone destruction leaves the flows.
	x, err := r.h.Test(bindings(t, "1.1.1.5.2=6"))
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
	r.set("1.1.1.5.2=6")
	r.want("flows of a destroyed ruleset", r.flows(2, 0), "")
	r.want("active flows", r.get("1.7.0"), 3)
	// Another ruleset takes the index before the flows are gone.
	r.set(pairs(2) + runTask(1, 2, 0, 0))
	r.want("flows of a new ruleset", r.flows(2, 0), "")
	r.feed(to(1, 3))
	r.want("flows of a new ruleset, after a packet", r.get("1.1.1.8.2"), 1)
	r.want("flows of ruleset 3", r.flows(3, 0), "1025:2 1026:1 1027:1")
	r.want("active flows", r.get("1.7.0"), 4)
	r.want("recovered", r.get("x.1.1.7.0"), 2)
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
	r := newRig(t, ControlConfig{})
	for i := range 600 {
		r.set(pairs(2) + runTask(1, 2, 0, 0))
		if i%300 == 0 {
			r.feed(to(1, float64(i)))
			r.want("flows", r.get("1.1.1.8.2"), 1)
		}
		r.set("1.4.1.8.1=6 1.1.1.5.2=6")
	}
}

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
		r := newRig(t, ControlConfig{})
		// Reader 9 is not active, reader 8 reads another ruleset.
		r.set(pairs(2) + runTask(1, 2, 0, 0) + fmt.Sprintf("1.6.0=%d 1.3.1.6.9=5 1.3.1.7.9=2 1.3.1.6.8=4 1.3.1.7.8=1", c.timeout))
		for i := range c.readers {
			r.set(fmt.Sprintf("1.3.1.6.%[1]d=4 1.3.1.7.%[1]d=2", i+1))
		}
		r.feed(to(1, 0), to(2, 0.5))
		recovered := int64(-1)
		for _, s := range strings.Fields(c.steps) {
			if reader, ok := strings.CutPrefix(s, "c"); ok {
				r.set("1.3.1.4." + reader + "=t")
				continue
			}
			var at int64
			fmt.Sscan(s, &at)
			r.feed(to(2, float64(at)))
			if recovered < 0 && r.get("2.1.1.3.2.0.1") < 0 {
				recovered = at
			}
		}
		r.want(c.name, recovered, c.want)
		if r.get("2.1.1.3.2.0.2") != 2 {
			t.Errorf("%s: the busy flow was recovered", c.name)
		}
	}
}

// TestReaderTimesOut has a reader that stops reading.
func TestReaderTimesOut(t *testing.T) {
	r := newRig(t, ControlConfig{})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "1.3.1.6.5=4 1.3.1.7.5=2 1.3.1.2.5=60 1.3.1.6.6=4 1.3.1.7.6=2 1.3.1.6.7=5 1.3.1.7.7=2 1.3.1.2.7=1")
	r.feed(to(1, 0))
	r.feed(to(1, 59.5))
	r.set("1.3.1.4.5=t")
	r.feed(to(1, 119.4))
	r.want("status before the timeout", r.get("1.3.1.6.5"), 1)
	r.feed(to(1, 119.7))
	r.want("status after it", r.get("1.3.1.6.5"), -1)
	r.want("a reader without timeout", r.get("1.3.1.6.6"), 1)
	r.want("a reader that is not active", r.get("1.3.1.6.7"), 2)
	want := mib.Notification{Kind: mib.ReaderTimedOut, Index: 5, RuleSet: 2}
	if len(r.told) != 2 || r.told[1] != want {
		t.Errorf("told %+v, want that the meter started and %+v", r.told, want)
	}
}

// many returns packets to hosts from..to-1.
func many(from, until int, seconds float64) (packets []traces.Packet) {
	for i := from; i < until; i++ {
		packets = append(packets, to(i, seconds))
	}
	return packets
}

// TestHighWaterMark fills the flow table.
func TestHighWaterMark(t *testing.T) {
	r := newRig(t, ControlConfig{MaxFlows: 100})
	r.set(pairs(2) + pairs(3) + pairs(4) + runTask(1, 2, 1, 65) + runTask(2, 3, 0, 80) + runTask(3, 0, 4, 1) + runTask(4, 1, 0, 100))
	// Three flows of two packets' hosts, and the built-in one's.
	r.feed(many(0, 32, 0)...)
	r.want("flows", r.get("1.7.0"), 65)
	r.want("standby at the mark", r.get("1.4.1.9.1"), 2)
	r.feed(to(32, 1), to(33, 1))
	r.want("standby above the mark", r.get("1.4.1.9.1"), 1)
	// The packet that passed the mark was counted, the next one was not.
	r.want("flows of ruleset 2", r.get("1.1.1.8.2"), 33)
	r.want("flows of ruleset 3", r.get("1.1.1.8.3"), 34)
	r.want("packets of ruleset 1", r.flows(1, 0), "1:34")
	r.want("the task with no current ruleset", r.get("1.4.1.9.3"), 2)
	r.feed(many(34, 46, 2)...)
	r.want("at the second mark", r.get("1.4.1.9.2"), 2)
	r.feed(to(46, 3), to(47, 3))
	r.want("above the second mark", r.get("1.4.1.9.2"), 1)
	r.want("flows of ruleset 3", r.get("1.1.1.8.3"), 47)
	r.want("flows", r.get("1.7.0"), 81)
	// Back, which does not last since the table is still full.
	r.set("1.4.1.9.2=2")
	r.want("told to go back", r.get("1.4.1.9.2"), 2)
	r.feed(to(48, 4), to(49, 4))
	r.want("at standby again", r.get("1.4.1.9.2"), 1)
	r.want("flows of ruleset 3", r.get("1.1.1.8.3"), 48)
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
	r := newRig(t, ControlConfig{MaxFlows: 100})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "1.6.0=10")
	r.feed(many(0, 95, 0)...)
	r.want("flood mode at 95 %", r.get("1.9.0"), 2)
	r.feed(to(95, 1), to(96, 1), to(97, 1))
	r.want("flood mode above", r.get("1.9.0"), 1)
	r.want("flows of ruleset 2", r.get("1.1.1.8.2"), 96)
	r.want("flows of ruleset 1", r.flows(1, 0), "1025:2")
	r.want("the task", r.get("1.4.1.9.1"), 2)
	r.feed(to(1, 12), to(1, 13)) // the others are recovered
	r.want("flows", r.get("1.7.0"), 1)
	r.want("flood mode when it has receded", r.get("1.9.0"), 1)
	r.set("1.9.0=2")
	r.feed(to(1, 14))
	r.want("flows of ruleset 2, run again", r.get("1.1.1.8.2"), 1)
	r.set("1.9.0=1")
	r.feed(to(2, 15))
	r.want("flows of ruleset 2 in flood mode by a manager", r.get("1.1.1.8.2"), 1)
	r.want("floods", r.get("x.1.1.10.0"), 2)
	if want := []mib.Notification{
		{Kind: mib.MeterStarted, Identity: r.m.Identity()}, {Kind: mib.Flood, Count: 96}, {Kind: mib.FloodOver, Count: 1}, {Kind: mib.Flood, Count: 2},
	}; !slices.Equal(r.told, want) {
		t.Errorf("told %+v, want %+v", r.told, want)
	}
	for _, mark := range []int{0, 100} {
		r := newRig(t, ControlConfig{MaxFlows: 10})
		r.set(fmt.Sprintf("%s%s1.5.0=%d", pairs(2), runTask(1, 2, 1, mark), mark))
		r.feed(many(0, 20, 0)...)
		r.want("flood mode without a mark", r.get("1.9.0"), 2)
		r.want("standby without a mark", r.get("1.4.1.9.1"), 2)
		r.want("uncounted", r.get("x.1.3.1.5.2"), 10)
	}
}

// TestFullTableIsTold has packets find no room in the flow table of a meter
// without marks, and looks when it tells of them.
func TestFullTableIsTold(t *testing.T) {
	r := newRig(t, ControlConfig{MaxFlows: 10})
	r.set(pairs(2) + pairs(3) + runTask(1, 2, 0, 0) + runTask(2, 3, 0, 0) + "1.5.0=0")
	r.feed(many(0, 5, 0)...)
	r.feed(many(0, 5, 1)...)
	r.want("uncounted", r.get("x.1.3.1.5.2"), 0)
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
		packets, sum := r.get(fmt.Sprint("x.1.3.1.6.", i+2)), int64(0)
		for column := range 5 {
			sum += r.get(fmt.Sprintf("x.1.3.1.%d.%d", column+1, i+2))
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
		r := newRig(t, ControlConfig{MaxFlows: 10_000})
		r.set(pairs(2) + runTask(1, 2, 0, 0) + "1.5.0=80 1.3.1.6.5=4 1.3.1.7.5=2")
		r.feed(many(0, 8100, 0)...)
		r.want("flood mode", r.get("1.9.0"), 1)
		before := r.get("1.1.1.8.2")
		r.feed(to(1, 1))
		if collected {
			r.set("1.3.1.4.5=t0")
			r.feed(to(1, 2))
			r.set("1.3.1.4.5=t0")
		}
		for i := range 20 {
			r.feed(to(1, 3+float64(i)/5))
		}
		if after := r.get("1.1.1.8.2"); collected && after >= 8000/2 || !collected && after != before {
			t.Errorf("collected %v: %d flows are left of %d", collected, after, before)
		}
	}
}

// TestSampledOut meters one of three packets, and one of three flow records.
func TestSampledOut(t *testing.T) {
	r := newRig(t, ControlConfig{MaxFlows: 1000})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "1.2.1.1.1=3")
	r.feed(many(0, 200, 0)...)
	r.feed(many(0, 100, 1)...)
	metered, out := r.get("x.1.2.1.0"), r.get("x.1.2.9.0")
	if metered+out != 300 || metered < 50 || metered > 150 || r.get("x.1.4.1.1.1") != 300 || r.get("x.1.3.1.6.2") != metered {
		t.Errorf("%d packets are metered, %d sampled out, of 300", metered, out)
	}
}

// TestFullTableRecoversWhatWasRead passes a mark with flows that were collected
// but are not idle yet.
func TestFullTableRecoversWhatWasRead(t *testing.T) {
	for _, reader := range []bool{true, false} {
		r := newRig(t, ControlConfig{MaxFlows: 100})
		r.set(pairs(2) + runTask(1, 2, 2, 50))
		if reader {
			r.set("1.3.1.6.5=4 1.3.1.7.5=2")
		}
		r.feed(many(0, 60, 0)...)
		r.feed(to(0, 1))
		if reader {
			r.set("1.3.1.4.5=t")
			r.set("1.3.1.4.5=t")
		}
		r.feed(to(0, 2))
		want := 60
		if reader {
			want = 1
		}
		r.want(fmt.Sprint("flows with a reader ", reader), r.get("1.7.0"), want)
	}
}

// await waits until the trace is in a state.
func (r *rig) await(want mib.TraceState) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if r.get("x.1.5.1.0") == int64(want) {
			return
		}
	}
	r.t.Fatalf("state %d, want %d", r.get("x.1.5.1.0"), want)
}

// TestInStepDoubled has requests that let the trace go on come twice, the second
// one when the next interval has ended: none is passed unread.
func TestInStepDoubled(t *testing.T) {
	r := newRig(t, ControlConfig{Interval: 10 * time.Second})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "x.1.5.7.0=u0")
	<-r.src.waiting
	r.src.batches <- []traces.Packet{to(1, 0), to(2, 9), to(3, 10), to(1, 25)}
	for n := range 2 {
		r.await(mib.TraceWaitingForReader)
		r.want("collected", r.get("x.1.5.7.0"), n)
		r.set(fmt.Sprint("x.1.5.7.0=u", n)) // again
		r.want("state", r.get("x.1.5.1.0"), mib.TraceWaitingForReader)
		if _, err := r.h.Test(bindings(t, fmt.Sprint("x.1.5.7.0=u", n+2))); smi.Refusal(err).Status != smi.InconsistentValue {
			t.Errorf("two intervals at once: %v", err)
		}
		r.set(fmt.Sprint("x.1.5.7.0=u", n+1))
	}
	<-r.src.waiting
	close(r.src.batches)
	r.await(mib.TraceEnded)
	r.set("x.1.5.7.0=u2")
	r.want("collections", r.get("x.1.5.2.0"), 2)
	select {
	case err := <-r.ended:
		t.Fatalf("ended before the last interval was read: %v", err)
	default:
	}
	r.set("x.1.5.7.0=u3")
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	r.want("collected", r.get("x.1.5.7.0"), 3)
	r.src = newPiped() // for the cleanup
	r.src.waiting <- struct{}{}
}

// TestInStep meters a trace in step with a manager.
func TestInStep(t *testing.T) {
	r := newRig(t, ControlConfig{Interval: 10 * time.Second})
	state := r.await
	state(mib.TraceWaitingForRuleSet)
	r.set(runTask(1, 0, 0, 0))
	state(mib.TraceWaitingForRuleSet)
	r.set(pairs(2) + "1.4.1.2.1=2 1.3.1.6.1=4 1.3.1.7.1=2")
	state(mib.TraceReading)
	<-r.src.waiting
	r.src.batches <- []traces.Packet{to(1, 0), to(2, 9), to(3, 10), to(1, 35)}
	for i, c := range []struct {
		uptime, packets int
		flows           string
	}{{1000, 2, "1:1 2:1"}, {2000, 3, "3:1"}, {3000, 3, ""}} {
		state(mib.TraceWaitingForReader)
		r.want("uptime", r.get("x.1.1.3.0"), c.uptime)
		r.want("collections", r.get("x.1.5.2.0"), i+1)
		r.want("from", r.get("x.1.5.3.0"), c.uptime-1000)
		r.want("to", r.get("x.1.5.4.0"), c.uptime)
		r.set("1.3.1.4.1=t")
		r.want("LastTime", r.get("1.3.1.4.1"), c.uptime)
		r.want("flows", r.flows(2, c.uptime-1000), c.flows)
		r.want("packets", []int64{r.get("x.1.2.1.0"), r.get("x.1.4.1.1.1")}, []int64{int64(c.packets), int64(c.packets)})
		if i == 1 { // a change while it waits, in the middle of a batch
			r.set(pairs(3) + "1.4.1.2.1=3")
		}
		r.set("x.1.5.1.0=3")
		r.want("told twice", r.get("x.1.5.1.0") >= 3, true)
	}
	<-r.src.waiting
	close(r.src.batches)
	state(mib.TraceEnded)
	r.want("flows at the end", r.flows(3, 3000), "1025:1")
	r.want("to", r.get("x.1.5.4.0"), 3500)
	select {
	case err := <-r.ended:
		t.Errorf("ended before it was dismissed: %v", err)
	default:
	}
	r.set("x.1.5.1.0=3")
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	r.src = newPiped() // for the cleanup
	r.src.waiting <- struct{}{}
}

// TestSampling counts what sampling lets pass.
func TestSampling(t *testing.T) {
	r := newRig(t, ControlConfig{})
	r.set(pairs(2) + runTask(1, 2, 0, 0))
	packets := slices.Repeat([]traces.Packet{to(1, 0)}, 200)
	other := to(2, 0)
	other.Interface = 3
	n := 0
	feed := func(rate int) int64 {
		r.set(fmt.Sprintf("1.2.1.1.1=%d", rate))
		before := r.get("x.1.2.1.0")
		for range 50 {
			r.feed(append(packets, other)...)
		}
		n += 10_000
		r.want("packets of the interface", r.get("x.1.4.1.1.1"), n)
		return r.get("x.1.2.1.0") - before - 50
	}
	r.want("all", feed(1), 10_000)
	r.want("none", feed(0), 0)
	r.want("interface 3", r.get("2.1.1.28.2.0.2"), 100)
	for _, rate := range []int{2, 10, 100} {
		// Five standard deviations of a binomial distribution.
		p := 1 / float64(rate)
		mean, far := 10_000*p, 5*math.Sqrt(10_000*p*(1-p))
		if got := feed(rate); math.Abs(float64(got)-mean) > far {
			t.Errorf("1 in %d: %d of 10000 packets, want %.0f with at most %.0f more or less", rate, got, mean, far)
		}
	}
	r.want("all again", feed(1), 10_000)
	r.want("rate of interface 3", r.get("1.2.1.1.3"), 1)
}

// TestLost has a source that loses packets at two interfaces.
func TestLost(t *testing.T) {
	r := newRig(t, ControlConfig{})
	lose := func(first, third uint64) {
		r.src.stats = traces.Stats{Lost: first + third, PerInterface: []traces.InterfaceStats{{Number: 1, Lost: first}, {Number: 3, Lost: third}}}
	}
	<-r.src.waiting
	lose(5, 0)
	r.src.batches <- []traces.Packet{to(1, 0), to(1, 1)}
	<-r.src.waiting
	r.want("lost", []int64{r.get("x.1.2.7.0"), r.get("1.2.1.2.1"), r.get("x.1.4.1.2.1"), r.get("1.2.1.2.3")}, []int64{5, 5, 5, 0})
	lose(9, 1)
	r.src.batches <- []traces.Packet{to(1, 2)}
	<-r.src.waiting
	r.want("lost later", []int64{r.get("x.1.2.7.0"), r.get("1.2.1.2.1"), r.get("1.2.1.2.3")}, []int64{10, 9, 1})
	r.src.batches <- []traces.Packet{to(1, 62)}
	<-r.src.waiting
	r.src.waiting <- struct{}{}
	want := []mib.Notification{
		{Kind: mib.MeterStarted, Identity: r.m.Identity()}, {Kind: mib.PacketsLost, Index: 1, Count: 5},
		{Kind: mib.PacketsLost, Index: 3, Count: 1}, {Kind: mib.PacketsLost, Index: 1, Count: 9},
	}
	if !slices.Equal(r.told, want) {
		t.Errorf("told %+v, want %+v", r.told, want)
	}
}

// TestLiveClock reads a live meter while packets are on their way.
func TestLiveClock(t *testing.T) {
	r := newRig(t, ControlConfig{Live: true})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "1.3.1.6.1=4 1.3.1.7.1=2 1.3.1.2.1=1")
	<-r.src.waiting // it runs
	r.src.waiting <- struct{}{}
	captured := time.Now().UnixNano()
	time.Sleep(30 * time.Millisecond)
	r.set("1.3.1.4.1=t")
	last := r.get("1.3.1.4.1")
	if last < 3 || last > 1000 {
		t.Errorf("Uptime %d centiseconds", last)
	}
	r.want("flows before", r.flows(2, 0), "")
	late := to(1, 0)
	late.Time = captured
	r.feed(late)
	r.want("flows since the reading began", r.flows(2, int(last)), "1:1")
	r.want("packets back in time", r.get("x.1.2.6.0"), 0)
	// Its clock goes on without packets: the reader times out.
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if r.get("1.3.1.6.1") < 0 {
			return
		}
	}
	t.Error("the reader did not time out")
}

// clocked is a live source with a clock.
type clocked struct {
	*piped
	now atomic.Int64
}

// Now implements Clock.
func (c *clocked) Now() int64 { return c.now.Load() }

// TestLiveClockOfSource wants Uptime to be that of a source that has a clock.
func TestLiveClockOfSource(t *testing.T) {
	src := &clocked{piped: newPiped()}
	src.now.Store(1_700_000_000e9)
	m := NewControlled(ControlConfig{Live: true, MaxFlows: 10})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx, src, func(err error) { t.Error(err) }) }()
	<-src.waiting
	for _, seconds := range []int64{0, 5, 5, 100_000} {
		src.now.Store((1_700_000_000 + seconds) * 1e9)
		m.Do(func() {
			if got := m.Now() - m.Start(); got != seconds*1e9 {
				t.Errorf("Uptime is %d ns, want %d s", got, seconds)
			}
		})
	}
	cancel()
	close(src.batches)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestReadWhileMetering reads by several cursors while a source gives packets
// without end. Under the race detector it shows that they do not meet.
func TestReadWhileMetering(t *testing.T) {
	m := NewControlled(ControlConfig{MaxFlows: 1000})
	r := &rig{t: t, m: m, h: mib.New(m)}
	r.set(pairs(2) + runTask(1, 2, 0, 0))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	src := &unending{packets: many(0, 100, 0)}
	go func() { ended <- m.Run(ctx, src, func(err error) { t.Error(err) }) }()
	for r.get("1.1.1.8.2") < 100 {
		time.Sleep(time.Millisecond)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 50 {
				r.flows(2, 0)
			}
		})
	}
	readers.Wait()
	cancel()
	src.end.Store(true)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := strings.Count(r.flows(2, 0), ":"); n != 100 {
		t.Errorf("%d flows, want 100", n)
	}
}

// TestControlledIsMeter meters a trace with and without a manager.
func TestControlledIsMeter(t *testing.T) {
	rs := finest()
	packets := many(0, 3000, 0)
	for i := range packets {
		packets[i].Time += int64(i) * 1e6
	}
	plain, err := New(Config{MaxFlows: 5000, RuleSets: []*ruleset.RuleSet{rs}})
	if err != nil {
		t.Fatal(err)
	}
	var want []match.Flow
	if err := plain.Run(context.Background(), &once{packets}, discard{}); err != nil {
		t.Fatal(err)
	}
	plain.Flows(func(f *match.Flow) error { want = append(want, *f); return nil })

	m := NewControlled(ControlConfig{MaxFlows: 5000})
	m.Do(func() {
		m.control.RuleSets.Put(2, &mib.RuleSet{ID: 99, Row: mib.Row{Active: true}, Rules: rs.Rules})
		m.control.Managers.Put(1, &mib.Manager{Row: mib.Row{Active: true}, CurrentRuleSet: 2})
		m.Changed()
		m.Settle()
		m.dismissed = true
	})
	if err := m.Run(context.Background(), &once{packets}, func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	n := 0
	m.Do(func() {
		var f match.Flow
		for row := uint32(1); m.NextFlow(2, row, math.MinInt64, &f) == 2; row = f.Index + 1 {
			w := want[n]
			if f.Key != w.Key || f.Index != w.Index || f.FirstTime != w.FirstTime || f.LastTime != w.LastTime || f.ToPDUs != w.ToPDUs || f.ToOctets != w.ToOctets {
				t.Fatalf("flow %d: have %+v\nwant %+v", n, f, w)
			}
			n++
		}
	})
	if n != len(want) || n < 1000 {
		t.Errorf("%d flows, want %d", n, len(want))
	}
}

// once gives its packets by 100.
type once struct{ packets []traces.Packet }

func (o *once) ReadBatch(b *traces.Batch) error {
	n := min(len(o.packets), 100)
	if n == 0 {
		return io.EOF
	}
	b.Packets = append(b.Packets[:0], o.packets[:n]...)
	o.packets = o.packets[n:]
	return nil
}
func (o *once) Stats() traces.Stats { return traces.Stats{} }
func (o *once) Close() error        { return nil }

type discard struct{}

func (discard) Collect(Collection) error        { return nil }
func (discard) Damage(error)                    {}
func (discard) BackInTime(string, int64, int64) {}

// TestInterfaceReturns has an interface come back under another number, as one
// does that was deleted and made again: it is sampled as before.
func TestInterfaceReturns(t *testing.T) {
	r := newRig(t, ControlConfig{Live: true})
	<-r.src.waiting
	r.src.stats.PerInterface = []traces.InterfaceStats{{Number: 4, Name: "eth0"}, {Number: 5, Name: "eth1"}}
	r.src.batches <- nil
	<-r.src.waiting
	r.src.waiting <- struct{}{}
	if rows := r.m.Control().Interfaces.Len(); rows != 2 {
		t.Errorf("%d interfaces, want 2: those of the source", rows)
	}
	r.set("1.2.1.1.4=0")
	<-r.src.waiting
	r.src.stats.PerInterface = append(slices.Clone(r.src.stats.PerInterface), traces.InterfaceStats{Number: 9, Name: "eth0"})
	r.src.batches <- nil
	<-r.src.waiting
	r.src.waiting <- struct{}{}
	r.want("rates", []int64{r.get("1.2.1.1.5"), r.get("1.2.1.1.9")}, []int64{1, 0})
}
