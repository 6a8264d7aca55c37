package query

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// spreadOf returns the counters of all distributions of a flow, one after the other:
// those of the interval if they are known.
func spreadOf(f *match.Flow, c *record.Counters) []uint64 {
	if len(c.Measures) > 0 {
		return slices.Clone(c.Measures)
	}
	return slices.Concat(f.Counters...)
}

// spreadColumns are what tables have of a distribution.
var spreadColumns = [...]struct{ name, title string }{{"Count", "n"}, {"P50", "median"}, {"P90", "p90"}, {"Mean", "mean"}}

// spreads are the distributions and statistics of flows that are rows of a table.
type spreads []spread

// spread is one of them.
type spread struct {
	attr attr.Attr
	// exact is set of a distribution if there is a statistic of the same values, whose
	// mean is not that of buckets.
	exact bool
}

// spreadsOf returns the distributions and statistics that any of the flows have.
func spreadsOf(flows []counted) spreads {
	all := map[attr.Attr]bool{}
	inexact := map[attr.Attr]bool{}
	for i := range flows {
		for _, d := range flows[i].flow.Shape.Measures {
			if d.Attr.Form() != attr.FormPackets { // which no column has room for
				all[d.Attr] = true
				inexact[d.Attr] = inexact[d.Attr] || !hasExact(&flows[i].flow, &d)
			}
		}
	}
	var list spreads
	for _, a := range slices.SortedFunc(maps.Keys(all), func(a, b attr.Attr) int { return cmp.Compare(a, b) }) {
		list = append(list, spread{a, !inexact[a]})
	}
	return list
}

// hasExact reports whether a flow has a statistic of the values of one of its
// distributions.
func hasExact(f *match.Flow, d *attr.Measure) bool {
	var of attr.Attr
	switch {
	case d.Attr.Form() != attr.FormBuckets:
		return false
	case d.Attr == attr.ToPacketSize || d.Attr == attr.FromPacketSize:
		of = attr.ToSizeStats
	case d.Attr == attr.ToInterarrivalTime || d.Attr == attr.FromInterarrivalTime:
		of = attr.ToGapStats
	case d.Attr.CountsPairs() && d.Attr != attr.ToLostPDUs && d.Attr != attr.FromLostPDUs:
		of = attr.ToTurnaroundStats
	}
	if d.Attr.IsFrom() {
		of++
	}
	kind, _, _ := d.Parameters()
	return slices.ContainsFunc(f.Shape.Measures, func(m attr.Measure) bool {
		same, _, _ := m.Parameters()
		return m.Attr == of && same == kind
	})
}

// columns returns how many columns of a distribution there are: all, or without the
// mean, which is the last.
func (s *spread) columns() int {
	if s.exact {
		return len(spreadColumns) - 1
	}
	return len(spreadColumns)
}

// columns returns what tables have of the distributions.
func (s spreads) columns() (columns []table.Column) {
	for _, sp := range s {
		a := sp.attr
		title := titleOf(a.String(), s.has)
		if a.Form() != attr.FormBuckets {
			columns = append(columns, statisticColumns(a, a.String(), title)...)
			continue
		}
		kind, _ := spreadKind(a)
		for i, c := range spreadColumns[:sp.columns()] {
			column := table.Column{Name: a.String() + c.name, Title: c.title, Kind: kind, Align: table.Right, Optional: i == len(spreadColumns)-1}
			if i == 0 {
				column.Title, column.Kind = title+" "+c.title, table.Count
			}
			columns = append(columns, column)
		}
	}
	return columns
}

// has reports whether one of them has this name.
func (s spreads) has(name string) bool {
	return slices.ContainsFunc(s, func(sp spread) bool { return sp.attr.String() == name })
}

// titleOf returns what stands for people above what is measured. Of one direction alone
// it is without To.
func titleOf(name string, has func(name string) bool) string {
	if rest, ok := strings.CutPrefix(name, "To"); ok && !has("From"+rest) {
		name = rest
	}
	for _, ending := range [...]string{"Stats", "Range"} {
		name = strings.TrimSuffix(name, ending)
	}
	return strings.Replace(name, "TurnaroundTime", "Turnaround", 1)
}

// append appends to a row what it has of the distributions.
func (s spreads) append(row []table.Value, c *counted) []table.Value {
	for k := range s {
		a := s[k].attr
		i := slices.IndexFunc(c.flow.Shape.Measures, func(d attr.Measure) bool { return d.Attr == a })
		var numbers []uint64
		if i >= 0 {
			numbers = numbersOf(c.flow.Shape, i, c.spread)
		}
		switch {
		case a.Form() != attr.FormBuckets:
			row = statisticCells(row, a, numbers)
		case numbers == nil:
			row = append(row, make([]table.Value, s[k].columns())...)
		default:
			row = append(row, spreadCells(&c.flow.Shape.Measures[i], numbers)[:s[k].columns()]...)
		}
	}
	return row
}

// spreadCells returns what a row has of a distribution.
func spreadCells(d *attr.Measure, counters []uint64) []table.Value {
	cells := make([]table.Value, len(spreadColumns))
	limits := d.Limits()
	kind, factor := spreadKind(d.Attr)
	sum := attr.Summarise(limits, counters)
	cells[0] = table.Uint(sum.Count)
	if sum.Count == 0 {
		return cells
	}
	for q, percent := range attr.Quantiles {
		value := table.Uint(sum.Quantiles[q] * factor)
		if sum.Quantiles[q] == attr.Overflow {
			value = table.String(">" + kind.Show(table.Uint(limits[len(limits)-1]*factor)))
		}
		switch percent {
		case 50:
			cells[1] = value
		case 90:
			cells[2] = value
		}
	}
	cells[3] = table.Float(sum.Mean * float64(factor))
	return cells
}

// spreadKind returns the kind of the values of a distribution, and by what they are
// multiplied for it.
func spreadKind(a attr.Attr) (table.Kind, uint64) {
	switch a.Unit() {
	case "microseconds":
		return table.Duration, 1000
	case "ns":
		return table.Duration, 1
	case "octets":
		return table.Octets, 1
	case "bits/s":
		return table.BitRate, 1
	case "PDUs/s":
		return table.PacketRate, 1
	}
	return table.Count, 1
}
