package cmd

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"rtfm/reader/flowfile"
	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/traces/format"
)

// flowsFilter writes what is wanted of collections.
type flowsFilter struct {
	*flowsFilterOptions
	expr  *query.Expr
	in    *flowsReading
	out   io.Writer
	conv  flowfile.Converter
	whole held // the collection at hand
	// held is those before it of the same file, as long as no flow has shown that it has
	// what the expression is about.
	held    held
	begun   bool
	first   int64  // when the first interval began
	unknown uint64 // records that are left out
}

// collection writes what is wanted of a collection once it is known to be whole.
func (w *flowsFilter) collection(head *flowfile.Head, from record.From) error {
	c := from.Collection()
	if !w.begun {
		w.begun, w.first, w.conv.Form = true, c.From, head.Form
	}
	if head.Form != w.conv.Form {
		return &refusal{fmt.Errorf("it is %s, and a file before it is %s: filter them apart", head.Form, w.conv.Form)}
	}
	if err := w.columns(head); err != nil {
		return err
	}
	from = query.Filter(from, w.expr, w.total, &w.unknown)
	if c.To <= w.from.After(w.first, math.MinInt64) || c.To > w.to.After(w.first, math.MaxInt64) {
		_, err := record.Copy(new(flowfile.ColumnsOf), from) // it is read, for what those behind it have added
		return err
	}
	defer w.whole.close()
	if err := w.conv.Write(head, from); err != nil {
		return err
	}
	if head.Form != flowfile.Text && w.in.seen.Check(w.in.wanted) != nil {
		_, err := io.Copy(&w.held, w.whole.reader())
		return err
	}
	if err := w.release(); err != nil {
		return err
	}
	if _, err := io.Copy(w.out, w.whole.reader()); err != nil {
		return &refusal{err}
	}
	return nil
}

// release writes what was held.
func (w *flowsFilter) release() error {
	defer w.held.close()
	if _, err := io.Copy(w.out, w.held.reader()); err != nil {
		return &refusal{err}
	}
	return nil
}

// columns chooses those of what is written.
func (w *flowsFilter) columns(head *flowfile.Head) error {
	switch {
	case head.Form == flowfile.CSV && w.conv.Format == nil:
		return w.tableColumns()
	case head.Form != flowfile.Text:
		return nil
	}
	f := head.Format
	if w.format != nil {
		f = w.format
	}
	if f == nil {
		return &refusal{errors.New("it does not tell its columns: give some with --format")}
	}
	more := []attr.Attr(nil)
	if (w.expr.Varies() || w.from != format.Limit{}) && !w.total {
		more = append(more, attr.DeltaToPDUs, attr.DeltaFromPDUs, attr.DeltaToOctets, attr.DeltaFromOctets)
	}
	if w.rates {
		more = append(more, attr.DeltaToBitRate, attr.DeltaFromBitRate)
	}
	own := &ruleset.Format{Fields: slices.Clone(f.Fields)}
	for _, a := range more {
		if !slices.ContainsFunc(own.Fields, func(fd ruleset.Field) bool { return fd.Attr == a }) {
			own.Fields = append(own.Fields, ruleset.Field{Attr: a, Separator: " "})
		}
	}
	w.conv.Format = own
	return nil
}

// tableColumns finds out the columns of CSV, which are those of all files.
func (w *flowsFilter) tableColumns() error {
	if slices.Contains(w.in.names, "-") {
		return &refusal{errors.New("CSV is read twice, to find out its columns, and standard input cannot be: convert it to JSON lines first")}
	}
	var found flowfile.ColumnsOf
	for _, name := range w.in.names {
		in, err := openFlows(name, nil)
		if err != nil {
			continue // which is told when the file is read again
		}
		all := flowfile.NewCollections(in)
		for {
			from, err := all.Next()
			if err == nil {
				_, err = record.Copy(&found, from)
			}
			if err != nil {
				break
			}
		}
		in.Close()
	}
	w.conv.Format = found.Table()
	return nil
}
