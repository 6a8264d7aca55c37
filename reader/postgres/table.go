package postgres

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/record"
	"rtfm/reader/schema"
	"rtfm/ruleset/attr"
)

// table is one of the database's.
type table struct {
	name    string
	columns []schema.PostgresColumn
	key     []string
	known   map[string]bool // names of columns of rows
	has     map[string]bool // names of columns that the database's table has
}

func newTable(name string, columns []record.Column, key []string) *table {
	t := &table{name: name, columns: schema.PostgresColumns(columns), key: key, known: make(map[string]bool)}
	for _, c := range columns {
		t.known[c.Name] = true
	}
	return t
}

// found notes the columns that the database's table has. Their names are in small letters
// there.
func (t *table) found(rows [][][]byte) {
	there := make(map[string]bool)
	for _, row := range rows {
		there[string(row[0])] = true
	}
	t.has = make(map[string]bool)
	for _, c := range t.columns {
		if there[strings.ToLower(c.Name)] {
			t.has[c.Name] = true
		}
	}
}

// lacks returns the error for a column that the database's table does not have.
func (t *table) lacks(column string) error {
	return export.Refuse(fmt.Errorf("the table %s has no column %s; rtfm flows schema postgres tells all", t.name, column))
}

// staged is a set of rows, with the columns that they need.
type staged struct {
	columns []stagedColumn
	byName  map[string][]int // by columns of rows: those that come of them
}

type stagedColumn struct {
	schema.PostgresColumn
	key     bool
	address bool // "" is an address that a packet did not have
}

// staged returns what rows need: all have the columns that one has.
func (t *table) staged(rows func(put func(row []byte) error) error) (*staged, error) {
	used := make(map[string]bool)
	for _, name := range t.key {
		used[name] = true
	}
	err := rows(func(row []byte) error {
		return export.Fields(row, func(name, text []byte) error {
			if !used[string(name)] {
				if !t.known[string(name)] {
					return export.Refuse(fmt.Errorf("there is no column %q", name))
				}
				used[string(name)] = true
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	s := &staged{byName: make(map[string][]int)}
	for _, c := range t.columns {
		if !used[c.Of] {
			continue
		}
		if !t.has[c.Name] {
			if c.Name != c.Of { // tables of older programs lack what stands beside
				continue
			}
			return nil, t.lacks(c.Name)
		}
		a, known := attr.ByName(c.Of)
		s.byName[c.Of] = append(s.byName[c.Of], len(s.columns))
		s.columns = append(s.columns, stagedColumn{c, slices.Contains(t.key, c.Name), known && a.Info().Class == attr.ClassAddress})
	}
	return s, nil
}

// names returns the names of the columns, with commas between.
func (s *staged) names() string {
	var all []string
	for _, c := range s.columns {
		all = append(all, c.Name)
	}
	return strings.Join(all, ", ")
}

// text returns rows as COPY reads them, and what ends that and tells what was wrong with
// the rows.
func (s *staged) text(rows func(put func(row []byte) error) error) (text io.Reader, stop func() error) {
	out, in := io.Pipe()
	wrong := make(chan error, 1)
	go func() {
		w := bufio.NewWriterSize(in, 1<<16)
		line := line{staged: s, values: make([][]byte, len(s.columns))}
		err := rows(func(row []byte) error {
			if err := line.read(row); err != nil {
				return export.Refuse(err)
			}
			_, err := w.Write(line.bytes())
			return err
		})
		if err == nil {
			err = w.Flush()
		}
		in.CloseWithError(err)
		wrong <- err
	}()
	return out, func() error {
		out.CloseWithError(errStopped)
		if err := <-wrong; err != errStopped {
			return err
		}
		return nil
	}
}

var errStopped = io.ErrClosedPipe

// line makes lines of rows.
type line struct {
	*staged
	values [][]byte // by column, nil for NULL; parts of the row
	made   []byte
}

// read takes a row's values.
func (l *line) read(row []byte) error {
	clear(l.values)
	for i := range l.columns {
		if c := &l.columns[i]; c.key && c.Type == "text" { // old files do not tell of all
			l.values[i] = []byte{}
		}
	}
	return export.Fields(row, func(name, text []byte) error {
		for _, i := range l.byName[string(name)] {
			v, err := l.columns[i].value(text)
			if err != nil {
				return fmt.Errorf("column %s: %.100s: %w", name, text, err)
			}
			if v != nil {
				l.values[i] = v
			}
		}
		return nil
	})
}

// value returns the text of a value as the column wants it, nil for NULL.
func (c *stagedColumn) value(text []byte) ([]byte, error) {
	switch {
	case string(text) == "null":
		return nil, nil
	case c.Type == "jsonb":
		return text, nil
	case c.Type == "timestamptz":
		at, err := timeOf(text)
		return at.AppendFormat(nil, "2006-01-02 15:04:05.000000-07"), err
	case text[0] != '"':
		return text, nil
	}
	text = export.Unquote(text)
	switch {
	case c.Type == "inet":
		if at, err := netip.ParseAddr(string(text)); err != nil || at.Zone() != "" {
			return nil, nil
		}
	case c.address && len(text) == 0:
		return nil, nil
	}
	return text, nil
}

// timeOf returns a time of so many nanoseconds, cut to microseconds.
func timeOf(text []byte) (time.Time, error) {
	ns, err := strconv.ParseInt(string(text), 10, 64)
	return time.Unix(0, ns).UTC(), err
}

// bytes returns the values as COPY has them.
func (l *line) bytes() []byte {
	to := l.made[:0]
	for i, v := range l.values {
		if i > 0 {
			to = append(to, '\t')
		}
		if v == nil {
			to = append(to, `\N`...)
			continue
		}
		to = appendText(to, v)
	}
	l.made = append(to, '\n')
	return l.made
}

// appendText appends a text with what COPY takes for its own behind a backslash. The
// database has no zero octets: U+FFFD stands for them.
func appendText(to, text []byte) []byte {
	if !bytes.ContainsAny(text, "\\\t\n\r\x00") {
		return append(to, text...)
	}
	for _, c := range text {
		switch c {
		case '\\':
			to = append(to, `\\`...)
		case '\t':
			to = append(to, `\t`...)
		case '\n':
			to = append(to, `\n`...)
		case '\r':
			to = append(to, `\r`...)
		case 0:
			to = append(to, "\uFFFD"...)
		default:
			to = append(to, c)
		}
	}
	return to
}
