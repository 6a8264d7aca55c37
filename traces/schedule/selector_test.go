package schedule

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rtfm/traces"
)

// stream returns packets of a day or more, from a time on, each second one or more, some
// of them late by up to two seconds.
func stream(from int64, length time.Duration) (all []traces.Packet) {
	r := rand.New(rand.NewPCG(3, 4))
	for at := from; at < from+int64(length); at += r.Int64N(1e9) {
		t := at
		if r.IntN(20) == 0 {
			t -= r.Int64N(2e9)
		}
		all = append(all, traces.Packet{Time: t, Wire: 60 + r.Uint32N(1400)})
	}
	return all
}

// batches is a Source of packets in batches of three.
type batches struct{ left []traces.Packet }

func (s *batches) ReadBatch(b *traces.Batch) error {
	b.Reset("x")
	if len(s.left) == 0 {
		return io.EOF
	}
	n := min(3, len(s.left))
	b.Packets = append(b.Packets, s.left[:n]...)
	s.left = s.left[n:]
	return nil
}

func (s *batches) Stats() traces.Stats { return traces.Stats{} }
func (s *batches) Close() error        { return nil }

// read returns the packets of a source.
func read(t *testing.T, src traces.Source) (all []traces.Packet) {
	t.Helper()
	var b traces.Batch
	for {
		err := src.ReadBatch(&b)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil || len(b.Packets) == 0 {
			t.Fatalf("%v, %d packets", err, len(b.Packets))
		}
		all = append(all, b.Packets...)
	}
}

const day = int64(24 * time.Hour)

// TestSelect has a source of those packets that are in windows, late ones too, and counts
// the others.
func TestSelect(t *testing.T) {
	s := &Schedule{Windows: 24, Length: 5 * time.Minute, Period: 24 * time.Hour, Seed: 5}
	all := stream(100*day+day/3, 30*time.Hour)
	sel := NewSelector(Config{Schedule: s})
	src := Select(&batches{all}, sel, false)
	got := read(t, src)
	n := 0
	for i := range all {
		w := s.At(all[i].Time)
		if all[i].Time < w.From || all[i].Time >= w.To {
			continue
		}
		if n == len(got) || got[n].Time != all[i].Time || got[n].Wire != all[i].Wire {
			t.Fatalf("packet %d of %d is not that at %d", n, len(got), all[i].Time)
		}
		n++
	}
	if n == 0 || n != len(got) {
		t.Errorf("%d packets, want %d", len(got), n)
	}
	if c := sel.Counts(); c.Selected != uint64(n) || c.Selected+c.NotSampled != uint64(len(all)) || src.Stats().NotSampled != c.NotSampled {
		t.Errorf("%+v, want %d of %d; stats have %d", c, n, len(all), src.Stats().NotSampled)
	}
}

// TestEstimates has the same estimates of a whole trace as of its windows alone, but for
// the first stratum and the last, which the trace does not have whole.
func TestEstimates(t *testing.T) {
	s := &Schedule{Windows: 24, Length: 5 * time.Minute, Period: 24 * time.Hour, Seed: 5}
	for _, c := range []struct {
		from      int64
		length    time.Duration
		same      bool
		wantSpan  time.Duration
		wantCount int
	}{
		{100 * day, 24 * time.Hour, true, 24 * time.Hour, 24},
		{s.At(100*day).From - 60e9, 12 * time.Hour, false, 0, 12},
		{s.At(100*day).From + 60e9, 12 * time.Hour, false, 0, 11},
	} {
		all := stream(c.from, c.length)
		whole := NewSelector(Config{Schedule: s})
		cut := read(t, Select(&batches{all}, whole, false))
		packets, octets, ok := whole.Estimates()
		again := NewSelector(Config{Schedule: s})
		read(t, Select(&batches{cut}, again, false))
		packets2, octets2, _ := again.Estimates()
		if !ok || packets.Windows < c.wantCount-1 || packets.Windows > c.wantCount+1 {
			t.Errorf("%d windows, want %d", packets.Windows, c.wantCount)
		}
		if c.same && (math.Abs(packets.Total-packets2.Total) > 0.001*packets.Total || math.Abs(octets.Margin-octets2.Margin) > 0.01*octets.Margin) {
			t.Errorf("%+v and %+v of all, %+v and %+v of its windows", packets, octets, packets2, octets2)
		}
		if math.Abs(packets.Span.Seconds()-c.length.Seconds()) > 3600 {
			t.Errorf("span %v of %v", packets.Span, c.length)
		}
		total := float64(len(all)) * packets.Span.Seconds() / c.length.Seconds()
		if math.Abs(packets.Total-total) > 2*packets.Margin || packets.Margin > 0.1*total {
			t.Errorf("%+v of %f", packets, total)
		}
	}
}

