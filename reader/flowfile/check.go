package flowfile

import (
	"errors"
	"fmt"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Check is a record.Sink that finds what cannot be in flow data: numbers that do not
// add up, intervals that overlap or go back, flows whose counters are less than what
// the interval added to them. What reading finds, damage and collections without an
// end, it is not told.
type Check struct {
	// Collections and Flows are how many were whole.
	Collections, Flows uint64
	// Fault is called for each fault that is found, with the place of the collection in
	// the file, from 1, and the end of its interval.
	Fault func(collection uint64, end time.Time, err error)

	c     *record.Collection
	flows uint64
	ends  map[meterRun]int64
}

// meterRun is a run of a meter.
type meterRun struct {
	meter string
	epoch int64
}

// fault reports a fault of the present collection.
func (k *Check) fault(format string, args ...any) {
	k.Fault(k.Collections+1, time.Unix(0, k.c.To).UTC(), fmt.Errorf(format, args...))
}

// Begin implements record.Sink.
func (k *Check) Begin(c *record.Collection) error {
	k.c, k.flows = c, 0
	if k.ends == nil {
		k.ends = make(map[meterRun]int64)
	}
	run := meterRun{c.Meter, c.Epoch}
	if last, ok := k.ends[run]; ok && c.From < last {
		k.fault("the interval begins at %s, before the one before ended, at %s", appendTime(nil, c.From), appendTime(nil, last))
	}
	k.ends[run] = c.To
	if c.To < c.From {
		k.fault("the interval ends before it begins, at %s", appendTime(nil, c.From))
	}
	return nil
}

// Flow implements record.Sink.
func (k *Check) Flow(f *match.Flow, counted *record.Counters) error {
	k.flows++
	if f.LastTime != 0 && f.LastTime < f.FirstTime {
		k.fault("flow %d of ruleset %d was active last, at %s, before it began", f.Index, f.Shape.RuleSet, appendTime(nil, f.LastTime))
	}
	if counted != nil && k.exceeds(f, counted) {
		k.fault("flow %d of ruleset %d has counted more in the interval than altogether", f.Index, f.Shape.RuleSet)
	}
	return nil
}

// exceeds reports whether a flow has counted more in the interval than altogether, of
// what is known.
func (k *Check) exceeds(f *match.Flow, counted *record.Counters) bool {
	all := [...]uint64{f.ToPDUs, f.FromPDUs, f.ToOctets, f.FromOctets}
	for i, n := range [...]uint64{counted.ToPDUs, counted.FromPDUs, counted.ToOctets, counted.FromOctets} {
		unknown := false
		for _, a := range k.c.Missing {
			unknown = unknown || a == told[4+i]
		}
		if n > all[i] && !unknown {
			return true
		}
	}
	return false
}

// End implements record.Sink.
func (k *Check) End(s *record.Summary) error {
	for i := range s.RuleSets {
		r := &s.RuleSets[i]
		if r.Sum() != r.Packets {
			k.fault("ruleset %d has seen %d packets, of which %d were counted, %d ignored, %d unmatched, %d stopped and %d uncounted, in sum %d",
				r.RuleSet, r.Packets, r.Counted, r.Ignored, r.Unmatched, r.Stopped, r.Uncounted, r.Sum())
		}
	}
	k.Collections++
	k.Flows += k.flows
	return nil
}

// ErrNothing is for a file that has no collections.
var ErrNothing = errors.New("flow data file: it has no collections")
