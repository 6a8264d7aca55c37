package export

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"rtfm/reader/spool"
)

// Runner sends what an outlet has to an Exporter.
type Runner struct {
	Outlet   *spool.Outlet
	Exporter Exporter
	// Notify is told of failures and their ends: the first of each kind, and then once
	// a minute. It may be nil.
	Notify func(Notice)

	mu     sync.Mutex
	status Status
	told   time.Time // of a failure
}

// Notice is something that a person may want to know of an export.
type Notice struct {
	Err     error // nil: all is well again
	Stopped bool  // for good, see Refusal
	Waiting int   // segments
	// Note is what a Noting tells; then there is nothing else.
	Note string
}

// Status is what a Runner has done so far.
type Status struct {
	Collections, Failures uint64
	Gaps                  uint64 // collections that were dropped
	// Last is when a collection was acknowledged last; zero if none was.
	Last time.Time
	// Err is why the next was not sent, nil if all is well, and Stopped whether that is
	// for good.
	Err     error
	Stopped bool
}

// Waits between attempts.
const (
	firstWait = time.Second
	mostWait  = time.Minute
	tellEvery = time.Minute
)

// Status returns what was done so far.
func (r *Runner) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Run sends until ctx is done, or the Exporter refuses a collection. It returns why it was
// refused.
func (r *Runner) Run(ctx context.Context) error {
	wait := firstWait
	for {
		seg, gap, err := r.Outlet.Next(ctx)
		switch {
		case err != nil: // ctx is done, or its disk is full
		case gap != nil:
			err = r.tell(ctx, gap)
		default:
			err = r.Exporter.Send(ctx, NewCollection(seg))
		}
		switch {
		case err == nil:
			wait = firstWait
			r.done(ctx, seg, gap)
		case ctx.Err() != nil:
			return nil
		case refused(err):
			r.failed(err, true)
			return errors.Join(err, r.Outlet.Stop(err.Error()))
		default:
			r.failed(err, false)
			if !sleep(ctx, wait/2+rand.N(wait/2)) {
				return nil
			}
			wait = min(2*wait, mostWait)
		}
	}
}

// tell tells of a gap. Nothing can be told of one that could not be read.
func (r *Runner) tell(ctx context.Context, gap *spool.Gap) error {
	if len(gap.About) == 0 {
		return nil
	}
	g, err := ReadGap(gap.About)
	if err != nil {
		return Refuse(fmt.Errorf("segments %d to %d were dropped: %w", gap.First, gap.Last, err))
	}
	return r.Exporter.Gap(ctx, g)
}

// done notes that a segment was sent, or a gap told.
func (r *Runner) done(ctx context.Context, seg *spool.Segment, gap *spool.Gap) {
	last := uint64(0)
	r.mu.Lock()
	well := r.status.Err != nil
	if gap != nil {
		last = gap.Last
		r.status.Gaps += gap.Last - gap.First + 1
	} else {
		last = seg.Number
		r.status.Collections++
	}
	r.status.Err, r.status.Last = nil, time.Now()
	r.mu.Unlock()
	for {
		err := r.Outlet.Done(last)
		if err == nil {
			break
		}
		r.failed(err, false) // its disk may be full
		well = true
		if !sleep(ctx, firstWait) {
			return
		}
	}
	r.mu.Lock()
	r.status.Err = nil
	r.mu.Unlock()
	if well {
		r.notify(Notice{Waiting: r.Outlet.Waiting()})
	}
}

// failed notes that nothing was sent.
func (r *Runner) failed(err error, stopped bool) {
	r.mu.Lock()
	first := r.status.Err == nil
	r.status.Failures++
	r.status.Err, r.status.Stopped = err, stopped
	tell := first || stopped || time.Since(r.told) >= tellEvery
	if tell {
		r.told = time.Now()
	}
	r.mu.Unlock()
	if tell {
		r.notify(Notice{Err: err, Stopped: stopped, Waiting: r.Outlet.Waiting()})
	}
}

func (r *Runner) notify(n Notice) {
	if r.Notify != nil {
		r.Notify(n)
	}
}

// sleep returns false if ctx is done first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
