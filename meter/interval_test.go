package meter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/traces/format"

	"rtfm/ruleset/match"

	"rtfm/meter/series"
	"rtfm/ruleset"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// diary is a sink that writes down what happens.
type diary struct {
	m     *Meter
	lines []string
	stop  error
}

func (d *diary) Collect(c Collection) error {
	flows, packets := 0, uint64(0)
	d.m.Flows(func(f *match.Flow) error {
		flows++
		packets += f.ToPDUs + f.FromPDUs
		return nil
	})
	line := fmt.Sprintf("%d-%d: %d flows, %d packets", (max(c.From, c.Start)-c.Start)/1e9, (c.To-c.Start)/1e9, flows, packets)
	if c.PassedOver > 0 {
		line += fmt.Sprintf(", %d passed over", c.PassedOver)
	}
	if c.Last {
		line += ", last"
	}
	d.lines = append(d.lines, line)
	return d.stop
}

func (d *diary) Damage(err error) { d.lines = append(d.lines, err.Error()) }
func (d *diary) BackInTime(file string, before, at int64) {
	d.lines = append(d.lines, fmt.Sprintf("%s goes back %d", file, before-at))
}

// at returns packets of one flow at these times, in seconds after an epoch.
func at(seconds ...int64) []traces.Packet {
	var packets []traces.Packet
	for _, s := range seconds {
		p := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("192.0.2.1", "192.0.2.2").UDP(1, 2))[0]
		p.Time = 1_000_000_000_000_000_000 + s*1e9
		packets = append(packets, p)
	}
	return packets
}

