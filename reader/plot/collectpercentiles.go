package plot

import (
	"cmp"
	"errors"
	"io"
	"math/bits"
	"slices"
	"strings"

	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// PercentilesOf is a record.Sink that draws the distributions of the flows that it
// takes, those of all flows added up.
type PercentilesOf struct {
	opts   Options
	only   []attr.Attr // nil for all
	times  timeline
	row    query.Row
	sums   map[attr.Measure][]uint64 // of the collection at hand
	panels map[attr.Measure]*Panel
	all    uint64 // values, which no sum exceeds
}

// NewPercentilesOf returns a PercentilesOf of no collections yet; only are the
// distributions that are drawn, nil for all.
func NewPercentilesOf(opts Options, only []attr.Attr) *PercentilesOf {
	return &PercentilesOf{opts: opts, only: only, sums: make(map[attr.Measure][]uint64), panels: make(map[attr.Measure]*Panel)}
}

// ParseDistributions reads names of distributions with commas between them.
func ParseDistributions(text string) (all []attr.Attr, err error) {
	for name := range strings.SplitSeq(text, ",") {
		a, ok := attr.ByName(strings.TrimSpace(name))
		if !ok || a.Info().Class != attr.ClassDistrib {
			return nil, errors.New(`"` + strings.TrimSpace(name) + `" is no distribution, such as ToPacketSize`)
		}
		all = append(all, a)
	}
	return all, nil
}

// Begin implements record.Sink.
func (p *PercentilesOf) Begin(c *record.Collection) error {
	p.times.begin(c)
	clear(p.sums)
	return nil
}

// Flow implements record.Sink.
func (p *PercentilesOf) Flow(f *match.Flow, counted *record.Counters) error {
	if counted == nil {
		return nil
	}
	if p.opts.Filter != nil {
		p.row = query.Row{Flow: f, Counted: counted}
		if !p.opts.Filter.Match(&p.row) {
			return nil
		}
	}
	counters := counted.Measures
	for _, d := range f.Shape.Measures {
		n := d.Counters()
		if n > len(counters) {
			return nil // they are not known
		}
		if d.Attr.Form() == attr.FormBuckets && (p.only == nil || slices.Contains(p.only, d.Attr)) {
			if p.sums[d] == nil {
				p.sums[d] = make([]uint64, n)
			}
			for i, c := range counters[:n] {
				var over uint64
				if p.all, over = bits.Add64(p.all, c, 0); over != 0 {
					return query.ErrOverflow
				}
				p.sums[d][i] += c
			}
		}
		counters = counters[n:]
	}
	return nil
}

// End implements record.Sink.
func (p *PercentilesOf) End(sum *record.Summary) error {
	at := p.times.end(sum)
	for d, counters := range p.sums {
		panel := p.panels[d]
		if panel == nil {
			panel = &Panel{Name: d.Attr.String(), Unit: unitOf(d.Attr), Limits: d.Limits()}
			p.panels[d] = panel
		}
		panel.Add(at, counters)
	}
	return nil
}

// unitOf returns the symbol of a distribution's unit.
func unitOf(a attr.Attr) string {
	switch unit := a.Unit(); unit {
	case "microseconds":
		return "µs"
	case "bits/s":
		return "bit/s"
	default:
		return unit
	}
}

// WriteSVG draws the picture.
func (p *PercentilesOf) WriteSVG(w io.Writer) error {
	intervals, moved, err := p.times.sorted()
	if err != nil {
		return err
	}
	if len(p.panels) == 0 {
		return errors.New("there are no distributions: rulesets save them, see DISTRIBUTIONS.md")
	}
	picture := &Percentiles{Title: cmp.Or(p.opts.Title, "Percentiles of distributions"), Intervals: intervals, Zone: p.opts.Zone}
	all := make([]attr.Measure, 0, len(p.panels))
	for d := range p.panels {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b attr.Measure) int {
		return cmp.Or(cmp.Compare(a.Attr, b.Attr), strings.Compare(a.Mask.String(), b.Mask.String()), strings.Compare(a.Value.String(), b.Value.String()))
	})
	for _, d := range all[:min(len(all), p.opts.Most)] {
		panel := p.panels[d]
		for i := range panel.Rows {
			panel.Rows[i].Interval = moved[panel.Rows[i].Interval]
		}
		picture.Panels = append(picture.Panels, *panel)
	}
	return picture.WriteSVG(w)
}
