package reader

import "time"

// Next returns the time of the first collection after t, by the clock of t's
// location, if there is one every so often: the first time of day after t that
// is a multiple of every, counted from midnight, or midnight itself. So
// collections stand at the same times each day, and a day begins with one.
//
// Where the clock is put forward over such a time, the collection is made at that
// moment. Where it is put back, times of day come twice: then there are
// collections at both if every is an hour or less, at the first only if it is
// longer.
func Next(t time.Time, every time.Duration) time.Time {
	place, period, off := t.Location(), t, offset(t)
	for {
		next := behind(t, off, every)
		_, end := period.ZoneBounds()
		if end.IsZero() || next.Before(end) {
			return next.In(place)
		}
		// Before that, the clock is put forward or back.
		period = end
		change := offset(end) - off
		off += change
		switch {
		case change >= 0 && !next.After(end.Add(change)):
			return end
		case change >= 0:
			t = end
		case every <= time.Hour:
			t = end.Add(-1) // end may be one
		default:
			t = end.Add(-change - 1) // the clock shows again what it did
		}
	}
}

// offset returns what the clock of t's location is ahead of UTC at t.
func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// behind returns the first time after t at which a clock that is so far ahead of
// UTC shows midnight or a multiple of every.
func behind(t time.Time, off, every time.Duration) time.Time {
	const day = 24 * time.Hour
	shown := t.UTC().Add(off)
	midnight := shown.Truncate(day)
	passed := shown.Sub(midnight)
	return midnight.Add(min(passed-passed%every+every, day) - off)
}
