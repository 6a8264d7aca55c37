package live

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"rtfm/meter/series"
	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// MostRows is how many flows of a ruleset an Interval has. The others are added up.
const MostRows = 500

// Options say what is shown.
type Options struct {
	Numeric bool // numbers where values have names
}

// Sink is a record.Sink that makes an Interval of each collection.
type Sink struct {
	filter  atomic.Pointer[query.Expr]
	numeric atomic.Bool
	put     func(*Interval)
	c       record.Collection
	taken   *query.Expr // the filter of the collection at hand
	row     query.Row
	tops    map[int]*query.Top
	spreads map[spreadKey][]uint64
	unknown uint64
	seconds []series.Interval // that no Interval has yet
}

// spreadKey says of which ruleset a distribution is.
type spreadKey struct {
	ruleSet int
	measure attr.Measure
}

// NewSink returns a Sink that gives each Interval to put once its collection is whole.
func NewSink(opts Options, put func(*Interval)) *Sink {
	s := &Sink{put: put, tops: map[int]*query.Top{}, spreads: map[spreadKey][]uint64{}}
	s.numeric.Store(opts.Numeric)
	return s
}

// Filter has the collections that begin from now on show only flows for which e holds,
// all if it is nil. Any goroutine may call it.
func (s *Sink) Filter(e *query.Expr) { s.filter.Store(e) }

// Numeric has the collections that begin from now on show numbers where values have
// names. Any goroutine may call it.
func (s *Sink) Numeric(on bool) { s.numeric.Store(on) }

// mostSeconds is how many intervals of a series wait for a collection at most.
const mostSeconds = 3600

// Second takes an interval of the meter's series for the collection that is made next. It
// is called where collections are made, and keeps nothing of i.
func (s *Sink) Second(i *series.Interval) error {
	if len(s.seconds) == mostSeconds {
		s.seconds = slices.Delete(s.seconds, 0, 1)
	}
	own := *i
	own.Rows = slices.Clone(i.Rows)
	s.seconds = append(s.seconds, own)
	return nil
}

// Differences implements record.Differing.
func (s *Sink) Differences() bool { return true }

// Begin implements record.Sink.
func (s *Sink) Begin(c *record.Collection) error {
	s.c, s.taken, s.unknown = *c, s.filter.Load(), 0
	clear(s.tops)
	clear(s.spreads)
	for _, rs := range c.RuleSets {
		if _, err := s.top(rs.Number); err != nil {
			return err
		}
	}
	return nil
}

// top returns what adds up the flows of a ruleset.
func (s *Sink) top(ruleSet int) (*query.Top, error) {
	top := s.tops[ruleSet]
	if top == nil {
		top = query.NewTop(query.Options{
			Once: true, Saved: true, Full: true, Rows: MostRows, Numeric: s.numeric.Load(),
		})
		s.tops[ruleSet] = top
		return top, top.Begin(&s.c)
	}
	return top, nil
}

// Flow implements record.Sink.
func (s *Sink) Flow(f *match.Flow, counted *record.Counters) error {
	if counted == nil && !s.c.First && f.FirstTime <= s.c.From {
		s.unknown++
		return nil
	} else if counted == nil {
		all := record.CountersOf(f)
		counted = &all
	}
	if s.taken != nil {
		s.row.Flow, s.row.Counted = f, counted
		if !s.taken.Match(&s.row) {
			return nil
		}
	}
	s.addSpreads(f, counted.Measures)
	top, err := s.top(f.Shape.RuleSet)
	if err != nil {
		return err
	}
	return top.Flow(f, counted)
}

// addSpreads adds the distributions of a flow, whose numbers these are.
func (s *Sink) addSpreads(f *match.Flow, numbers []uint64) {
	for i := range f.Shape.Measures {
		m := &f.Shape.Measures[i]
		n := m.Counters()
		if n > len(numbers) {
			return // they are not known
		}
		if m.Attr.Form() == attr.FormBuckets {
			key := spreadKey{f.Shape.RuleSet, *m}
			if s.spreads[key] == nil {
				s.spreads[key] = make([]uint64, n)
			}
			m.Add(s.spreads[key], numbers[:n])
		}
		numbers = numbers[n:]
	}
}

// End implements record.Sink.
func (s *Sink) End(sum *record.Summary) error {
	to := &Interval{Collection: s.c, Loss: Loss{sum.Lost, sum.Uncounted, sum.Ignored, sum.Unmatched, sum.Stopped, s.unknown}}
	for _, number := range slices.Sorted(maps.Keys(s.tops)) {
		top := s.tops[number]
		if err := top.End(sum); err != nil {
			return err
		}
		section := Section{Number: number, Name: cmp.Or(s.c.RuleSet(number).Name, fmt.Sprint("ruleset ", number)), Table: top.Tables()[0]}
		for _, rs := range sum.RuleSets {
			if rs.RuleSet == uint64(number) {
				section.Packets = rs
			}
		}
		to.Sections = append(to.Sections, section)
	}
	for key, counters := range s.spreads {
		to.Spreads = append(to.Spreads, Spread{key.ruleSet, key.measure, key.measure.Limits(), slices.Clone(counters)})
	}
	slices.SortFunc(to.Spreads, func(a, b Spread) int {
		return cmp.Or(cmp.Compare(a.RuleSet, b.RuleSet), cmp.Compare(a.Measure.Attr, b.Measure.Attr))
	})
	to.Seconds, s.seconds = s.seconds, nil
	s.put(to)
	return nil
}
