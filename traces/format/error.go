package format

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of damage, to be found with errors.Is.
var (
	// ErrFormat means that the file is no trace, or none of a known format.
	ErrFormat = errors.New("not a trace of a known format")
	// ErrTruncated means that the file ends in the middle of a record or of
	// the compressed data.
	ErrTruncated = errors.New("truncated")
	// ErrCorrupt means that the file contradicts its format.
	ErrCorrupt = errors.New("corrupt")
)

// Error is damage in a trace, and where it stands.
type Error struct {
	File   string // the file's name as it was given
	Format string // "pcap", "gzip", ...; empty when that is not known
	Record int64  // the damaged record's number, from 1; 0 is the file's header
	Offset int64  // where that record begins, in the decompressed stream
	Err    error
}

// Error returns a message such as
// `a.pcap: pcap: record 12 at offset 0x4f8: truncated: 20 of 76 octets`.
func (e *Error) Error() string {
	var s strings.Builder
	s.WriteString(e.File)
	s.WriteString(": ")
	if e.Format != "" {
		s.WriteString(e.Format)
		s.WriteString(": ")
	}
	if e.Record > 0 {
		fmt.Fprintf(&s, "record %d at offset %#x: ", e.Record, e.Offset)
	}
	s.WriteString(e.Err.Error())
	return s.String()
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// corrupt returns an error of kind ErrCorrupt.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}
