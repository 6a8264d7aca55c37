package query

import (
	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Filter returns a collection with those of its flows of which the expression is true.
// Counters are what the flows added in the interval: where that is not known, a flow
// that began in it has added all, and others are left out and counted in unknown. With
// total they are what flows have counted altogether.
func Filter(from record.From, e *Expr, total bool, unknown *uint64) record.From {
	return &filtered{from, e, total, unknown}
}

type filtered struct {
	record.From
	expr    *Expr
	total   bool
	unknown *uint64
}

// Flows implements record.From.
func (x *filtered) Flows(put func(*match.Flow, *record.Counters) error) error {
	var row Row
	c := x.Collection()
	row.begin(c, x.total)
	var all record.Counters
	return x.From.Flows(func(f *match.Flow, counted *record.Counters) error {
		row.Flow, row.Counted = f, counted
		if x.total || counted == nil {
			if !x.total && !c.First && f.FirstTime <= c.From {
				*x.unknown++
				return nil
			}
			all = record.Counters{ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets}
			row.Counted = &all
		}
		if !x.expr.Match(&row) {
			return nil
		}
		return put(f, counted)
	})
}
