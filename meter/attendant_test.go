package meter

import (
	"context"
	"fmt"
	"io"
	"math"
	"testing"

	"rtfm/meter/flow"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// attended is a meter with an attendant that a test tells what to do: read is a step
// for each batch that is read, which may do with the meter as others may.
type attended struct {
	discard
	m     *Meter
	read  []func() []traces.Packet
	full  func()
	yield func()
}

func newAttended(cfg Config) *attended {
	a := new(attended)
	a.m = NewAttended(cfg, a)
	return a
}

func (a *attended) Filled()             { a.full() }
func (a *attended) Upkeep(*flow.Limits) {}
func (a *attended) Yield()              { a.yield() }
func (a *attended) Stats() traces.Stats { return traces.Stats{} }
func (a *attended) Close() error        { return nil }
func (a *attended) ReadBatch(b *traces.Batch) error {
	if len(a.read) == 0 {
		return io.EOF
	}
	b.Packets = append(b.Packets[:0], a.read[0]()...)
	a.read = a.read[1:]
	return nil
}

func (a *attended) run(t *testing.T) {
	t.Helper()
	if err := a.m.Run(context.Background(), a, a); err != nil {
		t.Fatal(err)
	}
}

// task returns a task that runs rs under this number.
func (a *attended) task(t *testing.T, rs *ruleset.RuleSet, number int) *Task {
	t.Helper()
	p, err := Prepare(rs)
	if err != nil {
		t.Fatal(err)
	}
	return a.m.NewTask(p, rs.Name, number)
}

// flows returns index:ToPDUs of the flows of a number, in order of index.
func (a *attended) flows(number int) (all string) {
	var f match.Flow
	for row := a.m.Table().NextOf(number, 1, math.MinInt64); row != 0; row = a.m.Table().NextOf(number, row+1, math.MinInt64) {
		a.m.ReadFlow(row, a.m.Now, &f)
		all += fmt.Sprintf("%d:%d ", f.Index, f.ToPDUs)
	}
	return all
}

// discard is a Sink to which nothing matters.
type discard struct{}

func (discard) Collect(Collection) error        { return nil }
func (discard) Damage(error)                    {}
func (discard) BackInTime(string, int64, int64) {}

// toHost returns packets to hosts of these numbers, so many seconds after an epoch.
func toHost(seconds float64, hosts ...byte) (packets []traces.Packet) {
	for _, n := range hosts {
		p := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").
			IPv4("192.0.2.1", fmt.Sprintf("10.0.0.%d", n)).UDP(1, 2))[0]
		p.Time = 1e18 + int64(seconds*1e9)
		packets = append(packets, p)
	}
	return packets
}

// TestMemosOfTasks has tasks that see the same come and go.
func TestMemosOfTasks(t *testing.T) {
	a := newAttended(Config{MaxFlows: 1000})
	sharing := func(what string, want int) {
		t.Helper()
		if memos := a.m.memos; len(memos) != 1 || len(memos[0].tasks) != want {
			t.Errorf("%s: %d memos, want one of %d tasks", what, len(memos), want)
		}
	}
	one, two := a.task(t, finest(), 2), (*Task)(nil)
	a.m.SetTasks([]*Task{one})
	sharing("one ruleset", 1)
	a.read = []func() []traces.Packet{
		func() []traces.Packet { return toHost(0, 1, 2) },
		func() []traces.Packet {
			if two = a.task(t, finest(), 3); two.sights != nil {
				t.Error("a task that starts between two batches looks at the first")
			}
			a.m.SetTasks([]*Task{one, two})
			sharing("two rulesets", 2)
			return toHost(1, 1, 3)
		},
		func() []traces.Packet { return toHost(2, 1, 3) },
		func() []traces.Packet {
			a.m.SetTasks([]*Task{two})
			sharing("the second ruleset alone", 1)
			return toHost(3, 1, 2)
		},
		func() []traces.Packet { return toHost(4, 1, 2) },
	}
	a.run(t)
	if one, two := a.flows(2), a.flows(3); one != "1:3 2:1 3:2 " || two != "1025:4 1026:2 1027:2 " {
		t.Errorf("the first ruleset has %s, the second %s", one, two)
	}
}

