package plot

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Percentiles is a picture of distributions over time, a plot for each.
type Percentiles struct {
	Title     string
	Intervals []Interval // in order of time
	Panels    []Panel
	Zone      *time.Location
}

// Panel is a distribution.
type Panel struct {
	Name string
	Unit string // of its values, "octets", "µs", "bit/s"
	// Limits are the upper limits of its buckets; one more counts what is above.
	Limits []uint64
	Rows   []Row // in order of Interval, which none has twice
}

// Row is what was counted in an interval, in each bucket.
type Row struct {
	Interval int // its index in Intervals
	Counters []uint64
}

// Add adds what was counted in an interval, the last one or a later one.
func (p *Panel) Add(interval int, counters []uint64) {
	if n := len(p.Rows); n > 0 && p.Rows[n-1].Interval == interval {
		for i := range min(len(counters), len(p.Rows[n-1].Counters)) {
			p.Rows[n-1].Counters[i] += counters[i]
		}
		return
	}
	p.Rows = append(p.Rows, Row{interval, slices.Clone(counters)})
}

// percents are those that are shown: the outer two and the middle two as bands, the
// others as lines.
var percents = [6]float64{10, 25, 50, 75, 90, 99}

// quantiles are what is shown of a bar.
type quantiles struct {
	count uint64 // of values
	// values are the limits of the buckets below which percents of the values
	// were, +Inf for what is above all.
	values [6]float64
}

// quantiles returns those of each bar.
func (p *Panel) quantiles(bars []bar) []quantiles {
	sums := make([][]uint64, len(bars))
	for _, r := range p.Rows {
		at := barOf(bars, r.Interval)
		if sums[at] == nil {
			sums[at] = make([]uint64, len(p.Limits)+1)
		}
		for i := range min(len(r.Counters), len(sums[at])) {
			sums[at][i] += r.Counters[i]
		}
	}
	all := make([]quantiles, len(bars))
	for i, sum := range sums {
		q := &all[i]
		for _, n := range sum {
			q.count += n
		}
		var below uint64
		at := 0
		for bucket, n := range sum {
			below += n
			for ; at < len(percents) && float64(below) >= percents[at]/100*float64(q.count) && below > 0; at++ {
				q.values[at] = math.Inf(1)
				if bucket < len(p.Limits) {
					q.values[at] = float64(p.Limits[bucket])
				}
			}
		}
	}
	return all
}

// Sizes of one plot of several.
const (
	smallHeight = 190
	smallGap    = 64
)

// WriteSVG draws the picture.
func (s *Percentiles) WriteSVG(w io.Writer) error {
	bars, err := newBars(s.Intervals)
	if err != nil {
		return err
	}
	if len(s.Panels) == 0 {
		return ErrNothing
	}
	height := panelHeight
	if len(s.Panels) > 1 {
		height = len(s.Panels)*(smallHeight+smallGap) - smallGap
	}
	drawn := make([][]quantiles, len(s.Panels))
	for i := range s.Panels {
		drawn[i] = s.Panels[i].quantiles(bars)
	}
	loc := zone(s.Zone)
	low, high := s.Intervals[0].From, s.Intervals[len(s.Intervals)-1].To
	p := newPicture("percentiles", top+height+bottom, s.Title, s.describe(drawn))
	p.text(16, 50, "faint", span(low, high, loc))
	x := clock(low, high, left, right, loc)
	each := panelHeight
	if len(s.Panels) > 1 {
		each = smallHeight
	}
	for i := range s.Panels {
		p.panel(&s.Panels[i], i, bars, drawn[i], x, float64(top+i*(smallHeight+smallGap)), float64(each))
	}
	p.losses(bars, x, float64(top+height), low)
	p.xAxis(x, float64(top+height), lossHeight)
	p.lossLegend(float64(top+height+lossHeight), s.Intervals)
	return p.writeTo(w)
}

// describe says in words what the picture shows.
func (s *Percentiles) describe(drawn [][]quantiles) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Percentiles of distributions over time, %s. ", span(s.Intervals[0].From, s.Intervals[len(s.Intervals)-1].To, zone(s.Zone)))
	for i := range s.Panels {
		panel := &s.Panels[i]
		least, most, count := medians(drawn[i])
		fmt.Fprintf(&b, "%s: %s, ", panel.Name, plural(count, "value"))
		if count > 0 {
			fmt.Fprintf(&b, "of which half are at most %s to %s. ", panel.amount(least), panel.amount(most))
		}
	}
	return b.String() + losses(s.Intervals) + "."
}

