package flowfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// lines reads lines.
type lines struct {
	r      *bufio.Reader
	number int // of the line last read, from 1
	err    error
	long   []byte // a line that is longer than the buffer
	most   int    // octets of the longest line
	// whole is set if the line last read has its end.
	whole bool
}

// newLines returns the lines of r, of so many octets at most.
func newLines(r *bufio.Reader, most int) lines { return lines{r: r, most: most} }

// next returns the next line without its line feed; it is valid until the next call.
// The error is io.EOF after the last. Once there is one, it is that of all calls.
func (l *lines) next() ([]byte, error) {
	if l.err != nil {
		return nil, l.err
	}
	part, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = l.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) {
			l.long = append(l.long, part...)
			if part, err = l.r.ReadSlice('\n'); len(l.long)+len(part) > l.most {
				l.err = fmt.Errorf("flow data file: line %d is longer than %d octets", l.number+1, l.most)
				return nil, l.err
			}
		}
		l.long = append(l.long, part...)
		part = l.long
	}
	if l.whole = err == nil; err != nil {
		l.err = err
		if err != io.EOF {
			l.err = fmt.Errorf("flow data file: behind line %d: %w", l.number, err)
		}
		if len(part) == 0 {
			return nil, l.err
		}
	} else {
		part = part[:len(part)-1]
	}
	l.number++
	return part, nil
}

// startsRecord reports whether the next line begins as a flow record of text does.
func (l *lines) startsRecord() bool {
	if l.err != nil {
		return false
	}
	begin, _ := l.r.Peek(1)
	if len(begin) == 0 {
		return false
	}
	switch begin[0] {
	case '#', ' ', '.', '\t', '\r', '\n':
		return false
	}
	return true
}
