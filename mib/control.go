package mib

import (
	"slices"
	"sync/atomic"

	"rtfm/ruleset"
)

// Control is what managers and readers set: the control group of RFC 2720.
// Rows are not changed once they stand in a table, but replaced; interfaces are
// changed in place.
type Control struct {
	RuleSets   Rows[RuleSet] // 1 to 255; number 1 is built in
	Readers    Rows[Reader]
	Managers   Rows[Manager]
	Interfaces Rows[Interface]
	FloodMark  int // percent
	FloodMode  bool
	// InactivityTimeout is in seconds.
	InactivityTimeout int
	Feed              Feed
	// TraceGo is set when a manager lets a waiting trace go on.
	TraceGo bool

	made atomic.Uint64 // rulesets ever made
}

// Limits of the control tables.
const (
	// MaxRows is how many readers, and how many managers, there may be.
	MaxRows = 1000
	// MaxRuleSetSize is how many rules a ruleset may have: flowRuleParameter
	// cannot name a rule beyond.
	MaxRuleSetSize = 65535
	// MaxAllRules is how many rules all rulesets together may have, counting
	// rules of one ruleset up to the last that was written, and Program.Forms.
	MaxAllRules = 1 << 20
)

// Row holds what all rows that managers create have in common.
type Row struct {
	// Owner is who created the row.
	Owner string
	// Active is set while the row's RowStatus is active(1).
	Active bool
}

// RuleSet is a row of flowRuleSetInfoTable, and the rules in flowRuleTable.
type RuleSet struct {
	Row
	// ID tells rulesets apart that have one index at different times.
	ID   uint64
	Name string
	// Size is flowRuleInfoSize.
	Size int
	// Rules has those up to the last that was written. One that was not yet
	// written has no mask, one whose action was not yet written Op 0. Unlike
	// all else here they change in place, while the row is not active.
	Rules []ruleset.Rule
	// Program is what the meter has prepared, while the row is active, or nil.
	Program Program
	// RulesReady is flowRuleInfoRulesReady.
	RulesReady bool
	// TimeStamp is the Uptime of the latest change, in centiseconds.
	TimeStamp uint64

	// Which rules were written, which of them have an action, and how many do:
	// they are not looked for while the meter stands still.
	written, acts bitmap
	actions       int
	// distributions has a bit for each column of flowDataTable, from that of
	// Distributions on, that shows flows of the ruleset.
	distributions uint64
}

// Reader is a row of flowReaderInfoTable. Times are of the meter's Uptime, in
// centiseconds.
type Reader struct {
	Row
	Timeout                int // seconds, 0 for none
	LastTime, PreviousTime uint64
	// Seen is when the row became active or LastTime was set; the timeout
	// counts from there.
	Seen    uint64
	RuleSet int
}

// Manager is a row of flowManagerInfoTable: a task.
type Manager struct {
	Row
	CurrentRuleSet, StandbyRuleSet int
	HighWaterMark                  int // percent
	CounterScale                   bool
	RunningStandby                 bool
	TimeStamp                      uint64 // Uptime in centiseconds
}

// RuleSet returns the ruleset that the task is to run, 0 for none.
func (m *Manager) RuleSet() int {
	switch {
	case !m.Active:
		return 0
	case m.RunningStandby:
		return m.StandbyRuleSet
	}
	return m.CurrentRuleSet
}

// Interface is a row of flowInterfaceTable.
type Interface struct {
	// Name is empty if it is not known.
	Name          string
	SampleRate    int
	Packets, Lost uint64
}

// NewControl returns the control group of a meter that has just started: the
// built-in ruleset is there, all else has its default (RFC 2720).
func NewControl() *Control {
	c := &Control{FloodMark: 95, InactivityTimeout: 600, Feed: DefaultFeed()}
	def := ruleset.Default()
	c.RuleSets.Put(BuiltIn, &RuleSet{
		Row: Row{Owner: "meter", Active: true}, ID: c.newID(), Name: def.Name, Size: len(def.Rules), Rules: def.Rules, RulesReady: true,
	})
	return c
}

// BuiltIn is the index of the ruleset that every meter has and nobody can change
// (RFC 2720, flowRuleSetInfoTable).
const BuiltIn = 1

func (c *Control) newID() uint64 { return c.made.Add(1) }

// Rows is a table whose index is one number. The zero Rows is empty.
type Rows[T any] struct {
	index []int // ascending
	rows  []*T  // in that order
	puts  uint64
}

// clone returns the same rows, to be looked at while the table changes.
func (r *Rows[T]) clone() Rows[T] {
	return Rows[T]{slices.Clone(r.index), slices.Clone(r.rows), r.puts}
}

// Len returns the number of rows.
func (r *Rows[T]) Len() int { return len(r.index) }

// At returns the row with index i, nil if there is none.
func (r *Rows[T]) At(i int) *T {
	if at, ok := slices.BinarySearch(r.index, i); ok {
		return r.rows[at]
	}
	return nil
}

// From returns the first row whose index is i or more, and the index; 0 and
// nil if there is none.
func (r *Rows[T]) From(i int) (int, *T) {
	if at, _ := slices.BinarySearch(r.index, i); at < len(r.index) {
		return r.index[at], r.rows[at]
	}
	return 0, nil
}

// All calls yield for each row in the order of their indexes, which may put
// another row in the place of the one it is given, or none.
func (r *Rows[T]) All(yield func(i int, row *T) bool) {
	for i, row := r.From(0); row != nil; i, row = r.From(i + 1) {
		if !yield(i, row) {
			return
		}
	}
}

// Put makes row the one with index i; nil deletes it.
func (r *Rows[T]) Put(i int, row *T) {
	r.puts++
	at, ok := slices.BinarySearch(r.index, i)
	switch {
	case row == nil && ok:
		r.index = slices.Delete(r.index, at, at+1)
		r.rows = slices.Delete(r.rows, at, at+1)
	case row == nil:
	case ok:
		r.rows[at] = row
	default:
		r.index = slices.Insert(r.index, at, i)
		r.rows = slices.Insert(r.rows, at, row)
	}
}
