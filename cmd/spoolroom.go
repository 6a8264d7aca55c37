package cmd

import (
	"errors"
	"fmt"
	"io"
	"time"

	"rtfm/meter"
	"rtfm/reader/export"
	"rtfm/reader/spool"
)

// spoolRoom has no collection be made while the spool is full, or its disk is: the meter
// keeps the flows, whose counters go on, and the next collection is longer.
type spoolRoom struct {
	spool  *spool.Spool
	grace  time.Duration
	live   bool // packets do not wait
	errors io.Writer
	told   bool // that no collection is made
	passed bool // the grace was, and nothing was made since
	// postponed is how often the next collection could not be made.
	postponed int
}

// errSpoolFull is why no collection is made.
var errSpoolFull = errors.New("the spool is full")

// collect makes a collection by do. If it cannot be made, a trace waits for the grace, and
// so does the last collection, which is made even if the spool is full: nothing else
// would have its flows.
func (r *spoolRoom) collect(last bool, do func() error) error {
	var patience time.Duration
	if last || !r.live && !r.passed {
		patience = r.grace
	}
	end := time.Now().Add(patience)
	for {
		changed := r.spool.Changed()
		err := error(errSpoolFull)
		if !r.spool.Full() || last && !time.Now().Before(end) {
			err = do()
		}
		switch {
		case err == nil:
			r.well()
			return nil
		case !errors.Is(err, errSpoolFull) && !errors.Is(err, export.ErrSegment):
			return err
		}
		r.tell(err)
		left := time.Until(end)
		switch {
		case left > 0:
		case !last:
			r.passed = true
			r.postponed++
			return fmt.Errorf("%w: %w", meter.ErrNotCollected, err)
		case errors.Is(err, errSpoolFull):
			continue
		default:
			return err
		}
		select {
		case <-changed:
		case <-time.After(min(left, time.Second)):
		}
	}
}

// tell tells once that no collection is made.
func (r *spoolRoom) tell(err error) {
	if !r.told {
		r.told = true
		fmt.Fprintf(r.errors, "rtfm: no collection: %v (%s); the meter keeps the flows, and the next collection is longer\n", err, r.spool.Folder())
	}
}

// well tells that collections are made again.
func (r *spoolRoom) well() {
	if r.told {
		fmt.Fprintf(r.errors, "rtfm: %s: collections are made again\n", r.spool.Folder())
	}
	r.told, r.passed, r.postponed = false, false, 0
}
