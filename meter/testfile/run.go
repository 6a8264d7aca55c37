package testfile

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rtfm/meter"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/filter"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/spell"
	"rtfm/traces"
	"rtfm/traces/format"
)

// column is an attribute of flows.
type column struct {
	attr attr.Attr
	name string
}

// columns reads the heading above the flows that are expected.
func (p *parser) columns(words []word) {
	for _, w := range words {
		a, ok := attr.ByName(w.text)
		if !ok {
			var known []string
			for _, in := range attr.All() {
				known = append(known, in.Name)
			}
			p.fault(w.col, "%s: columns of flows are attributes", spell.Unknown("attribute", w.text, known))
		} else if !isColumn(a) {
			p.fault(w.col, "%v is not told here: columns are what programs save, ToPDUs, FromPDUs, ToOctets and FromOctets", a)
		}
		p.test.columns = append(p.test.columns, column{a, a.String()})
	}
}

// isColumn reports whether tests can tell what flows have of an attribute.
func isColumn(a attr.Attr) bool {
	switch a.Info().Class {
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed, attr.ClassDistrib, attr.ClassStatistic:
		return true
	}
	return slices.Contains(counters, a)
}

// counters are the columns that count.
var counters = []attr.Attr{attr.ToPDUs, attr.FromPDUs, attr.ToOctets, attr.FromOctets}

// Result is what came of a test.
type Result struct {
	Test *Test
	// Err says why the test could not be run.
	Err error
	// Line is that of the first difference, 0 if there is none, and Diff tells all of
	// them.
	Line int
	Diff string

	table   [][]cell // with its heading
	leftOut [numVerdicts]uint64
}

// Failed reports whether the test has failed.
func (r *Result) Failed() bool { return r.Err != nil || r.Line > 0 }

// cell is a value of a flow: what people call it, and with numbers instead of names.
type cell struct {
	text, numeric string
	of            attr.Attr // whose values have names, perhaps
}

// Run runs a test of a program.
func (t *Test) Run(ctx context.Context, rs *ruleset.RuleSet) *Result {
	r := &Result{Test: t}
	if r.Err = r.meter(ctx, rs); r.Err == nil {
		r.compare()
	}
	return r
}

// meter meters the test's packets.
func (r *Result) meter(ctx context.Context, rs *ruleset.RuleSet) error {
	t := r.Test
	cfg := meter.Config{RuleSets: []*ruleset.RuleSet{rs}, MaxFlows: len(t.packets) + 16}
	var src traces.Source = &source{list: slices.Clone(t.packets)}
	if t.trace != "" {
		cfg.MaxFlows = meter.DefaultMaxFlows
		if t.filter != "" {
			passes, _, err := filter.Compile(t.filter)
			if err != nil {
				return err
			}
			if cfg.Filter, err = pme.Compile(passes, 0, nil); err != nil {
				return err
			}
		}
		src = format.OpenSequence([]string{t.trace}, nil)
	}
	defer func() {
		if ctx.Err() == nil { // else the meter may be reading it still
			src.Close()
		}
	}()
	m, err := meter.New(cfg)
	if err != nil {
		return err
	}
	s := sink{m: m}
	if err := m.Run(ctx, src, &s); err != nil {
		return err
	}
	stats := m.Stats()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.damage != nil:
		return s.damage
	case stats.Uncounted() > 0:
		return fmt.Errorf("more than %d flows: %d packets are in none", cfg.MaxFlows, stats.Uncounted())
	}
	task := &stats.Tasks[0]
	r.leftOut = [numVerdicts]uint64{task.Ignored, task.Unmatched, task.Stopped}
	columns := t.columns
	if columns == nil {
		columns = columnsOf(s.flows)
	}
	r.fill(columns, s.flows)
	return nil
}

// sink keeps what was metered.
type sink struct {
	m      *meter.Meter
	flows  []match.Flow
	damage error
}

// Collect implements meter.Sink.
func (s *sink) Collect(meter.Collection) error {
	return s.m.Flows(func(f *match.Flow) error {
		kept := *f
		kept.Counters = nil
		for _, counts := range f.Counters {
			kept.Counters = append(kept.Counters, slices.Clone(counts))
		}
		s.flows = append(s.flows, kept)
		return nil
	})
}

// Damage implements meter.Sink. Nothing is compared with what a damaged trace gives.
func (s *sink) Damage(err error) {
	if s.damage == nil {
		s.damage = err
	}
}

// BackInTime implements meter.Sink.
func (s *sink) BackInTime(string, int64, int64) {}

// columnsOf returns what flows save, then what counts, then what they measure.
func columnsOf(flows []match.Flow) []column {
	var saved, distributions []attr.Attr
	for i := range flows {
		shape := flows[i].Shape
		for k := range shape.Saved {
			saved = append(saved, shape.Saved[k].Attr)
		}
		for k := range shape.Measures {
			distributions = append(distributions, shape.Measures[k].Attr)
		}
	}
	slices.Sort(saved)
	slices.Sort(distributions)
	var columns []column
	for _, a := range slices.Concat(slices.Compact(saved), counters, slices.Compact(distributions)) {
		columns = append(columns, column{a, a.String()})
	}
	return columns
}

// fill makes the table of the flows.
func (r *Result) fill(columns []column, flows []match.Flow) {
	heading := make([]cell, len(columns))
	for i, c := range columns {
		heading[i] = cell{text: c.name, numeric: c.name}
	}
	r.table = [][]cell{heading}
	for i := range flows {
		row := make([]cell, len(columns))
		for k, c := range columns {
			row[k] = cellOf(&flows[i], c.attr)
		}
		r.table = append(r.table, row)
	}
}

// cellOf returns what a flow has of an attribute.
func cellOf(f *match.Flow, a attr.Attr) cell {
	counts := func(n uint64) cell {
		text := strconv.FormatUint(n, 10)
		return cell{text: text, numeric: text}
	}
	switch a {
	case attr.ToPDUs:
		return counts(f.ToPDUs)
	case attr.FromPDUs:
		return counts(f.FromPDUs)
	case attr.ToOctets:
		return counts(f.ToOctets)
	case attr.FromOctets:
		return counts(f.FromOctets)
	}
	for i := range f.Shape.Measures {
		if d := &f.Shape.Measures[i]; d.Attr == a && i < len(f.Counters) {
			text := measured(d, f.Counters[i])
			return cell{text: text, numeric: text}
		}
	}
	c := cell{f.Show(a, false), f.Show(a, true), a}
	if c.text == "" {
		c = cell{text: "-", numeric: "-"}
	}
	return c
}

// measured returns what a flow measures: a statistic as flow data has it.
func measured(d *attr.Measure, numbers []uint64) string {
	if form := d.Attr.Form(); form != attr.FormBuckets {
		return string(form.AppendStatistic(nil, numbers))
	}
	return buckets(d, numbers)
}

// buckets returns a distribution's buckets that are not empty, as LIMIT:COUNT with
// commas between them.
func buckets(d *attr.Measure, counters []uint64) string {
	limits := d.Limits()
	var all []string
	for i, n := range counters {
		switch {
		case n == 0:
		case i < len(limits):
			all = append(all, fmt.Sprintf("%d:%d", limits[i], n))
		default:
			all = append(all, fmt.Sprintf("over:%d", n))
		}
	}
	if all == nil {
		return "-"
	}
	return strings.Join(all, ",")
}
