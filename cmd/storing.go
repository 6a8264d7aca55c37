package cmd

import (
	"errors"
	"fmt"
	"time"

	"rtfm/traces"
	"rtfm/traces/store"
)

// storing is the store of a command, nil for none.
type storing struct {
	*store.Writer
	dir string
}

// storeFlush is how long captured packets may be in memory only.
const storeFlush = time.Second

// open opens the store, unless there is to be none. notify is told what someone who
// looks at it should know.
func (o *storeOptions) open(live bool, notify func(message string)) (*storing, error) {
	if o.dir == "" {
		return nil, nil
	}
	c := store.Config{
		Dir: o.dir, Format: storeFormats[o.format], Buffer: int64(o.buffer), FileSize: int64(o.fileSize), Rotate: seconds(o.rotate),
		Size: int64(o.limit), KeepFree: int64(o.keepFree), Age: seconds(o.age), Key: keyOf(), Tuple: tupleOf, Notify: notify,
	}
	if o.headers {
		c.Keep = headersOf
	}
	if o.cutoff > 0 {
		c.Cutoff, c.FlowKey, c.Headers = uint64(o.cutoff), keyOf(), headersOf
	}
	if c.Wait = !live; live {
		c.Flush = storeFlush
	}
	w, err := store.NewWriter(c)
	if err != nil {
		return nil, err
	}
	return &storing{w, o.dir}, nil
}

// tee returns a source whose packets are stored as they are read.
func (s *storing) tee(src traces.Source) traces.Source {
	if s == nil {
		return src
	}
	return s.Tee(src)
}

// finish writes what is left when err has come of metering, tells what was stored, and
// returns err, or that packets are missing. If tell is nil nothing is told.
func (s *storing) finish(err error, tell func(text string)) error {
	if s == nil {
		return err
	}
	if tell == nil {
		tell = func(string) {}
	}
	fault := s.Close()
	t := s.Totals()
	tell(fmt.Sprintf("%d packets are stored in %s", t.Packets, s.dir))
	if text := cutText(&t); text != "" {
		tell(text)
	}
	missing := t.Unstored + t.Unfit
	switch {
	case err != nil || fault == nil && missing == 0:
		if missing > 0 {
			tell(fmt.Sprintf("%d packets are not stored", missing))
		}
		return err
	case t.Unstored == 0 && fault == nil:
		fault = errors.New("no file can hold them")
	case fault == nil:
		fault = errors.New("the disk was too slow or full; rtfm store info tells when")
	}
	return &exitError{status: StatusFull, err: fmt.Errorf("%s: %d packets are not stored: %w", s.dir, missing, fault)}
}