// medians returns the least and the largest median, and how many values there are.
func medians(all []quantiles) (least, most float64, count uint64) {
	least = math.Inf(1)
	for _, q := range all {
		if q.count > 0 {
			least, most = min(least, q.values[2]), max(most, q.values[2])
			count += q.count
		}
	}
	return least, most, count
}

// amount returns a value with its unit.
func (p *Panel) amount(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "more than there are buckets for"
	case p.Unit == "µs":
		return duration(v * 1e3)
	}
	return amount(v, p.unit())
}

// unit returns the unit with which SI prefixes go.
func (p *Panel) unit() string {
	if p.Unit == "octets" {
		return "B"
	}
	return p.Unit
}

// yAxis returns the axis of values: logarithmic where they differ much.
func (p *Panel) yAxis(drawn []quantiles, from, to float64) (*axis, string) {
	least, most := math.Inf(1), 0.0
	for _, q := range drawn {
		for _, v := range q.values {
			if q.count > 0 && !math.IsInf(v, 1) {
				most = max(most, v)
				if v > 0 {
					least = min(least, v)
				}
			}
		}
	}
	if most == 0 {
		least, most = 1, 1
	}
	const much = 50
	switch {
	case p.Unit == "µs" && most/least > much:
		a := durations(least*1e3, most*1e3, from, to)
		a.low, a.high = a.low/1e3, a.high/1e3
		for i := range a.ticks {
			a.ticks[i].at /= 1e3
		}
		return a, ""
	case most/least > much:
		return decades(least, most, from, to, round), p.unit()
	case p.Unit == "µs":
		s := scale{1, "µs"}
		for _, larger := range []scale{{1e3, "ms"}, {1e6, "s"}} {
			if most >= larger.by {
				s = larger
			}
		}
		return linear(most, from, to, s), s.unit
	}
	s := scaleFor(most, p.unit())
	return linear(most, from, to, s), s.unit
}

// panel draws a plot, from a height on.
func (p *picture) panel(panel *Panel, i int, bars []bar, drawn []quantiles, x *axis, above, height float64) {
	y, unit := panel.yAxis(drawn, above+height, above)
	p.yAxis(y, above, unit)
	place := func(v float64) float64 {
		if math.IsInf(v, 1) {
			return above
		}
		return y.place(v)
	}
	low := bars[0].From
	var d [4]strings.Builder // 10 to 90, 25 to 75, median, 99
	for n, q := range drawn {
		if q.count == 0 {
			continue
		}
		from, to := num(x.place(float64(bars[n].From-low))), num(x.place(float64(bars[n].To-low)))
		for band, ends := range [2][2]int{{0, 4}, {1, 3}} {
			d[band].WriteString("M" + from + " " + num(place(q.values[ends[0]])) + "H" + to + "V" + num(place(q.values[ends[1]])) + "H" + from + "Z")
		}
		start := "M" + from + " "
		if n > 0 && drawn[n-1].count > 0 && bars[n-1].To == bars[n].From {
			start = "V"
		}
		d[2].WriteString(start + num(place(q.values[2])) + "H" + to)
		d[3].WriteString(start + num(place(q.values[5])) + "H" + to)
	}
	colour := colours[i%len(colours)]
	fmt.Fprintf(p, "<g fill=\"%s\"><title>%s</title><path fill-opacity=\".35\" d=\"%s\"/><path fill-opacity=\".75\" d=\"%s\"/></g>\n",
		colour, escape(panel.Name), d[0].String(), d[1].String())
	p.path("line", d[2].String())
	p.path("line dash", d[3].String())
	p.panelLegend(panel, drawn, colour, above)
}

// panelLegend tells what the bands and lines of a plot are.
func (p *picture) panelLegend(panel *Panel, drawn []quantiles, colour string, above float64) {
	_, _, count := medians(drawn)
	x, y := float64(right+24), above+8
	p.text(x, y, "", shorten(panel.Name, 29))
	p.text(x, y+lineHeight, "faint", plural(count, "value"))
	y += 2*lineHeight + 8
	for i, what := range []string{"99 % at most", "10 to 90 %", "25 to 75 %", "median"} {
		y := y + float64(i*(lineHeight+3))
		switch i {
		case 0, 3:
			class := "line"
			if i == 0 {
				class = "line dash"
			}
			p.path(class, "M"+num(x)+" "+num(y-4)+"h30")
		default:
			fmt.Fprintf(p, "<path fill=\"%s\" fill-opacity=\"%s\" d=\"M%s %sh30v13h-30z\"/>\n", colour, []string{"", ".35", ".75"}[i], num(x), num(y-11))
		}
		p.text(x+40, y, "", what)
	}
}