func TestIntervals(t *testing.T) {
	const years = 50 * 365 * 86400
	hundred := func(from int64) (lines []string) {
		for i := range int64(maxEmpty) {
			lines = append(lines, fmt.Sprintf("%d-%d: 0 flows, 0 packets", from+10*i, from+10*i+10))
		}
		return lines
	}
	for _, tt := range []struct {
		name    string
		cfg     Config
		packets []traces.Packet
		want    []string
	}{
		{"no interval", Config{}, at(0, 5, 100), []string{"0-100: 1 flows, 3 packets, last"}},
		{"no packet", Config{Interval: 10 * time.Second}, nil, nil},
		{"a packet at an end belongs to the next", Config{Interval: 10 * time.Second}, at(0, 9, 10, 19, 20),
			[]string{"0-10: 1 flows, 2 packets", "10-20: 1 flows, 4 packets", "20-20: 1 flows, 5 packets, last"}},
		{"gap", Config{Interval: 10 * time.Second}, at(0, 35),
			[]string{"0-10: 1 flows, 1 packets", "10-20: 0 flows, 0 packets", "20-30: 0 flows, 0 packets", "30-35: 1 flows, 2 packets, last"}},
		{"count", Config{Interval: 10 * time.Second, Intervals: 2}, at(0, 12, 21, 35),
			[]string{"0-10: 1 flows, 1 packets", "10-20: 1 flows, 2 packets, last"}},
		{"gap of decades", Config{Interval: 10 * time.Second}, at(0, 5, years+1, years+12),
			slices.Concat([]string{"0-10: 1 flows, 2 packets"}, hundred(10), []string{
				fmt.Sprintf("%d-%d: 1 flows, 1 packets, %d passed over", years, years+10, years/10-101),
				fmt.Sprintf("%d-%d: 1 flows, 2 packets, last", years+10, years+12),
			})},
		{"count reached in a gap", Config{Interval: 10 * time.Second, Intervals: 1000}, at(0, 5, years),
			slices.Concat([]string{"0-10: 1 flows, 2 packets"}, hundred(10), []string{"9990-10000: 0 flows, 0 packets, 898 passed over, last"})},
		{"back in time", Config{Interval: 10 * time.Second}, at(5, 3, 4, 16),
			[]string{"a goes back 2000000000", "0-10: 1 flows, 3 packets", "10-11: 1 flows, 4 packets, last"}},
	} {
		if lines := intervalsOf(t, tt.cfg, tt.packets); !slices.Equal(lines, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, strings.Join(lines, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

// intervalsOf returns what a meter of these packets does.
func intervalsOf(t *testing.T, cfg Config, packets []traces.Packet) []string {
	t.Helper()
	cfg.MaxFlows, cfg.InactivityTimeout = 10, time.Hour
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := &diary{m: m}
	if err := m.Run(context.Background(), &named{memory{packets, rand.New(rand.NewPCG(1, 1))}}, d); err != nil {
		t.Fatal(err)
	}
	return d.lines
}

// named gives the batches of memory a file name.
type named struct{ memory }

func (n *named) ReadBatch(b *traces.Batch) error {
	b.File = "a"
	return n.memory.ReadBatch(b)
}

// TestEndOfTime meters packets at the latest times that there are.
func TestEndOfTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []*time.Location{nil, time.UTC, berlin} {
		packets := at(0, 0, 0)
		packets[1].Time, packets[2].Time = math.MaxInt64-1, math.MaxInt64
		m, err := New(Config{MaxFlows: 10, Interval: time.Second, Align: place, InactivityTimeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		d := &diary{m: m}
		if err := m.Run(context.Background(), &memory{packets, rand.New(rand.NewPCG(1, 1))}, d); err != nil {
			t.Fatal(err)
		}
		if m.Stats().Packets != 3 || len(d.lines) > maxEmpty+5 {
			t.Errorf("%v: %d packets, %d collections", place, m.Stats().Packets, len(d.lines))
		}
	}
}

// failing is a source that is damaged in two places.
type failing struct {
	memory
	calls int
}

func (f *failing) ReadBatch(b *traces.Batch) error {
	if f.calls++; f.calls == 1 || f.calls == 3 {
		return &format.Error{File: "a", Err: format.ErrTruncated}
	}
	return f.memory.ReadBatch(b)
}

func TestDamageDoesNotEndMetering(t *testing.T) {
	m, _ := New(Config{MaxFlows: 10})
	d := &diary{m: m}
	src := &failing{memory: memory{at(0, 1, 2, 3), rand.New(rand.NewPCG(1, 1))}}
	if err := m.Run(context.Background(), src, d); err != nil {
		t.Fatal(err)
	}
	want := []string{"a: truncated", "a: truncated", "0-3: 1 flows, 4 packets, last"}
	if !slices.Equal(d.lines, want) {
		t.Errorf("%q, want %q", d.lines, want)
	}
	m, _ = New(Config{MaxFlows: 10})
	full := errors.New("disk full")
	d = &diary{m: m, stop: full}
	if err := m.Run(context.Background(), &memory{at(0), rand.New(rand.NewPCG(1, 1))}, d); err != full {
		t.Errorf("the sink's error: %v", err)
	}
}

func TestNumbers(t *testing.T) {
	one := func(n int) *ruleset.RuleSet {
		rs := ruleset.Default()
		rs.Number = n
		return rs
	}
	m, err := New(Config{MaxFlows: 1, RuleSets: []*ruleset.RuleSet{one(0), one(2), one(0), one(1)}})
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, s := range m.Stats().Tasks {
		got = append(got, s.RuleSet)
	}
	if want := []int{3, 2, 4, 1}; !slices.Equal(got, want) {
		t.Errorf("numbers %v, want %v", got, want)
	}
	if _, err := New(Config{RuleSets: []*ruleset.RuleSet{one(7), one(7)}}); err == nil || !strings.Contains(err.Error(), "both ask for number 7") {
		t.Errorf("the same number twice: %v", err)
	}
}

// repeated is a source that gives the same packets again and again.
type repeated struct{ packets []traces.Packet }

func (r *repeated) ReadBatch(b *traces.Batch) error {
	b.Packets = append(b.Packets[:0], r.packets...)
	return nil
}
func (r *repeated) Stats() traces.Stats { return traces.Stats{} }
func (r *repeated) Close() error        { return nil }

// TestNoAllocationPerPacket counts what metering packets of known flows
// allocates: nothing.
func TestNoAllocationPerPacket(t *testing.T) {
	m, err := New(Config{MaxFlows: 1000, RuleSets: []*ruleset.RuleSet{finest()}, Series: SeriesConfig{
		Interval: time.Second, Take: func(*series.Interval) error { return nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	packets := randomTrace(rand.New(rand.NewPCG(3, 3)), 200)
	b, in, src := new(batch), m.newInput(), &repeated{packets}
	seconds := int64(0)
	again := func() { // another second's packets
		seconds++
		for i := range packets {
			packets[i].Time = seconds * int64(time.Second)
		}
		in.read(b, src)
		in.prepare(b, m.memos, 0)
		if err := m.meterBatch(b); err != nil {
			t.Fatal(err)
		}
	}
	m.sink = &diary{m: m}
	again()
	if n := testing.AllocsPerRun(20, again); n != 0 {
		t.Errorf("%v allocations for %d packets", n, len(packets))
	}
	if s := m.Stats(); s.Tasks[0].Counted != s.Packets {
		t.Errorf("%+v", s)
	}
}

func BenchmarkMeter(b *testing.B) {
	packets := randomTrace(rand.New(rand.NewPCG(3, 3)), 200)
	for i := range packets {
		packets[i].Time = 5
	}
	m, err := New(Config{MaxFlows: 1000, RuleSets: []*ruleset.RuleSet{finest()}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	batch, in, src := new(batch), m.newInput(), &repeated{packets}
	for b.Loop() {
		in.read(batch, src)
		in.prepare(batch, m.memos, 0)
		m.meterBatch(batch)
		n += len(packets)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/packet")
}
