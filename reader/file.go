package reader

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
	"rtfm/ruleset/match"
)

// State is what has to be known of the collections in a file to go on with
// them.
type State struct {
	// Boot is the boot identifier of the meter, in hexadecimal; empty for one
	// without. Epoch is when its Uptime was 0, in nanoseconds since 1970.
	Boot  string `json:"boot"`
	Epoch int64  `json:"epochNs"`
	// To is the Uptime, in centiseconds, at which the latest collection ended,
	// and Collected the same for each ruleset that was read. ToNs is To in
	// nanoseconds since 1970.
	To        uint64         `json:"to"`
	ToNs      int64          `json:"toNs"`
	Collected map[int]uint64 `json:"collected"`
	// Counts are what the meter had counted then.
	Counts record.Counts `json:"counts"`
	// Intervals is the number of intervals of a trace that were collected.
	Intervals uint64 `json:"intervals,omitempty"`
	// Size is that of the file after the latest collection.
	Size int64 `json:"size"`
	// Run and Last are where in the file the first and the latest collection
	// of this run of the meter begin.
	Run  int64 `json:"run"`
	Last int64 `json:"last"`
	// Next is what is to be remembered instead if the file has one more
	// collection, after Size: it was being written.
	Next *State `json:"next,omitempty"`

	path string // of the file that it was found beside
}

// File is a flow data file to which collections are appended. It is open only
// while one is written: a file that was renamed meanwhile is started again.
type File struct {
	path   string
	state  *os.File    // open and locked as long as the File is in use
	size   int64       // of what is complete
	run    int64       // see State.Run
	last   int64       // see State.Last
	of     meterRun    // that run and last are about
	seen   os.FileInfo // the file whose size that is
	mode   os.FileMode // that a new one gets, but for what the umask takes away
	headed bool        // this process has written a header to it
	left   bool        // what is beyond size is a collection of ours that failed
	damage error       // why nothing is known
}

// meterRun tells one run of a meter from another.
type meterRun struct {
	boot  string
	epoch int64
}

// OpenFile makes the file of this name ready, cuts off a collection that is
// not complete, and returns what is known of those that are; nil if nothing
// is. The state is kept in a file of the same name with ".state" after it.
func OpenFile(path string) (*File, *State, error) {
	st, err := openState(path + ".state")
	if errors.Is(err, errLocked) {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	} else if err != nil {
		return nil, nil, err
	}
	f := &File{path: path, state: st, mode: 0o644}
	known, err := f.recover()
	if err != nil {
		st.Close()
		return nil, nil, err
	}
	return f, known, nil
}

// Damage tells why nothing is known although there is a state; nil if that is
// not so.
func (f *File) Damage() error { return f.damage }

// Close ends the use of the file.
func (f *File) Close() error { return f.state.Close() }

// recover reads the state and cuts off what is not complete.
func (f *File) recover() (*State, error) {
	var known *State
	known, f.damage = readState(f.state)
	data, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return known, nil
	} else if err != nil {
		return nil, err
	}
	defer data.Close()
	if err := spool.Lock(data); err != nil {
		return nil, fmt.Errorf("%s: %w, by whatever name: %w", f.path, errLocked, err)
	}
	info, err := data.Stat()
	if err != nil {
		return nil, err
	}
	var from int64
	if known != nil && known.Size <= info.Size() {
		from = known.Size // else it was started again
	}
	tail, err := f.complete(data, from, info.Size())
	if err != nil {
		return nil, err
	}
	f.size, f.seen, f.mode = from+tail.Size, info, info.Mode().Perm()
	f.run, f.last = f.size, f.size
	if known != nil {
		found := from > 0 || known.Size == 0
		known = known.with(&tail)
		known.path, known.Size = f.path, f.size
		if f.of = (meterRun{known.Boot, known.Epoch}); found {
			f.run, f.last = known.Run, known.Last
		}
		known.Run, known.Last = f.run, f.last
	}
	if err := data.Truncate(f.size); err != nil {
		return nil, fmt.Errorf("%s: cutting off an incomplete collection: %w", f.path, err)
	}
	return known, nil
}

