package control

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/series"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/ruleset"
	"rtfm/traces"
)

// mostHeld is how many operations may be done between taking hold of a controlled
// meter and letting go of it: as many as make a Do let go, and those of a variable
// or a Set in which it cannot.
const mostHeld = 4 * mostSpent

// held is a controlled meter that has metered flows, and what was done in one hold
// of it at most.
type held struct {
	tb      testing.TB
	m       *Meter
	h       *mib.Handler
	since   time.Time
	ops     int           // the most operations
	longest time.Duration // the longest hold
	holds   int
	gone    int // flows that were recovered in one hold at most
	before  uint64
	ended   int // streams that have ended in one hold at most
	streams uint64
}

// newHeld returns a meter of that many flows of ruleset 2.
func newHeld(tb testing.TB, flows int) *held {
	w := &held{tb: tb, m: New(Config{Config: meter.Config{MaxFlows: 2*flows + 1000}})}
	w.h = mib.New(w.m)
	w.set(ruleVars(2, hosts().Rules), statusVar(2, 1), taskVars(1, 2, 4))
	w.m.Do(func() { w.m.dismissed = true })
	if err := w.m.Run(context.Background(), &once{hostPackets(flows)}, func(err error) { tb.Error(err) }); err != nil {
		tb.Fatal(err)
	}
	w.m.Do(func() {
		if n := w.m.Flows(2); n != flows {
			tb.Fatalf("%d flows, want %d", n, flows)
		}
	})
	w.m.state = mib.TraceNone // the clock may go on
	w.m.watch = w.watch
	return w
}

// hostPackets are n packets of one host each.
func hostPackets(n int) []traces.Packet {
	packets := make([]traces.Packet, n)
	one := many(0, 1, 0)[0]
	for i := range packets {
		packets[i] = one
		packets[i].Data = slices.Clone(one.Data)
		binary.BigEndian.PutUint32(packets[i].Data[26:], 10<<24+uint32(i)) // source
	}
	return packets
}

func (w *held) watch(is bool) {
	totals := w.m.meter.Totals()
	streams := totals.Streams.Ended()
	if is {
		w.since, w.before, w.streams = time.Now(), totals.Recovered, streams
		return
	}
	if n := w.m.interfaces.at(1).row.Packets; n != totals.Packets {
		w.tb.Errorf("others have the meter: %d packets are metered, %d at the interface", totals.Packets, n)
	}
	w.ended = max(w.ended, int(streams-w.streams))
	w.holds++
	w.longest = max(w.longest, time.Since(w.since))
	w.ops = max(w.ops, w.m.spent+w.m.meter.Table().Passed()/rowsPassed)
	w.gone = max(w.gone, int(totals.Recovered-w.before))
}

// begin forgets what was done until now.
func (w *held) begin() {
	w.m.Do(func() { // the one before is over
		w.ops, w.longest, w.holds, w.gone, w.ended = 0, 0, -1, 0, 0 // but for this one
	})
}

// set carries out a Set, in messages of 1,000 variables.
func (w *held) set(vars ...[]smi.VarBind) {
	w.tb.Helper()
	for _, part := range vars {
		for chunk := range slices.Chunk(part, 1000) {
			x, err := w.h.Test(chunk)
			if err == nil {
				err = x.Commit()
				x.Cleanup()
			}
			if err != nil {
				w.tb.Fatalf("%v: %v", err, &chunk[max(smi.Refusal(err).Index-1, 0)])
			}
		}
	}
}

func intVar(n int32, o *module.Object, index ...uint32) smi.VarBind {
	vb := smi.VarBind{Name: o.At(index...)}
	vb.Value.SetInt(n)
	return vb
}

// statusVar sets the status of a ruleset.
func statusVar(ruleSet uint32, status int32) []smi.VarBind {
	return []smi.VarBind{intVar(status, module.FlowRuleInfoStatus, ruleSet)}
}

// taskVars makes a task that runs a ruleset.
func taskVars(task, ruleSet uint32, status int32) []smi.VarBind {
	return []smi.VarBind{intVar(status, module.FlowManagerStatus, task), intVar(int32(ruleSet), module.FlowManagerCurrentRuleSet, task)}
}