// TestMemosOfManyTasks starts as many tasks as there may be, of rulesets that all see
// packets alike, or each in its own way: their memos are small at first.
func TestMemosOfManyTasks(t *testing.T) {
	for _, alike := range []bool{true, false} {
		a := newAttended(Config{MaxFlows: 10})
		var tasks []*Task
		for n := 3; n < 255; n++ {
			rs := finest()
			rs.Rules[0].Attr, rs.Rules[0].Mask = attr.SourceAdjacentAddress, attr.MakeValue(255, 0, 0, 0, 0, 0)
			if !alike {
				rs.Rules[0].Mask = attr.MakeValue(byte(n), 0, 0, 0, 0, 0)
			}
			tasks = append(tasks, a.task(t, rs, n))
		}
		a.m.SetTasks(tasks)
		words := 0
		for _, m := range a.m.memos {
			words += len(m.entries.Load().words)
		}
		if n := len(a.m.memos); alike != (n == 1) || words > 1<<19 {
			t.Errorf("alike %v: %d memos of %d words", alike, n, words)
		}
	}
}

// TestFilled has an attendant change the tasks, in the midst of a batch, when there
// are three flows: the new task sees the packets from then on.
func TestFilled(t *testing.T) {
	a := newAttended(Config{MaxFlows: 1000})
	a.m.SetTasks([]*Task{a.task(t, finest(), 2)})
	a.m.SetAlarm(3)
	at := 0
	a.full = func() {
		at = a.m.Metered() + 1
		a.m.SetAlarm(math.MaxInt)
		a.m.SetTasks([]*Task{a.task(t, finest(), 3)})
	}
	a.read = []func() []traces.Packet{func() []traces.Packet { return toHost(0, 1, 2, 1, 3, 3, 4) }}
	a.run(t)
	if before, after := a.flows(2), a.flows(3); at != 4 || before != "1:2 2:1 3:1 " || after != "1025:1 1026:1 " {
		t.Errorf("filled at packet %d; flows before %s, after %s", at, before, after)
	}
}

// TestYield has streams end between two packets, so many that others have the meter
// meanwhile: they see that the packets before are metered, and no others. Tasks
// without streams prepare nothing for them.
func TestYield(t *testing.T) {
	cfg := Config{MaxFlows: 10_000, Interval: 100e9}
	cfg.Streams.Timeout = 1e9
	a := newAttended(cfg)
	timed := rules(t, `
  Null & 0 = 0: GotoAct, Next;
  SourcePeerAddress & 255.255.255.255 = 0: PushPktToAct, Next;
  FlowTime & 1.3.0!1000 = 2: PushPktToAct, Next;
  Null & 0 = 0: Count, 0;
`)
	a.m.SetTasks([]*Task{a.task(t, timed, 2)})
	if a.m.streamed == 0 {
		t.Fatal("the ruleset wants no streams")
	}
	yields := 0
	a.yield = func() {
		yields++
		if s := a.m.Totals(); a.m.Metered() != 3 || s.Packets != partStreams*2+3 {
			t.Errorf("%d packets of the batch are metered, %d of all", a.m.Metered(), s.Packets)
		}
	}
	for i := range 2 * partStreams / 64 {
		a.read = append(a.read, func() (packets []traces.Packet) {
			for j := range 64 {
				p := toHost(0, byte(j))[0]
				p.Data[28] = byte(i) // of the source address
				packets = append(packets, p)
			}
			return packets
		})
	}
	a.read = append(a.read, func() []traces.Packet {
		return append(toHost(0, 1, 2, 3), toHost(90, 4, 5)...)
	}, func() []traces.Packet {
		a.m.SetTasks([]*Task{a.task(t, finest(), 3)})
		if a.m.streamed != 0 {
			t.Error("packets are prepared for streams although no task has any")
		}
		return nil
	})
	a.run(t)
	if yields == 0 {
		t.Error("nobody had the meter while streams ended")
	}
}