// with returns what is known once the collections in the file's tail, after
// Size, are counted in.
func (s *State) with(tail *flowfile.Tail) *State {
	next := s.Next
	s.Next = nil
	switch {
	case tail.Collections == 0:
		return s // what was being written was cut off
	case tail.Collections == 1 && next != nil && next.To == tail.To:
		return next
	}
	// The state is of another program, or could not be written.
	s.Run, s.Last = s.Size+tail.Size, s.Size+tail.Size
	s.To, s.ToNs = tail.To, tail.EndNs
	if s.ToNs == 0 {
		s.ToNs = s.Epoch + int64(s.To)*match.Centisecond
	}
	s.Intervals += uint64(tail.Collections)
	for rs := range s.Collected {
		s.Collected[rs] = tail.To
	}
	return s
}

// complete looks beyond from for where the complete collections end of a file
// that has this size.
func (f *File) complete(data *os.File, from, size int64) (flowfile.Tail, error) {
	begin := make([]byte, min(int64(flowfile.Begins), size))
	if _, err := data.ReadAt(begin, 0); err != nil {
		return flowfile.Tail{}, err
	}
	if !flowfile.IsOurs(begin) {
		return flowfile.Tail{}, fmt.Errorf("%s: this is no flow data file, and nothing was done to it", f.path)
	}
	tail, err := flowfile.FindTail(io.NewSectionReader(data, from, size-from))
	if err != nil {
		err = fmt.Errorf("%s: %w", f.path, err)
	}
	return tail, err
}

// Remember writes the state.
func (f *File) Remember(s *State) error {
	if now := (meterRun{s.Boot, s.Epoch}); now != f.of {
		f.of, f.run, f.last = now, f.size, f.size
	}
	s.Size, s.Run, s.Last = f.size, f.run, f.last
	if s.Next != nil {
		s.Next.Run, s.Next.Last = f.run, f.size
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	// In place and at once: a process that is killed leaves the old state or
	// the new one, and on a full disk there is room for it.
	if _, err := f.state.WriteAt(b, 0); err != nil {
		return err
	}
	if err := f.state.Truncate(int64(len(b))); err != nil || s.Next == nil {
		return err
	}
	// It must be on the disk before the collection is.
	return f.state.Sync()
}

// Append calls write with the file open at its end. fresh tells that a header
// is wanted: the file is new, or this process has not yet written to it. If
// anything goes wrong, the file is as it was before.
func (f *File) Append(write func(w io.Writer, fresh bool) error) (err error) {
	data, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, f.mode)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := data.Close(); err == nil {
			err = closeErr
		}
	}()
	if err := f.toEnd(data); err != nil {
		return err
	}
	err = write(data, !f.headed)
	if err == nil {
		err = data.Sync()
	}
	if err != nil {
		cut := data.Truncate(f.size)
		f.left = cut != nil
		return errors.Join(err, cut)
	}
	f.last = f.size
	f.size, err = data.Seek(0, io.SeekCurrent)
	f.headed = true
	return err
}

// toEnd goes to the end of the complete collections, and cuts off what is after
// them.
func (f *File) toEnd(data *os.File) error {
	if err := spool.Lock(data); err != nil {
		return fmt.Errorf("%s: %w, by whatever name: %w", f.path, errLocked, err)
	}
	info, err := data.Stat()
	if err != nil {
		return err
	}
	switch {
	case f.seen == nil || !os.SameFile(f.seen, info) || info.Size() < f.size:
		// It is new, was renamed or cut, and maybe another put in its place.
		tail, err := f.complete(data, 0, info.Size())
		if err != nil {
			return err
		}
		f.seen, f.size, f.mode, f.headed = info, tail.Size, info.Mode().Perm(), false
		f.run, f.last = f.size, f.size
	case info.Size() > f.size && !f.left:
		tail, err := f.complete(data, f.size, info.Size())
		if err != nil {
			return err
		}
		if tail.Collections > 0 {
			return fmt.Errorf("%s: collections stand there that this reader has not made: %w, by whatever name", f.path, errLocked)
		}
	}
	if err := data.Truncate(f.size); err != nil {
		return err
	}
	f.left = false
	_, err = data.Seek(f.size, io.SeekStart)
	return err
}
