package store

import (
	"errors"
	"fmt"
	"path/filepath"
)

// Survey is what a file has.
type Survey struct {
	File
	Packets, Octets, Lost, Unstored uint64
	Cut                             uint64 // of the packets: those that have headers only, by Config.Cutoff
	First, Last                     int64  // times of packets, nanoseconds since 1970
	// Losses are what is missing, with times, for lost packets those around them.
	Losses []Loss
}

// Add adds the numbers of t to s.
func (s *Survey) Add(t *Survey) {
	s.Size += t.Size
	s.Packets += t.Packets
	s.Octets += t.Octets
	s.Lost += t.Lost
	s.Unstored += t.Unstored
	s.Cut += t.Cut
}

// Look reads all chunks of a file. The error tells of damage, or that it could not be
// read; the survey has the whole chunks before it.
func Look(dir string, f File) (s Survey, err error) {
	s.File = f
	path := filepath.Join(dir, f.Name)
	file, err := openChunks(dir, f)
	if err != nil {
		return s, err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return s, err
	}
	end := st.Size()
	if !marked(f.Format) {
		if n := len(file.marks); n > 0 {
			end = file.marks[n-1].offset + int64(file.marks[n-1].Length)
		} else {
			end = 0
		}
		defer func() {
			if err == nil && file.whole < st.Size() {
				err = fmt.Errorf("%s: at offset %#x: %w", path, file.whole, errChunk)
			}
			err = errors.Join(err, file.fault)
		}()
	}
	b := make([]byte, chunkSize)
	var at, before int64
	for n := uint32(0); at < end || int(n) < len(file.marks); n++ { // the last of these may have losses only
		m, _, losses, err := file.read(b, int(n), at)
		if err == nil && (m.Number != n || m.File != f.Number) {
			err = fmt.Errorf("%w: it is chunk %d of file %d", errChunk, m.Number, m.File)
		}
		if err != nil {
			return s, fmt.Errorf("%s: at offset %#x: %w", path, at, err)
		}
		if s.Packets == 0 || m.Packets > 0 && m.First < s.First {
			s.First = m.First
		}
		s.Last = max(s.Last, m.Last)
		s.Packets += uint64(m.Packets)
		s.Octets += m.Octets
		s.Lost += m.Lost
		s.Unstored += m.Unstored
		s.Cut += uint64(m.Cut)
		for _, l := range losses {
			if l.Unstored == 0 {
				l.From, l.Until = before, m.Last
				if before == 0 {
					l.From = m.First
				}
			}
			s.Losses = append(s.Losses, l)
		}
		at, before = at+int64(m.Length), m.Last
	}
	return s, nil
}
