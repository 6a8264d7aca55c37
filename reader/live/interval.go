// Package live holds what a live view shows: of each collection the flows that counted
// most, exact sums of the others, and what was lost. A Sink makes an Interval of each
// collection that is read, wherever it comes from, and a History keeps the latest ones
// for any number of viewers. It knows nothing of screens and pages.
package live

import (
	"rtfm/meter/series"
	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/attr"
)

// Interval is what is shown of one collection. It is never changed once it is in a
// History.
type Interval struct {
	// Number counts the intervals of a History, from 1.
	Number uint64
	record.Collection
	Loss     Loss
	Sections []Section // one for each ruleset, in order of their numbers
	Spreads  []Spread  // by ruleset and attribute
	// Seconds is what the meter's series had since the Interval before; nothing of a meter
	// without one.
	Seconds []series.Interval
	octets  int    // about what it takes in memory
	packed  packed // its JSON, in a packed History
}

// size returns about how much memory the interval takes, with its JSON, in octets.
func (i *Interval) size() int {
	const object, cell, counter = 1 << 10, 64, 24
	n := object
	for k := range i.Sections {
		t := i.Sections[k].Table
		n += object + cell*len(t.Columns)*(len(t.Rows)+2)
		for _, row := range t.Rows {
			for c := range row {
				n += 2 * row[c].Len()
			}
		}
	}
	for k := range i.Spreads {
		n += object/4 + counter*len(i.Spreads[k].Counters)
	}
	for k := range i.Seconds {
		n += object / 4 * (1 + len(i.Seconds[k].Rows))
	}
	return n
}

// Loss is what the interval's flows do not have, in packets.
type Loss struct {
	Lost, Uncounted, Ignored, Unmatched, Stopped uint64
	// Unknown is the number of flow records of which it is not known what they have
	// counted in the interval: they are left out.
	Unknown uint64
}

// Section is what the flows of one ruleset have counted.
type Section struct {
	Number int
	Name   string
	// Table has a row for each of the flows that counted most, a sum of the others and
	// one of all. Its columns are those for programs, exact and with names of attributes.
	Table *table.Table
	// Packets is what became of those that the ruleset has seen.
	Packets record.RuleSetSummary
}

// Spread is a distribution of all flows of a ruleset together.
type Spread struct {
	RuleSet  int
	Measure  attr.Measure
	Limits   []uint64 // in the unit of the attribute, see attr.Distribution
	Counters []uint64 // one more than limits, which is above the last of them
}

// Length returns how long the interval is, in nanoseconds.
func (i *Interval) Length() int64 { return max(i.To-i.From, 0) }

// Section returns that of the ruleset with a number, nil if there is none.
func (i *Interval) Section(number int) *Section {
	for k := range i.Sections {
		if i.Sections[k].Number == number {
			return &i.Sections[k]
		}
	}
	return nil
}
