package plot

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Scatter is a picture of how long flows lasted and how fast they were, both on
// logarithmic axes, a symbol for each flow, as nifty drew it.
type Scatter struct {
	Title     string
	Intervals []Interval // in order of time
	Groups    []Group    // in the order of the legend
	Zone      *time.Location
}

// Group is flows that have one symbol.
type Group struct {
	Name   string
	Symbol rune // 0 for a shape
	Points []Point
	// Flows and Octets are of all flows; those that lasted no time have no rate,
	// and no point.
	Flows, Octets uint64
	Others        bool
}

// Point is a flow.
type Point struct {
	Duration int64  // nanoseconds, above 0
	Octets   uint64 // in this time
}

// Add adds a flow.
func (g *Group) Add(duration int64, octets uint64) {
	g.Flows++
	g.Octets += octets
	if duration > 0 && octets > 0 {
		g.Points = append(g.Points, Point{duration, octets})
	}
}

// topGroups returns the n groups of most octets, and the others as one.
func topGroups(all []Group, n int) []Group {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Octets, a.Octets), strings.Compare(a.Name, b.Name))
	})
	if len(all) <= n {
		return all
	}
	others := Group{Name: plural(uint64(len(all)-n), "other"), Others: true}
	for _, g := range all[n:] {
		others.Flows += g.Flows
		others.Octets += g.Octets
		others.Points = append(others.Points, g.Points...)
	}
	return append(all[:n:n], others)
}

// bitRate returns the flow's rate in bit/s.
func (p Point) bitRate() float64 { return float64(p.Octets) * 8e9 / float64(p.Duration) }

// shapes are paths about 0, 0, of groups without a symbol.
var shapes = []string{
	"M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
	"M0 -5L5 4H-5z",
	"M-4 -4h8v8h-8z",
	"M0 -5.5L5.5 0L0 5.5L-5.5 0z",
	"M-5 -4H5L0 5z",
	"M-5 -1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5z",
	"M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0z",
	"M-5 -2h10v4h-10z",
}

// WriteSVG draws the picture.
func (s *Scatter) WriteSVG(w io.Writer) error {
	var points, flows, octets uint64
	least, most := Point{}, Point{} // durations
	slow, fast := 0.0, 0.0
	for _, g := range s.Groups {
		flows += g.Flows
		octets += g.Octets
		for _, p := range g.Points {
			if points++; points == 1 {
				least, most, slow, fast = p, p, p.bitRate(), p.bitRate()
			}
			least.Duration, most.Duration = min(least.Duration, p.Duration), max(most.Duration, p.Duration)
			slow, fast = min(slow, p.bitRate()), max(fast, p.bitRate())
		}
	}
	if points == 0 {
		return fmt.Errorf("there is nothing to draw: of %s none lasted any time; text has times of a centisecond, JSON lines and CSV have all", plural(flows, "flow"))
	}
	notes := s.notes(flows - points)
	const height = panelHeight + 60
	p := newPicture("scatter", top+height+bottom, s.Title, s.describe(flows, least, most, slow, fast, notes))
	x := durations(float64(least.Duration), float64(most.Duration), left, right)
	y := decades(slow, fast, top+height, top, round)
	p.text(16, 50, "faint", fmt.Sprintf("%s, %s, %s", s.when(), plural(flows, "flow"), amount(float64(octets), "B")))
	p.yAxis(y, top, "bit/s")
	p.verticals(x, top, top+height)
	p.xAxis(x, top+height, 0)
	p.text((left+right)/2, top+height+19+lineHeight, "faint middle", "duration")
	for i := len(s.Groups) - 1; i >= 0; i-- { // the largest on top
		p.points(i, &s.Groups[i], x, y)
	}
	p.scatterLegend(s.Groups, float64(octets), notes)
	return p.writeTo(w)
}

func (s *Scatter) when() string {
	if len(s.Intervals) == 0 {
		return "at any time"
	}
	return span(s.Intervals[0].From, s.Intervals[len(s.Intervals)-1].To, zone(s.Zone))
}

