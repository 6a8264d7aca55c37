package manager

import "time"

// holds keep tasks from going to and fro between their rulesets while a flood
// lasts, and the meter from going into flood mode and out of it. Nobody can see
// how many flows the current ruleset would have while the standby one runs; so
// what begins again soon after it was ended lasts for an interval at least, and
// twice as long each time that this was too short, up to longestHold intervals.
type holds map[int]*hold

// wholeMeter stands for the meter's flood mode among the numbers of tasks.
const wholeMeter = -1

// longestHold is in intervals between collections.
const longestHold = 8

// hold is of one task, or the meter. Times are zero while it is not known when.
type hold struct {
	began, ended time.Time
	length       time.Duration
}

// over reports whether what is on at this time may end.
func (hs *holds) over(what int, at time.Time, interval time.Duration) bool {
	h := (*hs)[what]
	if h == nil {
		h = new(hold)
		if *hs == nil {
			*hs = make(holds)
		}
		(*hs)[what] = h
	}
	if h.began.IsZero() {
		h.began = at
		if !h.ended.IsZero() && at.Sub(h.ended) <= 2*max(h.length, interval) {
			h.length = min(max(2*h.length, interval), longestHold*interval)
		} else {
			h.length = 0
		}
	}
	return at.Sub(h.began) >= h.length
}

// end tells that what is not on any longer has ended, if it was.
func (hs holds) end(what int, at time.Time) {
	if h := hs[what]; h != nil && !h.began.IsZero() {
		h.began, h.ended = time.Time{}, at
	}
}
