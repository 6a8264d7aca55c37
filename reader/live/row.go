package live

import (
	"bytes"
	"slices"

	"rtfm/reader/table"
)

// Row returns the flow whose row has this key, as an object of JSON on a line: what it
// has saved, and the times of its first and last packet. It is nil if there is none.
func (s *Section) Row(key string) []byte {
	c := columnsOf(s.Table)
	i := slices.IndexFunc(s.Table.Rows, func(cells []table.Value) bool {
		return c.attributes >= 0 && keyOf(s.Table.Columns[:c.attributes], cells) == key
	})
	if i < 0 {
		return nil
	}
	var one table.Table
	var cells []table.Value
	for k, column := range s.Table.Columns {
		if k < len(s.Table.Rows[i]) && (k < c.attributes || column.Kind == table.Time) {
			one.Columns, cells = append(one.Columns, column), append(cells, s.Table.Rows[i][k])
		}
	}
	one.Rows = [][]table.Value{cells}
	var b bytes.Buffer
	one.JSON(&b, table.Data{})
	return b.Bytes()
}
