package live

import (
	"io"
	"reflect"
	"slices"
	"testing"
	"time"

	"rtfm/traces"
)

// stepped is a source, and the machine's clocks, as a test sets them.
type stepped struct {
	wall, elapsed int64 // seconds
	times         []int64
	until         int64
}

func (s *stepped) ReadBatch(b *traces.Batch) error {
	b.Packets, b.Until = b.Packets[:0], s.until*1e9
	for _, t := range s.times {
		b.Packets = append(b.Packets, traces.Packet{Time: t * 1e9})
	}
	return nil
}
func (s *stepped) Stats() traces.Stats { return traces.Stats{Records: 7} }
func (s *stepped) Close() error        { return io.ErrClosedPipe }

// TestSteady sets the machine's clock ahead and back.
func TestSteady(t *testing.T) {
	const start, day, year = 1_700_000_000, 86400, 365 * 86400
	c := &stepped{wall: start}
	var told []string
	s := Steady(c, func(message string) { told = append(told, message) })
	s.read = func() (int64, time.Duration) { return c.wall * 1e9, time.Duration(c.elapsed) * time.Second }
	s.wall, s.elapsed = s.read()
	for _, step := range []struct {
		what         string
		passed, set  int64 // seconds
		times, until []int64
		now          int64 // behind the start
		want         []int64
	}{
		{"as ever", 10, 0, []int64{5, 9}, []int64{8}, 10, []int64{5, 9, 8}},
		{"set ahead", 10, day, []int64{11, day + 19}, []int64{day + 20}, day + 20, []int64{11, day + 19, day + 20}},
		{"on", 10, 0, []int64{day + 29}, nil, day + 30, []int64{day + 29}},
		// The first packets were stamped before: what is ahead of the clock is at it.
		{"set back", 10, -day, []int64{day + 31, 35, 39}, []int64{day + 31}, day + 40, []int64{day + 40, day + 35, day + 39, day + 40}},
		{"on", 100, 0, []int64{139}, []int64{140}, day + 140, []int64{day + 139, day + 140}},
		{"set back again", 1, -3600, []int64{140 - 3600}, nil, day + 141, []int64{day + 140}},
		{"adjusted", 10, -1, nil, nil, day + 150, nil},
		{"set ahead again", 10, 3601, []int64{160}, nil, day + 160, []int64{day + 159}},
		{"and more", 10, 2 * day, []int64{2*day + 170}, nil, 2*day + 171, []int64{2*day + 170}},
		{"wild", 10, 0, []int64{2*day + 175, 2*day + year, 2*day + 180}, nil, 2*day + 181, []int64{2*day + 175, 2*day + 175, 2*day + 180}},
	} {
		c.elapsed += step.passed
		c.wall += step.passed + step.set
		c.times, c.until = nil, 0
		for _, at := range step.times {
			c.times = append(c.times, start+at)
		}
		for _, at := range step.until {
			c.until = start + at
		}
		var b traces.Batch
		if err := s.ReadBatch(&b); err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, p := range b.Packets {
			got = append(got, p.Time/1e9-start)
		}
		if b.Until != 0 {
			got = append(got, b.Until/1e9-start)
		}
		if now := s.Now()/1e9 - start; now != step.now || !slices.Equal(got, step.want) {
			t.Errorf("%s: it is %d, packets are of %d; want %d, %d", step.what, now, got, step.now, step.want)
		}
	}
	want := []string{
		"the machine's clock was set by -24h0m0s: the meter's goes on, 24h0m0s ahead of it",
		"the machine's clock was set by -1h0m0s: the meter's goes on, 25h0m0s ahead of it",
		"the machine's clock was set by 1h0m1s: the meter's goes on, 23h59m59s ahead of it",
		"the machine's clock was set by 48h0m0s: the meter's goes on, 0s ahead of it",
		": a packet is of 2024-11-15T22:13:20Z, more than an hour ahead of the machine's clock: it counts at the time before it, as such packets do",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if st := s.Stats(); !reflect.DeepEqual(st, traces.Stats{Records: 7, Outliers: 1}) {
		t.Errorf("%+v", st)
	}
}
