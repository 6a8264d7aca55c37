package stream

import "slices"

// Reader reads what flows have measured. Each goroutine needs one of its own, which may
// be a copy of another one.
type Reader struct {
	engine  *Engine
	counts  [][]uint64 // what Counters has returned last
	numbers []uint64   // the same one after the other
}

// Reader returns a Reader that may be used beside others until anything else is done
// with w, nil if flows must be read one after the other: of rates, the intervals that
// have ended are counted when they are read.
func (w *Worker) Reader() *Reader {
	w.Sync()
	if slices.ContainsFunc(w.engine.singles.plans, func(p *plan) bool { return p != nil && p.rated }) {
		return nil
	}
	w.engine.store.settle()
	w.engine.singles.store.settle()
	return &Reader{engine: w.engine}
}

// Counters returns the counters of the distributions, and the numbers of the
// statistics, of the flow in this row, as of time now, in the order of its shape's
// measures, nil if it has none. They are valid until the next call.
func (r *Reader) Counters(row uint32, now int64) [][]uint64 {
	packets, some := r.engine.singles.counted(row)
	inStreams := r.engine.flow(row)
	if inStreams == nil && !some {
		return nil
	}
	r.numbers, r.counts = r.numbers[:0], r.counts[:0]
	halves := [2]counted{packets}
	if inStreams != nil {
		halves[1] = r.engine.counted(inStreams)
	}
	for _, c := range halves {
		if c.plan != nil {
			r.numbers = c.appendNumbers(r.numbers, now)
			r.counts = slices.Grow(r.counts, len(c.shape.Measures))[:len(c.shape.Measures)]
		}
	}
	rest := r.numbers
	for _, c := range halves {
		if c.plan == nil {
			continue
		}
		for i, m := range c.measures {
			n := c.lengths[i]
			r.counts[m], rest = rest[:n:n], rest[n:]
		}
	}
	return r.counts
}
