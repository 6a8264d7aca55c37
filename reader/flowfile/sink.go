package flowfile

import (
	"io"
	"slices"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Sink is a record.Sink that writes flow data. It writes the header when the first
// collection begins, since only that tells when the meter was started.
type Sink struct {
	w      io.Writer
	header Header
	format *ruleset.Format
	opts   Options
	writer *Writer
}

// NewSink returns a Sink that writes to w as a Writer does. Start in h is
// filled in, if it is zero.
func NewSink(w io.Writer, h Header, f *ruleset.Format, opts Options) *Sink {
	return &Sink{w: w, header: h, format: f, opts: opts}
}

// Differences implements record.Differing: rows have what flows counted in the
// interval, and text if its columns ask for it.
func (s *Sink) Differences() bool { return s.opts.JSON || s.opts.CSV || Differs(s.format) }

// Differs reports whether columns tell what flows counted in the interval.
func Differs(f *ruleset.Format) bool {
	return f != nil && slices.ContainsFunc(f.Fields, func(fd ruleset.Field) bool { return fd.Attr.Info().Class == attr.ClassInterval })
}

// Begin implements record.Sink.
func (s *Sink) Begin(c *record.Collection) error {
	if s.writer == nil {
		if s.header.Start.IsZero() {
			s.header.Start = time.Unix(0, c.Epoch).UTC()
		}
		s.writer = NewWriter(s.w, s.header, c.Epoch, s.format, s.opts)
		if !c.First {
			s.writer.Resume(c.From)
		}
	}
	if s.opts.again {
		s.writer.again(c)
	}
	s.writer.identify(c)
	if c.Skipped > 0 {
		s.writer.Skipped(c.Skipped)
	}
	s.writer.Begin(c.To)
	return nil
}

// Flow implements record.Sink.
func (s *Sink) Flow(f *match.Flow, counted *record.Counters) error {
	s.writer.Flow(f, counted)
	return s.writer.Err()
}

// Parts implements record.Parallel.
func (s *Sink) Parts(n int, flows func(part int, put func(*match.Flow, *record.Counters))) {
	s.writer.Parts(n, flows)
}

// End implements record.Sink.
func (s *Sink) End(sum *record.Summary) error { return s.writer.End(*sum) }
