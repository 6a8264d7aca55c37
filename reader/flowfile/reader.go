package flowfile

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rtfm/reader/record"

	"rtfm/ruleset/attr"
)

// Kind says what a Record is.
type Kind uint8

// The kinds of records.
const (
	KindHeader     Kind = iota + 1 // ##NeTraMet
	KindFormat                     // #Format, or the line of column names of a derived table
	KindTime                       // #Time
	KindFlow                       // a flow record
	KindStats                      // #Stats
	KindRuleSet                    // #RuleSet
	KindEnd                        // #EndData
	KindComment                    // any other line that begins with #
	KindIncomplete                 // not in the file: the collection before ended without its #EndData
)

// Record is one record of a flow data file.
type Record struct {
	Kind Kind
	Line int    // where it begins, from 1
	Text string // the record without line end; if it was wrapped, joined by blanks

	Header     Header         // of the last KindHeader
	Columns    []Column       // of the last KindFormat
	Collection Times          // of the last KindTime
	Summary    record.Summary // KindStats, KindRuleSet and KindEnd: those numbers that Text has
	Values     []string       // KindFlow: of each column
}

// SyntaxError says what is wrong with a line of a flow data file.
type SyntaxError struct {
	Line int
	Msg  string
}

// Error returns `flow data file: line 12: message`.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("flow data file: line %d: %s", e.Line, e.Msg)
}

// maxLine is the length of the longest record that a Reader takes, in octets.
const maxLine = 1 << 20

