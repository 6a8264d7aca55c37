package meter

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"rtfm/meter/series"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// plainSeries makes the series of a plainMeter, a second after the other.
type plainSeries struct {
	start      int64
	rows       map[int]*series.Row
	interfaces map[uint32]*series.Row
	active     map[*plainFlow]bool
	empty      int
	gap        int64
	intervals  []series.Interval
}

func (s *plainSeries) ruleSet(number int) *series.Row {
	if s.rows[number] == nil {
		s.rows[number] = &series.Row{}
	}
	return s.rows[number]
}

// of returns the row of the packet's interface.
func (s *plainSeries) of(p *traces.Packet) *series.Row {
	if s.interfaces[p.Interface] == nil {
		s.interfaces[p.Interface] = &series.Row{}
	}
	return s.interfaces[p.Interface]
}

// counts notes that a flow has counted a packet.
func (s *plainSeries) counts(row *series.Row, f *plainFlow) {
	if !s.active[f] {
		s.active[f] = true
		row.ActiveFlows++
	}
}

// passSeconds ends the intervals that are over at a time, and begins the first one. At
// the latest time there is it ends the last.
func (m *plainMeter) passSeconds(time int64) {
	s, length := &m.series, int64(m.cfg.Series.Interval)
	if s.rows == nil {
		s.rows, s.interfaces, s.active = map[int]*series.Row{}, map[uint32]*series.Row{}, map[*plainFlow]bool{}
		if length > 0 {
			s.start = time / length * length
		}
	}
	for length > 0 && s.start+length <= time {
		came := uint64(0)
		for _, r := range s.interfaces {
			came += r.PDUs + r.Filtered
		}
		if came == 0 && time == 1<<63-1 {
			return
		}
		m.endSecond(came == 0)
		s.start += length
		if time == 1<<63-1 {
			return
		}
	}
}

func (m *plainMeter) endSecond(empty bool) {
	s, length := &m.series, int64(m.cfg.Series.Interval)
	if s.empty == maxEmpty && empty {
		if s.gap == 0 {
			s.gap = s.start
		}
		return
	}
	number := func() uint64 { return uint64(len(s.intervals) + 1) }
	if s.gap > 0 {
		s.intervals = append(s.intervals, series.Interval{Number: number(), From: s.gap, To: s.start})
		s.gap = 0
	}
	if s.empty++; !empty {
		s.empty = 0
	}
	i := series.Interval{Number: number(), From: s.start, To: s.start + length}
	for n, rs := range m.cfg.RuleSets {
		row := s.ruleSet(n + 2)
		row.RuleSet, row.Name = n+2, rs.Name
		for k := range m.flows {
			if k.Shape.RuleSet == n+2 {
				row.Flows++
			}
		}
		i.Rows = append(i.Rows, *row)
	}
	for _, n := range slices.Sorted(maps.Keys(s.interfaces)) {
		s.interfaces[n].Interface = n
		i.Rows = append(i.Rows, *s.interfaces[n])
		*s.interfaces[n] = series.Row{}
	}
	s.intervals = append(s.intervals, i)
	clear(s.rows)
	clear(s.active)
}

// TestSeriesOfLatePackets has a live meter's clock moved on, as readers do, before
// packets are metered that were captured in the second before: they count there, and
// readers are told of their flows still.
func TestSeriesOfLatePackets(t *testing.T) {
	var got []string
	a := newAttended(Config{MaxFlows: 1000, Series: SeriesConfig{time.Second, func(i *series.Interval) error {
		r := i.Rows[0]
		got = append(got, fmt.Sprintf("%d: %d packets, %d active, %d new", i.From/1e9-1e9, r.PDUs, r.ActiveFlows, r.NewFlows))
		return nil
	}}})
	a.m.StartClock(1e18)
	a.m.SetTasks([]*Task{a.task(t, finest(), 2)})
	last := int64(1e18 + 2_010_000_000)
	a.read = []func() []traces.Packet{
		func() []traces.Packet { return toHost(0.1, 1, 2) },
		func() []traces.Packet { a.m.AdvanceClock(1e18 + 1_020_000_000); return toHost(0.995, 1, 3) },
		func() []traces.Packet { return toHost(1.01, 1, 2, 3) },
		func() []traces.Packet { return toHost(1.5, 1) },
		func() []traces.Packet { a.m.AdvanceClock(last); return toHost(2.001, 1) },
		func() []traces.Packet { return toHost(2.002, 1, 4) },
		func() []traces.Packet {
			if row := a.m.Table().NextOf(2, 1, last); row == 0 {
				t.Error("who was told a time is not told of what was counted later")
			}
			return toHost(2.5, 4)
		},
	}
	a.run(t)
	want := []string{"0: 4 packets, 3 active, 3 new", "1: 4 packets, 3 active, 0 new", "2: 4 packets, 2 active, 1 new"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestSeriesAtTheTimeMovedTo has a packet come at the very time to which the clock was
// moved before: its flow was last active then, not when the packet before it came.
func TestSeriesAtTheTimeMovedTo(t *testing.T) {
	a := newAttended(Config{MaxFlows: 1000, Series: SeriesConfig{time.Second, func(*series.Interval) error { return nil }}})
	a.m.StartClock(1e18)
	a.m.SetTasks([]*Task{a.task(t, finest(), 2)})
	a.read = []func() []traces.Packet{
		func() []traces.Packet { return toHost(0.1, 1) },
		func() []traces.Packet { a.m.AdvanceClock(1e18 + 500_000_000); return toHost(0.5, 2) },
	}
	a.run(t)
	var times []int64
	var f match.Flow
	for row := a.m.Table().NextOf(2, 1, 0); row != 0; row = a.m.Table().NextOf(2, row+1, 0) {
		a.m.Table().Read(row, &f)
		times = append(times, f.FirstTime-1e18, f.LastTime-1e18)
	}
	if want := []int64{1e8, 1e8, 5e8, 5e8}; !slices.Equal(times, want) {
		t.Errorf("first and last times %v, want %v", times, want)
	}
}
