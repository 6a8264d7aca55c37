package manager

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// When is a time of the week that comes again each week.
type When struct {
	days [7]bool // on which it begins, from Sunday
	// From and to are minutes of the day; to is greater, and beyond one day's
	// 1440 when the time ends on the next day.
	from, to int
}

const minutesOfDay = 24 * 60

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseWhen reads a time of the week: days, a time of day, or both, like
// "mon-fri 08:00-18:00" or "sat,sun". A time of day that ends before it begins
// ends on the next day; without one, days are meant from midnight to midnight.
func ParseWhen(text string) (When, error) {
	w := When{to: minutesOfDay}
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) == 0 || len(fields) > 2 {
		return w, fmt.Errorf(`%q is no time of the week, as "mon-fri 08:00-18:00" is`, text)
	}
	for i := range w.days {
		w.days[i] = true
	}
	if !strings.Contains(fields[0], ":") {
		days, err := parseDays(fields[0])
		if err != nil {
			return w, err
		}
		w.days = days
		fields = fields[1:]
	}
	if len(fields) == 0 {
		return w, nil
	}
	from, to, ok := strings.Cut(fields[0], "-")
	if len(fields) > 1 || !ok {
		return w, fmt.Errorf(`%q is no time of the week, as "mon-fri 08:00-18:00" is`, text)
	}
	var err error
	if w.from, err = parseClock(from); err == nil {
		w.to, err = parseClock(to)
	}
	switch {
	case err != nil:
		return w, fmt.Errorf("%q: %w", text, err)
	case w.from == minutesOfDay || w.to == w.from:
		return w, fmt.Errorf("%q: the time is empty", text)
	case w.to < w.from:
		w.to += minutesOfDay
	}
	return w, nil
}

// parseDays reads days like "mon-wed,sat".
func parseDays(text string) (days [7]bool, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, to := dayOf(first), dayOf(last)
		if !isRange {
			to = from
		}
		if from < 0 || to < 0 {
			return days, fmt.Errorf("%q is no day, or days, of the week, as mon, mon-fri or sat,sun are", part)
		}
		for day := from; ; day = (day + 1) % 7 {
			days[day] = true
			if day == to {
				break
			}
		}
	}
	return days, nil
}

// dayOf returns the number of a day, -1 if the text names none.
func dayOf(text string) int {
	if len(text) < 3 {
		return -1
	}
	for i, name := range dayNames {
		if text == name || text == strings.ToLower(time.Weekday(i).String()) {
			return i
		}
	}
	return -1
}

// parseClock reads a time of day, 00:00 to 24:00, as minutes.
func parseClock(text string) (int, error) {
	hour, minute, ok := strings.Cut(text, ":")
	h, herr := strconv.ParseUint(hour, 10, 8)
	m, merr := strconv.ParseUint(minute, 10, 8)
	at := int(h*60 + m)
	if !ok || herr != nil || merr != nil || len(minute) != 2 || len(hour) > 2 || m > 59 || at > minutesOfDay {
		return 0, fmt.Errorf("%q is no time of day from 00:00 to 24:00", text)
	}
	return at, nil
}

// Contains reports whether a time, as the clocks of its location show it, is in
// w.
func (w *When) Contains(t time.Time) bool {
	day, minute := int(t.Weekday()), t.Hour()*60+t.Minute()
	yesterday := (day + 6) % 7
	return w.days[day] && w.from <= minute && minute < w.to ||
		w.days[yesterday] && minute+minutesOfDay < w.to
}