// notes tell what is not in the picture.
func (s *Scatter) notes(without uint64) []string {
	notes := []string{losses(s.Intervals)}
	if without > 0 {
		notes = append(notes, "no duration: "+plural(without, "flow"))
	}
	return notes
}

// describe says in words what the picture shows.
func (s *Scatter) describe(flows uint64, least, most Point, slow, fast float64, notes []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Duration and rate of %s, both logarithmic: from %s to %s, and from %s to %s. ", plural(flows, "flow"),
		duration(float64(least.Duration)), duration(float64(most.Duration)), amount(slow, "bit/s"), amount(fast, "bit/s"))
	for _, g := range s.Groups {
		fmt.Fprintf(&b, "%s: %s, %s. ", g.Name, plural(g.Flows, "flow"), amount(float64(g.Octets), "B"))
	}
	return b.String() + strings.Join(notes, ", ") + "."
}

// points draws the flows of a group. Those that would cover each other are drawn
// once, so that a picture of millions is no larger than one of thousands.
func (p *picture) points(i int, g *Group, x, y *axis) {
	const cell = 3
	places := make(map[[2]int]bool)
	for _, point := range g.Points {
		places[[2]int{int(x.place(float64(point.Duration)) / cell), int(y.place(point.bitRate()) / cell)}] = true
	}
	sorted := make([][2]int, 0, len(places))
	for at := range places {
		sorted = append(sorted, at)
	}
	slices.SortFunc(sorted, func(a, b [2]int) int {
		if a[0] != b[0] {
			return a[0] - b[0]
		}
		return a[1] - b[1]
	})
	fmt.Fprintf(p, "<g fill=\"%s\"><title>%s</title>\n", colourOf(i, g.Others), escape(g.Name))
	for _, at := range sorted {
		p.symbol(i, g, float64(at[0]*cell)+cell/2.0, float64(at[1]*cell)+cell/2.0)
	}
	p.WriteString("</g>\n")
}

// symbol draws one of a group.
func (p *picture) symbol(i int, g *Group, x, y float64) {
	if g.Symbol != 0 {
		fmt.Fprintf(p, "<text class=\"mark\" style=\"fill:%s\" x=\"%s\" y=\"%s\">%s</text>\n", colourOf(i, g.Others), num(x), num(y+4.5), escape(string(g.Symbol)))
		return
	}
	shape := shapes[i%len(shapes)]
	if g.Others {
		shape = "M-2 -2h4v4h-4z"
	}
	fmt.Fprintf(p, "<path class=\"halo\" style=\"fill:inherit\" transform=\"translate(%s %s)\" d=\"%s\"/>\n", num(x), num(y), shape)
}

// verticals draws lines through a plot at the ticks of its lower axis.
func (p *picture) verticals(x *axis, above, below float64) {
	var d strings.Builder
	for _, t := range x.ticks {
		d.WriteString("M" + num(x.place(t.at)) + " " + num(above) + "V" + num(below))
	}
	p.path("grid", d.String())
}

// scatterLegend tells which symbol is what.
func (p *picture) scatterLegend(groups []Group, all float64, notes []string) {
	y := float64(top + 8)
	for i := range groups {
		g := &groups[i]
		fmt.Fprintf(p, "<g fill=\"%s\">\n", colourOf(i, g.Others))
		p.symbol(i, g, right+31, y-4.5)
		p.WriteString("</g>\n")
		p.text(right+46, y, "", shorten(g.Name, 26))
		p.text(right+46, y+lineHeight, "faint", fmt.Sprintf("%s, %s, %s", plural(g.Flows, "flow"), amount(float64(g.Octets), "B"), share(float64(g.Octets), all)))
		y += 2*lineHeight + 6
	}
	for i, note := range notes {
		p.text(right+24, top+panelHeight+60-float64(len(notes)-1-i)*lineHeight, "faint", note)
	}
}
