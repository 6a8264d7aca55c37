package meter

import (
	"cmp"
	"math"
	"slices"
	"time"

	"rtfm/meter/flow"
	"rtfm/meter/series"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// SeriesConfig asks for a series.
type SeriesConfig struct {
	// Interval is how long an interval is. All end at its multiples, counted from
	// 1970-01-01 00:00:00 UTC.
	Interval time.Duration
	// Take is called at the end of each interval with what it has counted, on the
	// goroutine of Run, between two packets. It must not keep it.
	Take func(*series.Interval) error
}

// seconds is what a series counts in the interval under way. Without a series its end
// never comes.
type seconds struct {
	start, end int64
	links      *links // nil without a series
	packets    uint64 // of the meter when the interval began, filtered ones too
	lost       uint64 // likewise
	empty      int    // empty intervals in a row before this one
	gap        int64  // where those began that were passed over, 0 if none were
	left       []series.Row
	out        series.Interval
}

// activity is what a ruleset has counted until some time.
type activity struct {
	TaskStats
	octets uint64 // that it has seen
	flows  flow.Activity
}

// activityOf returns what the task has counted until now.
func (m *Meter) activityOf(t *Task) activity {
	return activity{m.TaskStats(t), m.stats.Octets, m.table.Activity(t.stats.RuleSet)}
}

// beginSeries begins the first interval, which holds time t, if there is to be a series.
func (m *Meter) beginSeries(t int64) {
	length := int64(m.cfg.Series.Interval)
	if length == 0 {
		return
	}
	s := &m.seconds
	s.start = t - modulo(t, 0, length)
	s.end = later(s.start, length)
	s.links = newLinks()
	m.table.Since(s.start)
}

// endSeconds ends the intervals that are over at time t, if there is a series.
func (m *Meter) endSeconds(t int64) error {
	s := &m.seconds
	for t >= s.end && s.end < math.MaxInt64 {
		length := int64(m.cfg.Series.Interval)
		from, to := s.start, s.end
		if m.secondIsEmpty() && s.empty >= maxEmpty {
			to = t - modulo(t, 0, length)
			if s.gap == 0 {
				s.gap = from
			}
		} else if err := m.takeSecond(); err != nil {
			return err
		}
		s.start, s.end = to, later(to, length)
		m.table.Since(to)
	}
	return nil
}

// endSeries ends the interval under way, unless it is empty.
func (m *Meter) endSeries() error {
	if m.seconds.links == nil || m.secondIsEmpty() {
		return nil
	}
	return m.takeSecond()
}

// secondIsEmpty reports whether nothing came in the interval under way.
func (m *Meter) secondIsEmpty() bool {
	s := &m.seconds
	return s.packets == m.stats.Packets+m.stats.Filtered && s.lost == m.stats.Trace.Lost
}

// takeSecond hands over the interval under way, and before it the gap, if there is one.
func (m *Meter) takeSecond() error {
	s := &m.seconds
	if s.gap != 0 {
		gap := series.Interval{Number: s.out.Number + 1, From: s.gap, To: s.start}
		s.gap, s.out.Number = 0, gap.Number
		if err := m.cfg.Series.Take(&gap); err != nil {
			return err
		}
	}
	if m.secondIsEmpty() {
		s.empty++
	} else {
		s.empty = 0
	}
	s.out.Number++
	s.out.From, s.out.To = s.start, s.end
	s.out.Rows = m.appendRuleSets(s.out.Rows[:0])
	s.out.Rows = s.links.append(s.out.Rows, &m.stats.Trace)
	s.packets, s.lost = m.stats.Packets+m.stats.Filtered, m.stats.Trace.Lost
	return m.cfg.Series.Take(&s.out)
}

// appendRuleSets appends what rulesets have counted in the interval.
func (m *Meter) appendRuleSets(rows []series.Row) []series.Row {
	s := &m.seconds
	for _, t := range m.tasks {
		rows = append(rows, m.rowOf(t))
	}
	for i := range s.left {
		l := &s.left[i]
		if j := slices.IndexFunc(rows, func(r series.Row) bool { return r.RuleSet == l.RuleSet }); j >= 0 {
			rows[j].Add(l)
		} else {
			l.Flows = uint64(m.table.ActiveOf(l.RuleSet))
			rows = append(rows, *l)
		}
	}
	s.left = s.left[:0]
	slices.SortFunc(rows, func(a, b series.Row) int { return cmp.Compare(a.RuleSet, b.RuleSet) })
	return rows
}

// rowOf returns what the task has counted in the interval, and begins to count from
// zero.
func (m *Meter) rowOf(t *Task) series.Row {
	now, was := m.activityOf(t), &t.before
	row := series.Row{
		RuleSet: t.stats.RuleSet, Name: t.stats.Name,
		PDUs: now.Packets - was.Packets, Octets: now.octets - was.octets,
		Ignored: now.Ignored - was.Ignored, Unmatched: now.Unmatched - was.Unmatched,
		Stopped: now.Stopped - was.Stopped, Uncounted: now.Uncounted - was.Uncounted,
		ActiveFlows: now.flows.Active - was.flows.Active, NewFlows: now.flows.Created - was.flows.Created,
		Flows: uint64(m.table.ActiveOf(t.stats.RuleSet)),
	}
	t.before = now
	return row
}

// leave keeps what a task that runs no longer has counted in the interval, and ends its
// flows in the feed.
func (m *Meter) leave(t *Task) {
	if t.tap != nil {
		t.tap.tell(m.clock.now)
		t.tap.feed.Leave(t.stats.RuleSet)
	}
	if m.seconds.links == nil {
		return
	}
	if row := m.rowOf(t); row.PDUs > 0 {
		m.seconds.left = append(m.seconds.left, row)
	}
}

// note counts the packets of the batch from i to before n at their interfaces.
func (s *seconds) note(b *batch, i, n int) {
	if s.links == nil {
		return
	}
	for ; i < n; i++ {
		p := &b.seen[i]
		pdus, octets := uint64(1), uint64(p.octets)
		if len(b.records) > 0 {
			pdus, octets = b.records[i].PDUs, b.records[i].Octets
		}
		if r := s.links.at(b.interfaces[i]); p.flags&match.Filtered != 0 {
			r.Filtered += pdus
		} else {
			r.PDUs += pdus
			r.Octets += octets
		}
	}
}

// noteRun is note for packets that stand for no records, of which is known what they
// come to.
func (s *seconds) noteRun(b *batch, i, n int, pdus, octets, filtered uint64) {
	switch {
	case s.links == nil:
	case b.mixed:
		s.note(b, i, n)
	default:
		r := s.links.at(b.interfaces[i])
		r.PDUs += pdus
		r.Octets += octets
		r.Filtered += filtered
	}
}

// links counts the packets of interfaces in the interval under way.
type links struct {
	few  [64]*link // by number, those of which it is small
	many map[uint32]*link
	all  []*link // in the order of their numbers
}

type link struct {
	series.Row
	lost, was uint64 // since the start, now and when the interval began
}

// maxLinks is how many interfaces are told from each other, beside interface 0.
const maxLinks = 1000

func newLinks() *links { return &links{many: make(map[uint32]*link)} }

// at returns what is counted of an interface.
func (l *links) at(number uint32) *link {
	if number < uint32(len(l.few)) {
		if r := l.few[number]; r != nil {
			return r
		}
	} else if r := l.many[number]; r != nil {
		return r
	}
	return l.add(number)
}

// add adds an interface.
func (l *links) add(number uint32) *link {
	if len(l.all) >= maxLinks && number > 0 {
		return l.at(0)
	}
	r := &link{Row: series.Row{Interface: number}}
	if number < uint32(len(l.few)) {
		l.few[number] = r
	} else {
		l.many[number] = r
	}
	i, _ := slices.BinarySearchFunc(l.all, number, func(r *link, number uint32) int { return cmp.Compare(r.Interface, number) })
	l.all = slices.Insert(l.all, i, r)
	return r
}

// append appends the rows of all interfaces, with the packets lost that the source
// tells of, and begins to count from zero.
func (l *links) append(rows []series.Row, source *traces.Stats) []series.Row {
	for _, r := range l.all {
		r.lost = 0
	}
	for i := range source.PerInterface {
		from := &source.PerInterface[i]
		r := l.at(from.Number)
		r.lost += from.Lost
		if r.Interface == from.Number {
			r.Name = from.Name
		}
	}
	for _, r := range l.all {
		r.Lost = r.lost - min(r.was, r.lost)
		rows = append(rows, r.Row)
		r.Row, r.was = series.Row{Interface: r.Interface, Name: r.Name}, r.lost
	}
	return rows
}
