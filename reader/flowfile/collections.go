package flowfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"rtfm/reader/record"
	"rtfm/reader/seriesfile"
	"rtfm/ruleset"
)

// A Form is one that flow data is written in.
type Form uint8

// The forms.
const (
	Text Form = iota // NeMaC's
	JSON             // lines
	CSV
)

// String returns what people call the form.
func (f Form) String() string { return [...]string{"text", "JSON lines", "CSV"}[f] }

// Head is what a file tells beside its collections.
type Head struct {
	Form   Form
	Header Header // of which CSV, and text without ##NeTraMet, has nothing
	// Format is the columns of the text, nil if they are not known. JSON lines tell
	// which they would be.
	Format *ruleset.Format
	// Statistics tells whether text has #Stats records, as far as they are known; nil
	// if that is not known.
	Statistics *bool
}

// Collections reads the collections of flow data, each as a record.From, in any form:
// NeMaC's text, JSON lines, CSV. What the form does not tell is not known.
//
// Of text that are the interval's differences, unless its columns have them, and
// times finer than its columns have them. Without FirstTimeNs and the like, times are
// those of the Uptime, from the second at which the file says that the meter was
// started. A table that another program made, without #Time, has no collections.
//
// Rows of JSON lines may also stand without the records around them; then, as in CSV,
// those are a collection that follow each other and tell of the same interval.
type Collections struct {
	r    *bufio.Reader
	form source // nil before anything was read
}

// source reads one form.
type source interface {
	Next() (record.From, error)
	Head() *Head
}

// NewCollections returns the Collections of r.
func NewCollections(r io.Reader) *Collections {
	return &Collections{r: bufio.NewReaderSize(r, 1<<16)}
}

// Errors of flow data as a whole.
var (
	// ErrIncomplete is for a collection that ended without its #EndData.
	ErrIncomplete = errors.New("flow data file: the collection was not ended")
	// ErrEmpty is for a file with nothing in it.
	ErrEmpty = errors.New("flow data file: it is empty")
	// ErrForm is for a file of another kind.
	ErrForm = errors.New("flow data file: it is neither NeMaC's text, JSON lines nor CSV of ours")
	// ErrSeries is for a file of what --series writes.
	ErrSeries = errors.New("it is a series, which tells what was counted in each second, and has no flows: rtfm flows plot FILE draws it")
)

// Next returns the next collection, io.EOF after the last. It is to be read before
// Next is called again. After an error none follow.
func (c *Collections) Next() (record.From, error) {
	if c.form == nil {
		form, err := c.open()
		if err != nil {
			return nil, err
		}
		c.form = form
	}
	return c.form.Next()
}

// Head returns what is told of the collection that Next has returned, the same as
// long as nothing else is told. It must not be called before Next.
func (c *Collections) Head() *Head { return c.form.Head() }

// byteOrderMark is what spreadsheets write before CSV.
const byteOrderMark = "\ufeff"

// open finds out the form.
func (c *Collections) open() (source, error) {
	if mark, _ := c.r.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		c.r.Discard(len(mark))
	}
	begin, err := c.r.Peek(1)
	for err == nil && (begin[0] == ' ' || begin[0] == '\t' || begin[0] == '\r' || begin[0] == '\n') {
		c.r.Discard(1)
		begin, err = c.r.Peek(1)
	}
	switch {
	case err == io.EOF:
		return nil, ErrEmpty
	case err != nil:
		return nil, fmt.Errorf("flow data file: %w", err)
	}
	if start, _ := c.r.Peek(seriesfile.StartLen); seriesfile.Is(start) {
		return nil, ErrSeries
	}
	switch first := begin[0]; {
	case first == '{':
		s := newJSONSource(c.r)
		r := &rows{src: s, b: &s.b, head: &Head{Form: JSON}}
		r.ahead = ahead{lines: &s.lines, isFlow: isJSONFlow, parser: func() flowParser { return newJSONSource(nil) }}
		return r, nil
	case first == '#' || first >= '0' && first <= '9':
		return newTextCollections(c.r), nil
	case first >= 'A' && first <= 'Z' || first >= 'a' && first <= 'z' || first == '"':
		s, err := newCSVSource(c.r)
		if err != nil {
			return nil, err
		}
		r := &rows{src: s, b: &s.b, head: &Head{Form: CSV}}
		r.ahead = ahead{lines: &s.lines, isFlow: s.isFlow, parser: func() flowParser { return &csvSource{fields: s.fields} }}
		return r, nil
	}
	begin, _ = c.r.Peek(4)
	return nil, fmt.Errorf("%w: it begins with % x", ErrForm, begin)
}