// ruleVars creates a ruleset and writes its rules.
func ruleVars(ruleSet uint32, rules []ruleset.Rule) []smi.VarBind {
	vars := append(statusVar(ruleSet, 5), intVar(int32(len(rules)), module.FlowRuleInfoSize, ruleSet))
	for i, r := range rules {
		at := uint32(i + 1)
		mask, value := smi.VarBind{Name: module.FlowRuleMask.At(ruleSet, at)}, smi.VarBind{Name: module.FlowRuleMatchedValue.At(ruleSet, at)}
		mask.Value.SetOctets(smi.OctetString, r.Mask.Resize(max(r.Mask.Len(), 1)).Append(nil))
		value.Value.SetOctets(smi.OctetString, r.Value.Resize(max(r.Value.Len(), 1)).Append(nil))
		vars = append(vars, intVar(int32(r.Attr), module.FlowRuleSelector, ruleSet, at), mask, value,
			intVar(int32(r.Op), module.FlowRuleAction, ruleSet, at), intVar(int32(r.Param), module.FlowRuleParameter, ruleSet, at))
	}
	return vars
}

// networkRules are n tests for one network each, and a rule that counts.
func networkRules(n int) []ruleset.Rule {
	var rules []ruleset.Rule
	for i := range n {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(i)<<8)
		rules = append(rules, ruleset.Rule{Attr: attr.DestPeerAddress, Mask: attr.WidthMask(24, 4), Value: attr.MakeValue(b[:]...), Op: ruleset.OpCountPkt})
	}
	return append(rules, ruleset.Rule{Attr: attr.SourcePeerType, Mask: attr.Ones(1), Op: ruleset.OpCountPkt})
}

// getNext asks for the variables behind these, some at a time as front ends do.
func (w *held) getNext(ranges []smi.Range) {
	out := make([]smi.VarBind, len(ranges))
	smi.InParts(out, 1<<16, func(from, to int) error { return w.h.Next(ranges[from:to], out[from:to]) })
}

// repeat returns the same range n times.
func repeat(n int, name smi.OID) []smi.Range { return slices.Repeat([]smi.Range{{Start: name}}, n) }

// block is the name of the first block of these attributes.
func block(attrs ...uint32) smi.OID {
	name := module.RtfmBlockData.At(uint32(2 * len(attrs)))
	for _, a := range attrs {
		name = append(name, a>>8, a&255)
	}
	return append(name, 2, 0, 0)
}

// advance moves the meter's clock on by so many nanoseconds.
func (w *held) advance(by int64) { w.m.meter.AdvanceClock(w.m.meter.Now() + by) }

// sparse has one flow of each 1,024 be active, and returns the TimeMark since which
// the others were not.
func (w *held) sparse() (mark uint32) {
	w.m.Do(func() {
		w.advance(100 * 10_000_000)
		t := w.m.meter.Table()
		for row := uint32(1); row != 0; row = t.NextOf(0, row+1023, 0) {
			t.Count(row, 0, 1, 1, w.m.Now())
		}
		t.Passed()
		mark = uint32(match.Uptime(w.m.Now(), w.m.Start()))
	})
	return mark
}

// seconds gives the meter the latest intervals of a series, each of as many rulesets
// and interfaces as there may be.
func (w *held) seconds() {
	var rows []series.Row
	for n := 1; n < 255; n++ {
		rows = append(rows, series.Row{RuleSet: n})
	}
	for n := range uint32(1000) {
		rows = append(rows, series.Row{Interface: n})
	}
	ring := new(series.Ring)
	for n := range int64(100) {
		ring.Put(&series.Interval{Number: uint64(n + 1), From: n, To: n + 1, Rows: rows})
	}
	w.m.Do(func() { w.m.series = ring })
}

