package meter

import (
	"math"
	"time"
)

// nextEnd returns the end of the interval that begins at t, or holds it if it is the
// first.
func (m *Meter) nextEnd(t int64) int64 {
	interval := int64(m.cfg.Interval)
	if m.cfg.Align == nil {
		return later(t, interval)
	}
	for at := t; ; {
		offset, change := clockAt(m.cfg.Align, at)
		end := later(t, interval-modulo(t, offset, interval))
		if end < change || change == math.MaxInt64 {
			return end
		}
		// The clocks change first: what they show from then on counts.
		t, at = change-1, change
	}
}

// sameEnds returns the time before which intervals that follow the one that ends at
// end have its length.
func (m *Meter) sameEnds(end int64) int64 {
	if m.cfg.Align == nil {
		return math.MaxInt64
	}
	_, change := clockAt(m.cfg.Align, end)
	return change
}

// clockAt returns how far the clocks of a place are ahead of UTC at t, in nanoseconds,
// and when they change next, math.MaxInt64 if never.
func clockAt(place *time.Location, t int64) (offset, change int64) {
	_, seconds := time.Unix(0, t).In(place).Zone()
	offset, change = int64(seconds)*int64(time.Second), math.MaxInt64
	// On the last day of some years Go has a time zone end before it: a day later it
	// does not.
	for from := t; from < math.MaxInt64; from = later(from, int64(24*time.Hour)) {
		_, end := time.Unix(0, from).In(place).ZoneBounds()
		if end.IsZero() || end.Unix() >= math.MaxInt64/int64(time.Second) {
			break
		}
		if end.UnixNano() > t {
			return offset, end.UnixNano()
		}
	}
	return offset, change
}

// modulo returns (t + offset) modulo n, which is not negative, without overflow.
func modulo(t, offset, n int64) int64 {
	r := (t%n + offset%n) % n
	if r < 0 {
		r += n
	}
	return r
}
