package clickhouse

import (
	"bytes"
	"errors"
)

// errRow is for what is no row of ours.
var errRow = errors.New("a row in the spool is no JSON object")

// writeRow writes a row, a JSON object without blanks, with values as the columns of the
// tables want them, whatever a server's settings are: objects and the lengths of prefixes
// as strings, and no null but for what an interval added.
func writeRow(to *bytes.Buffer, row []byte) error {
	if len(row) < 2 || row[0] != '{' {
		return errRow
	}
	next := byte('{')
	for row[0] != '}' {
		row = row[1:]
		n := valueEnd(row)
		if n < 2 || row[0] != '"' || n >= len(row) || row[n] != ':' {
			return errRow
		}
		name, value := row[:n], row[n+1:]
		n = valueEnd(value)
		if n == 0 || n >= len(value) || value[n] != ',' && value[n] != '}' {
			return errRow
		}
		value, row = value[:n], value[n:]
		if string(value) == "null" && !bytes.HasPrefix(name, []byte(`"Delta`)) {
			continue
		}
		to.WriteByte(next)
		next = ','
		to.Write(name)
		to.WriteByte(':')
		switch {
		case value[0] == '{', value[0] == '[':
			writeQuoted(to, value)
		case value[0] != '"' && bytes.HasSuffix(name, []byte(`Mask"`)):
			to.WriteByte('"')
			to.Write(value)
			to.WriteByte('"')
		default:
			to.Write(value)
		}
	}
	if len(row) != 1 || next == '{' {
		return errRow
	}
	to.WriteString("}\n")
	return nil
}

// writeQuoted writes JSON as a string. It has no control characters.
func writeQuoted(to *bytes.Buffer, value []byte) {
	to.WriteByte('"')
	for _, c := range value {
		if c == '"' || c == '\\' {
			to.WriteByte('\\')
		}
		to.WriteByte(c)
	}
	to.WriteByte('"')
}

// valueEnd returns where the JSON value ends that text begins with, 0 if it does not.
func valueEnd(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
			if !quoted && depth == 0 {
				return i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c == ',' || c == ':' || c == '}' || c == ']'):
			return i
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
