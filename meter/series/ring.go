package series

import (
	"slices"
	"sync"
)

// Limits of a Ring: an hour of seconds, and so many rows, which is as long for 27
// rulesets and interfaces.
const (
	MostIntervals = 3600
	MostRows      = 100_000
)

// Ring keeps the latest intervals of a series. The zero value is one of none yet. It
// is safe for concurrent use.
type Ring struct {
	mu    sync.Mutex
	all   []Interval // in order, without gaps between their numbers
	rows  int        // of all
	added chan struct{}
}

// Put adds an interval, which the ring copies, and takes out the oldest if there are
// too many.
func (r *Ring) Put(i *Interval) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.all) > 0 && (len(r.all) >= MostIntervals || r.rows+len(i.Rows) > MostRows) {
		r.rows -= len(r.all[0].Rows)
		r.all[0].Rows = nil
		r.all = r.all[1:]
	}
	kept := *i
	kept.Rows = slices.Clone(i.Rows)
	r.rows += len(kept.Rows)
	r.all = append(r.all, kept)
	if r.added != nil {
		close(r.added)
		r.added = nil
	}
}

// Next returns the first interval with this number or a later one, if there is any.
// Its rows must not be changed.
func (r *Ring) Next(number uint64) (Interval, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next(number)
}

func (r *Ring) next(number uint64) (Interval, bool) {
	if len(r.all) == 0 || number > r.all[len(r.all)-1].Number {
		return Interval{}, false
	}
	return r.all[max(number, r.all[0].Number)-r.all[0].Number], true
}

// Added returns a channel that is closed when the next interval is put. Whoever asks
// for it before Next misses none.
func (r *Ring) Added() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.added == nil {
		r.added = make(chan struct{})
	}
	return r.added
}