// requests are what a reader may ask for that once took long.
func (w *held) requests() map[string]func() {
	mark := w.sparse()
	w.seconds()
	selectors := make([]smi.Range, 0, 500)
	for i := range cap(selectors) {
		name := module.FlowPackageData.At(100)
		for j := range 100 {
			name = append(name, uint32([]int{1, 9, 11, 12, 19, 22, 27}[(i+j)%7]))
		}
		selectors = append(selectors, smi.Range{Start: append(name, 2, 0)})
	}
	return map[string]func(){
		"distributions": func() { w.getNext(repeat(4000, module.FlowDataEntry.At(66))) },
		"blocks":        func() { w.getNext(repeat(2200, block(11))) },
		"sparse blocks": func() {
			name := block(11)
			name[len(name)-2] = mark
			w.getNext(repeat(2200, name))
		},
		"activity":        func() { w.getNext(repeat(2000, module.FlowColumnActivityData.At(11, mark))) },
		"columns":         func() { w.getNext(repeat(4000, names.OID("flowDataToOctets.2.0"))) },
		"idle":            func() { w.getNext(repeat(2000, module.FlowDataEntry.At(uint32(attr.ToPDUs), 2, 1<<31))) },
		"packages":        func() { w.getNext(selectors) },
		"rules":           func() { w.getNext(repeat(2000, module.FlowRuleSelector.At(4, 1))) },
		"actions":         func() { w.getNext(repeat(2000, module.FlowRuleAction.At(4, 1))) },
		"rulesets' state": func() { w.getNext(repeat(4000, module.FlowRuleInfoStatus.At(3))) },
		"counters":        func() { w.getNext(repeat(4000, module.RtfmMeterFlowsCreated.OID)) },
		"series": func() {
			w.getNext(repeat(4000, module.RtfmSeriesOctets.At(60, 254, 0)))
			if w.holds < 100 {
				w.tb.Errorf("4000 times 1254 rows looked at in %d holds: they are not told as work", w.holds)
			}
		},
		"bulk of series": func() {
			b := smi.Bulk{Ranges: repeat(3, module.RtfmSeriesOctets.At(60, 254, 0)), MaxRepetitions: 1 << 20, MaxOctets: 1 << 16}
			w.h.Bulk(&b, nil)
		},
		"bulk of columns": func() {
			b := smi.Bulk{Ranges: repeat(3, names.OID("flowDataToPDUs.2.0")), MaxRepetitions: 1 << 20, MaxOctets: 1 << 16}
			w.h.Bulk(&b, nil)
		},
		"bulk of blocks": func() {
			b := smi.Bulk{Ranges: repeat(1, block(11)), MaxRepetitions: 1 << 20, MaxOctets: 1 << 16}
			w.h.Bulk(&b, nil)
		},
	}
}

// rulesets makes a large ruleset that runs, and many of which some rules were
// written.
func (w *held) rulesets(size, many int) {
	w.set(ruleVars(3, networkRules(size)))
	for i := range many {
		n := uint32(4 + i)
		w.set(append(statusVar(n, 5), intVar(65535, module.FlowRuleInfoSize, n), intVar(11, module.FlowRuleSelector, n, 1)))
	}
}

// TestHold counts what is done while the meter stands still: less than may be,
// whatever a reader asks for and a manager sets.
func TestHold(t *testing.T) {
	w := newHeld(t, 100_000)
	w.begin()
	w.rulesets(9000, 250)
	check := func(what string) {
		t.Helper()
		if w.ops > mostHeld || w.holds == 0 {
			t.Errorf("%s: %d operations in one hold, want %d at most (%d holds)", what, w.ops, mostHeld, w.holds)
		}
		if w.gone > 3*blockFlows {
			t.Errorf("%s: %d flows recovered in one hold", what, w.gone)
		}
		w.begin()
	}
	check("making rulesets")
	w.set(statusVar(3, 1))
	check("activating a ruleset")
	w.set(taskVars(7, 3, 4))
	check("starting a task")
	for what, ask := range w.requests() {
		ask()
		check(what)
	}
	w.set([]smi.VarBind{intVar(6, module.FlowManagerStatus, 1), intVar(6, module.FlowRuleInfoStatus, 2)})
	check("destroying a ruleset")
	for range 200 {
		w.m.Do(func() {
			if w.m.doomed > 0 {
				w.m.empty()
			}
		})
	}
	check("destroying its flows")
	w.m.Do(func() {
		if n := w.m.meter.Table().Active(); n != 0 || w.m.doomed != 0 {
			t.Errorf("%d flows are left, %d slots", n, w.m.doomed)
		}
	})
}

