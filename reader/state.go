package reader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"rtfm/reader/spool"
)

// stateBegins is how each state begins, in the order of State's fields.
const stateBegins = `{"boot":`

// maxState is how long a state may be, in octets: of 10,000 interfaces it has
// some 300 KB.
const maxState = 16 << 20

// openState opens the file of a state, and locks it. It is never another file:
// no symbolic link is followed, and what does not begin as a state is left alone.
func openState(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: this is no regular file, and nothing was done to it", path)
	}
	st, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if err := spool.Lock(st); err != nil {
		st.Close()
		return nil, fmt.Errorf("%w: %w", errLocked, err)
	}
	begin := make([]byte, len(stateBegins))
	n, err := st.ReadAt(begin, 0)
	if err == io.EOF {
		err = nil
	}
	if begin = begin[:n]; err == nil && !bytes.HasPrefix([]byte(stateBegins), begin) && !empty(begin) {
		err = fmt.Errorf("%s: this is no state of a reader, and nothing was done to it", path)
	}
	if err != nil {
		st.Close()
		return nil, err
	}
	return st, nil
}

var errLocked = errors.New("another reader writes to this file")

// empty reports whether b is nothing or zeros, which a file has when the machine
// lost its power before what was written came to the disk.
func empty(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// readState returns the state that a file holds, nil if it is empty.
func readState(st *os.File) (*State, error) {
	text, err := io.ReadAll(io.NewSectionReader(st, 0, maxState))
	if err != nil || len(text) == 0 {
		return nil, err
	}
	known := new(State)
	// Behind it may stand the end of a longer one.
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(known); err != nil {
		return nil, fmt.Errorf("%s: damaged, and not used: the next collection has all flows that the meter has, and differences to none before: %w", st.Name(), err)
	}
	return known, nil
}
