package plot

import (
	"math"
	"strconv"
	"time"
)

// A tick is a place at an axis, and what stands there.
type tick struct {
	at    float64
	label string
	below string // of times, a second line
}

// axis turns values to places.
type axis struct {
	low, high float64 // values at the ends
	from, to  float64 // places of these
	log       bool
	ticks     []tick
}

// place returns where v is.
func (a *axis) place(v float64) float64 {
	if a.log {
		v = max(v, a.low)
		return a.from + (a.to-a.from)*math.Log(v/a.low)/math.Log(a.high/a.low)
	}
	return a.from + (a.to-a.from)*(v-a.low)/(a.high-a.low)
}

// linear returns an axis from 0 to a round number of at least most, with ticks on
// round numbers, whose labels are in the unit of a scale.
func linear(most, from, to float64, s scale) *axis {
	const wanted = 5
	if most <= 0 {
		most = s.by
	}
	step := roundStep(most / s.by / wanted)
	n := math.Ceil(most/s.by/step - 1e-9)
	a := &axis{high: n * step * s.by, from: from, to: to}
	for i := range int(n) + 1 {
		v := float64(i) * step
		a.ticks = append(a.ticks, tick{at: v * s.by, label: strconv.FormatFloat(v, 'g', 6, 64)})
	}
	return a
}

// roundStep returns the least of 1, 2, 5, 10, 20 and so on, also below 1, that is
// at least step.
func roundStep(step float64) float64 {
	ten := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range []float64{1, 2, 5} {
		if m*ten >= step*(1-1e-9) {
			return m * ten
		}
	}
	return 10 * ten
}

// decades returns a logarithmic axis that holds low and high, both above 0, with a
// tick at each power of ten.
func decades(low, high, from, to float64, label func(v float64) string) *axis {
	first, last := int(math.Floor(math.Log10(low)+1e-9)), int(math.Ceil(math.Log10(high)-1e-9))
	if last <= first {
		last = first + 1
	}
	a := &axis{low: math.Pow10(first), high: math.Pow10(last), from: from, to: to, log: true}
	for e := first; e <= last; e++ {
		a.ticks = append(a.ticks, tick{at: math.Pow10(e), label: label(math.Pow10(e))})
	}
	return a
}

// roundDurations are what logarithmic axes of time may have ticks at, in
// nanoseconds: what is round to a clock.
var roundDurations = []float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 60e9, 600e9, 3600e9, 6 * 3600e9, 86400e9, 10 * 86400e9, 100 * 86400e9, 1000 * 86400e9}

// durations returns a logarithmic axis of durations that holds low and high, in
// nanoseconds.
func durations(low, high, from, to float64) *axis {
	a := &axis{low: roundDurations[0], high: roundDurations[len(roundDurations)-1], from: from, to: to, log: true}
	for _, d := range roundDurations {
		if d <= low {
			a.low = d
		}
	}
	for i := len(roundDurations) - 1; i >= 0 && roundDurations[i] > a.low; i-- {
		if roundDurations[i] >= high {
			a.high = roundDurations[i]
		}
	}
	for _, d := range roundDurations {
		if d >= a.low && d <= a.high {
			a.ticks = append(a.ticks, tick{at: d, label: duration(d)})
		}
	}
	return a
}

// For so many times there is room, and for so many with seconds.
const (
	maxClockTicks  = 10
	maxSecondTicks = 7
)

// clock returns an axis of times, in nanoseconds since 1970, with ticks where the
// clock or the calendar of loc is round.
func clock(low, high int64, from, to float64, loc *time.Location) *axis {
	if high <= low {
		high = low + 1
	}
	a := &axis{low: 0, high: float64(high - low), from: from, to: to}
	var times []time.Time
	layout, below := "Jan 2", "2006"
	if step := clockStep(high - low); step > 0 {
		times = clockTimes(low, high, step, loc)
		layout, below = stepLayout(step), time.DateOnly
	} else {
		times = calendarTimes(low, high, loc)
	}
	was := ""
	for _, t := range times {
		k := tick{at: float64(t.UnixNano() - low), label: t.Format(layout)}
		if now := t.Format(below); now != was {
			k.below, was = now, now
		}
		a.ticks = append(a.ticks, k)
	}
	return a
}

// clockStep returns how far apart ticks are, 0 for a day or more.
func clockStep(span int64) time.Duration {
	for step := time.Nanosecond; step < time.Second; step *= 10 {
		for _, m := range []time.Duration{1, 2, 5} {
			if span/int64(m*step) < maxSecondTicks {
				return m * step
			}
		}
	}
	for _, unit := range []time.Duration{time.Second, time.Minute, time.Hour} {
		for _, m := range []time.Duration{1, 2, 3, 5, 6, 10, 12, 15, 30} {
			if unit == time.Hour && (24%m != 0) || unit != time.Hour && (m == 3 || m == 6 || m == 12) {
				continue
			}
			room := int64(maxClockTicks)
			if unit == time.Second {
				room = maxSecondTicks
			}
			if span/int64(m*unit) < room {
				return m * unit
			}
		}
	}
	return 0
}

// stepLayout returns how times are written that are so far apart.
func stepLayout(step time.Duration) string {
	switch {
	case step >= time.Minute:
		return "15:04"
	case step >= time.Second:
		return "15:04:05"
	case step >= time.Millisecond:
		return "15:04:05.000"
	case step >= time.Microsecond:
		return "05.000000"
	}
	return "05.000000000"
}

// clockTimes returns the times between low and high at which a clock shows a
// multiple of step since midnight.
func clockTimes(low, high int64, step time.Duration, loc *time.Location) (times []time.Time) {
	first := time.Unix(0, low).In(loc)
	y, m, d := first.Date()
	h, min, s := first.Clock()
	since := time.Duration(h)*time.Hour + time.Duration(min)*time.Minute + time.Duration(s)*time.Second + time.Duration(first.Nanosecond())
	last := low - 1
	for at := since / step * step; ; at += step {
		if at >= 24*time.Hour {
			at, d = 0, d+1
		}
		t := time.Date(y, m, d, 0, 0, int(at/time.Second), int(at%time.Second), loc)
		switch ns := t.UnixNano(); {
		case ns > high:
			return times
		case ns > last: // not so when the clock is put back
			times, last = append(times, t), ns
		}
	}
}

// calendarTimes returns midnights between low and high, of days that are as far
// apart as there is room for.
func calendarTimes(low, high int64, loc *time.Location) (times []time.Time) {
	days := int((high - low) / int64(24*time.Hour))
	y, m, d := time.Unix(0, low).In(loc).Date()
	monday := time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)
	for _, apart := range []int{1, 2, 7, 14} {
		if days/apart >= maxClockTicks {
			continue
		}
		for n := range days + 2 {
			since := int(time.Date(y, m, d+n, 0, 0, 0, 0, time.UTC).Sub(monday) / (24 * time.Hour))
			if since%apart == 0 {
				times = within(times, time.Date(y, m, d+n, 0, 0, 0, 0, loc), low, high)
			}
		}
		return times
	}
	for _, apart := range []int{1, 2, 3, 6, 12, 60, 120, 1200} {
		if days/(30*apart) >= maxClockTicks {
			continue
		}
		for n := range days/28 + 2 {
			if (12*y+int(m)-1+n)%apart == 0 {
				times = within(times, time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, loc), low, high)
			}
		}
		return times
	}
	return nil
}

// within appends t if it is from low to high.
func within(times []time.Time, t time.Time, low, high int64) []time.Time {
	if ns := t.UnixNano(); ns < low || ns > high {
		return times
	}
	return append(times, t)
}
