package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"time"
)

// Data says how a table is written for programs.
type Data struct {
	// ISO writes times as ISO 8601 in UTC, rather than as ns since 1970.
	ISO bool
}

// field returns a value with all its digits.
func (d Data) field(k Kind, v Value) string {
	if d.ISO && k == Time && v.IsNumber() {
		return time.Unix(0, v.ns()).UTC().Format("2006-01-02T15:04:05.000000000Z")
	}
	return v.Exact()
}

// CSV writes the columns' names and the rows as RFC 4180 has it, with a line feed
// behind each. Numbers are exact and without units. Others, total and notes are for
// people: who needs them gives them as rows.
func (t *Table) CSV(w io.Writer, d Data) error {
	out := csv.NewWriter(w)
	fields := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = c.Name
	}
	out.Write(fields)
	for _, row := range t.Rows {
		for i, c := range t.Columns {
			fields[i] = d.field(c.Kind, at(row, i))
		}
		out.Write(fields)
	}
	out.Flush()
	return out.Error()
}

// JSON writes each row as an object on a line of its own, its fields named and ordered
// as the columns. What is nothing is left out. As CSV it has neither others nor total.
func (t *Table) JSON(w io.Writer, d Data) error {
	out := bufio.NewWriter(w)
	names := make([][]byte, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quoted(c.Name)
	}
	for _, row := range t.Rows {
		comma := ""
		out.WriteByte('{')
		for i, c := range t.Columns {
			v := at(row, i)
			if v.IsNothing() {
				continue
			}
			out.WriteString(comma)
			out.Write(names[i])
			out.WriteByte(':')
			text := d.field(c.Kind, v)
			if v.IsNumber() && !(d.ISO && c.Kind == Time) {
				out.WriteString(text)
			} else {
				out.Write(quoted(text))
			}
			comma = ","
		}
		out.WriteString("}\n")
	}
	return out.Flush()
}

// quoted returns text as a string of JSON.
func quoted(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // a string can always be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
