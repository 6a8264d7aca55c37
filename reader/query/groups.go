package query

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
)

// groups are sums by keys. What a collection that fails has added is taken back.
type groups struct {
	keyTable
	stats groupStats
	by    []Key
	named []bool // those whose values' names are the keys

	collection uint32 // the number of the one at hand
	open       bool   // which has not ended
	failed     map[uint32]bool

	shape  *match.Shape   // of the flow before
	names  *ruleset.Names // of its ruleset
	fields []keyField
	shapes map[*match.Shape][]keyField
	buf    [2][]byte
}

// begin begins a collection.
func (g *groups) begin() {
	g.abandon()
	g.collection++
	g.open, g.shape = true, nil
}

// end ends it.
func (g *groups) end() { g.open = false }

// abandon notes that the collection has failed, if it has not ended.
func (g *groups) abandon() {
	if !g.open {
		return
	}
	if g.open = false; g.failed == nil {
		g.failed = map[uint32]bool{}
	}
	g.failed[g.collection] = true
}

// settle takes back what a collection has added to a row that failed.
func (g *groups) settle(row *group) {
	if g.failed[row.collection] {
		row.groupSums = row.before
		g.stats.settle(row, true)
	}
	row.before, row.collection = row.groupSums, g.collection
	g.stats.settle(row, false)
}

// settleAll takes back what failed collections have added to any row.
func (g *groups) settleAll() {
	g.abandon()
	for n := range g.n {
		if row := g.at(n); g.failed[row.collection] {
			row.groupSums, row.collection = row.before, 0
			g.stats.settle(row, true)
		}
	}
}

// all calls yield for each row that has flows.
func (g *groups) all(yield func(*group) bool) {
	g.settleAll()
	for n := range g.n {
		if row := g.at(n); row.records > 0 && !yield(row) {
			return
		}
	}
}

// add adds a flow.
func (g *groups) add(f *match.Flow, c *record.Counters, in *record.Collection) {
	if g.shape != f.Shape {
		g.change(f.Shape)
		g.stats.change(f.Shape, isHosts(g.by))
		g.names = in.RuleSet(f.Shape.RuleSet).Names
	}
	var numbers []uint64
	if g.stats.any {
		numbers = g.stats.numbers(f, c, in)
	}
	for end := range g.buf {
		if end == 1 && !isHosts(g.by) {
			break
		}
		row := g.addEnd(f, c, in.Meter, end)
		if numbers != nil {
			g.stats.add(row, f, numbers, end)
		}
	}
}

// maxShapes is how many shapes are remembered.
const maxShapes = 1 << 12

// change makes s the shape of the flow at hand.
func (g *groups) change(s *match.Shape) {
	g.shape = s
	at, known := g.shapes[s]
	if !known {
		if g.shapes == nil || len(g.shapes) >= maxShapes {
			g.shapes = map[*match.Shape][]keyField{}
		}
		at = fields(g.by, s, nil)
		g.shapes[s] = at
	}
	g.fields = at
}

// addEnd adds a flow to the row of one end. If both ends have the same row, the
// second adds to what it has received and sent, and not once more to the sums of
// both. It returns the row.
func (g *groups) addEnd(f *match.Flow, c *record.Counters, meter string, end int) *group {
	b := g.buf[end][:0]
	for i := range g.by {
		at := &g.fields[i][end]
		if name, is := g.nameOf(i, f, at); is {
			b = appendName(b, name)
		} else {
			b = g.by[i].append(b, f, at, meter)
		}
	}
	g.buf[end] = b
	row := g.row(b)
	if row.collection != g.collection {
		g.settle(row)
	}
	if end == 1 && bytes.Equal(b, g.buf[0]) {
		row.directions(c.FromPDUs, c.ToPDUs, c.FromOctets, c.ToOctets)
	} else {
		row.sums.add(f, c, end == 1)
	}
	if transport := f.Key.TransType(); row.records == 1 {
		row.transport = transport
	} else if row.transport != transport {
		row.transport = 0
	}
	for i := range min(len(g.by), 32) {
		if g.fields[i][end].saved {
			row.saved |= 1 << i
		}
	}
	return row
}

