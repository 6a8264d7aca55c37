package control

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/ruleset/match"

	"rtfm/mib"
	"rtfm/mib/smi"
	"rtfm/ruleset"
	"rtfm/traces"
)

// many returns packets to hosts from..to-1.
func many(from, until int, seconds float64) (packets []traces.Packet) {
	for i := from; i < until; i++ {
		packets = append(packets, to(i, seconds))
	}
	return packets
}

// await waits until the trace is in a state.
func (r *rig) await(want mib.TraceState) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if r.get("rtfmTraceState.0") == int64(want) {
			return
		}
	}
	r.t.Fatalf("state %d, want %d", r.get("rtfmTraceState.0"), want)
}

// TestInStepDoubled has requests that let the trace go on come twice, the second
// one when the next interval has ended: none is passed unread.
func TestInStepDoubled(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{Interval: 10 * time.Second}})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "rtfmTraceCollected.0=u0")
	<-r.src.waiting
	r.src.batches <- []traces.Packet{to(1, 0), to(2, 9), to(3, 10), to(1, 25)}
	for n := range 2 {
		r.await(mib.TraceWaitingForReader)
		r.want("collected", r.get("rtfmTraceCollected.0"), n)
		r.set(fmt.Sprint("rtfmTraceCollected.0=u", n)) // again
		r.want("state", r.get("rtfmTraceState.0"), mib.TraceWaitingForReader)
		if _, err := r.h.Test(bindings(t, fmt.Sprint("rtfmTraceCollected.0=u", n+2))); smi.Refusal(err).Status != smi.InconsistentValue {
			t.Errorf("two intervals at once: %v", err)
		}
		r.set(fmt.Sprint("rtfmTraceCollected.0=u", n+1))
	}
	<-r.src.waiting
	close(r.src.batches)
	r.await(mib.TraceEnded)
	r.set("rtfmTraceCollected.0=u2")
	r.want("collections", r.get("rtfmTraceCollections.0"), 2)
	select {
	case err := <-r.ended:
		t.Fatalf("ended before the last interval was read: %v", err)
	default:
	}
	r.set("rtfmTraceCollected.0=u3")
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	r.want("collected", r.get("rtfmTraceCollected.0"), 3)
	r.src = newPiped() // for the cleanup
	r.src.waiting <- struct{}{}
}

// TestInStep meters a trace in step with a manager.
func TestInStep(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{Interval: 10 * time.Second}})
	state := r.await
	state(mib.TraceWaitingForRuleSet)
	r.set(runTask(1, 0, 0, 0))
	state(mib.TraceWaitingForRuleSet)
	r.set(pairs(2) + "flowManagerCurrentRuleSet.1=2 flowReaderStatus.1=4 flowReaderRuleSet.1=2")
	state(mib.TraceReading)
	<-r.src.waiting
	r.src.batches <- []traces.Packet{to(1, 0), to(2, 9), to(3, 10), to(1, 35)}
	for i, c := range []struct {
		uptime, packets int
		flows           string
	}{{1000, 2, "1:1 2:1"}, {2000, 3, "3:1"}, {3000, 3, ""}} {
		state(mib.TraceWaitingForReader)
		r.want("uptime", r.get("rtfmMeterUptime.0"), c.uptime)
		r.want("collections", r.get("rtfmTraceCollections.0"), i+1)
		r.want("from", r.get("rtfmTraceFrom.0"), c.uptime-1000)
		r.want("to", r.get("rtfmTraceTo.0"), c.uptime)
		r.set("flowReaderLastTime.1=t")
		r.want("LastTime", r.get("flowReaderLastTime.1"), c.uptime)
		r.want("flows", r.flows(2, c.uptime-1000), c.flows)
		r.want("packets", []int64{r.get("rtfmPacketsMetered.0"), r.get("rtfmInterfacePackets.1")}, []int64{int64(c.packets), int64(c.packets)})
		if i == 1 { // a change while it waits, in the middle of a batch
			r.set(pairs(3) + "flowManagerCurrentRuleSet.1=3")
		}
		r.set("rtfmTraceState.0=3")
		r.want("told twice", r.get("rtfmTraceState.0") >= 3, true)
	}
	<-r.src.waiting
	close(r.src.batches)
	state(mib.TraceEnded)
	r.want("flows at the end", r.flows(3, 3000), "1025:1")
	r.want("to", r.get("rtfmTraceTo.0"), 3500)
	select {
	case err := <-r.ended:
		t.Errorf("ended before it was dismissed: %v", err)
	default:
	}
	r.set("rtfmTraceState.0=3")
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	r.src = newPiped() // for the cleanup
	r.src.waiting <- struct{}{}
}

// TestLiveClock reads a live meter while packets are on their way.
func TestLiveClock(t *testing.T) {
	r := newRig(t, Config{Live: true})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "flowReaderStatus.1=4 flowReaderRuleSet.1=2 flowReaderTimeout.1=1")
	<-r.src.waiting // it runs
	r.src.waiting <- struct{}{}
	captured := time.Now().UnixNano()
	time.Sleep(30 * time.Millisecond)
	r.set("flowReaderLastTime.1=t")
	last := r.get("flowReaderLastTime.1")
	if last < 3 || last > 1000 {
		t.Errorf("Uptime %d centiseconds", last)
	}
	r.want("flows before", r.flows(2, 0), "")
	late := to(1, 0)
	late.Time = captured
	r.feed(late)
	r.want("flows since the reading began", r.flows(2, int(last)), "1:1")
	r.want("packets back in time", r.get("rtfmPacketsBackInTime.0"), 0)
	// Its clock goes on without packets: the reader times out.
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if r.get("flowReaderStatus.1") < 0 {
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
	m := New(Config{Config: meter.Config{MaxFlows: 10}, Live: true})
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
	m := New(Config{Config: meter.Config{MaxFlows: 1000}})
	r := &rig{t: t, m: m, h: mib.New(m)}
	r.set(pairs(2) + runTask(1, 2, 0, 0))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	src := &unending{packets: many(0, 100, 0)}
	go func() { ended <- m.Run(ctx, src, func(err error) { t.Error(err) }) }()
	for r.get("flowRuleInfoFlowRecords.2") < 100 {
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
	rs := hosts()
	packets := many(0, 3000, 0)
	for i := range packets {
		packets[i].Time += int64(i) * 1e6
	}
	plain, err := meter.New(meter.Config{MaxFlows: 5000, RuleSets: []*ruleset.RuleSet{rs}})
	if err != nil {
		t.Fatal(err)
	}
	var want []match.Flow
	if err := plain.Run(context.Background(), &once{packets}, discard{}); err != nil {
		t.Fatal(err)
	}
	plain.Flows(func(f *match.Flow) error { want = append(want, *f); return nil })

	m := New(Config{Config: meter.Config{MaxFlows: 5000}})
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

func (discard) Collect(meter.Collection) error  { return nil }
func (discard) Damage(error)                    {}
func (discard) BackInTime(string, int64, int64) {}
