// Package flowlist reads of which flows someone wants the packets: from flow data, and
// from the rows and tables that commands print of flows as JSON lines.
package flowlist

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"rtfm/meter/flowset"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Flows are what was read, and what of it cannot be found in packets.
type Flows struct {
	Set *flowset.Set
	// Count is how many records and rows there were.
	Count int
	// Ignored are attributes that some of them have saved, but packets do not have.
	Ignored []attr.Attr

	seen map[*match.Shape]bool
}

// New returns Flows for a Set, see flowset.New.
func New(ruled bool) *Flows {
	return &Flows{Set: flowset.New(ruled), seen: make(map[*match.Shape]bool)}
}

// errNothing is for a flow that all packets could be of.
var errNothing = errors.New("it has saved nothing that packets have, so that all of its time could be its")

// IsNothing reports whether the error of Read is of such a flow.
func IsNothing(err error) bool { return errors.Is(err, errNothing) }

// mostLine is the length of the longest line of rows, in octets.
const mostLine = 1 << 24

// Read adds the flows of r: of flow data in any form, rows that flows were added up in,
// or intervals of a live view.
func (w *Flows) Read(r io.Reader) error {
	b := bufio.NewReaderSize(r, 1<<16)
	begin, err := b.Peek(1)
	for err == nil && bytes.ContainsAny(begin, " \t\r\n") {
		b.Discard(1)
		begin, err = b.Peek(1)
	}
	if err == nil && begin[0] == '{' && !isFlowData(b) {
		return w.rows(b)
	}
	return w.flowData(flowfile.NewCollections(b))
}

// isFlowData reports whether an object is one of flow data: its first name says so.
func isFlowData(b *bufio.Reader) bool {
	begin, _ := b.Peek(64)
	name, _, _ := bytes.Cut(bytes.TrimLeft(begin[1:], " \t"), []byte(":"))
	return string(bytes.TrimSpace(name)) == `"record"`
}

// flowData adds the flows of collections.
func (w *Flows) flowData(all *flowfile.Collections) error {
	for {
		from, err := all.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c := from.Collection()
		if _, err := record.Copy(&sink{flows: w, c: c}, from); err != nil {
			return err
		}
	}
}

// sink is a record.Sink that takes the flows of a collection.
type sink struct {
	flows *Flows
	c     *record.Collection
}

// Begin implements record.Sink.
func (s *sink) Begin(*record.Collection) error { return nil }

// End implements record.Sink.
func (s *sink) End(*record.Summary) error { return nil }

// Flow implements record.Sink.
func (s *sink) Flow(f *match.Flow, _ *record.Counters) error {
	p := flowset.Period{First: f.FirstTime, Last: f.LastTime}
	missing := func(a attr.Attr) bool { return slices.Contains(s.c.Missing, a) }
	if (p.First-s.c.Epoch)%match.Centisecond == 0 && (p.Last-s.c.Epoch)%match.Centisecond == 0 {
		p.Last += match.Centisecond - 1 // they may have been cut to that
	}
	if missing(attr.FirstTime) {
		p.First = flowset.Always.First
	}
	if missing(attr.LastActiveTime) {
		p.Last = flowset.Always.Last
	}
	if f.ToPDUs > 0 || missing(attr.ToPDUs) {
		p.Directions |= flowset.Forward
	}
	if f.FromPDUs > 0 || missing(attr.FromPDUs) {
		p.Directions |= flowset.Backward
	}
	if err := s.flows.add(&f.FlowKey, p); err != nil {
		return fmt.Errorf("flow %d of ruleset %d: %w", f.Index, f.Shape.RuleSet, err)
	}
	s.flows.Count++
	return nil
}

// add adds a flow.
func (w *Flows) add(k *match.FlowKey, p flowset.Period) error {
	if !w.seen[k.Shape] {
		if len(w.seen) == 1<<12 { // a file may have any number
			clear(w.seen)
		}
		w.seen[k.Shape] = true
		for _, v := range k.Shape.Saved {
			if !flowset.Usable(v.Attr) && !slices.Contains(w.Ignored, v.Attr) {
				w.Ignored = append(w.Ignored, v.Attr)
			}
		}
	}
	if !w.Set.Add(k, p) {
		return errNothing
	}
	return nil
}

// rows adds those of JSON lines.
func (w *Flows) rows(b *bufio.Reader) error {
	lines := bufio.NewScanner(b)
	lines.Buffer(nil, mostLine)
	var shapes match.Shapes
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := w.line(&shapes, line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// AddRow adds a row, an object of JSON.
func (w *Flows) AddRow(row []byte) error { return w.line(new(match.Shapes), row) }

// line adds a row, or those of an interval.
func (w *Flows) line(shapes *match.Shapes, line []byte) error {
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return fmt.Errorf("no object of JSON: %w", err)
	}
	if _, ok := object["rulesets"]; !ok {
		var r Row
		for name, v := range object {
			r.Set(name, cell(v))
		}
		return w.Add(shapes, &r)
	}
	var interval struct {
		From     string
		RuleSets []struct {
			Columns []struct{ Name string }
			Rows    [][]any
		}
	}
	d = json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&interval); err != nil {
		return fmt.Errorf("no interval of rtfm top: %w", err)
	}
	for _, rs := range interval.RuleSets {
		for _, values := range rs.Rows {
			var r Row
			r.Set("IntervalStartNs", interval.From)
			for i := range min(len(rs.Columns), len(values)) {
				r.Set(rs.Columns[i].Name, cell(values[i]))
			}
			if err := w.Add(shapes, &r); err != nil {
				return err
			}
		}
	}
	return nil
}

// cell returns a value of JSON as a table has it, "" for nothing.
func cell(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
