package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// flowLead is what the line of a flow in a segment begins with.
var flowLead = []byte(`{"record":"flow",`)

// Rows calls put with each flow of the collection as a JSON object, in the columns of
// record.Schema, until that fails. A row is valid until put returns.
func (c *Collection) Rows(put func(row []byte) error) error {
	f, err := c.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, 1<<16)
	var long []byte // a line that is longer than the reader's room
	for {
		line, err := lines.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			long = append(long, line...)
			continue
		}
		if err == io.EOF && len(line)+len(long) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: a line without an end: %w", f.Name(), err)
		}
		if len(long) > 0 {
			long = append(long, line...)
			line = long
		}
		if row, ok := bytes.CutPrefix(line, flowLead); ok {
			// The brace takes the place of the comma.
			at := len(line) - len(row) - 1
			line[at] = '{'
			if err := put(bytes.TrimRight(line[at:], "\n")); err != nil {
				return err
			}
		}
		long = long[:0]
	}
}

// Parts makes parts of so many rows of flows at most, and calls send with each. Write
// appends a row to a part, as Rows has it. What is sent is valid until send returns.
func (c *Collection) Parts(most int, write func(to *bytes.Buffer, row []byte) error, send func(part []byte) error) error {
	var part bytes.Buffer
	n := 0
	err := c.Rows(func(row []byte) error {
		if err := write(&part, row); err != nil {
			return err
		}
		if n++; n < most {
			return nil
		}
		err := send(part.Bytes())
		part.Reset()
		n = 0
		return err
	})
	if err != nil || n == 0 {
		return err
	}
	return send(part.Bytes())
}

// Row returns the collection's own row as a JSON object (record.OfCollection): what is
// sent behind the flows says that they are all there. What is not known is left out.
func (c *Collection) Row() ([]byte, error) {
	var end ended
	if _, err := c.Copy(&end); err != nil {
		return nil, err
	}
	row := []byte{'{'}
	for i, v := range record.CollectionValues(end.collection, &end.summary) {
		if v == nil {
			continue
		}
		value, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		row = append(append(append(row, '"'), record.OfCollection()[i].Name...), `":`...)
		row = append(append(row, value...), ',')
	}
	row[len(row)-1] = '}'
	return row, nil
}

// ended keeps what a collection begins and ends with.
type ended struct {
	collection *record.Collection // tells of all rulesets once the flows were read
	summary    record.Summary
}

func (e *ended) Begin(c *record.Collection) error         { e.collection = c; return nil }
func (e *ended) Flow(*match.Flow, *record.Counters) error { return nil }
func (e *ended) End(s *record.Summary) error              { e.summary = *s; return nil }