// Reader reads flow data files: our own, those of NeMaC from version 3 on,
// with years of two and four digits and with the lines that begin with `#`
// wrapped as RFC 2123 prints them, and tables with one line of tab-separated
// column names that other programs made of them.
//
// Collections end with #EndData from version 4 on, or when the file has shown
// one: then a collection without it is followed by a KindIncomplete record.
type Reader struct {
	lines  lines
	line   int // number of the line last read
	peeked *string

	header     Header
	columns    []Column
	collection Times
	open       bool // a collection has begun and not ended
	needsEnd   bool // and must end with #EndData
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader {
	return newReader(bufio.NewReaderSize(r, 1<<16))
}

func newReader(r *bufio.Reader) *Reader { return &Reader{lines: newLines(r, maxLine)} }

// Next returns the next record, io.EOF after the last. After a *SyntaxError
// it may be called again, to go on after the faulty line.
func (r *Reader) Next() (*Record, error) {
	for {
		text, err := r.readLine()
		if err != nil {
			if err == io.EOF && r.open && r.needsEnd {
				r.open = false
				return r.record(KindIncomplete, r.line, ""), nil
			}
			return nil, err
		}
		line := r.line
		switch {
		case strings.Trim(text, " .\t") == "":
			// Empty, or the dots that stand for records left out in print.
			continue
		case r.open && r.needsEnd && hasAnyPrefix(text, markHead, markTime):
			r.open = false
			r.unread(text)
			return r.record(KindIncomplete, line, ""), nil
		case text[0] == '#':
			return r.information(text, line)
		}
		rec := r.record(KindFlow, line, text)
		if err := rec.split(); err != nil {
			return nil, &SyntaxError{line, err.Error()}
		}
		return rec, nil
	}
}

func (r *Reader) record(k Kind, line int, text string) *Record {
	return &Record{Kind: k, Line: line, Text: text, Header: r.header, Columns: r.columns, Collection: r.collection}
}

// readLine returns the next line without its end and blanks before that.
func (r *Reader) readLine() (string, error) {
	if r.peeked != nil {
		text := *r.peeked
		r.peeked = nil
		r.line++
		return text, nil
	}
	line, err := r.lines.next()
	r.line = r.lines.number
	return string(bytes.TrimRight(line, " \r")), err
}

// flowLine returns the next line if it is a flow record of which nothing has to be
// known but the columns; it is valid until the next call.
func (r *Reader) flowLine() (line []byte, ok bool) {
	if r.peeked != nil || !r.lines.startsRecord() {
		return nil, false
	}
	line, err := r.lines.next()
	if err != nil {
		return nil, false // which the next call returns again
	}
	r.line = r.lines.number
	return bytes.TrimRight(line, " \r"), true
}

// unread makes readLine return a line again.
func (r *Reader) unread(text string) {
	r.peeked = &text
	r.line--
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// information deals with a line that begins with #.
func (r *Reader) information(text string, line int) (*Record, error) {
	var rec *Record
	var err error
	if hasAnyPrefix(text, markHead, markFormat, markTime) {
		if text, err = r.unwrap(text); err != nil {
			return nil, err
		}
	}
	switch {
	case strings.HasPrefix(text, markHead):
		if r.header, err = parseHeader(text); err == nil {
			r.needsEnd = majorVersion(r.header.Version) >= 4
			rec = r.record(KindHeader, line, text)
		}
	case strings.HasPrefix(text, markFormat):
		if r.columns, err = parseColumns(text[len(markFormat):]); err == nil {
			rec = r.record(KindFormat, line, text)
		}
	case strings.HasPrefix(text, markTime):
		if r.collection, err = parseTime(text[len(markTime):]); err == nil {
			r.open = true
			rec = r.record(KindTime, line, text)
		}
	case strings.HasPrefix(text, markStats):
		rec = r.record(KindStats, line, text)
		err = parseSummary(&rec.Summary, text[len(markStats):])
	case strings.HasPrefix(text, markRuleSet):
		rec = r.record(KindRuleSet, line, text)
		rec.Summary.RuleSets = make([]record.RuleSetSummary, 1)
		err = parseNumbers(text[len(markRuleSet):], ruleSetNumbers(&rec.Summary.RuleSets[0]))
	case strings.HasPrefix(text, markEnd):
		r.open, r.needsEnd = false, true
		rec = r.record(KindEnd, line, text)
		err = parseSummary(&rec.Summary, text[len(markEnd):])
	case r.columns == nil && strings.Contains(text, "\t"):
		if r.columns, err = parseColumns(text[1:]); err == nil {
			rec = r.record(KindFormat, line, text)
		}
	default:
		rec = r.record(KindComment, line, text)
	}
	if err != nil {
		return nil, &SyntaxError{line, err.Error()}
	}
	return rec, nil
}

// unwrap adds the next lines if they continue an information record: those
// that begin with blanks.
func (r *Reader) unwrap(text string) (string, error) {
	joined := []byte(text)
	for {
		next, err := r.readLine()
		if err != nil {
			return string(joined), nil // the next call returns the error again
		}
		if next == "" || next[0] != ' ' || strings.Trim(next, " .") == "" {
			r.unread(next)
			return string(joined), nil
		}
		joined = append(bytes.TrimRight(joined, " "), ' ')
		joined = append(joined, strings.TrimLeft(next, " ")...)
		if len(joined) > maxLine {
			return "", &SyntaxError{r.line, fmt.Sprintf("a record of more than %d octets", maxLine)}
		}
	}
}

// split finds the values of a flow record.
func (rec *Record) split() error {
	cols := rec.Columns
	if cols == nil {
		return errors.New("a flow record before #Format")
	}
	if rec.Text[0] == ' ' {
		return errors.New("a flow record begins with a blank")
	}
	rec.Values = make([]string, 0, len(cols))
	rest := rec.Text
	for i, c := range cols {
		value := rest
		if i < len(cols)-1 {
			var ok bool
			value, rest, ok = cut(rest, c.Separator)
			if !ok {
				return fmt.Errorf("%d values, #Format has %d", i+1, len(cols))
			}
		}
		if fault := valueFault(c.Attr, value); fault != "" {
			return fmt.Errorf("%s: %q %s", c.Name, value, fault)
		}
		rec.Values = append(rec.Values, value)
	}
	return nil
}

// cut splits s at the separator; one of blanks is any number of blanks.
func cut(s, separator string) (before, after string, ok bool) {
	if strings.Trim(separator, " ") != "" {
		return strings.Cut(s, separator)
	}
	before, after, ok = strings.Cut(s, " ")
	after = strings.TrimLeft(after, " ")
	return before, after, ok && after != ""
}

// valueFault tells why text cannot be a value of a.
func valueFault(a attr.Attr, text string) string {
	if text == "" && a != attr.Null {
		return "is empty"
	}
	if a == attr.SavedAttributes {
		if _, err := hex.DecodeString(text); err != nil && text != "0" {
			return "is not a number in hexadecimal"
		}
	} else if form := a.Form(); form != attr.FormBuckets {
		if _, err := form.ParseStatistic(nil, []byte(text)); err != nil && text != "0" {
			return "is not a statistic"
		}
	} else if a.IsMeasure() {
		if _, _, err := parseDistribution(a, text); err != nil {
			return "is not a distribution"
		}
	} else if isNumber(a) {
		if _, err := strconv.ParseUint(text, 10, 64); err != nil {
			return "is not a number"
		}
	} else if a != attr.Null {
		if _, err := octets(a, text); err != nil {
			return "is not an address"
		}
	}
	return ""
}

// isNumber reports whether values of a are written as one number.
func isNumber(a attr.Attr) bool {
	switch a.Info().Class {
	case attr.ClassInteger, attr.ClassComputed, attr.ClassMeasured:
		return true
	case attr.ClassAddress:
		return a.Outer() == attr.SourceTransAddress || a.Outer() == attr.DestTransAddress
	}
	return false
}

// octets returns the octets of an address or mask; 0 has none.
func octets(a attr.Attr, text string) (attr.Value, error) {
	if text == "0" {
		return attr.Value{}, nil
	}
	if strings.Count(text, ":") == 5 && !strings.Contains(text, "::") {
		text = strings.ReplaceAll(text, ":", "-") // an adjacent address as others write it
	}
	v, err := attr.ParseValue(text, 0)
	if err == nil && v.Len() > a.Info().Size {
		err = fmt.Errorf("%w: %q: more than the %d octets of %s", attr.ErrValue, text, a.Info().Size, a)
	}
	return v, err
}

// column returns the value of the column of a.
func (rec *Record) column(a attr.Attr) (string, error) {
	for i := range rec.Values {
		if rec.Columns[i].Attr == a {
			return rec.Values[i], nil
		}
	}
	return "", fmt.Errorf("flow data file: line %d: no column of %s", rec.Line, a)
}

// Uint returns the value of numeric attribute a.
func (rec *Record) Uint(a attr.Attr) (uint64, error) {
	text, err := rec.column(a)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, &SyntaxError{rec.Line, fmt.Sprintf("%s: %q is not a number", a, text)}
	}
	return n, nil
}

// Octets returns the value of a, an address or mask: none when the flow has
// no such address.
func (rec *Record) Octets(a attr.Attr) (attr.Value, error) {
	text, err := rec.column(a)
	if err != nil {
		return attr.Value{}, err
	}
	v, err := octets(a, text)
	if err != nil {
		return v, &SyntaxError{rec.Line, fmt.Sprintf("%s: %v", a, err)}
	}
	return v, nil
}

// Distribution returns the parameters and counters of distribution a; the flow
// has none when there are no counters.
func (rec *Record) Distribution(a attr.Attr) (attr.Measure, []uint64, error) {
	text, err := rec.column(a)
	if err != nil {
		return attr.Measure{}, nil, err
	}
	d, counters, err := parseDistribution(a, text)
	if err != nil {
		return d, nil, &SyntaxError{rec.Line, fmt.Sprintf("%s: %v", a, err)}
	}
	return d, counters, nil
}

// Statistic returns the numbers of statistic a; none if the flow has none.
func (rec *Record) Statistic(a attr.Attr) ([]uint64, error) {
	text, err := rec.column(a)
	if err != nil || text == "0" && !a.Form().IsNumber() {
		return nil, err
	}
	numbers, err := a.Form().ParseStatistic(nil, []byte(text))
	if err != nil {
		return nil, &SyntaxError{rec.Line, fmt.Sprintf("%s: %v", a, err)}
	}
	return numbers, nil
}

// AppendTo appends the record as a Writer writes it, with its line end.
func (rec *Record) AppendTo(b []byte) []byte {
	switch rec.Kind {
	case KindHeader:
		return rec.Header.appendTo(b)
	case KindFormat:
		return appendFormat(b, rec.Columns)
	case KindTime:
		return rec.Collection.appendTo(b)
	case KindIncomplete:
		return b
	case KindFlow:
		for i, v := range rec.Values {
			b = append(b, v...)
			if i < len(rec.Values)-1 {
				b = append(b, rec.Columns[i].Separator...)
			}
		}
		return append(b, '\n')
	}
	return append(append(b, rec.Text...), '\n')
}
