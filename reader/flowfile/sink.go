package flowfile

import (
	"io"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset"
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

// NewSink returns a Sink that writes to w as a Writer does. Start in h is filled in.
func NewSink(w io.Writer, h Header, f *ruleset.Format, opts Options) *Sink {
	return &Sink{w: w, header: h, format: f, opts: opts}
}

// Begin implements record.Sink.
func (s *Sink) Begin(c *record.Collection) error {
	if s.writer == nil {
		s.header.Start = time.Unix(0, c.Epoch).UTC()
		s.writer = NewWriter(s.w, s.header, c.Epoch, s.format, s.opts)
		if !c.First {
			s.writer.Resume(c.From)
		}
	}
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