// blockFlows is how many flows a block of the flow table has.
const blockFlows = 1024

// partStreams is how many streams package meter ends at a time.
const partStreams = 1024

// TestHoldRecovery recovers all flows of a large table in parts.
func TestHoldRecovery(t *testing.T) {
	w := newHeld(t, 300_000)
	w.begin()
	w.m.Do(func() { w.m.control.InactivityTimeout = 1 })
	for i := 0; w.m.meter.Table().Active() > 0; i++ {
		if i > 1000 {
			t.Fatalf("%d flows are left", w.m.meter.Table().Active())
		}
		w.m.Do(func() { w.advance(10_000_000_000) })
		w.m.upkeepInParts()
	}
	if w.gone == 0 || w.gone > 3*blockFlows {
		t.Errorf("%d flows recovered in one hold, want %d at most", w.gone, 3*blockFlows)
	}
}

// TestHoldStreams has many streams end at once, of one flow or of a flow each: some
// at a time, between which others have the meter.
func TestHoldStreams(t *testing.T) {
	const n = 5000
	for name, c := range map[string]struct {
		live bool
		at   int // where packets differ
	}{
		"of one flow":        {at: 26}, // source address
		"of many flows":      {at: 30}, // destination address
		"of one flow, live":  {true, 26},
		"of many flows live": {true, 30},
	} {
		t.Run(name, func(t *testing.T) {
			var seconds atomic.Int64
			r := newRigAt(t, Config{Config: meter.Config{MaxFlows: 2 * n}, Live: c.live}, func() int64 { return seconds.Load() * 1e9 })
			w := &held{tb: t, m: r.m, h: r.h}
			r.m.Do(func() { r.m.watch = w.watch })
			feed := func(after int64, before ...traces.Packet) {
				packets := hostPackets(n)
				seconds.Add(after)
				for i := range packets {
					packets[i].Time = seconds.Load() * 1e9
					binary.BigEndian.PutUint32(packets[i].Data[c.at:], 10<<24+uint32(i))
				}
				r.feed(append(before, packets...)...)
			}
			check := func(what string, want int) {
				t.Helper()
				var active, ended int
				r.m.Do(func() { active, ended = r.m.meter.Totals().Streams.Active, w.ended })
				if active != want {
					t.Errorf("%s: %d streams are left, want %d", what, active, want)
				}
				if ended == 0 || ended > 2*partStreams {
					t.Errorf("%s: %d streams have ended in one hold", what, ended)
				}
				w.begin()
			}
			r.set(lifetimes(2) + runTask(1, 2, 0, 0))
			feed(1000)
			w.begin()
			if seconds.Add(1000); c.live {
				r.m.upkeepInParts()
				check("timing out", 0)
			} else {
				early := hostPackets(1) // has streams end in the midst of the batch
				early[0].Time = (seconds.Load() - 1000) * 1e9
				feed(0, early...)
				check("timing out", n)
			}
			feed(0)
			r.set("flowManagerStatus.1=6 flowRuleInfoStatus.2=6")
			for i, doomed := 0, 1; doomed > 0 && i < 100; i++ {
				r.m.Do(func() { r.m.empty(); doomed = r.m.doomed })
			}
			check("destroying", 0)
			r.set(lifetimes(2) + runTask(1, 2, 0, 0))
			feed(1)
			w.begin()
			<-r.src.waiting
			close(r.src.batches)
			for done := false; !done; runtime.Gosched() {
				r.m.Do(func() { done = r.m.state == mib.TraceEnded })
			}
			check("ending", 0)
		})
	}
}

// mostMade is how many octets a Set may make that starts all tasks.
const mostMade = 1 << 23

