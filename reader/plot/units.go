package plot

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A scale has a unit's name and how many of the plain unit it is.
type scale struct {
	by   float64
	unit string
}

// prefixes are those of SI from 1 up.
var prefixes = []string{"", "k", "M", "G", "T", "P", "E"}

// scaleFor returns the scale of unit in which most is at least 1, and below 1000.
func scaleFor(most float64, unit string) scale {
	by, i := 1.0, 0
	for most >= by*1000 && i < len(prefixes)-1 {
		by, i = by*1000, i+1
	}
	return scale{by, prefixes[i] + unit}
}

// amount returns n in a scale of unit, with three digits: "444 kB".
func amount(n float64, unit string) string {
	s := scaleFor(n, unit)
	v := n / s.by
	digits := 2
	switch {
	case s.by == 1 && v == math.Trunc(v), v >= 100:
		digits = 0
	case v >= 10:
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + s.unit
}

// round returns a power of ten with an SI prefix: "10 k".
func round(v float64) string {
	s := scaleFor(v, "")
	return strings.TrimSpace(strconv.FormatFloat(v/s.by, 'g', 3, 64) + " " + s.unit)
}

// share returns n of all in percent.
func share(n, all float64) string {
	if all == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*n/all)
}

// plural returns n and a noun, with an s if it is not one.
func plural(n uint64, noun string) string {
	s := strconv.FormatUint(n, 10) + " " + noun
	if n != 1 {
		s += "s"
	}
	return s
}

// clockUnits are those of durations, the largest first.
var clockUnits = []struct {
	ns   float64
	name string
}{{86400e9, "d"}, {3600e9, "h"}, {60e9, "min"}, {1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}}

// duration returns nanoseconds in one unit: "1 min", "2.5 s".
func duration(ns float64) string {
	for _, u := range clockUnits {
		if ns >= u.ns {
			return strconv.FormatFloat(ns/u.ns, 'g', 3, 64) + " " + u.name
		}
	}
	return "0 s"
}

// span tells from when to when something was.
func span(from, to int64, loc *time.Location) string {
	a, b := time.Unix(0, from).In(loc), time.Unix(0, to).In(loc)
	layout := "15:04:05"
	if a.Format(time.DateOnly) != b.Format(time.DateOnly) {
		layout = "2006-01-02 15:04:05"
	}
	return a.Format("2006-01-02 15:04:05") + " to " + b.Format(layout) + " " + b.Format("MST")
}
