package srl

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rtfm/ruleset"
)

// Table is a list of values with a name for each, from a file of
// comma-separated values: an addition.
type Table struct {
	Place        // of the word FILE
	Given string // the file's name as the program has it, with quotation marks
	File  string // as messages name it
	// Keys are its values, with their places in the file, Names what each is called.
	Keys  []Operand
	Names []string
}

// String returns the table as a program has it.
func (t *Table) String() string { return "file(" + t.Given + ")" }

// isTable reports whether the current token begins a table. In RFC 2723 no value
// has a ( behind it.
func (p *parser) isTable() bool {
	return p.tok.kind == kName && p.ahead.kind == '(' && strings.EqualFold(p.tok.text, "file")
}

// table reads FILE with its parentheses, and the file once.
func (p *parser) table() (*Table, bool) {
	at := p.next().at
	p.added(at, "FILE", "a list of values")
	p.next()
	if p.tok.kind != kString {
		p.expected("a file's name in quotation marks")
		return nil, false
	}
	name := *p.next()
	if !p.want(')', "behind the file's name") {
		return nil, false
	}
	from := p.prog.File
	if d := at.Def; d != nil && d.Name == "" {
		from = d.File
	} else if d != nil && d.DefFile != "" {
		from = d.DefFile
	}
	key := from + "\n" + name.text
	if t := p.tables[key]; t != nil {
		return t, true
	}
	t := &Table{Place: at, Given: name.text}
	if p.tables == nil {
		p.tables = map[string]*Table{}
	}
	p.tables[key] = t // of faults nothing is told twice
	p.prog.Tables = append(p.prog.Tables, t)
	if path, text, ok := p.in.readFile(name, from, 0); ok {
		t.File = path
		p.rows(t, text)
	}
	return t, true
}

// headings are words for the column of values in a first line that tells what the
// columns are.
var headings = []string{"network", "prefix", "cidr", "subnet", "net", "address", "ip", "port", "asn", "as", "value", "key"}

// columns are those of a table that count: of the values and of their names.
type columns struct{ key, name int }

// heading takes columns from a first line, and reports whether it is one of headings.
// Without a heading of names they stand in the other one of the first two columns.
func (c *columns) heading(fields []string) bool {
	is := func(words ...string) func(string) bool {
		return func(f string) bool { return slices.Contains(words, strings.ToLower(strings.TrimSpace(f))) }
	}
	key := slices.IndexFunc(fields, is(headings...))
	if key < 0 {
		return false
	}
	c.key, c.name = key, slices.IndexFunc(fields, is("name"))
	if c.name < 0 {
		c.name = 0
		if key == 0 {
			c.name = 1
		}
	}
	return true
}

// rows reads the lines of a table.
func (p *parser) rows(t *Table, text string) {
	in := &ruleset.Define{File: t.File}
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = '#', -1, true, true
	r.Comma = separator(text)
	lines := strings.Count(text, "\n") + 1
	t.Keys, t.Names = make([]Operand, 0, min(lines, maxOperands)), make([]string, 0, min(lines, maxOperands))
	cols := columns{0, 1}
	for first := true; len(p.errs) <= MaxErrors; first = false {
		fields, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			at, msg := faultOf(err, in)
			p.report(at, "%s", msg)
			continue
		}
		if first && cols.heading(fields) || strings.HasPrefix(fields[0], "#") {
			continue
		}
		given := len(fields)
		if given <= cols.key {
			fields = append(fields, make([]string, cols.key+1-given)...)
		}
		cell := strings.TrimSpace(fields[cols.key])
		line, col := r.FieldPos(min(cols.key, given-1))
		at := Place{Line: int32(line), Col: int32(col), Def: in}
		if len(t.Keys) == maxOperands {
			p.report(at, "this table has more than %d lines, the most that a ruleset has rules", maxOperands)
			return
		}
		key, ok := p.key(cell, at)
		if !ok {
			continue
		}
		name := cell
		if len(fields) > cols.name && strings.TrimSpace(fields[cols.name]) != "" {
			name = strings.TrimSpace(fields[cols.name])
		}
		if len(name) > ruleset.MaxName || strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name) {
			p.report(at, "a name has no more than %d octets of UTF-8 without control characters", ruleset.MaxName)
			continue
		}
		t.Keys, t.Names = append(t.Keys, key), append(t.Names, name)
	}
}

// faultOf returns where something is wrong with comma-separated values, and what. A
// quotation mark that is not closed is told where it opens: all that follows is its
// value.
func faultOf(err error, in *ruleset.Define) (Place, string) {
	var fault *csv.ParseError
	switch {
	case !errors.As(err, &fault):
		return Place{Line: 1, Col: 1, Def: in}, err.Error()
	case fault.StartLine != fault.Line:
		return Place{Line: int32(fault.StartLine), Col: 1, Def: in}, "a quotation mark opens in this line and is not closed as it should be"
	}
	return Place{Line: int32(fault.Line), Col: int32(fault.Column), Def: in}, fault.Err.Error()
}

// separator finds what stands between the columns of a table: the first mark in the
// first line that is no comment.
func separator(text string) rune {
	for line := range strings.Lines(text) {
		if i := strings.IndexAny(line, ",;\t"); i >= 0 && line[0] != '#' {
			return rune(line[i])
		}
	}
	return ','
}

// key reads the value of a line: with a width or mask behind it, or a range.
func (p *parser) key(cell string, at Place) (o Operand, ok bool) {
	value, mask, is := strings.Cut(cell, "/")
	first, last, span := strings.Cut(cell, "..")
	switch {
	case is:
		o = Operand{Value: Word{at, value}, Mask: Word{at, mask}, Width: true}
		o.Mask.Col += int32(len(value) + 1)
		if n := digit.length(mask); n == 0 || n > 3 || n < len(mask) {
			p.report(o.Mask.Place, "expected a width in bits behind /, found %q", clip(mask))
			return o, false
		}
	case span:
		o = Operand{Value: Word{at, strings.TrimSpace(first)}, To: Word{at, strings.TrimSpace(last)}}
	default:
		o.Value = Word{at, cell}
	}
	if o.Value.Text == "" || span && o.To.Text == "" {
		p.report(at, "expected a value, found %q", clip(cell))
		return o, false
	}
	return o, true
}
