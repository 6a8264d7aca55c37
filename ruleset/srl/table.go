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

// headers are words for the first column of a table in a line that tells what the
// columns are.
var headers = []string{"network", "prefix", "address", "port", "asn", "as", "value", "key"}

// rows reads the lines of a table.
func (p *parser) rows(t *Table, text string) {
	in := &ruleset.Define{File: t.File}
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = '#', -1, true, true
	r.Comma = separator(text)
	lines := strings.Count(text, "\n") + 1
	t.Keys, t.Names = make([]Operand, 0, min(lines, maxOperands)), make([]string, 0, min(lines, maxOperands))
	column := 1
	for first := true; len(p.errs) <= MaxErrors; first = false {
		fields, err := r.Read()
		var fault *csv.ParseError
		switch {
		case err == io.EOF:
			return
		case errors.As(err, &fault):
			p.report(Place{Line: int32(fault.Line), Col: int32(fault.Column), Def: in}, "%v", fault.Err)
			continue
		case err != nil:
			p.report(Place{Line: 1, Col: 1, Def: in}, "%v", err)
			return
		}
		if first && slices.Contains(headers, strings.ToLower(strings.TrimSpace(fields[0]))) {
			if i := slices.IndexFunc(fields, func(f string) bool { return strings.EqualFold(strings.TrimSpace(f), "name") }); i > 0 {
				column = i
			}
			continue
		}
		line, col := r.FieldPos(0)
		at := Place{Line: int32(line), Col: int32(col), Def: in}
		if len(t.Keys) == maxOperands {
			p.report(at, "this table has more than %d lines, the most that a ruleset has rules", maxOperands)
			return
		}
		cell := strings.TrimSpace(fields[0])
		key, ok := p.key(cell, at)
		if !ok {
			continue
		}
		name := cell
		if len(fields) > column && strings.TrimSpace(fields[column]) != "" {
			name = strings.TrimSpace(fields[column])
		}
		if len(name) > ruleset.MaxName || strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name) {
			p.report(at, "a name has no more than %d octets of UTF-8 without control characters", ruleset.MaxName)
			continue
		}
		t.Keys, t.Names = append(t.Keys, key), append(t.Names, name)
	}
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
