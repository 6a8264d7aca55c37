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

// groups are sums by keys.
type groups struct {
	keys  []Key
	named []bool // those whose values' names are the keys
	index map[string]int32
	rows  []*[rowsLen]group // in pieces, so that many of them need not be copied
	n     int

	shape  *match.Shape   // of the flow before
	names  *ruleset.Names // of its ruleset
	fields []keyField
	shapes map[*match.Shape][]keyField
	buf    [2][]byte
}

const rowsLen = 256

// group is what flows with one key come to.
type group struct {
	sums
	key string
	// transport is the protocol of the flows, of which ports have their names; 0 if
	// they have several.
	transport uint8
	saved     uint32 // bit i is set if a flow has saved key i
}

// at returns a row by its number.
func (g *groups) at(n int32) *group { return &g.rows[n/rowsLen][n%rowsLen] }

// add adds a flow.
func (g *groups) add(f *match.Flow, c *record.Counters, in *record.Collection) {
	if g.shape != f.Shape {
		g.change(f.Shape)
		g.names = in.RuleSet(f.Shape.RuleSet).Names
	}
	g.addEnd(f, c, in.Meter, 0)
	if isHosts(g.keys) {
		g.addEnd(f, c, in.Meter, 1)
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
		at = fields(g.keys, s, nil)
		g.shapes[s] = at
	}
	g.fields = at
}

// addEnd adds a flow to the row of one end. If both ends have the same row, the
// second adds to what it has received and sent, and not once more to the sums of
// both.
func (g *groups) addEnd(f *match.Flow, c *record.Counters, meter string, end int) {
	b := g.buf[end][:0]
	for i := range g.keys {
		at := &g.fields[i][end]
		if name, is := g.nameOf(i, f, at); is {
			b = appendName(b, name)
		} else {
			b = g.keys[i].append(b, f, at, meter)
		}
	}
	g.buf[end] = b
	row := g.row(b)
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
	for i := range min(len(g.keys), 32) {
		if g.fields[i][end].saved {
			row.saved |= 1 << i
		}
	}
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

// row returns the row of a key.
func (g *groups) row(key []byte) *group {
	if n, ok := g.index[string(key)]; ok {
		return g.at(n)
	}
	if g.index == nil {
		g.index = map[string]int32{}
	}
	if g.n%rowsLen == 0 {
		g.rows = append(g.rows, new([rowsLen]group))
	}
	own := string(key)
	g.index[own] = int32(g.n)
	row := g.at(int32(g.n))
	row.key = own
	g.n++
	return row
}

// join adds the sums of others.
func (g *groups) join(o *groups) {
	for n := range o.n {
		from := o.at(int32(n))
		row := g.row([]byte(from.key))
		if row.records == 0 {
			row.transport = from.transport
		} else if row.transport != from.transport {
			row.transport = 0
		}
		row.saved |= from.saved
		row.sums.join(&from.sums)
	}
}

// sorted returns the rows, those that counted most first, of equal ones that with the
// lower key.
func (g *groups) sorted(by Sum) []*group {
	all := make([]*group, 0, g.n)
	for n := range g.n {
		all = append(all, g.at(int32(n)))
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(by.of(&b.sums), by.of(&a.sums)), cmp.Compare(a.key, b.key))
	})
	return all
}

// groupRows makes a row of each group, and returns of how many keys.
func (t *Top) groupRows(tb *table.Table, s *section, measures []measure) int {
	for i := range t.opts.By {
		tb.Columns = append(tb.Columns, t.opts.By[i].tableColumn())
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
		tb.Rows = append(tb.Rows, measured(t.keyCells(row), measures, &row.sums))
	}
	others.first, others.last = 0, -1
	tb.NumOthers = len(rows) - most
	tb.Others = measured(make([]table.Value, len(t.opts.By)), measures, &others)
	return len(t.opts.By)
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
func (t *Top) keyCells(row *group) []table.Value {
	var cells []table.Value
	key := []byte(row.key)
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
