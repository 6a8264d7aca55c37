package cmd

import (
	"context"

	"rtfm/reader/live"
)

// wanted passes on the intervals that are asked for, and has their source end once
// there are enough.
type wanted struct {
	put    func(*live.Interval)
	left   int // 0 for any number
	all    bool
	partly func(*live.Interval) bool // of --once, for those that are not whole
	held   *live.Interval            // such a one, for want of another
	enough context.CancelFunc
}

// wanted returns what passes on intervals as the options say; enough ends their source.
func (o *liveOptions) wanted(to *live.History, enough context.CancelFunc, partly func(*live.Interval) bool) *wanted {
	w := &wanted{put: to.Put, left: o.count, all: o.count == 0, enough: enough}
	if o.once {
		w.left, w.all, w.partly = 1, false, partly
	}
	return w
}

// take takes an interval.
func (w *wanted) take(i *live.Interval) {
	switch {
	case w.all:
		w.put(i)
		return
	case w.left == 0:
		return
	case w.partly != nil && w.partly(i):
		w.held = i
		return
	}
	w.put(i)
	if w.left--; w.left == 0 {
		w.enough()
	}
}

// end is for sources that have ended: if there was no whole interval, a part of one has
// to do.
func (w *wanted) end() {
	if w.left > 0 && w.held != nil {
		w.put(w.held)
		w.left--
	}
}
