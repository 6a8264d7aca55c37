package plot

import (
	"fmt"
	"io"
	"strings"
	"time"

	"rtfm/meter/series"
)

// Seconds is a picture of a series: bits, packets and new flows a second, and flows
// that were active, each in a panel.
type Seconds struct {
	Title     string
	Zone      *time.Location
	intervals []Interval
	panels    [4]Series
	ruleSet   int
}

// The panels of Seconds.
const (
	panelBits = iota
	panelPDUs
	panelActive
	panelNew
)

var secondsUnits = [4]string{"bit/s", "packets/s", "active flows", "new flows/s"}

// Sizes of Seconds, in pixels.
const (
	secondsHeight = 110
	secondsApart  = 40
)

// Add adds an interval of the series. A gap is left blank, as it has no rows. Of several
// rulesets the first one is drawn.
func (p *Seconds) Add(i *series.Interval) {
	at := len(p.intervals)
	in := Interval{From: i.From, To: i.To}
	for j := range i.Rows {
		r := &i.Rows[j]
		if r.IsInterface() {
			in.Lost += r.Lost
			continue
		}
		if p.ruleSet == 0 {
			p.ruleSet = r.RuleSet
			if p.Title == "" {
				p.Title = fmt.Sprintf("Series of %s", r.Name)
			}
		}
		if r.RuleSet != p.ruleSet {
			continue
		}
		in.Uncounted += r.Uncounted
		seconds := float64(i.To-i.From) / 1e9
		// Heights are in octets, of which bars draw bits a second.
		p.panels[panelBits].Add(at, float64(r.Octets))
		p.panels[panelPDUs].Add(at, float64(r.PDUs)/8)
		p.panels[panelActive].Add(at, float64(r.ActiveFlows)*seconds/8)
		p.panels[panelNew].Add(at, float64(r.NewFlows)/8)
	}
	p.intervals = append(p.intervals, in)
}

// WriteSVG draws the picture.
func (p *Seconds) WriteSVG(w io.Writer) error {
	bars, err := newBars(p.intervals)
	if err != nil {
		return err
	}
	loc := zone(p.Zone)
	low, high := bars[0].From, bars[len(bars)-1].To
	var heights [len(p.panels)][]float64
	var peaks [len(p.panels)]float64
	desc := span(low, high, loc)
	for k := range p.panels {
		heights[k] = make([]float64, len(bars))
		for _, a := range p.panels[k].Amounts {
			heights[k][barOf(bars, a.Interval)] += a.Octets
		}
		for i := range bars {
			peaks[k] = max(peaks[k], bars[i].rate(heights[k][i]))
		}
		desc += ", at most " + secondsAmount(k, peaks[k])
	}
	below := top + len(p.panels)*(secondsHeight+secondsApart) - secondsApart
	out := newPicture("series", below+bottom, p.Title, desc+", "+losses(p.intervals)+".")
	out.text(16, 50, "faint", fmt.Sprintf("%s, %s, %s at most", span(low, high, loc), amount(p.panels[panelBits].Total(), "B"), amount(peaks[panelBits], "bit/s")))
	x := clock(low, high, left, right, loc)
	zero := make([]float64, len(bars))
	for k := range p.panels {
		above := float64(top + k*(secondsHeight+secondsApart))
		s := scaleFor(peaks[k], "")
		unit := strings.TrimSpace(s.unit + " " + secondsUnits[k])
		if k == panelBits {
			unit = s.unit + secondsUnits[k]
		}
		y := linear(peaks[k], above+secondsHeight, above, s)
		out.yAxis(y, above, "")
		out.text(right+24, above+11, "", unit)
		out.text(right+24, above+11+lineHeight, "faint", secondsAmount(k, peaks[k])+" at most")
		out.area(k, false, steps(bars, zero, heights[k], x, y, low), secondsUnits[k])
	}
	out.losses(bars, x, float64(below), low)
	out.xAxis(x, float64(below), lossHeight)
	out.lossLegend(float64(below+lossHeight), p.intervals)
	return out.writeTo(w)
}

// secondsAmount shows n of what panel k has.
func secondsAmount(k int, n float64) string {
	if k == panelBits {
		return amount(n, secondsUnits[k])
	}
	return strings.TrimSpace(amount(n, "")) + " " + secondsUnits[k]
}
