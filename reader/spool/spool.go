package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config says what a spool may take.
type Config struct {
	// Limit is the most octets of all segments together, 0 for any number. The last
	// segment may go beyond it.
	Limit int64
	// Drop has the oldest segments be dropped when the spool is full.
	Drop bool
	// About returns what is to be told in place of a segment that is dropped, and of
	// those before it, of which before was told: nil if one thing cannot be told of all
	// of them. It may be nil: then nothing is told but numbers.
	About func(before json.RawMessage, s *Segment) (json.RawMessage, error)
}

// Spool is a folder of segments. It is safe for concurrent use.
type Spool struct {
	cfg    Config
	folder string
	lock   *os.File

	mu       sync.Mutex
	segments []*Segment // in order of number
	size     int64
	next     uint64 // number of the next segment
	outlets  map[string]*Outlet
	changed  chan struct{} // closed when segments or outlets change
	gaps     []Gap         // in order
	dropped  uint64
}

// Segment is a collection that waits to be sent.
type Segment struct {
	Number uint64 // 1 and up, without holes but for those that were dropped
	Size   int64
	Sealed time.Time
	path   string
}

// Open opens the segment's file.
func (s *Segment) Open() (*os.File, error) { return os.Open(s.path) }

const (
	segmentSuffix = ".jsonl"
	outletSuffix  = ".outlet"
	currentName   = "current" + segmentSuffix
	lockName      = "lock"
	numberDigits  = 16
)

// Open opens the spool in a folder, which is made if it is not there. Nobody else may
// have it open.
func Open(folder string, cfg Config) (*Spool, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	s := newSpool(folder, cfg)
	s.lock = lock
	if err := s.read(); err != nil {
		lock.Close()
		return nil, err
	}
	return s, nil
}

func newSpool(folder string, cfg Config) *Spool {
	return &Spool{cfg: cfg, folder: folder, next: 1, outlets: make(map[string]*Outlet), changed: make(chan struct{})}
}

// ErrInUse is an error of Open: somebody else has the spool.
var ErrInUse = errors.New("another rtfm has this spool")

// lockFolder locks a folder's lock file, as long as it is open.
func lockFolder(folder string) (*os.File, error) {
	path := filepath.Join(folder, lockName)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := Lock(lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: %w: %w", folder, ErrInUse, err)
	}
	// It may have been removed by Remove meanwhile.
	ours, err := lock.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(path); err == nil && !os.SameFile(ours, there) {
			err = fmt.Errorf("%s: %w", folder, ErrInUse)
		}
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// Look returns the status of the spool in a folder, which somebody else may have open.
func Look(folder string) (*Status, error) {
	s := newSpool(folder, Config{})
	if err := s.read(); err != nil {
		return nil, err
	}
	st := s.Status()
	return &st, nil
}

// read reads what is in the folder.
func (s *Spool) read() error {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		number, ok := segmentNumber(name)
		switch {
		case ok:
			info, err := e.Info()
			if errors.Is(err, os.ErrNotExist) && s.lock == nil {
				continue // it was sent meanwhile
			} else if err != nil {
				return err
			}
			if !info.Mode().IsRegular() {
				return fmt.Errorf("%s: this is no regular file", filepath.Join(s.folder, name))
			}
			s.segments = append(s.segments, &Segment{number, info.Size(), info.ModTime(), s.path(name)})
			s.size += info.Size()
			s.next = max(s.next, number+1)
		case strings.HasSuffix(name, outletSuffix):
			o, err := readOutlet(s, strings.TrimSuffix(name, outletSuffix))
			if err != nil {
				return err
			}
			s.outlets[o.name] = o
			s.next = max(s.next, o.state.Next)
		}
	}
	if err := s.readGaps(); err != nil {
		return err
	}
	if err := s.settleGaps(); err != nil {
		return err
	}
	// Names have the same length, so they are in order.
	first := s.next
	if len(s.segments) > 0 {
		first = s.segments[0].Number
	}
	if len(s.gaps) > 0 {
		first = min(first, s.gaps[0].First)
	}
	for _, o := range s.outlets {
		if o.damage != nil {
			o.state.Next = first
		}
	}
	return nil
}

