package flowfile

import (
	"fmt"
	"io"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Rows are flows of one meter as rows of JSON lines that stand alone, without header,
// start and end. They wait until it is known to what interval they belong. It is not safe
// for concurrent use.
type Rows struct {
	page
	waiting []waiting
	out     []byte
}

// waiting is a row in Rows.buf, without what rows of its ruleset begin with.
type waiting struct{ ruleSet, end int }

// NewRows returns none yet. Uptimes are counted from epoch, in nanoseconds since
// 1970-01-01 00:00:00 UTC.
func NewRows(epoch int64) *Rows {
	return &Rows{page: page{
		opts: Options{JSON: true}, in: interval{epoch: epoch}, c: new(record.Collection),
		byShape: map[*match.Shape]*printer{}, leads: map[int][]byte{},
	}}
}

// Flow adds the row of a flow, which has counted so much in the interval. Behind its
// columns stand more, which are empty or as `,"Name":value`.
func (r *Rows) Flow(f *match.Flow, counted *record.Counters, more []byte) {
	if r.current == nil || r.current.shape != f.Shape {
		r.change(f.Shape)
	}
	r.buf = r.current.appendTo(r.buf, f, counted, &r.in)
	if len(more) > 0 {
		const end = "}\n"
		r.buf = append(append(r.buf[:len(r.buf)-len(end)], more...), end...)
	}
	r.waiting = append(r.waiting, waiting{f.Shape.RuleSet, len(r.buf)})
}

// Octets returns about how many the rows have that wait.
func (r *Rows) Octets() int { return len(r.buf) + 16*len(r.waiting) }

// Write writes the rows that wait. They belong to the collection c, whose epoch is that
// of the rows.
func (r *Rows) Write(w io.Writer, c *record.Collection) error {
	r.c, r.meter, r.in = c, name(c.Meter), interval{c.Epoch, c.From, c.To}
	clear(r.leads)
	r.out = r.out[:0]
	from := 0
	for _, row := range r.waiting {
		lead := r.leads[row.ruleSet]
		if lead == nil {
			lead = r.jsonLead(row.ruleSet)
			r.leads[row.ruleSet] = lead
		}
		r.out = append(append(r.out, lead...), r.buf[from:row.end]...)
		from = row.end
	}
	r.buf, r.waiting, r.current = r.buf[:0], r.waiting[:0], nil
	if _, err := w.Write(r.out); err != nil {
		return fmt.Errorf("flow data file: %w", err)
	}
	return nil
}
