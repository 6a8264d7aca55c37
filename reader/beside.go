package reader

import (
	"errors"
	"fmt"
	"io"
	"os"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
	"rtfm/ruleset/match"
)

// ErrSpoolFull is an error of a collection that was not made, for the spool which it is to
// go to beside the flow data file is full. The meter keeps the flows: their counters go
// on, and the next collection is longer.
var ErrSpoolFull = errors.New("the spool is full")

// beside makes each collection a segment of a spool, too. The segment is complete, and on
// the disk, before the flow data file has the collection's end, and gets its number once
// that is on the disk and remembered: whenever the process ends, a complete segment without
// a number is of a collection that the file has, or it is not wanted.
type beside struct {
	spool  *spool.Spool
	header flowfile.Header
	ready  bool // a segment is complete, and has no number
	// postponed is how often the next collection could not be made, see record.Collection.
	postponed int
	file      *os.File
	to        record.Sink // the segment
	flows     record.Sink // the flow data file
}

// Settle deals with what a process before has left in a spool: known is what is known of
// the flow data file, nil if nothing is. A segment without a number gets one if the file
// has its collection.
func Settle(s *spool.Spool, known *State) error {
	f, err := os.Open(s.Current())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	var last ending
	from, err := flowfile.NewCollections(f).Next()
	if err == nil {
		_, err = record.Copy(&last, from)
	}
	if err != nil || known != nil && (last.c.To != known.ToNs || last.c.Boot != known.boot()) {
		return os.Remove(s.Current())
	}
	return s.Seal()
}

// boot returns what the meter's run is known by in collections.
func (s *State) boot() string {
	if s.Boot != "" {
		return s.Boot
	}
	return record.BootOf(s.Epoch)
}

// ending keeps which collection it was.
type ending struct{ c record.Collection }

func (e *ending) Begin(c *record.Collection) error         { e.c = *c; return nil }
func (e *ending) Flow(*match.Flow, *record.Counters) error { return nil }
func (e *ending) End(*record.Summary) error                { return nil }

// room returns an error if no collection can be made now.
func (b *beside) room() error {
	switch {
	case b == nil:
		return nil
	case b.spool.Full():
		b.postponed++
		return fmt.Errorf("%s: %w", b.spool.Folder(), ErrSpoolFull)
	}
	return b.seal() // what could not be before
}

// seal gives the segment its number.
func (b *beside) seal() error {
	if b == nil || !b.ready {
		return nil
	}
	err := b.spool.Seal()
	b.ready = err != nil
	return err
}

// with returns a sink that gives collections to the flow data file and to the segment.
func (b *beside) with(flows record.Sink) record.Sink {
	b.flows = flows
	return b
}

// Differences implements record.Differing.
func (*beside) Differences() bool { return true }

// Begin implements record.Sink.
func (b *beside) Begin(c *record.Collection) (err error) {
	if b.file != nil { // of a collection that failed elsewhere
		b.file.Close()
	}
	if b.file, err = b.spool.Create(); err != nil {
		return b.failed(err)
	}
	b.to = flowfile.NewSink(b.file, b.header, nil, flowfile.Options{JSON: true})
	if err := b.to.Begin(c); err != nil {
		return b.failed(err)
	}
	return b.failed(b.flows.Begin(c))
}

// Flow implements record.Sink.
func (b *beside) Flow(f *match.Flow, counted *record.Counters) error {
	if err := b.to.Flow(f, counted); err != nil {
		return b.failed(err)
	}
	return b.failed(b.flows.Flow(f, counted))
}

// End implements record.Sink.
func (b *beside) End(sum *record.Summary) error {
	err := b.to.End(sum)
	if err == nil {
		err = b.file.Sync()
	}
	err = errors.Join(err, b.file.Close())
	b.file = nil
	if err != nil {
		return b.failed(err)
	}
	return b.failed(b.flows.End(sum))
}

// failed notes that the collection has failed if there is an error, and makes room for
// what the spool has.
func (b *beside) failed(err error) error {
	if err == nil {
		return nil
	}
	if b.file != nil {
		b.file.Close()
		b.file = nil
	}
	b.spool.Discard()
	b.postponed++
	return err
}

// Recent is a File that is nobody's but the reader's: what was collected lately, from which
// the next start learns what flows had counted.
type Recent struct{ *File }

// Append implements Output. A long file is begun anew before.
func (r Recent) Append(write func(w io.Writer, fresh bool) error) error {
	if r.size > recalled {
		if err := os.Remove(r.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return r.File.Append(write)
}
