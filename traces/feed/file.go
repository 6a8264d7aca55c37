package feed

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"rtfm/traces/ipfix"
)

// File reads the messages of a file (RFC 5655). It goes on behind what is damaged.
type File struct {
	// Skipped are the octets that were passed over since they are of no message, in so
	// many Places, the first of which begins at octet First.
	Skipped int64
	Places  int
	First   int64

	r       *bufio.Reader
	live    bool
	at      int64    // octets before the next message
	message int      // octets of the latest one, which are still to be passed over
	domains []uint32 // of the messages so far, as long as they are few
}

const (
	// fileRoom is how many octets are looked at: more than two messages and a header. The
	// buffer has more, so that it is not moved for each.
	fileRoom   = 1 << 18
	fileBuffer = 1 << 20
	// mostDomains is how many are known. If there are more, those of messages do not tell
	// what is one.
	mostDomains = 64
	// mostBefore is how far from the beginning of a file its first message may be.
	mostBefore = 1 << 20
	// mostSets are looked at in what may be a message.
	mostSets = 1 << 10
)

var version = []byte{0, ipfix.Version}

// NewFile returns a reader of a file. A live one is still being written, as a pipe is: its
// messages do not wait for those behind them, but for some behind damage, and one that was
// damaged may take another one with it. It has to begin with a message.
func NewFile(r io.Reader, live bool) *File {
	return &File{r: bufio.NewReaderSize(r, fileBuffer), live: live}
}

// Next returns the next message, valid until the next call. The error is io.EOF behind the
// last one, and io.ErrUnexpectedEOF if that is cut off.
func (f *File) Next() ([]byte, error) {
	f.pass(f.message)
	b, err := f.r.Peek(ipfix.HeaderLen)
	if len(b) == 0 {
		return nil, err
	}
	n, fault := length(b), error(nil)
	if n == 0 && len(b) == ipfix.HeaderLen {
		fault = headerError(b)
	}
	if n > 0 {
		if _, err = f.r.Peek(n); err == nil && f.isWhole(n) {
			return f.take(n), nil
		}
	}
	switch {
	case err != nil && err != io.EOF:
		return nil, err // of the file
	case fault != nil && f.live && len(f.domains) == 0:
		return nil, fault // who sends something else may go on for long
	}
	return f.seek(cmp.Or(fault, io.ErrUnexpectedEOF))
}

// isWhole reports whether what is so long by its header is a message.
func (f *File) isWhole(n int) bool {
	b, _ := f.r.Peek(n)
	whole := hasSets(b)
	if f.live && whole || f.isFollowed(n) {
		return true
	}
	if !whole {
		return false
	}
	// What is behind is damaged, or this is cut short and has the next one in it.
	for i := 1; i < n; i++ {
		if f.begins(i) > 0 {
			return false
		}
	}
	return true
}

// begins returns the length of the message that begins behind so many octets, for sure: its
// header is of a known domain, its sets fill it, and another header or the end is behind it.
// It returns 0 if none does.
func (f *File) begins(at int) int {
	b, _ := f.r.Peek(fileRoom)
	b = b[at:]
	n := length(b)
	if n == 0 || n > len(b) || !f.knows(b) || !hasSets(b[:n]) || !f.isFollowed(at+n) {
		return 0
	}
	return n
}

// take returns the message of this length that is next.
func (f *File) take(n int) []byte {
	b, _ := f.r.Peek(n)
	f.message = n
	if d := binary.BigEndian.Uint32(b[12:]); len(f.domains) < mostDomains && !slices.Contains(f.domains, d) {
		f.domains = append(f.domains, d)
	}
	return b
}

// pass passes over octets that are in the buffer.
func (f *File) pass(n int) {
	f.r.Discard(n)
	f.at += int64(n)
	f.message = 0
}

// skip passes over octets that are of no message.
func (f *File) skip(n int) {
	f.pass(n)
	f.Skipped += int64(n)
}

// isFollowed reports whether there is an end, or a header of a known domain, behind the
// next n octets.
func (f *File) isFollowed(n int) bool {
	b, _ := f.r.Peek(n + ipfix.HeaderLen)
	return len(b) == n || len(b) == n+ipfix.HeaderLen && length(b[n:]) > 0 && f.knows(b[n:])
}

// knows reports whether a header is of a domain that messages have had.
func (f *File) knows(head []byte) bool {
	return len(f.domains) == 0 || len(f.domains) == mostDomains || slices.Contains(f.domains, binary.BigEndian.Uint32(head[12:]))
}

// seek returns the first message behind what is damaged. If there is none, the error is
// what is wrong here.
func (f *File) seek(wrong error) ([]byte, error) {
	first, before := f.at, f.Skipped
	n := f.find()
	switch {
	case n > 0:
	case wrong == io.ErrUnexpectedEOF, len(f.domains) == 0: // it is cut off, or of something else
		f.Skipped = before
		return nil, wrong
	}
	if f.Places++; f.Places == 1 {
		f.First = first
	}
	if n == 0 {
		return nil, io.EOF
	}
	return f.take(n), nil
}

// find skips octets up to a message, and returns its length, 0 if there is none.
func (f *File) find() int {
	starts := len(f.domains) == 0
	for step := 1; !starts || f.at < mostBefore; {
		f.skip(step)
		b, _ := f.r.Peek(fileRoom)
		switch at := bytes.Index(b, version); {
		case at < 0 && len(b) < fileRoom:
			f.skip(len(b))
			return 0
		case at < 0:
			step = len(b) - 1 // the last one may be the first of two
		case at > 0:
			step = at
		default:
			if n := f.begins(0); n > 0 && !(starts && n == len(b)) {
				return n
			}
			step = 1
		}
	}
	return 0
}

// headerError says why a header is that of no message.
func headerError(head []byte) error {
	if v := binary.BigEndian.Uint16(head); v != ipfix.Version {
		return fmt.Errorf("ipfix: version %d is not %d", v, ipfix.Version)
	}
	if n := int(binary.BigEndian.Uint16(head[2:])); n < ipfix.HeaderLen {
		return fmt.Errorf("ipfix: a message of %d octets is shorter than its header, %d", n, ipfix.HeaderLen)
	}
	return nil
}

// length returns how long a message is by its header, 0 if it has none.
func length(b []byte) int {
	if len(b) < ipfix.HeaderLen || binary.BigEndian.Uint16(b) != ipfix.Version {
		return 0
	}
	if n := int(binary.BigEndian.Uint16(b[2:])); n >= ipfix.HeaderLen {
		return n
	}
	return 0
}

// hasSets reports whether sets fill a message, no more than mostSets.
func hasSets(b []byte) bool {
	b = b[ipfix.HeaderLen:]
	for sets := 0; len(b) > 0; sets++ {
		if sets == mostSets {
			return false
		}
		if len(b) < ipfix.SetHeaderLen {
			return false
		}
		id, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if n < ipfix.SetHeaderLen || n > len(b) || id < ipfix.FirstDataSet && id != ipfix.TemplateSet && id != ipfix.OptionsTemplateSet {
			return false
		}
		b = b[n:]
	}
	return true
}
