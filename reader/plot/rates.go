package plot

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Rates is a picture of rates over time, one series on top of the other.
type Rates struct {
	Title     string
	Intervals []Interval // in order of time
	Series    []Series   // from the bottom; see Top
	Unknown   uint64     // flow records that are left out: see query.Summary
	Zone      *time.Location
}

// Series is one of the things whose rates are shown.
type Series struct {
	Name    string
	Amounts []Amount
	// Others is set for the sum of those that are not shown.
	Others bool
}

// Amount is what a series counted in an interval.
type Amount struct {
	Interval int // its index in Intervals
	Octets   float64
}

// Add adds octets to what was counted in an interval, the last one or a later one.
func (s *Series) Add(interval int, octets float64) {
	if n := len(s.Amounts); n > 0 && s.Amounts[n-1].Interval == interval {
		s.Amounts[n-1].Octets += octets
		return
	}
	s.Amounts = append(s.Amounts, Amount{interval, octets})
}

// Total returns the sum of the amounts.
func (s *Series) Total() (octets float64) {
	for _, a := range s.Amounts {
		octets += a.Octets
	}
	return octets
}

// Top returns the n largest of all series, the largest first and of equal ones that
// with the lesser name, and the sum of the others, if there are any.
func Top(all []Series, n int) []Series {
	type sum struct {
		Series
		total float64
	}
	sorted := make([]sum, len(all))
	for i := range all {
		sorted[i] = sum{all[i], all[i].Total()}
	}
	slices.SortFunc(sorted, func(a, b sum) int {
		return cmp.Or(cmp.Compare(b.total, a.total), strings.Compare(a.Name, b.Name))
	})
	all = make([]Series, len(sorted))
	for i := range sorted {
		all[i] = sorted[i].Series
	}
	if len(all) <= n {
		return all
	}
	sums := make(map[int]float64)
	for _, s := range all[n:] {
		for _, a := range s.Amounts {
			sums[a.Interval] += a.Octets
		}
	}
	others := Series{Name: plural(uint64(len(all)-n), "other"), Others: true}
	for i, octets := range sums {
		others.Amounts = append(others.Amounts, Amount{i, octets})
	}
	slices.SortFunc(others.Amounts, func(a, b Amount) int { return a.Interval - b.Interval })
	return append(all[:n:n], others)
}

// ErrNothing is the error of a picture without data.
var ErrNothing = errors.New("there is nothing to draw: no collections")

// WriteSVG draws the picture.
func (r *Rates) WriteSVG(w io.Writer) error {
	bars, err := newBars(r.Intervals)
	if err != nil {
		return err
	}
	stack := make([][]float64, len(r.Series)+1) // heights in octets, by series and bar
	stack[0] = make([]float64, len(bars))
	var all float64
	for i := range r.Series {
		stack[i+1] = slices.Clone(stack[i])
		for _, a := range r.Series[i].Amounts {
			stack[i+1][barOf(bars, a.Interval)] += a.Octets
			all += a.Octets
		}
	}
	peak, at := 0.0, 0
	for i, octets := range stack[len(r.Series)] {
		if rate := bars[i].rate(octets); rate > peak {
			peak, at = rate, i
		}
	}
	loc := zone(r.Zone)
	low, high := bars[0].From, bars[len(bars)-1].To
	p := newPicture("rate", top+panelHeight+bottom, r.Title, r.describe(bars, all, peak, at))
	s := scaleFor(peak, "bit/s")
	x, y := clock(low, high, left, right, loc), linear(peak, top+panelHeight, top, s)
	p.text(16, 50, "faint", fmt.Sprintf("%s, %s, %s at most", span(low, high, loc), amount(all, "B"), amount(peak, "bit/s")))
	p.yAxis(y, top, s.unit)
	for i, series := range r.Series {
		p.area(i, series.Others, steps(bars, stack[i], stack[i+1], x, y, low), series.Name+": "+amount(series.Total(), "B"))
	}
	p.losses(bars, x, top+panelHeight, low)
	p.xAxis(x, top+panelHeight, lossHeight)
	p.ratesLegend(r.Series, all)
	if notes := r.notes(); len(notes) > 1 {
		p.text(right+24, top+panelHeight+lossHeight+lineHeight, "faint", notes[1])
	}
	p.lossLegend(top+panelHeight+lossHeight, r.Intervals)
	return p.writeTo(w)
}

// describe says in words what the picture shows.
func (r *Rates) describe(bars []bar, all, peak float64, at int) string {
	loc := zone(r.Zone)
	var b strings.Builder
	fmt.Fprintf(&b, "Rates over time, stacked, %s: %s, at most %s from %s. ", span(bars[0].From, bars[len(bars)-1].To, loc),
		amount(all, "B"), amount(peak, "bit/s"), span(bars[at].From, bars[at].To, loc))
	for _, s := range r.Series {
		fmt.Fprintf(&b, "%s: %s, %s. ", s.Name, amount(s.Total(), "B"), share(s.Total(), all))
	}
	return b.String() + strings.Join(r.notes(), ", ") + "."
}

// notes tell what is not in the picture.
func (r *Rates) notes() []string {
	notes := []string{losses(r.Intervals)}
	if r.Unknown > 0 {
		notes = append(notes, plural(r.Unknown, "record")+" left out")
	}
	return notes
}

// ratesLegend tells what is what, and how much it is.
func (p *picture) ratesLegend(series []Series, all float64) {
	y := float64(top + 8)
	for i, s := range series {
		p.swatch(i, s.Others, y)
		p.text(right+46, y, "", shorten(s.Name, 26))
		p.text(right+46, y+lineHeight, "faint", amount(s.Total(), "B")+", "+share(s.Total(), all))
		y += 2*lineHeight + 6
	}
}