// segmentNumber returns the number that a file's name is, false if it is none.
func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != numberDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && n > 0
}

func (s *Spool) path(name string) string { return filepath.Join(s.folder, name) }

// Folder returns the spool's folder.
func (s *Spool) Folder() string { return s.folder }

// Current is the name of the file that Seal makes a segment of. It is nobody's but the
// one who makes collections.
func (s *Spool) Current() string { return s.path(currentName) }

// Full reports whether the spool takes no segment now.
func (s *Spool) Full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.cfg.Drop && s.isFull()
}

func (s *Spool) isFull() bool { return s.cfg.Limit > 0 && s.size >= s.cfg.Limit }

// Seal makes a segment of the current file, which has one collection, complete and on the
// disk. Without a current file it does nothing.
func (s *Spool) Seal() error {
	info, err := os.Stat(s.Current())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.outlets) == 0 {
		return errors.New("the spool has no outlet")
	}
	seg := &Segment{s.next, info.Size(), info.ModTime(), s.path(fmt.Sprintf("%0*d%s", numberDigits, s.next, segmentSuffix))}
	if err := os.Rename(s.Current(), seg.path); err != nil {
		return err
	}
	if err := syncFolder(s.folder); err != nil {
		return err
	}
	s.next++
	s.segments = append(s.segments, seg)
	s.size += seg.Size
	for s.cfg.Drop && s.isFull() && len(s.segments) > 1 {
		if err := s.drop(); err != nil {
			return err
		}
	}
	s.tell()
	return nil
}

// Create makes an empty current file.
func (s *Spool) Create() (*os.File, error) {
	return os.OpenFile(s.Current(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// Discard removes the current file, for its collection has failed: on a full disk others
// have its room.
func (s *Spool) Discard() { os.Remove(s.Current()) }

// remove removes the first segment.
func (s *Spool) remove(seg *Segment) error {
	if err := os.Remove(seg.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.segments = s.segments[1:]
	s.size -= seg.Size
	return nil
}

// tidy removes segments, and forgets gaps, that all outlets have passed.
func (s *Spool) tidy() error {
	least := s.next
	for _, o := range s.outlets {
		if o.gets(o.state.Next) {
			least = min(least, o.state.Next)
		}
	}
	for len(s.segments) > 0 && s.segments[0].Number < least {
		if err := s.remove(s.segments[0]); err != nil {
			return err
		}
	}
	n := len(s.gaps)
	s.gaps = slices.DeleteFunc(s.gaps, func(g Gap) bool { return g.Last < least })
	if len(s.gaps) < n {
		return s.writeGaps()
	}
	return nil
}

// tell wakes those who wait for a change.
func (s *Spool) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Changed returns a channel that is closed when a segment has come or gone, or an outlet
// has moved on.
func (s *Spool) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Status is what is to be told of a spool.
type Status struct {
	Segments int
	Octets   int64
	Limit    int64
	Dropped  uint64 // segments since the spool was opened
	// Gaps are those that not all outlets were told of.
	Gaps    []Gap
	Outlets []OutletStatus
}

// Status returns that of the spool, outlets in order of name.
func (s *Spool) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Segments: len(s.segments), Octets: s.size, Limit: s.cfg.Limit, Dropped: s.dropped, Gaps: slices.Clone(s.gaps)}
	for _, name := range slices.Sorted(maps.Keys(s.outlets)) {
		st.Outlets = append(st.Outlets, s.outlets[name].status())
	}
	return st
}

// Close lets others have the spool.
func (s *Spool) Close() error { return s.lock.Close() }

// Remove closes a spool with no segment, and removes its files, and its folder unless
// there is something else in it.
func (s *Spool) Remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.lock.Close()
	if len(s.segments) > 0 {
		return fmt.Errorf("%s: there are segments in it", s.folder)
	}
	names := []string{currentName, gapsName, lockName}
	for name := range s.outlets {
		names = append(names, name+outletSuffix)
	}
	for _, name := range names {
		if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	os.Remove(s.folder) // which fails if there is something in it
	return nil
}

// replaceFile puts a file with this content in the place of another, on the disk.
func replaceFile(path string, content []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder has what was renamed in a folder be on the disk.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
