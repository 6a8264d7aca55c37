package export

import (
	"errors"
	"fmt"
	"os"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
	"rtfm/ruleset/match"
)

// ErrSegment is an error of a Sink whose spool did not take a collection, for its disk is
// full, perhaps: nothing of it is anywhere, and it may be made once more.
var ErrSegment = errors.New("the spool did not take the collection")

// Sink makes each collection a segment of a spool.
type Sink struct {
	Spool  *spool.Spool
	Header flowfile.Header
	// Beside gets each collection, too, once it is a segment, so that it has none which
	// the spool did not take. It may be nil.
	Beside record.Sink

	file *os.File
	to   record.Sink
}

// Differences implements record.Differing.
func (*Sink) Differences() bool { return true }

// Begin implements record.Sink.
func (s *Sink) Begin(c *record.Collection) (err error) {
	if s.file != nil { // of a collection that failed elsewhere
		s.file.Close()
	}
	if s.file, err = s.Spool.Create(); err != nil {
		return s.failed(err)
	}
	s.to = flowfile.NewSink(s.file, s.Header, nil, flowfile.Options{JSON: true})
	return s.failed(s.to.Begin(c))
}

// Flow implements record.Sink.
func (s *Sink) Flow(f *match.Flow, counted *record.Counters) error {
	return s.failed(s.to.Flow(f, counted))
}

// End implements record.Sink.
func (s *Sink) End(sum *record.Summary) error {
	err := s.to.End(sum)
	if err == nil {
		err = s.file.Sync()
	}
	err = errors.Join(err, s.file.Close())
	s.file = nil
	if err != nil {
		return s.failed(err)
	}
	// It is opened before it can be sent and removed.
	sealed, err := os.Open(s.Spool.Current())
	if err != nil {
		return s.failed(err)
	}
	defer sealed.Close()
	if err := s.Spool.Seal(); err != nil {
		return s.failed(err)
	}
	if s.Beside == nil {
		return nil
	}
	from, err := flowfile.NewCollections(sealed).Next()
	if err == nil {
		_, err = record.Copy(s.Beside, from)
	}
	return err
}

// failed returns an error that says that the spool did not take the collection, and makes
// room for what it has; nil if there is none.
func (s *Sink) failed(err error) error {
	if err == nil {
		return nil
	}
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
	s.Spool.Discard()
	return fmt.Errorf("%w: %w", ErrSegment, err)
}
