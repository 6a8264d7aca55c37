package query

import (
	"errors"
	"fmt"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Intervals tell what flows counted in the intervals of collections where these do not:
// what they have counted altogether, less that of the collection before. They hold
// the counters of all flows. The zero value is for the first of several files.
//
// A meter's collections must come in the order in which they were made, each once.
type Intervals struct {
	runs map[run]*past
}

// run is one run of a meter, from its start.
type run struct {
	meter string
	epoch int64
}

// past is what was read of a run.
type past struct {
	// deltas are by ruleset: meters may give flows of several the same index.
	deltas map[int]*record.Deltas
	to     map[int]int64 // the end of the last collection by ruleset
	// whole is set while all collections from the first to that which ended at last
	// have been remembered: a flow that is not known is new then.
	whole bool
	last  int64

	of      *record.Deltas // those of ruleSet
	ruleSet int
}

// Seen is what was read of a file.
type Seen struct {
	Flows uint64
	saved map[attr.Attr]bool // by flows
	shape *match.Shape
}

// Saved reports whether any flow has saved an attribute.
func (s *Seen) Saved(a attr.Attr) bool { return s.saved[a] }

func (s *Seen) flow(f *match.Flow) {
	s.Flows++
	if s.shape == f.Shape {
		return
	}
	s.shape = f.Shape
	if s.saved == nil {
		s.saved = map[attr.Attr]bool{}
	}
	for _, saved := range f.Shape.Saved {
		s.saved[saved.Attr] = true
	}
	for i := range f.Shape.Measures {
		s.saved[f.Shape.Measures[i].Attr] = true
	}
}

// From returns the collection with what its flows counted in the interval, nil where
// that is not known: of flows that began before the first collection that was read.
// What it reads is noted in seen. Once its flows have failed nothing is known of those
// that follow.
func (in *Intervals) From(from record.From, seen *Seen) record.From {
	return &withCounted{From: from, past: in.past(from.Collection()), seen: seen}
}

// past returns what was read of the run of a collection's meter.
func (in *Intervals) past(c *record.Collection) *past {
	key := run{c.Meter, c.Epoch}
	if in.runs == nil {
		in.runs = map[run]*past{}
	}
	if in.runs[key] == nil {
		in.runs[key] = &past{deltas: map[int]*record.Deltas{}, to: map[int]int64{}}
	}
	return in.runs[key]
}

// withCounted is a collection that tells what flows counted in its interval.
type withCounted struct {
	record.From
	past *past
	seen *Seen
}

// Flows implements record.From.
func (w *withCounted) Flows(put func(*match.Flow, *record.Counters) error) error {
	c := w.Collection()
	p := w.past
	told := tellsFlows(c) // otherwise only the first collection is known
	p.whole, p.last = c.First || p.whole && c.From == p.last && told, c.To
	ruleSet := -1
	var own record.Counters
	err := w.From.Flows(func(f *match.Flow, counted *record.Counters) error {
		w.seen.flow(f)
		if n := f.Shape.RuleSet; n != ruleSet {
			if err := p.follows(c, n); err != nil {
				return err
			}
			ruleSet = n
		}
		switch {
		case counted == nil && !told && c.First:
			own = record.CountersOf(f)
			counted = &own
		case counted == nil && told:
			var known bool
			var err error
			if own, known, err = p.since(f); err != nil {
				return err
			}
			if known || p.whole || f.FirstTime > c.From {
				counted = &own
			}
		case counted != nil:
			p.whole = false
		}
		return put(f, counted)
	})
	if err != nil {
		clear(p.deltas)
		p.of, p.whole = nil, false
	}
	return err
}

// since returns what a flow has counted since it was read last, all of it and false if
// it was not, and remembers it.
func (p *past) since(f *match.Flow) (record.Counters, bool, error) {
	if n := f.Shape.RuleSet; p.of == nil || p.ruleSet != n {
		if p.deltas[n] == nil {
			p.deltas[n] = new(record.Deltas)
		}
		p.ruleSet, p.of = n, p.deltas[n]
	}
	counted, known := p.of.Take(f)
	if counted.ToOctets > f.ToOctets || counted.FromOctets > f.FromOctets || counted.ToPDUs > f.ToPDUs || counted.FromPDUs > f.FromPDUs {
		return counted, known, fmt.Errorf("the counters of flow %d of ruleset %d went back: files are not in their order, or are damaged",
			f.Index, f.Shape.RuleSet)
	}
	return counted, known, nil
}

// follows reports a collection that does not begin where the one before of the same
// ruleset ended or behind it: what it counted has been counted.
func (p *past) follows(c *record.Collection, ruleSet int) error {
	const centisecond = 10_000_000 // times of text are not finer
	if to, ok := p.to[ruleSet]; ok && c.From < to-centisecond {
		return fmt.Errorf("ruleset %d of meter %s was read up to %s, and this collection begins at %s: %w",
			ruleSet, c.Meter, clock(to), clock(c.From), ErrTwice)
	}
	p.to[ruleSet] = c.To
	return nil
}

// ErrTwice is for collections that would count twice.
var ErrTwice = errors.New("it would count twice")

// errUntold is for flows of several collections that cannot be told from each other.
var errUntold = errors.New("there are several collections, and FlowIndex and FirstTime do not tell their flows from each other")

// IsRefusal reports whether an error is not of damage, but of what was asked for: that
// it would count packets twice.
func IsRefusal(err error) bool {
	var sets *RuleSetsError
	return errors.Is(err, ErrTwice) || errors.Is(err, errUntold) || errors.As(err, &sets)
}

// clock returns a time for a message.
func clock(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.00Z")
}
