package flowfile

import (
	"bufio"
	"bytes"
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
	back   []byte // whole lines that are to be read once more, before the others
	most   int    // octets of the longest line
	// whole is set if the line last read has its end.
	whole bool
}

// newLines returns the lines of r, of so many octets at most.
func newLines(r *bufio.Reader, most int) lines { return lines{r: r, most: most} }

// next returns the next line without its line feed; it is valid until the next call.
// The error is io.EOF after the last. Once there is one, it is that of all calls.
func (l *lines) next() ([]byte, error) {
	if len(l.back) > 0 {
		n := bytes.IndexByte(l.back, '\n')
		line := l.back[:n]
		l.back, l.whole = l.back[n+1:], true
		l.number++
		return line, nil
	}
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
	if len(l.back) > 0 {
		return startsRecord(l.back)
	}
	if l.err != nil {
		return false
	}
	begin, _ := l.r.Peek(1)
	return startsRecord(begin)
}

// startsRecord reports whether a line begins as a flow record of text does.
func startsRecord(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	switch line[0] {
	case '#', ' ', '.', '\t', '\r', '\n':
		return false
	}
	return true
}

// take appends the lines that are next, with their line feeds, as long as they are
// wanted: about so many octets of them, without waiting for more than one line. They are
// not counted. unread gives them back.
func (l *lines) take(to []byte, most int, wanted func(line []byte) bool) []byte {
	for len(to) < most {
		from, have := l.back, len(l.back) > 0
		if !have {
			if from = l.buffered(len(to) == 0); from == nil {
				return to
			}
		}
		n := 0
		for n < len(from) && len(to)+n < most {
			end := bytes.IndexByte(from[n:], '\n')
			if end < 0 || !wanted(from[n:n+end]) {
				break
			}
			n += end + 1
		}
		if n == 0 {
			return to
		}
		to = append(to, from[:n]...)
		if have {
			l.back = l.back[n:]
		} else {
			l.r.Discard(n)
		}
	}
	return to
}

// buffered returns what was read ahead, nil if that is no whole line. It reads more if
// there is none and that is asked for.
func (l *lines) buffered(more bool) []byte {
	if l.err != nil {
		return nil
	}
	from, _ := l.r.Peek(l.r.Buffered())
	if bytes.IndexByte(from, '\n') < 0 {
		if !more || len(from) == l.r.Size() {
			return nil
		}
		l.r.Peek(len(from) + 1) // an error shows again
		if from, _ = l.r.Peek(l.r.Buffered()); bytes.IndexByte(from, '\n') < 0 {
			return nil
		}
	}
	return from
}

// unread gives back lines that take has returned: whole ones.
func (l *lines) unread(text []byte) { l.back = append(text, l.back...) }
