package traces

import "io"

// OpenSequence returns a Source that reads the traces of the given names, as
// Open knows them, one after another. Each is opened when its turn comes.
//
// Interface numbers stay those of each file. A file that cannot be opened or
// is damaged ends there: ReadBatch returns its error once, after its packets,
// and the next call goes on with the next file. io.EOF comes after the last.
//
// ReadBatch calls notify, unless it is nil, with what someone who looks at the
// results should know: that a file's format was guessed.
func OpenSequence(names []string, notify func(message string)) Source {
	return &sequence{names: names, notify: notify}
}

type sequence struct {
	names  []string // those still to be opened
	notify func(message string)
	cur    Source // nil between files
	done   Stats  // of the files before cur
}

// ReadBatch implements Source.
func (s *sequence) ReadBatch(b *Batch) error {
	for {
		if s.cur == nil {
			if len(s.names) == 0 {
				b.reset("")
				return io.EOF
			}
			name := s.names[0]
			s.names = s.names[1:]
			b.reset(name)
			src, err := openNotifying(name, s.notify)
			if err != nil {
				return err
			}
			s.cur = src
		}
		err := s.cur.ReadBatch(b)
		if err == nil {
			return nil
		}
		s.done.add(s.cur.Stats())
		if cerr := s.cur.Close(); err == io.EOF && cerr != nil {
			err = cerr
		}
		s.cur = nil
		if err != io.EOF {
			return err
		}
	}
}

// Stats implements Source: the sums over the files read so far.
func (s *sequence) Stats() Stats {
	st := s.done.snapshot()
	if s.cur != nil {
		st.add(s.cur.Stats())
	}
	return st
}

// Close implements Source.
func (s *sequence) Close() error {
	s.names = nil
	if s.cur == nil {
		return nil
	}
	s.done.add(s.cur.Stats())
	err := s.cur.Close()
	s.cur = nil
	return err
}

// openNotifying opens a trace and tells notify, unless it is nil, if its format
// was guessed.
func openNotifying(name string, notify func(message string)) (Source, error) {
	src, err := Open(name)
	if err != nil {
		return nil, err
	}
	if note := src.(Describer).Describe().Guess(name); note != "" && notify != nil {
		notify(note)
	}
	return src, nil
}
