package format

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"rtfm/traces"
)

// OpenSequence returns a Source that reads the traces of the given names, as
// Open knows them, one after another. Each is opened when its turn comes.
//
// Interface numbers stay those of each file. A file that cannot be opened or
// is damaged ends there: ReadBatch returns its error once, after its packets,
// and the next call goes on with the next file. io.EOF comes after the last.
//
// ReadBatch calls notify, unless it is nil, with what a user of the results
// should know: that a file's format was guessed.
func OpenSequence(names []string, notify func(message string)) *Sequence {
	return &Sequence{names: names, notify: notify}
}

// Sequence is a Source that reads traces one after another.
type Sequence struct {
	names  []string   // those still to be read
	files  []*os.File // by name, the ones that OpenFiles has opened
	notify func(message string)
	wrap   func(n int, src traces.Source) traces.Source
	opened int           // files so far
	cur    traces.Source // nil between files
	done   traces.Stats  // of the files before cur

	unordered bool
	first     bool   // no packet of cur was read yet
	last      int64  // the time of the packet that was read last
	before    string // the file that it is of, "" if there is none
}

// disorder is how much earlier than the end of one trace the next may begin, in
// nanoseconds: programs that write a file after the other do not cut exactly.
const disorder = 1e9

// OrderError means that a trace begins before the end of the one that was read
// before it, by more than a second.
type OrderError struct {
	File, Before string // the trace, and the one that was read before it
	Begins, Ends int64  // when it begins, and when that one ends: nanoseconds since 1970
}

// Error returns a message such as
// `b.pcap begins at 2026-11-21T09:13:25Z, before a.pcap ends, at 2026-11-21T09:17:56Z`.
func (e *OrderError) Error() string {
	at := func(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }
	return fmt.Sprintf("%s begins at %s, before %s ends, at %s", e.File, at(e.Begins), e.Before, at(e.Ends))
}

// Unordered allows traces in any order. Without it, one that begins before the
// end of the one before it is an *OrderError, and nothing is read after that.
// Call it before the first ReadBatch.
func (s *Sequence) Unordered() { s.unordered = true }

// Wrap has each trace read through the Source that wrap makes of it; n is its
// number among the names, from 0. Call it before the first ReadBatch.
func (s *Sequence) Wrap(wrap func(n int, src traces.Source) traces.Source) { s.wrap = wrap }

// OpenFiles opens the files of all traces now, for callers who may not be
// allowed to when their turn comes. Pipes, which may have nobody at the other
// end yet, are left until then. Call it before the first ReadBatch.
func (s *Sequence) OpenFiles() error {
	s.files = make([]*os.File, len(s.names))
	for i, name := range s.names {
		_, path := SplitName(name)
		if path == "-" {
			continue
		}
		st, err := os.Stat(path)
		if err == nil && st.Mode().IsRegular() {
			s.files[i], err = os.Open(path)
		}
		if err != nil {
			return errors.Join(err, s.Close())
		}
	}
	return nil
}

// ReadBatch implements Source.
func (s *Sequence) ReadBatch(b *traces.Batch) error {
	for {
		if s.cur == nil {
			if len(s.names) == 0 {
				b.Reset("")
				return io.EOF
			}
			b.Reset(s.names[0])
			if err := s.openNext(); err != nil {
				return err
			}
		}
		err := s.cur.ReadBatch(b)
		if err == nil {
			if err = s.inOrder(b); err == nil {
				return nil
			}
			s.names = nil
		}
		s.done.Add(s.cur.Stats())
		if cerr := s.cur.Close(); err == io.EOF && cerr != nil {
			err = cerr
		}
		s.cur = nil
		if err != io.EOF {
			return err
		}
	}
}

// inOrder returns an error if b, which was just read, is of a trace that begins
// too early.
func (s *Sequence) inOrder(b *traces.Batch) error {
	if len(b.Packets) == 0 {
		return nil
	}
	begins := b.Packets[0].Time
	if s.first && s.before != "" && !s.unordered && begins < s.last-disorder {
		err := &OrderError{File: b.File, Before: s.before, Begins: begins, Ends: s.last}
		b.Reset(b.File)
		return err
	}
	s.first, s.before, s.last = false, b.File, b.Packets[len(b.Packets)-1].Time
	return nil
}

// Stats implements Source: the sums over the files read so far.
func (s *Sequence) Stats() traces.Stats {
	if s.cur == nil {
		return s.done.Snapshot()
	}
	st := s.cur.Stats()
	if len(s.done.PerInterface) == 0 {
		st.AddRecords(&s.done)
		return st
	}
	return s.done.Plus(st)
}

// Close implements Source.
func (s *Sequence) Close() error {
	for _, f := range s.files {
		if f != nil {
			f.Close()
		}
	}
	s.names, s.files = nil, nil
	if s.cur == nil {
		return nil
	}
	s.done.Add(s.cur.Stats())
	err := s.cur.Close()
	s.cur = nil
	return err
}

// openNext opens the next trace, and tells if its format was guessed.
func (s *Sequence) openNext() error {
	name, n := s.names[0], s.opened
	s.names = s.names[1:]
	s.opened++
	var f *os.File
	if len(s.files) > 0 {
		f, s.files = s.files[0], s.files[1:]
	}
	var src traces.Source
	var err error
	if f != nil {
		src, err = newFile(f, name)
	} else {
		src, err = Open(name)
	}
	if err != nil {
		return err
	}
	s.first = true
	if s.cur = src; s.wrap != nil {
		s.cur = s.wrap(n, src)
	}
	if note := src.(traces.Describer).Describe().Guess(name); note != "" && s.notify != nil {
		s.notify(note)
	}
	return nil
}
