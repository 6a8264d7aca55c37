package live

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"rtfm/reader/table"
	"rtfm/ruleset/attr"
)

// Look says how a Section is shown to people.
type Look struct {
	Rows   int      // at most, 0 for all that the section has
	Above  int      // rows that are passed over; they are among the others
	Sort   string   // the name of a column, the largest first; empty for Rate
	Counts bool     // what was counted, rather than a second
	Hidden []string // names of columns
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

// add adds the sums of another row.
func (r *row) add(o *row) {
	r.octets, r.to, r.from, r.pdus = r.octets+o.octets, r.to+o.to, r.from+o.from, r.pdus+o.pdus
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
		rows[i].key = keyOf(s.Table.Columns[:c.attributes], cells)
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
	first := min(l.Above, len(rows))
	end := len(rows)
	if l.Rows > 0 {
		end = min(first+l.Rows, end)
	}
	for i := range rows {
		if i < first || i >= end {
			others.add(&rows[i])
		}
	}
	to := &table.Table{NumOthers: s.Table.NumOthers + len(rows) - (end - first)}
	rows = rows[first:end]
	all := append(slices.Clone(s.Table.Columns[:c.attributes]), sumColumns(l.Counts)...)
	var shown []int
	address := slices.IndexFunc(all, func(c table.Column) bool {
		return c.Name == attr.SourcePeerAddress.String() && !slices.Contains(l.Hidden, c.Name)
	})
	family := slices.IndexFunc(all, func(c table.Column) bool { return c.Name == attr.SourcePeerType.String() })
	for i, column := range all {
		if !slices.Contains(l.Hidden, column.Name) && !(i == family && address >= 0) { // an address tells its family
			shown = append(shown, i)
			to.Columns = append(to.Columns, column)
		}
	}
	line := func(r *row) []table.Value {
		sums := r.sums(length, l.Counts, total.value(l.Sort), l.Sort)
		cells := make([]table.Value, len(shown))
		for k, i := range shown {
			if i >= c.attributes {
				cells[k] = sums[i-c.attributes]
			} else if i < len(r.cells) {
				cells[k] = r.cells[i]
			}
			if i == address && cells[k].IsNothing() && family >= 0 && family < len(r.cells) && !r.cells[family].IsNothing() {
				cells[k] = table.String("(" + r.cells[family].Exact() + ")")
			}
		}
		return cells
	}
	keys := make([]string, len(rows))
	for i := range rows {
		keys[i] = rows[i].key
		to.Rows = append(to.Rows, line(&rows[i]))
	}
	to.Others, to.Total = line(&others), line(&total)
	return to, keys
}

// Columns returns the names of those that Shown makes, but for the sum of all, which
// always stands there: the attributes, and what can be said of their distributions.
func (s *Section) Columns() (names []string) {
	for _, c := range s.Table.Columns[:max(columnsOf(s.Table).attributes, 0)] {
		names = append(names, c.Name)
	}
	for _, c := range sumColumns(false) {
		if c.Name != Rate {
			names = append(names, c.Name)
		}
	}
	return names
}

// keyOf returns what tells a row from others of its Section: its attributes, without what
// stands beside them of distributions.
func keyOf(columns []table.Column, cells []table.Value) string {
	var b strings.Builder
	for i := range min(len(columns), len(cells)) {
		if _, ok := attr.ByName(columns[i].Name); ok {
			b.WriteString(strconv.Quote(cells[i].Exact()))
		}
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