// TestHoldTasks starts as many tasks as there may be by one Set, of rulesets that all
// see packets alike, or each in its own way: what is made for them, in one hold, is
// small.
func TestHoldTasks(t *testing.T) {
	for _, alike := range []bool{true, false} {
		w := newHeld(t, 10)
		var start []smi.VarBind
		for n := uint32(3); n < 255; n++ {
			rules := slices.Insert(hosts().Rules, 0, ruleset.Rule{Attr: attr.SourceAdjacentAddress, Mask: attr.MakeValue(255, 0, 0, 0, 0, 0), Op: ruleset.OpGotoAct, Param: 2})
			if !alike {
				rules[0].Mask = attr.MakeValue(byte(n), 0, 0, 0, 0, 0)
			}
			for i := range rules[1:] {
				rules[i+1].Param++
			}
			w.set(ruleVars(n, rules), statusVar(n, 1), taskVars(n, n, 5))
			start = append(start, intVar(1, module.FlowManagerStatus, n))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w.set(start)
		runtime.ReadMemStats(&after)
		if n := len(w.m.tasks); n < 250 {
			t.Errorf("%d tasks run", n)
		}
		if octets := after.TotalAlloc - before.TotalAlloc; octets > mostMade {
			t.Errorf("alike %v: %d octets are made in one hold", alike, octets)
		}
	}
}

// BenchmarkHold reports for how long the meter stands still at most, with a million
// flows, while it is asked or told things that take long.
func BenchmarkHold(b *testing.B) {
	w := newHeld(b, 1_000_000)
	w.rulesets(65_534, 250)
	run := func(what string, do func()) {
		b.Run(what, func(b *testing.B) {
			// The machine may do something else within a hold, but hardly in the
			// longest one of each run.
			longest := time.Duration(math.MaxInt64)
			for b.Loop() {
				w.begin()
				do()
				longest = min(longest, w.longest)
			}
			b.ReportMetric(float64(longest.Nanoseconds())/1e6, "ms-hold")
			b.ReportMetric(float64(w.ops), "ops-hold")
			b.ReportMetric(float64(w.holds), "holds")
		})
	}
	run("activate 65535 rules", func() { w.set(statusVar(3, 1)); w.set(statusVar(3, 2)) })
	w.set(statusVar(3, 1))
	run("start task", func() { w.set(taskVars(7, 3, 4)); w.set([]smi.VarBind{intVar(6, module.FlowManagerStatus, 7)}) })
	requests := w.requests()
	for _, what := range slices.Sorted(func(yield func(string) bool) {
		for what := range requests {
			if !yield(what) {
				return
			}
		}
	}) {
		run(what, requests[what])
	}
	run("recover", func() {
		w.m.Do(func() { w.advance(100_000_000) })
		w.m.upkeepInParts()
	})
}

// unending gives the same packets again and again until it is told to end.
type unending struct {
	packets []traces.Packet
	given   atomic.Int64 // packets
	end     atomic.Bool
}

func (e *unending) ReadBatch(b *traces.Batch) error {
	if e.end.Load() {
		return io.EOF
	}
	b.Packets, b.File = append(b.Packets[:0], e.packets...), "unending"
	e.given.Add(int64(len(e.packets)))
	return nil
}

func (e *unending) Stats() traces.Stats { return traces.Stats{} }
func (e *unending) Close() error        { return nil }

// TestMeteredMeanwhile has one request of some thousand variables answered while
// packets are metered: they are metered in the middle of it, and none is missing.
func TestMeteredMeanwhile(t *testing.T) {
	w := newHeld(t, 50_000)
	mark := w.sparse()
	before := w.m.Counts().Packets
	w.m.dismissed = false
	src := &unending{packets: many(0, 200, 1000)}
	ended := make(chan error)
	go func() { ended <- w.m.Run(context.Background(), src, func(err error) { t.Error(err) }) }()
	for src.given.Load() == 0 {
		runtime.Gosched()
	}
	from := src.given.Load()
	w.getNext(repeat(4000, module.FlowColumnActivityData.At(11, mark)))
	if n := (src.given.Load() - from) / 200; n < 10 {
		t.Errorf("%d batches were metered while a request was answered", n)
	}
	src.end.Store(true)
	for done := false; !done; {
		w.m.Do(func() {
			if done = w.m.state == mib.TraceEnded; done {
				w.m.dismissed = true
				w.m.rouse()
			}
		})
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := w.m.Counts().Packets - before; got != uint64(src.given.Load()) {
		t.Errorf("%d packets were metered of %d", got, src.given.Load())
	}
}
