package cmd

import (
	"bytes"
	"io"
	"os"
)

// held holds what is written until it is read: a little in memory, more in a
// file without a name. The zero value is empty.
type held struct {
	memory bytes.Buffer
	file   *os.File
	size   int64
}

// heldMemory is how many octets a held keeps in memory.
const heldMemory = 4 << 20

// Write implements io.Writer.
func (s *held) Write(b []byte) (int, error) {
	s.size += int64(len(b))
	if s.file == nil && s.size <= heldMemory {
		return s.memory.Write(b)
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "rtfm-*") // for this user only
		if err != nil {
			return 0, err
		}
		s.file = f
		os.Remove(f.Name()) // where that is not possible, close does it
		if _, err := f.Write(s.memory.Bytes()); err != nil {
			return 0, err
		}
		s.memory = bytes.Buffer{}
	}
	return s.file.Write(b)
}

// reader returns what was written, from the beginning; it may be called again.
func (s *held) reader() io.Reader {
	if s.file == nil {
		return bytes.NewReader(s.memory.Bytes())
	}
	return io.NewSectionReader(s.file, 0, s.size)
}

// close empties the waiting.
func (s *held) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
	*s = held{}
}
