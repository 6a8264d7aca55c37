package flowfile

import (
	"io"
	"maps"
	"slices"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Converter writes collections that were read, of any number of files, in a form of
// its own. It writes a header whenever the file's was another, or the meter is
// another, or was started again.
type Converter struct {
	W    io.Writer
	Form Form
	ISO  bool // as Options
	// Version is that of files whose header is not known.
	Version string
	// Format is the columns of text, instead of those that the file has or would have,
	// and of CSV, which has to have one: what ColumnsOf tells.
	Format *ruleset.Format

	sink   *Sink
	head   *Head
	meter  string
	epoch  int64
	headed bool
}

// Write writes a collection, whose file has told head. After an error, what was
// written since it was called is to be dropped.
func (k *Converter) Write(head *Head, from record.From) error {
	c := from.Collection()
	if k.sink == nil || head != k.head || c.Meter != k.meter || c.Epoch != k.epoch {
		k.sink = k.sinkOf(head, c)
		k.head, k.meter, k.epoch = head, c.Meter, c.Epoch
	}
	if _, err := record.Copy(k.sink, from); err != nil {
		k.sink = nil
		return err
	}
	k.headed = true
	return nil
}

// sinkOf returns what writes collections of one meter's run and one file.
func (k *Converter) sinkOf(head *Head, c *record.Collection) *Sink {
	h := head.Header
	if h.Version == "" {
		h = Header{Version: k.Version, Meter: c.Meter}
	}
	format := head.Format
	if k.Format != nil && (k.Form != JSON || format == nil) {
		format = k.Format
	}
	opts := Options{
		JSON: k.Form == JSON, CSV: k.Form == CSV, ISO: k.ISO, Append: k.Form == CSV && k.headed,
		Statistics: head.Statistics == nil || *head.Statistics, again: true, unsure: head.Statistics == nil,
	}
	return NewSink(k.W, h, format, opts)
}

// ColumnsOf is a record.Sink that finds out what flows have saved, for the columns of
// CSV, or of text of files that do not tell.
type ColumnsOf struct {
	attrs map[attr.Attr]bool
	named map[attr.Attr]bool
	shape *match.Shape
}

// Table returns the columns of CSV.
func (c *ColumnsOf) Table() *ruleset.Format { return tableOf(sorted(c.attrs), sorted(c.named)) }

// Text returns the columns of text.
func (c *ColumnsOf) Text() *ruleset.Format { return DefaultFormat(sorted(c.attrs)) }

func sorted(attrs map[attr.Attr]bool) []attr.Attr { return slices.Sorted(maps.Keys(attrs)) }

// Begin implements record.Sink.
func (c *ColumnsOf) Begin(*record.Collection) error { return nil }

// Flow implements record.Sink.
func (c *ColumnsOf) Flow(f *match.Flow, _ *record.Counters) error {
	if c.attrs == nil {
		c.attrs, c.named = make(map[attr.Attr]bool), make(map[attr.Attr]bool)
	}
	for i := range f.Names {
		c.named[f.Names[i].Attr] = true
	}
	if f.Shape == c.shape {
		return nil
	}
	c.shape = f.Shape
	for _, s := range f.Shape.Saved {
		c.attrs[s.Attr] = true
		if m := s.Attr.Mask(); m != attr.Null && s.Mask != attr.Ones(f.Shape.Len(s.Attr)) {
			c.attrs[m] = true
		}
	}
	for i := range f.Shape.Measures {
		c.attrs[f.Shape.Measures[i].Attr] = true
	}
	return nil
}

// End implements record.Sink.
func (c *ColumnsOf) End(*record.Summary) error { return nil }