// nameOf returns the name of the value of key i, and whether that is the key: what is
// in none of a table's lines has no name.
func (g *groups) nameOf(i int, f *match.Flow, at *field) (name string, is bool) {
	if !g.named[i] || !at.saved {
		return "", false
	}
	name = record.NameOf(g.names, f, at.attr)
	return name, name != "" || at.none && at.length > 0
}

// sorted returns the rows, those that counted most first, of equal ones that with the
// lower key.
func (g *groups) sorted(by Sum) []*group {
	all := slices.AppendSeq(make([]*group, 0, g.n), g.all)
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(by.of(&b.sums), by.of(&a.sums)), bytes.Compare(g.key(a), g.key(b)))
	})
	return all
}

// groupRows makes a row of each group, and returns of how many keys.
func (t *Top) groupRows(tb *table.Table, s *section, measures []measure) int {
	for i := range t.opts.By {
		tb.Columns = append(tb.Columns, t.opts.By[i].tableColumn())
	}
	tb.Columns = append(tb.Columns, s.groups.stats.columns(isHosts(t.opts.By))...)
	if len(tb.Columns) > len(t.opts.By) {
		for i := range measures {
			measures[i].column.Optional = true
		}
	}
	rows := s.groups.sorted(t.opts.Sort)
	most := len(rows)
	if t.opts.Rows > 0 {
		most = min(most, t.opts.Rows)
	}
	var others sums
	for i, row := range rows {
		if i >= most {
			others.join(&row.sums)
			continue
		}
		cells := s.groups.stats.cells(t.keyCells(s.groups.key(row), &row.groupSums), row)
		tb.Rows = append(tb.Rows, measured(cells, measures, &row.sums))
	}
	others.first, others.last = 0, -1
	tb.NumOthers = len(rows) - most
	tb.Others = measured(make([]table.Value, len(tb.Columns)), measures, &others)
	return len(tb.Columns)
}

// tableColumn returns the key's column, whose name is that of a field in CSV and JSON.
func (k *Key) tableColumn() table.Column {
	c := columnOf(k.attr)
	c.Title = "" // people have written the name
	switch k.kind {
	case keyHost:
		c.Name = k.ends()
	case keyMeter:
		c.Name = meterWord
	}
	return c
}

// keyCells returns what a table shows of the keys of a row.
func (t *Top) keyCells(key []byte, row *groupSums) []table.Value {
	var cells []table.Value
	for i := range t.opts.By {
		k := &t.opts.By[i]
		switch {
		case k.kind == keyRuleSet:
			cells = append(cells, table.Uint(uint64(binary.BigEndian.Uint16(key))))
			key = key[2:]
		case k.kind == keyMeter:
			n := 2 + int(binary.BigEndian.Uint16(key))
			cells = append(cells, table.String(string(key[2:n])))
			key = key[n:]
		case k.kind == keyIndex:
			cells = append(cells, table.Uint(uint64(binary.BigEndian.Uint32(key))))
			key = key[4:]
		case k.list != nil:
			var cell table.Value
			if name := k.list.name(binary.BigEndian.Uint32(key)); name != "" {
				cell = table.String(name)
			}
			cells = append(cells, cell)
			key = key[4:]
		case k.isNamed() && key[0] == calledKey:
			n := 2 + int(key[1])
			var cell table.Value
			if n > 2 {
				cell = table.String(string(key[2:n]))
			}
			cells = append(cells, cell)
			key = key[n:]
		default:
			n, width := 2+int(key[0]), key[1]
			cells = append(cells, t.names.value(k.attr, key[2:n], width, row.transport, row.saved>>min(i, 31)&1 == 1))
			key = key[n:]
		}
	}
	return cells
}
