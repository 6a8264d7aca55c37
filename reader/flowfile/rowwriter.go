package flowfile

import (
	"fmt"
	"io"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Rows writes flows as rows of JSON lines that stand alone, without header, starts and
// ends: of any meters and intervals, as they come. The first error of the underlying
// writer is kept and returned by Flush. It is not safe for concurrent use.
type Rows struct {
	page
	w   io.Writer
	err error
}

// NewRows returns Rows that are written to w.
func NewRows(w io.Writer) *Rows {
	return &Rows{page: newPage(Options{JSON: true}, nil, "", interval{}), w: w}
}

// Of says to which collection the rows that follow belong. It is not kept.
func (r *Rows) Of(c *record.Collection) {
	own := *c
	r.c, r.meter, r.in, r.current = &own, name(c.Meter), interval{c.Epoch, c.From, c.To}, nil
	clear(r.leads)
}

// Flow writes the row of a flow, which has counted so much in the interval. Behind its
// columns stand more, which are empty or as `,"Name":value`.
func (r *Rows) Flow(f *match.Flow, counted *record.Counters, more []byte) {
	r.put(f, counted)
	if len(more) > 0 {
		const end = "}\n"
		r.buf = append(append(r.buf[:len(r.buf)-len(end)], more...), end...)
	}
	if len(r.buf) >= flushAt {
		r.Flush()
	}
}

// Flush writes out what is buffered.
func (r *Rows) Flush() error {
	if r.err == nil && len(r.buf) > 0 {
		if _, err := r.w.Write(r.buf); err != nil {
			r.err = fmt.Errorf("flow data file: %w", err)
		}
	}
	r.buf = r.buf[:0]
	return r.err
}
