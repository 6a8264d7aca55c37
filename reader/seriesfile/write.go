// Package seriesfile writes and reads files of series: what a meter counts in each
// second, as JSON lines or CSV. FORMAT.md of package flowfile describes them.
package seriesfile

import (
	"bytes"
	"io"

	"rtfm/meter/series"
	"rtfm/reader/table"
)

// Columns are the columns of CSV, and the fields of JSON behind "record".
var columns = []table.Column{
	{Name: "record"},
	{Name: "IntervalStartNs", Kind: table.Time},
	{Name: "IntervalEndNs", Kind: table.Time},
	{Name: "FlowRuleSet", Kind: table.Number},
	{Name: "RuleSetName"},
	{Name: "Interface", Kind: table.Number},
	{Name: "InterfaceName"},
	{Name: "PDUs", Kind: table.Count},
	{Name: "Octets", Kind: table.Octets},
	{Name: "Ignored", Kind: table.Count},
	{Name: "Unmatched", Kind: table.Count},
	{Name: "Stopped", Kind: table.Count},
	{Name: "Uncounted", Kind: table.Count},
	{Name: "ActiveFlows", Kind: table.Count},
	{Name: "NewFlows", Kind: table.Count},
	{Name: "Flows", Kind: table.Count},
	{Name: "Filtered", Kind: table.Count},
	{Name: "Lost", Kind: table.Count},
}

// What JSON's "record" says of rows, and of gaps.
const (
	recordSeries = "series"
	recordGap    = "gap"
)

// Writer writes intervals.
type Writer struct {
	w      io.Writer
	csv    bool
	headed bool // CSV's header was written
	buf    bytes.Buffer
}

// NewWriter returns a Writer of CSV or JSON lines. To what has CSV's header already
// more can be appended.
func NewWriter(w io.Writer, csv, headed bool) *Writer { return &Writer{w: w, csv: csv, headed: headed} }

// Write writes an interval, all of its lines at once.
func (w *Writer) Write(i *series.Interval) error {
	t := table.Table{Columns: columns}
	record := table.String(recordSeries)
	if len(i.Rows) == 0 {
		record = table.String(recordGap)
		t.Rows = [][]table.Value{{record, table.Int(i.From), table.Int(i.To)}}
	}
	for j := range i.Rows {
		t.Rows = append(t.Rows, append([]table.Value{record, table.Int(i.From), table.Int(i.To)}, values(&i.Rows[j])...))
	}
	w.buf.Reset()
	if err := w.format(&t); err != nil {
		return err
	}
	_, err := w.w.Write(w.buf.Bytes())
	return err
}

// Begin writes what stands before the first interval: CSV's header.
func (w *Writer) Begin() error {
	if !w.csv || w.headed {
		return nil
	}
	w.headed = true
	return (&table.Table{Columns: columns[1:]}).CSV(w.w, table.Data{})
}

// format sets the buffer to the table's text.
func (w *Writer) format(t *table.Table) error {
	if !w.csv {
		return t.JSON(&w.buf, table.Data{})
	}
	t.Columns = columns[1:]
	for j := range t.Rows {
		t.Rows[j] = t.Rows[j][1:]
	}
	if err := t.CSV(&w.buf, table.Data{}); err != nil {
		return err
	}
	if w.headed {
		w.buf.ReadBytes('\n') // the header
	}
	w.headed = true
	return nil
}

// values returns what stands in a row behind its times.
func values(r *series.Row) []table.Value {
	n := table.Uint
	if r.IsInterface() {
		name := table.Value{}
		if r.Name != "" {
			name = table.String(r.Name)
		}
		return []table.Value{
			{}, {}, n(uint64(r.Interface)), name, n(r.PDUs), n(r.Octets),
			{}, {}, {}, {}, {}, {}, {}, n(r.Filtered), n(r.Lost),
		}
	}
	return []table.Value{
		n(uint64(r.RuleSet)), table.String(r.Name), {}, {}, n(r.PDUs), n(r.Octets),
		n(r.Ignored), n(r.Unmatched), n(r.Stopped), n(r.Uncounted), n(r.ActiveFlows), n(r.NewFlows), n(r.Flows),
	}
}
