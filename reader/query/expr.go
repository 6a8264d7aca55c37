package query

import (
	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Row is a flow record with what it counted: what an Expr is about.
type Row struct {
	Flow    *match.Flow
	Counted *record.Counters
}

func (r *Row) begin(c *record.Collection, total bool) {}

// Expr is an expression about flow records. It is safe for concurrent use.
type Expr struct{ match func(*Row) bool }

// Match reports whether the expression is true of a flow.
func (e *Expr) Match(r *Row) bool { return e.match(r) }
