package plot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// bar is what is drawn of one interval, or of several that are too narrow to be
// seen each.
type bar struct {
	Interval
	first int // index of the first interval
}

// rate returns octets of the bar in bit/s.
func (b *bar) rate(octets float64) float64 { return octets * 8e9 / float64(b.To-b.From) }

// newBars returns bars of about a pixel, or the width of an interval that is wider.
func newBars(intervals []Interval) (bars []bar, err error) {
	for i, in := range intervals {
		if in.To <= in.From || i > 0 && in.From < intervals[i-1].To {
			return nil, fmt.Errorf("interval %d is not one that comes after the one before", i+1)
		}
	}
	if len(intervals) == 0 {
		return nil, ErrNothing
	}
	low, high := intervals[0].From, intervals[len(intervals)-1].To
	if high-low < 0 {
		return nil, errors.New("the times are centuries apart")
	}
	least := (high - low) / (right - left)
	for i, in := range intervals {
		if n := len(bars) - 1; n >= 0 && in.To-bars[n].From <= least {
			bars[n].To = in.To
			bars[n].Lost += in.Lost
			bars[n].Uncounted += in.Uncounted
			continue
		}
		bars = append(bars, bar{in, i})
	}
	return bars, nil
}

// barOf returns the index of the bar that an interval is in.
func barOf(bars []bar, interval int) int {
	i, found := slices.BinarySearchFunc(bars, interval, func(b bar, i int) int { return b.first - i })
	if !found {
		i--
	}
	return i
}

// steps returns the outline of what lies between two heights, in octets of each bar.
func steps(bars []bar, lower, upper []float64, x, y *axis, low int64) string {
	var d strings.Builder
	for i := 0; i < len(bars); {
		if upper[i] == lower[i] {
			i++
			continue
		}
		// A shape goes on as long as there is something and no gap.
		end := i + 1
		for end < len(bars) && upper[end] > lower[end] && bars[end].From == bars[end-1].To {
			end++
		}
		at := func(ns int64) string { return num(x.place(float64(ns - low))) }
		height := func(i int, octets float64) string { return num(y.place(bars[i].rate(octets))) }
		d.WriteString("M" + at(bars[i].From) + " " + height(i, lower[i]))
		for n := i; n < end; n++ {
			d.WriteString("V" + height(n, upper[n]) + "H" + at(bars[n].To))
		}
		for n := end - 1; n >= i; n-- {
			d.WriteString("V" + height(n, lower[n]) + "H" + at(bars[n].From))
		}
		d.WriteString("Z")
		i = end
	}
	return d.String()
}

// losses draws below a plot where packets were lost or not counted.
func (p *picture) losses(bars []bar, x *axis, y float64, low int64) {
	for _, b := range bars {
		if b.Lost+b.Uncounted == 0 {
			continue
		}
		from, to := x.place(float64(b.From-low)), x.place(float64(b.To-low))
		fmt.Fprintf(p, "<g><title>%d lost, %d uncounted</title><path fill=\"%s\" d=\"M%s %sH%sv%dH%sz\"/></g>\n",
			b.Lost, b.Uncounted, lossColour, num(from), num(y+1), num(max(to, from+1)), lossHeight-2, num(from))
	}
}

// losses tells what is not in the flows.
func losses(intervals []Interval) string {
	lost, uncounted := missing(intervals)
	return fmt.Sprintf("packets lost %d, uncounted %d", lost, uncounted)
}

// missing returns the packets that are not in the flows.
func missing(intervals []Interval) (lost, uncounted uint64) {
	for _, i := range intervals {
		lost += i.Lost
		uncounted += i.Uncounted
	}
	return lost, uncounted
}

// lossLegend tells beside the strip of losses how many there are.
func (p *picture) lossLegend(y float64, intervals []Interval) {
	x := float64(right + 24)
	if lost, uncounted := missing(intervals); lost+uncounted > 0 {
		fmt.Fprintf(p, "<path fill=\"%s\" d=\"M%d %sh14v%dh-14z\"/>\n", lossColour, right+24, num(y-lossHeight+1), lossHeight-2)
		x += 22
	}
	p.text(x, y, "faint", losses(intervals))
}

// yAxis draws an axis, whose lines go through the plot that begins at a height.
func (p *picture) yAxis(y *axis, above float64, unit string) {
	var d strings.Builder
	for _, t := range y.ticks {
		at := y.place(t.at)
		d.WriteString("M" + num(left) + " " + num(at) + "H" + num(right))
		p.text(left-8, at+4.5, "end", t.label)
	}
	p.text(left-8, above-12, "faint end", unit)
	p.path("grid", d.String())
}

// xAxis draws an axis so far below a plot.
func (p *picture) xAxis(x *axis, y, below float64) {
	d := "M" + num(left) + " " + num(y) + "H" + num(right)
	for _, t := range x.ticks {
		at := x.place(t.at)
		d += "M" + num(at) + " " + num(y) + "v" + num(below+5)
		p.text(at, y+below+19, "middle", t.label)
		if t.below != "" {
			p.text(at, y+below+19+lineHeight, "faint middle", t.below)
		}
	}
	p.path("axis", d)
}
