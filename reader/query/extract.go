package query

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/match"
)

// Column is a set of flows of which an Extract tells what they have counted.
type Column struct {
	Name string
	Expr *Expr // nil for all flows
}

// Extract is a record.Sink that makes a row of each collection, and in it a column of
// each set of flows: what they have added in the interval. Collections of the same
// interval are one row.
type Extract struct {
	columns []Column
	sum     Sum
	rate    bool // bits a second instead of octets
	rows    []extracted

	at       extracted // of the collection at hand
	row      Row
	whole    record.Counters
	unknown  uint64
	ruleSets []int // that the flows of each column are of, 0 of none yet
}

// extracted is a row.
type extracted struct {
	from, to int64
	sums     []sums
}

// NewExtract returns an Extract of these columns. With rate they are bits a second, not
// a sum.
func NewExtract(columns []Column, sum Sum, rate bool) *Extract {
	if rate {
		sum = Octets
	}
	return &Extract{columns: columns, sum: sum, rate: rate, ruleSets: make([]int, len(columns))}
}

// Begin implements record.Sink.
func (e *Extract) Begin(c *record.Collection) error {
	e.at = extracted{c.From, c.To, make([]sums, len(e.columns))}
	e.row.begin(c, false)
	return nil
}

// Flow implements record.Sink. Flows of several rulesets in one column are refused:
// they have counted the same packets.
func (e *Extract) Flow(f *match.Flow, counted *record.Counters) error {
	if counted == nil {
		if c := e.row.Collection; !c.First && f.FirstTime <= c.From {
			e.unknown++
			return nil
		}
		e.whole = record.Counters{ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets}
		counted = &e.whole
	}
	e.row.Flow, e.row.Counted = f, counted
	for i := range e.columns {
		if expr := e.columns[i].Expr; expr != nil && !expr.Match(&e.row) {
			continue
		}
		if n := e.ruleSets[i]; n != 0 && n != f.Shape.RuleSet {
			return fmt.Errorf("column %s: %w", e.columns[i].Name, &RuleSetsError{n, f.Shape.RuleSet})
		}
		e.ruleSets[i] = f.Shape.RuleSet
		if err := e.at.sums[i].addChecked(f, counted); err != nil {
			return err
		}
	}
	return nil
}

// RuleSetsError says that flows of several rulesets would be added.
type RuleSetsError struct{ One, Other int }

// Error implements error.
func (e *RuleSetsError) Error() string {
	return fmt.Sprintf("its flows are of rulesets %d and %d, which have counted the same packets: choose one, as FlowRuleSet == %[1]d", e.One, e.Other)
}

// End implements record.Sink.
func (e *Extract) End(*record.Summary) error {
	e.rows = append(e.rows, e.at)
	return nil
}

// Table returns the rows in the order of time.
func (e *Extract) Table() (*table.Table, error) {
	slices.SortStableFunc(e.rows, func(a, b extracted) int { return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from)) })
	tb := &table.Table{Columns: []table.Column{{Name: "IntervalEndNs", Title: "#Time", Kind: table.Time, Align: table.Left}}}
	for _, c := range e.columns {
		tb.Columns = append(tb.Columns, table.Column{Name: c.Name, Kind: table.Number})
	}
	for i := 0; i < len(e.rows); {
		row, all := []table.Value{table.Int(e.rows[i].to)}, make([]uint64, len(e.columns))
		length := e.rows[i].to - e.rows[i].from
		for first := i; i < len(e.rows) && e.rows[i].from == e.rows[first].from && e.rows[i].to == e.rows[first].to; i++ {
			for k := range all {
				sum, over := bits.Add64(all[k], e.sum.of(&e.rows[i].sums[k]), 0)
				if over != 0 {
					return nil, ErrOverflow
				}
				all[k] = sum
			}
		}
		for _, n := range all {
			if e.rate {
				rate := 8 * float64(n) / (float64(length) / 1e9) // nothing if there was no time
				row = append(row, table.Float(math.Round(rate*1000)/1000))
			} else {
				row = append(row, table.Uint(n))
			}
		}
		tb.Rows = append(tb.Rows, row)
	}
	if e.unknown > 0 {
		tb.Notes = append(tb.Notes, UnknownNote(e.unknown))
	}
	return tb, nil
}
