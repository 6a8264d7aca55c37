package live

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"rtfm/reader/table"
)

// Look says how a Section is shown to people.
type Look struct {
	Rows   int    // at most, 0 for all that the section has
	Sort   string // the name of a column, the largest first; empty for Rate
	Counts bool   // what was counted, rather than a second
	Hidden []string
	// Held are keys of rows, which then stand first and in this order.
	Held []string
}

// The columns of a Look, beside the attributes.
const (
	ToRate, FromRate, Rate, PacketRate, Share = "To", "From", "All", "Packets", "Percent"
)

// Sorts are the names by which rows can be sorted.
var Sorts = []string{Rate, ToRate, FromRate, PacketRate}

// row is one of a Look.
type row struct {
	key                    string
	cells                  []table.Value
	octets, to, from, pdus uint64
}

// columns says where a table of a Section has its sums; attributes stand before them.
type columns struct{ attributes, octets, to, from, pdus int }

func columnsOf(t *table.Table) columns {
	place := func(name string) int {
		return slices.IndexFunc(t.Columns, func(c table.Column) bool { return c.Name == name })
	}
	return columns{place("ToPDUs"), place("Octets"), place("ToOctets"), place("FromOctets"), place("PDUs")}
}

// row reads one, of a flow, the others or the total.
func (c *columns) row(cells []table.Value) row {
	number := func(i int) uint64 {
		if i < 0 || i >= len(cells) {
			return 0
		}
		n, _ := strconv.ParseUint(cells[i].Exact(), 10, 64)
		return n
	}
	return row{octets: number(c.octets), to: number(c.to), from: number(c.from), pdus: number(c.pdus)}
}

// value returns the sum by which rows are sorted.
func (r *row) value(by string) uint64 {
	switch by {
	case ToRate:
		return r.to
	case FromRate:
		return r.from
	case PacketRate:
		return r.pdus
	}
	return r.octets
}

// Shown returns the table that people see of a Section of an interval of so many
// nanoseconds, and the keys of its rows. Its rows, its others and its total are exactly
// what the Section has.
func (s *Section) Shown(length int64, l Look) (*table.Table, []string) {
	c := columnsOf(s.Table)
	if c.attributes < 0 {
		return &table.Table{}, nil
	}
	rows := make([]row, len(s.Table.Rows))
	for i, cells := range s.Table.Rows {
		rows[i] = c.row(cells)
		rows[i].cells = cells
		rows[i].key = keyOf(cells[:min(c.attributes, len(cells))])
	}
	held := map[string]int{}
	for i, key := range l.Held {
		held[key] = i - len(l.Held)
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(held[a.key], held[b.key]), cmp.Compare(b.value(l.Sort), a.value(l.Sort)))
	})
	total := c.row(s.Table.Total)
	others := c.row(s.Table.Others)
	more := s.Table.NumOthers
	if l.Rows > 0 && len(rows) > l.Rows {
		for _, r := range rows[l.Rows:] {
			others.octets, others.to, others.from, others.pdus = others.octets+r.octets, others.to+r.to, others.from+r.from, others.pdus+r.pdus
			more++
		}
		rows = rows[:l.Rows]
	}
	to := &table.Table{NumOthers: more}
	var shown []int
	for i, column := range s.Table.Columns[:c.attributes] {
		if !slices.Contains(l.Hidden, column.Name) {
			shown = append(shown, i)
			to.Columns = append(to.Columns, column)
		}
	}
	to.Columns = append(to.Columns, sumColumns(l.Counts)...)
	line := func(r *row) []table.Value {
		cells := make([]table.Value, 0, len(to.Columns))
		for _, i := range shown {
			if i < len(r.cells) {
				cells = append(cells, r.cells[i])
			} else {
				cells = append(cells, table.Value{})
			}
		}
		return append(cells, r.sums(length, l.Counts, total.value(l.Sort), l.Sort)...)
	}
	keys := make([]string, len(rows))
	for i := range rows {
		keys[i] = rows[i].key
		to.Rows = append(to.Rows, line(&rows[i]))
	}
	to.Others, to.Total = line(&others), line(&total)
	return to, keys
}

// keyOf returns what tells a row from others of its Section.
func keyOf(cells []table.Value) string {
	var b strings.Builder
	for _, v := range cells {
		b.WriteString(strconv.Quote(v.Exact()))
	}
	return b.String()
}

// sumColumns are those behind the attributes.
func sumColumns(counts bool) []table.Column {
	kind, packets := table.BitRate, table.PacketRate
	if counts {
		kind, packets = table.Octets, table.Count
	}
	return []table.Column{
		{Name: ToRate, Kind: kind, Optional: true}, {Name: FromRate, Kind: kind, Optional: true}, {Name: Rate, Kind: kind},
		{Name: PacketRate, Kind: packets, Optional: true}, {Name: Share, Title: "%", Kind: table.Percent, Optional: true},
	}
}

// sums returns what stands in those of a row.
func (r *row) sums(length int64, counts bool, all uint64, by string) []table.Value {
	percent := table.Float(100 * float64(r.value(by)) / float64(all)) // nothing if nothing was counted
	if counts {
		return []table.Value{table.Uint(r.to), table.Uint(r.from), table.Uint(r.octets), table.Uint(r.pdus), percent}
	}
	rate := func(n uint64, times float64) table.Value {
		return table.Float(times * float64(n) / (float64(length) / 1e9)) // nothing if there was no time
	}
	return []table.Value{rate(r.to, 8), rate(r.from, 8), rate(r.octets, 8), rate(r.pdus, 1), percent}
}

// Rates returns the bits and packets a second of all flows.
func (s *Section) Rates(length int64) (bits, packets float64) {
	c := columnsOf(s.Table)
	all := c.row(s.Table.Total)
	if length <= 0 {
		return 0, 0
	}
	return 8e9 * float64(all.octets) / float64(length), 1e9 * float64(all.pdus) / float64(length)
}

// Flows returns how many flows it has, those that are shown and the others.
func (s *Section) Flows() int { return len(s.Table.Rows) + s.Table.NumOthers }
