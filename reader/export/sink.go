package export

import (
	"errors"
	"os"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
	"rtfm/ruleset/match"
)

// Sink makes each collection a segment of a spool.
type Sink struct {
	Spool  *spool.Spool
	Header flowfile.Header

	file *os.File
	to   record.Sink
}

// Differences implements record.Differing.
func (*Sink) Differences() bool { return true }

// Begin implements record.Sink.
func (s *Sink) Begin(c *record.Collection) (err error) {
	if s.file != nil { // of a collection that failed
		s.file.Close()
	}
	if s.file, err = s.Spool.Create(); err != nil {
		return err
	}
	s.to = flowfile.NewSink(s.file, s.Header, nil, flowfile.Options{JSON: true})
	return s.to.Begin(c)
}

// Flow implements record.Sink.
func (s *Sink) Flow(f *match.Flow, counted *record.Counters) error { return s.to.Flow(f, counted) }

// End implements record.Sink.
func (s *Sink) End(sum *record.Summary) error {
	err := s.to.End(sum)
	if err == nil {
		err = s.file.Sync()
	}
	err = errors.Join(err, s.file.Close())
	s.file = nil
	if err != nil {
		return err
	}
	return s.Spool.Seal()
}
