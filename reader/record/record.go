package record

import (
	"fmt"
	"sync"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Collection is what is known of a collection before its flows.
type Collection struct {
	// Meter is its name.
	Meter string
	// Boot tells the meter's runs from each other, in hexadecimal: what the meter
	// made up at its start, or of meters that tell none BootOf the epoch. It is empty
	// if that is not known.
	Boot string
	// Epoch is when the meter's Uptime began, From and To the interval's ends: From
	// is the To of the collection before, and Epoch in the first. Nanoseconds since
	// 1970-01-01 00:00:00 UTC.
	Epoch, From, To int64
	// First is set for the first collection of the meter's run.
	First bool
	// Skipped is the number of empty intervals between From and To for which no
	// collections were made.
	Skipped int
	// Postponed is how often the collection could not be made, because the spool that it
	// is in was full, or its disk was: then its interval is longer than others.
	Postponed int
	// RuleSets are those whose flows the collection has, as far as they are known.
	// A file may tell of one no earlier than of its first flow.
	RuleSets []RuleSet
	// Missing are attributes that a file does not tell of its flows, of those that
	// every flow has. Their values are zero.
	Missing []attr.Attr
	// Clock is the time of day at which a file says that the collection was made,
	// where To may be another by up to a second; 0 where To is exact.
	Clock int64
}

// RuleSet says which ruleset flows are of.
type RuleSet struct {
	Number int    // FlowRuleSet of its flows
	Name   string // of its file, without directory and extension
	Hash   string // ruleset.RuleSet's, which tells it from others; empty if not known
	// Names are those of values that its flows save, nil if it has no tables or they
	// are not known.
	Names *ruleset.Names
}

// RuleSetOf returns what is to be told of a ruleset that has a number in the meter.
func RuleSetOf(number int, rs *ruleset.RuleSet) RuleSet {
	return RuleSet{Number: number, Name: rs.PlainName(), Hash: rs.Hash(), Names: rs.Names}
}

// RuleSet returns the ruleset with a number; only that if no more is known.
func (c *Collection) RuleSet(number int) RuleSet {
	for _, rs := range c.RuleSets {
		if rs.Number == number {
			return rs
		}
	}
	return RuleSet{Number: number}
}

// BootOf returns the Boot of a meter that makes up none.
func BootOf(epoch int64) string { return fmt.Sprintf("%016x", uint64(epoch)) }

// Sink takes collections, one after the other: Begin, Flow for each flow, End.
//
// A collection whose End was not called, or failed, has failed: what it had is to
// be left out, and the next one begins with the same From and has all of it.
type Sink interface {
	Begin(*Collection) error
	// Flow takes a flow, in order of ruleset number and index, and what it counted
	// in the interval, nil if that is not known. Who has not asked for differences
	// may get them without distributions, or not at all. Both are valid until Flow
	// returns.
	Flow(f *match.Flow, counted *Counters) error
	End(*Summary) error
}

// Differing is a Sink that may want to be told what flows counted in the interval.
type Differing interface {
	Sink
	// Differences reports whether it does.
	Differences() bool
}

// WantsDifferences reports whether a sink asks for what flows counted in each
// interval, which takes memory for each flow.
func WantsDifferences(s Sink) bool {
	d, ok := s.(Differing)
	return ok && d.Differences()
}

// Parallel is a Sink that can take several parts of a collection at a time.
type Parallel interface {
	Sink
	// Parts is called instead of Flow. It calls flows(i, put) once for each of n
	// parts, by any goroutines, and what it makes of them stands in their order. Put
	// is as Flow; an error shows in End.
	Parts(n int, flows func(part int, put func(f *match.Flow, counted *Counters)))
}

// From is a collection that can be read: of a meter in this process, of one over
// SNMP, of a flow data file.
type From interface {
	Collection() *Collection
	// Flows calls put for each flow as Sink.Flow wants it, until that fails.
	Flows(put func(f *match.Flow, counted *Counters) error) error
	// Summary ends the collection once all flows were read. It fails if they are
	// not all there are. collected tells what the flows of a ruleset have counted
	// in the interval, in packets, nil if that is not known.
	Summary(collected func(ruleSet int) *uint64) (*Summary, error)
}

// Parted is a From whose flows can be read in parts at the same time.
type Parted interface {
	From
	// Parts returns the flows of Flows, in the same order, in parts. There are none
	// if they must be read one after the other.
	Parts() []func(put func(f *match.Flow, counted *Counters))
}

// Copy passes a collection on. After an error it has failed.
func Copy(to Sink, from From) (*Summary, error) {
	if err := to.Begin(from.Collection()); err != nil {
		return nil, err
	}
	var all tally
	if !copyParts(to, from, &all) {
		err := from.Flows(func(f *match.Flow, counted *Counters) error {
			all.add(f, counted)
			return to.Flow(f, counted)
		})
		if err != nil {
			return nil, err
		}
	}
	sum, err := from.Summary(all.collected)
	if err != nil {
		return nil, err
	}
	sum.Flows = all.flows
	return sum, to.End(sum)
}

// copyParts passes the flows on in parts, if both sides can.
func copyParts(to Sink, from From, all *tally) bool {
	parallel, can := to.(Parallel)
	parted, has := from.(Parted)
	if !can || !has {
		return false
	}
	parts := parted.Parts()
	if len(parts) == 0 {
		return false
	}
	var mu sync.Mutex
	parallel.Parts(len(parts), func(i int, put func(*match.Flow, *Counters)) {
		var own tally
		parts[i](func(f *match.Flow, counted *Counters) {
			own.add(f, counted)
			put(f, counted)
		})
		mu.Lock()
		defer mu.Unlock()
		all.join(&own)
	})
	return true
}

// tally is what the flows of a collection have counted in its interval.
type tally struct {
	flows uint64
	// By ruleset: PDUs, and the number of flows of which that is not known. The
	// first is of rulesets that have no number of ours.
	sums [ruleset.MaxRuleSets + 1]struct{ pdus, unknown uint64 }
}

// place returns the place of a ruleset's sums.
func (t *tally) place(ruleSet int) int {
	if ruleSet < 0 || ruleSet >= len(t.sums) {
		return 0
	}
	return ruleSet
}

func (t *tally) add(f *match.Flow, counted *Counters) {
	t.flows++
	sum := &t.sums[t.place(f.Shape.RuleSet)]
	if counted == nil {
		sum.unknown++
	} else {
		sum.pdus += counted.ToPDUs + counted.FromPDUs
	}
}

func (t *tally) join(part *tally) {
	t.flows += part.flows
	for i := range part.sums {
		t.sums[i].pdus += part.sums[i].pdus
		t.sums[i].unknown += part.sums[i].unknown
	}
}

// collected returns the packets that the flows of a ruleset have counted, nil if
// that is not known of all.
func (t *tally) collected(ruleSet int) *uint64 {
	at := t.place(ruleSet)
	if at == 0 || t.sums[at].unknown > 0 {
		return nil
	}
	return &t.sums[at].pdus
}
