package flowfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Tail is where the complete collections of a file end.
type Tail struct {
	// Size is the offset after the last line that ends a collection, 0 if
	// there is none.
	Size int64
	// To is the uptime at which that collection ended, in centiseconds, EndNs
	// the time in nanoseconds since 1970, which only JSON tells.
	To    uint64
	EndNs int64
	// Collections is the number of complete collections.
	Collections int
}

// FindTail reads flow data in either form, from the beginning of a line on, and
// returns where its complete collections end. Only what ends collections is
// looked at.
func FindTail(r io.Reader) (Tail, error) {
	var tail Tail
	var begun collectionStart
	in := bufio.NewReaderSize(r, 1<<16)
	begins := true // a line
	for at := int64(0); ; {
		part, err := in.ReadSlice('\n')
		at += int64(len(part))
		whole := err == nil // the line, if it begins here
		if begins && whole {
			if start, ok := startOf(part); ok {
				begun = start
			} else if bytes.HasPrefix(part, []byte(markEnd)) || bytes.HasPrefix(part, []byte(jsonEnd)) {
				tail = Tail{at, begun.To, begun.EndNs, tail.Collections + 1}
			}
		}
		begins = whole
		switch {
		case err == io.EOF:
			return tail, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return tail, fmt.Errorf("flow data file: behind octet %d: %w", at, err)
		}
	}
}

// collectionStart is what the first line of a collection tells of its end.
type collectionStart struct {
	To    uint64 `json:"to"`
	EndNs int64  `json:"endNs"`
}

// startOf reads the first line of a collection, false if this is none.
func startOf(line []byte) (start collectionStart, ok bool) {
	switch {
	case bytes.HasPrefix(line, []byte(markTime)):
		c, err := parseTime(string(line[len(markTime):]))
		return collectionStart{To: c.To}, err == nil
	case bytes.HasPrefix(line, []byte(`{"record":"start"`)):
		err := json.Unmarshal(line, &start)
		return start, err == nil
	}
	return start, false
}

// IsOurs reports whether a file that begins with these octets, as many as Begins
// or all of it, was written by a Writer.
func IsOurs(begin []byte) bool {
	for _, head := range []string{markHead, jsonHead} {
		if n := min(len(head), len(begin)); string(begin[:n]) == head[:n] {
			return true
		}
	}
	return false
}

// Begins is how many octets IsOurs looks at.
const Begins = max(len(markHead), len(jsonHead))

const (
	jsonHead = `{"record":"header",`
	jsonEnd  = `{"record":"end",`
)
