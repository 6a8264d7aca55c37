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

// spreads are the distributions of flows that are rows of a table.
type spreads []attr.Attr

// spreadsOf returns the distributions that any of the flows have.
func spreadsOf(flows []counted) spreads {
	all := map[attr.Attr]bool{}
	for i := range flows {
		for _, d := range flows[i].flow.Shape.Measures {
			if d.Attr.Form() != attr.FormPackets { // which no column has room for
				all[d.Attr] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b attr.Attr) int { return cmp.Compare(a, b) })
}

// columns returns what tables have of the distributions.
func (s spreads) columns() (columns []table.Column) {
	for _, a := range s {
		if a.Form() != attr.FormBuckets {
			columns = append(columns, statisticColumns(a, a.String())...)
			continue
		}
		kind, _ := spreadKind(a)
		for i, c := range spreadColumns {
			column := table.Column{Name: a.String() + c.name, Title: c.title, Kind: kind, Align: table.Right, Optional: i == len(spreadColumns)-1}
			if i == 0 {
				name := strings.Replace(strings.TrimPrefix(a.String(), "To"), "TurnaroundTime", "Turnaround", 1)
				column.Title, column.Kind = name+" "+c.title, table.Count
			}
			columns = append(columns, column)
		}
	}
	return columns
}

// append appends to a row what it has of the distributions.
func (s spreads) append(row []table.Value, c *counted) []table.Value {
	for _, a := range s {
		i := slices.IndexFunc(c.flow.Shape.Measures, func(d attr.Measure) bool { return d.Attr == a })
		var numbers []uint64
		if i >= 0 {
			numbers = numbersOf(c.flow.Shape, i, c.spread)
		}
		switch {
		case a.Form() != attr.FormBuckets:
			row = statisticCells(row, a, numbers)
		case numbers == nil:
			row = append(row, make([]table.Value, len(spreadColumns))...)
		default:
			row = append(row, spreadCells(&c.flow.Shape.Measures[i], numbers)...)
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
