package flowfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset/spell"
)

// csvSource reads CSV.
type csvSource struct {
	lines  lines
	b      builder
	fields []field
	header []byte
	text   []byte // a value without its quotation marks
}

// newCSVSource reads the names of the columns.
func newCSVSource(r *bufio.Reader) (*csvSource, error) {
	s := &csvSource{lines: newLines(r, maxJSONLine)}
	line, err := s.lines.next()
	if err == io.EOF {
		return nil, ErrEmpty
	} else if err != nil {
		return nil, err
	}
	s.header = bytes.Clone(bytes.TrimSuffix(line, []byte{'\r'}))
	if err := s.columns(string(s.header)); err != nil {
		return nil, &SyntaxError{1, err.Error()}
	}
	return s, nil
}

// columns makes fields of the names of the columns.
func (s *csvSource) columns(header string) error {
	names := strings.Split(strings.ReplaceAll(header, `"`, ""), ",")
	if len(names) == 1 {
		return fmt.Errorf("%w", errNoCSV)
	}
	var have, ids uint16
	for i, name := range names {
		f, ok := fieldOf(name)
		switch {
		case !ok:
			return errors.New(spell.Unknown("column", name, columnNames()))
		case slices.Contains(names[:i], name):
			return fmt.Errorf("column %s stands there twice", name)
		case f.kind == fieldIdentity:
			ids |= 1 << f.place
		case f.kind == fieldMeasured:
			have |= f.place
		}
		s.fields = append(s.fields, f)
	}
	for i, c := range record.Identity() {
		if bit := uint16(1) << i; needed&bit != 0 && ids&bit == 0 {
			return fmt.Errorf("there is no column %s, which tells to what collection a row belongs", c.Name)
		}
	}
	s.b.deltas = have & deltaBits
	return nil
}

var errNoCSV = errors.New("these are no columns of flow data with commas between them")

func (s *csvSource) line() int         { return s.lines.number }
func (s *csvSource) told() *jsonRecord { return nil }
func (s *csvSource) builder() *builder { return &s.b }

// next implements rowSource.
func (s *csvSource) next() (event, error) {
	for {
		line, err := s.lines.next()
		if err != nil {
			return eventNone, err
		}
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) == 0 || bytes.Equal(line, s.header) {
			continue // the header again where files were put together
		}
		if !s.lines.whole {
			return eventNone, &SyntaxError{s.lines.number, errCut.Error()}
		}
		if err := s.flow(line); err != nil {
			return eventNone, &SyntaxError{s.lines.number, err.Error()}
		}
		return eventFlow, nil
	}
}

// isFlow reports whether a line has values.
func (s *csvSource) isFlow(line []byte) bool {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	return len(line) > 0 && !bytes.Equal(line, s.header)
}

// flow gives the builder the values of a line.
func (s *csvSource) flow(line []byte) error {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	s.b.begin()
	s.text = s.text[:0]
	for i := range s.fields {
		f := &s.fields[i]
		value, rest, err := s.value(line)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if last := i == len(s.fields)-1; last != (rest == nil) {
			if last {
				return fmt.Errorf("there are more than %d values, one for each column", len(s.fields))
			}
			return fmt.Errorf("%d values, there are %d columns", i+1, len(s.fields))
		}
		line = rest
		if len(value) == 0 || f.kind == fieldIgnored {
			continue
		}
		if err := s.b.set(f, value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// value returns the value with which a line begins, and what follows its comma, nil
// if it is the last.
func (s *csvSource) value(line []byte) (value, rest []byte, err error) {
	if len(line) == 0 || line[0] != '"' {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			return line, nil, nil
		}
		return line[:i], line[i+1:], nil
	}
	from := len(s.text)
	for i := 1; i < len(line); i++ {
		if line[i] != '"' {
			s.text = append(s.text, line[i])
			continue
		}
		switch {
		case i+1 == len(line):
			return s.text[from:], nil, nil
		case line[i+1] == ',':
			return s.text[from:], line[i+2:], nil
		case line[i+1] != '"':
			return nil, nil, errors.New("a quotation mark within a value is to be doubled")
		}
		s.text = append(s.text, '"')
		i++
	}
	return nil, nil, errors.New("a quotation mark is not closed on its line")
}
