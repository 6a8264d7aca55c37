package query

import (
	"slices"
	"strings"

	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// statisticColumns returns what tables have of a statistic, under this title.
func statisticColumns(a attr.Attr, name, title string) []table.Column {
	kind, _ := spreadKind(a)
	column := func(part, heading string, kind table.Kind, optional bool) table.Column {
		return table.Column{Name: name + part, Title: heading, Kind: kind, Align: table.Right, Optional: optional}
	}
	switch a.Form() {
	case attr.FormStats:
		return []table.Column{
			column("N", title+" n", table.Count, false), column("Mean", "mean", kind, false), column("Sd", "sd", kind, false),
			column("Min", "min", kind, true), column("Max", "max", kind, true),
		}
	case attr.FormRange:
		return []table.Column{column("N", title+" n", table.Count, true), column("Min", title+" min", table.Number, false), column("Max", "max", table.Number, false)}
	case attr.FormCount, attr.FormEdges:
		return []table.Column{column("", title, kind, false)}
	}
	return []table.Column{{Name: name, Title: title}}
}

// statisticCells appends what a row has of a statistic, nothing for each column if
// numbers is nil.
func statisticCells(row []table.Value, a attr.Attr, numbers []uint64) []table.Value {
	_, factor := spreadKind(a)
	if numbers == nil {
		return append(row, make([]table.Value, len(statisticColumns(a, "", "")))...)
	}
	bounds := func(n, least, most int) (low, high table.Value) {
		if numbers[n] > 0 {
			low, high = table.Uint(numbers[least]*factor), table.Uint(numbers[most]*factor)
		}
		return low, high
	}
	switch form := a.Form(); form {
	case attr.FormStats:
		var mean, deviation table.Value
		if x, ok := attr.Mean(numbers); ok {
			mean = table.Float(x * float64(factor))
		}
		if x, ok := attr.Deviation(numbers); ok {
			deviation = table.Float(x * float64(factor))
		}
		low, high := bounds(attr.StatCount, attr.StatMin, attr.StatMax)
		return append(row, table.Uint(numbers[attr.StatCount]), mean, deviation, low, high)
	case attr.FormRange:
		low, high := bounds(attr.RangeCount, attr.RangeMin, attr.RangeMax)
		return append(row, table.Uint(numbers[attr.RangeCount]), low, high)
	case attr.FormCount, attr.FormEdges:
		return append(row, table.Uint(numbers[0]))
	case attr.FormFlags:
		return append(row, table.String(attr.FlagLetters(uint8(numbers[0]))))
	default:
		return append(row, table.String(string(form.AppendStatistic(nil, numbers))))
	}
}

// numbersOf returns the numbers of measure i of a shape, of those of all, one after the
// other; nil if there are not as many.
func numbersOf(s *match.Shape, i int, all []uint64) []uint64 {
	for k := range s.Measures[:i] {
		all = all[min(s.Measures[k].Counters(), len(all)):]
	}
	n := s.Measures[i].Counters()
	if len(all) < n {
		return nil
	}
	return all[:n]
}

// addMeasures adds the numbers of what flows of a shape measure.
func addMeasures(s *match.Shape, sum, more []uint64) {
	for i := range s.Measures {
		d := &s.Measures[i]
		n := d.Counters()
		if n > len(sum) || n > len(more) {
			return
		}
		d.Add(sum[:n], more[:n])
		sum, more = sum[n:], more[n:]
	}
}

// groupStats are the statistics that all flows of a table by keys have. Of flows with
// others nothing is added up any longer.
type groupStats struct {
	measures []attr.Measure // of the first flow
	from     []int          // where the numbers of each begin
	length   int
	common   []bool // whether all flows have it so far
	any      bool   // whether there is any that all flows have
	rows     map[*group]*statSum
	shape    *match.Shape // of the flow before
	places   [2][]int     // by end: which measure of the shape it is
}

// statSum are the numbers of a row, now and before the collection at hand.
type statSum struct{ now, before []uint64 }

// addsUp reports whether the statistics of several flows make sense together.
func addsUp(a attr.Attr) bool {
	switch a.Form() {
	case attr.FormStats, attr.FormRange, attr.FormFlags, attr.FormCount:
		return true
	}
	return false
}

// begin takes the statistics of the first flow.
func (g *groupStats) begin(s *match.Shape) {
	g.rows = map[*group]*statSum{}
	for i := range s.Measures {
		if d := s.Measures[i]; addsUp(d.Attr) {
			g.measures, g.from = append(g.measures, d), append(g.from, g.length)
			g.length += d.Counters()
			g.common, g.any = append(g.common, true), true
		}
	}
}

// change makes s the shape of the flow at hand. With ends set each flow is in the rows
// of both, where what went to its destination was sent by one and received by the other.
func (g *groupStats) change(s *match.Shape, ends bool) {
	if g.rows == nil {
		g.begin(s)
	}
	g.shape, g.any = s, false
	for end := range g.places {
		g.places[end] = g.places[end][:0]
	}
	for i := range g.measures {
		back := g.measures[i]
		back.Attr = opposite(back.Attr)
		own, other := slices.Index(s.Measures, g.measures[i]), slices.Index(s.Measures, back)
		g.places[0], g.places[1] = append(g.places[0], own), append(g.places[1], other)
		g.common[i] = g.common[i] && own >= 0 && (!ends || other >= 0)
		g.any = g.any || g.common[i]
	}
}

// opposite returns the statistic of the other direction.
func opposite(a attr.Attr) attr.Attr {
	if a.IsFrom() {
		return a - 1
	}
	return a + 1
}

// numbers returns those of a flow: of the interval if they are known, or if it began in
// that; nil if not.
func (g *groupStats) numbers(f *match.Flow, c *record.Counters, in *record.Collection) []uint64 {
	switch {
	case len(c.Measures) > 0:
		return c.Measures
	case in.First || f.FirstTime > in.From:
		return slices.Concat(f.Counters...)
	}
	g.any = false
	clear(g.common)
	return nil
}

// add adds the numbers of a flow to a row.
func (g *groupStats) add(row *group, f *match.Flow, all []uint64, end int) {
	sum := g.rows[row]
	if sum == nil {
		sum = &statSum{now: make([]uint64, g.length)}
		g.rows[row] = sum
	}
	for i := range g.measures {
		if !g.common[i] {
			continue
		}
		if more := numbersOf(f.Shape, g.places[end][i], all); more != nil {
			d := &g.measures[i]
			d.Add(sum.now[g.from[i]:g.from[i]+d.Counters()], more)
		}
	}
}

// settle takes back what a failed collection has added to a row, before another adds to
// it.
func (g *groupStats) settle(row *group, failed bool) {
	sum := g.rows[row]
	if sum == nil {
		return
	}
	if failed {
		copy(sum.now, sum.before)
		if sum.before == nil {
			clear(sum.now)
		}
		return
	}
	sum.before = append(sum.before[:0], sum.now...)
}

// columns returns those of the statistics that all flows have.
func (g *groupStats) columns(hosts bool) (columns []table.Column) {
	for i := range g.measures {
		if g.common[i] {
			a := g.measures[i].Attr
			name := a.String()
			if rest, ok := strings.CutPrefix(name, "To"); ok && hosts {
				name = "Sent" + rest
			} else if rest, ok := strings.CutPrefix(name, "From"); ok && hosts {
				name = "Received" + rest
			}
			columns = append(columns, statisticColumns(a, name, titleOf(name, g.has))...)
		}
	}
	return columns
}

// has reports whether there are columns of the statistic of this name.
func (g *groupStats) has(name string) bool {
	for i := range g.measures {
		if g.common[i] && g.measures[i].Attr.String() == name {
			return true
		}
	}
	return false
}

// cells appends what a row has of them.
func (g *groupStats) cells(cells []table.Value, row *group) []table.Value {
	for i := range g.measures {
		if !g.common[i] {
			continue
		}
		var numbers []uint64
		if sum := g.rows[row]; sum != nil {
			numbers = sum.now[g.from[i] : g.from[i]+g.measures[i].Counters()]
		}
		cells = statisticCells(cells, g.measures[i].Attr, numbers)
	}
	return cells
}
