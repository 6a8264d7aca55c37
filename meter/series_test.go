package meter

import (
	"maps"
	"slices"

	"rtfm/meter/series"
	"rtfm/traces"
)

// plainSeries makes the series of a plainMeter, a second after the other.
type plainSeries struct {
	start, end int64
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