// TestGap has windows without packets in a gap, however long it is, and time that an
// outlier has moved by centuries is no reason to walk through it.
func TestGap(t *testing.T) {
	s := &Schedule{Windows: 1000, Length: time.Millisecond, Period: time.Hour}
	for _, gap := range []int64{int64(time.Hour), 200 * 365 * day} {
		sel := NewSelector(Config{Schedule: s})
		var e estimator
		last := s.At(1e15)
		first, behind := last.Number, s.At(last.Begins+gap)
		for _, t := range []int64{last.Begins, last.From, behind.From, behind.Ends - 1} {
			sel.Take(&traces.Packet{Time: t, Wire: 100})
		}
		got, _, _ := sel.Estimates()
		if got.Windows != int(behind.Number-first)+1 || math.Abs(got.Span.Seconds()-float64(gap+3.6e9)/1e9) > 1 {
			t.Errorf("gap %d: %+v", gap, got)
		}
		if gap > day {
			continue
		}
		for n := range behind.Number - first + 1 {
			rate := 0.0
			if n == 0 || n == behind.Number-first {
				rate = 1 / float64(s.Length)
			}
			e.add(rate, 3.6e9)
		}
		if want := e.estimate(float64(s.Length)); math.Abs(got.Total-want.Total) > 1e-6*want.Total || math.Abs(got.Margin-want.Margin) > 1e-6*want.Margin {
			t.Errorf("gap %d: %+v, want %+v", gap, got, want)
		}
	}
}

// TestSample takes one of so many packets, and all of some flows.
func TestSample(t *testing.T) {
	const n, of = 200_000, 50
	for _, kind := range []Kind{Systematic, Random, Flow} {
		take := func(seed uint64) (taken []bool) {
			sel := NewSelector(Config{
				Sample: Sample{Of: of, Kind: kind, Seed: seed},
				FlowID: func(p *traces.Packet) uint64 { return uint64(p.Wire) * 0x9e3779b97f4a7c15 },
			})
			for i := range n {
				taken = append(taken, sel.Take(&traces.Packet{Wire: uint32(i*31) % 20_000}))
			}
			return taken
		}
		one, same, other := take(1), take(1), take(2)
		flows := make(map[int]bool)
		count, differ, last := 0, 0, -1
		for i := range one {
			if one[i] != same[i] {
				t.Fatalf("%v: packet %d is taken once of two times", kind, i)
			}
			if one[i] != other[i] {
				differ++
			}
			flow := i * 31 % 20_000
			if was, seen := flows[flow]; kind == Flow && seen && was != one[i] {
				t.Fatalf("some packets of flow %d are taken, some not", flow)
			}
			flows[flow] = one[i]
			if !one[i] {
				continue
			}
			if count++; kind == Systematic && last >= 0 && i != last+of {
				t.Fatalf("packet %d follows %d", i, last)
			}
			last = i
		}
		if count < n/of*8/10 || count > n/of*12/10 || kind == Systematic && count != n/of {
			t.Errorf("%v: %d of %d packets", kind, count, n)
		}
		if differ == 0 {
			t.Errorf("%v: another seed takes the same", kind)
		}
	}
}

// TestParseSample reads samples as people write them.
func TestParseSample(t *testing.T) {
	for text, want := range map[string]string{
		"1/100": "1/100:systematic", "1/7:random": "1/7:random", "1/4294967295:flow": "1/4294967295:flow",
		"100": "such as 1/100", "1/0": "number of packets", "1/-3": "number of packets", "1/4294967296": "number of packets",
		"1/100:flows": "want systematic, random or flow", "1/100:": "no kind of sample",
	} {
		got, err := ParseSample(text)
		if err != nil && !strings.Contains(err.Error(), want) || err == nil && got.String() != want {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
}

// TestAllocations takes packets without taking memory.
func TestAllocations(t *testing.T) {
	s := &Schedule{Windows: 8, Length: time.Second, Period: time.Minute}
	sel := NewSelector(Config{Schedule: s, Sample: Sample{Of: 3, Kind: Random}})
	p := traces.Packet{Time: 1e18}
	if n := testing.AllocsPerRun(10_000, func() {
		p.Time += 77e6
		sel.Take(&p)
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func BenchmarkTake(b *testing.B) {
	s := &Schedule{Windows: 8, Length: 90 * time.Second, Period: 24 * time.Hour}
	for name, sel := range map[string]*Selector{
		"schedule": NewSelector(Config{Schedule: s}), "systematic": NewSelector(Config{Sample: Sample{Of: 100}}),
		"random": NewSelector(Config{Sample: Sample{Of: 100, Kind: Random}}),
	} {
		b.Run(name, func(b *testing.B) {
			p := traces.Packet{Time: 1e18}
			for b.Loop() {
				p.Time += 1e6
				sel.Take(&p)
			}
		})
	}
}
