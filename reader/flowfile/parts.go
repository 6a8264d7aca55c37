package flowfile

import (
	"runtime"
	"sync"

	"rtfm/reader/record"

	"rtfm/ruleset/match"
)

// Parts formats a collection in parallel. It calls flows(i, put) for each part
// i and writes the output in part order, as Flow would write it. Flows is
// called for several parts at a time, by as many goroutines as there are
// processors; each holds the records of one part until those before are
// written.
func (w *Writer) Parts(parts int, flows func(part int, put func(f *match.Flow, delta *record.Counters))) {
	var (
		mu     sync.Mutex
		next   int
		before = make(chan struct{}) // closed when the parts before next are written
	)
	close(before)
	work := func() {
		p := newPage(w.opts, w.format, w.meter, w.in)
		p.c = w.c
		for {
			mu.Lock()
			part, turn, written := next, before, make(chan struct{})
			next, before = next+1, written
			mu.Unlock()
			if part >= parts {
				return
			}
			p.buf, p.flows = p.buf[:0], 0
			flows(part, p.put)
			<-turn
			w.add(&p)
			close(written)
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), parts) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}

// add writes the flows of a page.
func (w *Writer) add(p *page) {
	w.flows += p.flows
	if len(w.buf)+len(p.buf) < flushAt {
		w.buf = append(w.buf, p.buf...)
		return
	}
	w.write()
	w.writeOut(p.buf)
}
