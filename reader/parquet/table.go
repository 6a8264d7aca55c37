package parquet

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"rtfm/reader/export"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// intervalEnd is a column that only these files have, to select by. It has IntervalEndNs
// in microseconds, which all programs read as a time; some cut nanoseconds.
const intervalEnd = "IntervalEnd"

// table is a kind of rows.
type table struct {
	columns []record.Column // behind them stands intervalEnd
	byName  map[string]int
	address []bool // by column: "" is an address that a packet did not have
	key     []bool // by column: every row has it
	schema  *parquet.Schema
}

// newTable returns the table of rows with some columns and a key.
func newTable(name string, columns []record.Column, key []string) *table {
	n := len(columns)
	t := &table{columns: columns, byName: make(map[string]int), address: make([]bool, n), key: make([]bool, n+1)}
	t.key[n] = true
	nodes := make(parquet.Group)
	var names []string
	for i, c := range columns {
		t.byName[c.Name] = i
		if a, ok := attr.ByName(c.Name); ok {
			t.address[i] = a.Info().Class == attr.ClassAddress
		}
		nodes[c.Name] = nodeOf(c.Type)
		if t.key[i] = slices.Contains(key, c.Name); !t.key[i] {
			nodes[c.Name] = parquet.Optional(nodes[c.Name])
		}
		names = append(names, c.Name)
	}
	nodes[intervalEnd] = parquet.Timestamp(parquet.Microsecond)
	names = append(names, intervalEnd)
	t.schema = parquet.NewSchema(name, inOrder(nodes, names))
	return t
}

// nodeOf returns how a column of a type of record.Column is written.
func nodeOf(kind string) parquet.Node {
	switch kind {
	case "uint8":
		return parquet.Uint(8)
	case "uint16":
		return parquet.Uint(16)
	case "uint32":
		return parquet.Uint(32)
	case "uint64":
		return parquet.Uint(64)
	case "int64":
		return parquet.Int(64)
	case "json":
		return parquet.JSON()
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

// ordered is a group whose fields stand in an order of ours; a Group's are sorted.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

// Fields implements parquet.Node.
func (o *ordered) Fields() []parquet.Field { return o.fields }

func inOrder(nodes parquet.Group, names []string) *ordered {
	byName := make(map[string]parquet.Field)
	for _, f := range nodes.Fields() {
		byName[f.Name()] = f
	}
	o := &ordered{Group: nodes}
	for _, name := range names {
		o.fields = append(o.fields, byName[name])
	}
	return o
}

// values puts the values of a row, a JSON object, at a place of each column; what it lacks
// stays as it is there.
func (t *table) values(row []byte, columns [][]parquet.Value, at int) error {
	err := export.Fields(row, func(name, text []byte) error {
		i, ok := t.byName[string(name)]
		if !ok {
			return fmt.Errorf("there is no column %q", name)
		}
		if string(text) == "null" || t.address[i] && string(text) == `""` {
			return nil
		}
		v, err := valueOf(t.columns[i].Type, text)
		if err != nil {
			return fmt.Errorf("column %s: %.100s: %w", name, text, err)
		}
		level := 1
		if t.key[i] {
			level = 0
		}
		columns[i][at] = v.Level(0, level, i)
		if t.columns[i].Name == "IntervalEndNs" {
			last := len(t.columns)
			columns[last][at] = parquet.Int64Value(floor(v.Int64(), 1000)).Level(0, 0, last)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, c := range t.columns {
		switch {
		case !t.key[i] || !columns[i][at].IsNull():
		case c.Type == "string": // old files do not tell of all
			columns[i][at] = parquet.ByteArrayValue(nil).Level(0, 0, i)
		default:
			return fmt.Errorf("a row without %s", c.Name)
		}
	}
	return nil
}

// floor returns n/by, rounded down.
func floor(n, by int64) int64 {
	if n%by < 0 {
		return n/by - 1
	}
	return n / by
}

// valueOf returns the value that a JSON text has in a column of a type.
func valueOf(kind string, text []byte) (parquet.Value, error) {
	switch kind {
	case "string":
		switch {
		case text[0] == '"':
			return parquet.ByteArrayValue(slices.Clone(export.Unquote(text))), nil
		case text[0] >= '0' && text[0] <= '9': // masks that are lengths of prefixes
			return parquet.ByteArrayValue(slices.Clone(text)), nil
		}
		return parquet.Value{}, fmt.Errorf("want a string")
	case "json":
		return parquet.ByteArrayValue(slices.Clone(text)), nil
	case "int64":
		n, err := strconv.ParseInt(string(text), 10, 64)
		return parquet.Int64Value(n), err
	case "uint64":
		n, err := strconv.ParseUint(string(text), 10, 64)
		return parquet.Int64Value(int64(n)), err
	}
	bits := 32
	switch kind {
	case "uint8":
		bits = 8
	case "uint16":
		bits = 16
	}
	n, err := strconv.ParseUint(string(text), 10, bits)
	return parquet.Int32Value(int32(uint32(n))), err
}
