// Package table holds small tables of figures and writes them: for people as
// aligned text with units, for programs as CSV or as JSON lines with exact numbers.
// It knows nothing of flows.
package table

import (
	"math"
	"strconv"
)

// Kind says what the numbers of a column are, and so which unit people read with
// them.
type Kind uint8

// The kinds of columns.
const (
	Text       Kind = iota // names and addresses, aligned left
	Count                  // of packets or flows, with commas between thousands: 1,234,567
	Octets                 // 9,999 B, 1.23 MB: decimal units
	BitRate                // bits a second: 1.23 Mbit/s
	PacketRate             // packets a second: 1.23 kpps
	Time                   // an instant in ns since 1970: 09:13:25.123
	Duration               // ns: 12.3 ms, 4m31s, 1h02m
	Percent                // 0 to 100: 69.3%
	Number                 // a number that counts nothing, such as an identifier: 1194
)

// kindNames are the words by which programs know kinds.
var kindNames = [...]string{"text", "count", "octets", "bitrate", "packetrate", "time", "duration", "percent", "number"}

// String returns the word by which programs know the kind, such as octets.
func (k Kind) String() string { return kindNames[k] }

// Align is the side of its column where a cell stands.
type Align uint8

// The sides. Auto is left for Text and right for all numbers.
const (
	Auto Align = iota
	Left
	Right
)

// A Column is what the cells below each other have in common.
type Column struct {
	// Name is the field's name in CSV and JSON: it says the unit if the number needs
	// one, such as DurationNs, and stays the same for ever.
	Name string
	// Title stands above the column for people, Name if it is empty.
	Title string
	Kind  Kind
	Align Align
	// Optional columns are left out where they do not fit the width, the last first.
	Optional bool
}

// A Value is what stands in one cell. The zero Value is nothing: `-` for people, an
// empty field in CSV, and no field in JSON.
type Value struct {
	form form
	bits uint64 // the number, or what stands for it in math.Float64bits
	text string
}

type form uint8

const (
	nothing form = iota
	isText
	isUint
	isInt
	isFloat
)

// String returns a Value of text, which may hold any octets.
func String(s string) Value { return Value{form: isText, text: s} }

// Len returns how many octets of text a Value has.
func (v Value) Len() int { return len(v.text) }

// Uint returns a Value of a whole number.
func Uint(n uint64) Value { return Value{form: isUint, bits: n} }

// Int returns a Value of a whole number that may be negative.
func Int(n int64) Value { return Value{form: isInt, bits: uint64(n)} }

// Float returns a Value of a real number, nothing if it is infinite or none.
func Float(x float64) Value {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Value{}
	}
	return Value{form: isFloat, bits: math.Float64bits(x)}
}

// IsNothing reports whether the cell is empty.
func (v Value) IsNothing() bool { return v.form == nothing }

// IsNumber reports whether v has digits rather than words.
func (v Value) IsNumber() bool { return v.form >= isUint }

// float returns the number that v holds.
func (v Value) float() float64 {
	switch v.form {
	case isUint:
		return float64(v.bits)
	case isInt:
		return float64(int64(v.bits))
	}
	return math.Float64frombits(v.bits)
}

// ns returns the number of nanoseconds that v holds.
func (v Value) ns() int64 {
	if v.form == isFloat {
		return int64(v.float())
	}
	return int64(v.bits)
}

// Exact returns v with all its digits and no unit, "" for nothing.
func (v Value) Exact() string {
	switch v.form {
	case isText:
		return v.text
	case isUint:
		return strconv.FormatUint(v.bits, 10)
	case isInt:
		return strconv.FormatInt(int64(v.bits), 10)
	case isFloat:
		format := byte('f')
		if x := math.Abs(v.float()); x != 0 && (x < 1e-6 || x >= 1e21) {
			format = 'e'
		}
		return strconv.FormatFloat(v.float(), format, -1, 64)
	}
	return ""
}

// A Table is rows of values below columns.
type Table struct {
	// Title stands above the text, with the date of the times below, unless it is Dated:
	// then it says so itself.
	Title   string
	Dated   bool
	Columns []Column
	// Rows are in the order in which they are shown; a row may end early.
	Rows [][]Value
	// Others is what the rows that are not shown come to: the text has it as `14
	// others` below the rows. NumOthers is how many they are; 0 leaves the line out.
	Others    []Value
	NumOthers int
	// Total is the last line of the text; nil leaves it out.
	Total []Value
	// Notes are lines below the text.
	Notes []string
}

// at returns what stands in a column of a row.
func at(row []Value, column int) Value {
	if column < len(row) {
		return row[column]
	}
	return Value{}
}
