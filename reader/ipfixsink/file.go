package ipfixsink

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/record"
	"rtfm/reader/spool"
	"rtfm/traces/ipfix"
)

// file is the carrier into a file (RFC 5655). A collection is in it whole, and once: what
// a crash has left behind the last record of domain 0 is cut off.
type file struct {
	path string

	f        *os.File
	out      *bufio.Writer
	contents *contents
}

// fileMost is the most octets of a message in a file.
const fileMost = 16 << 10

func (f *file) begin(context.Context) (*session, bool, error) {
	if f.f != nil {
		return f.contents.session, false, nil
	}
	if err := f.open(); err != nil {
		return nil, false, err
	}
	return f.contents.session, false, nil
}

// open opens the file and finds out what it has.
func (f *file) open() (err error) {
	to, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return export.Refuse(err)
	}
	defer func() {
		if err != nil {
			to.Close()
		}
	}()
	if info, err := to.Stat(); err != nil || !info.Mode().IsRegular() {
		return export.Refuse(errors.Join(err, fmt.Errorf("%s is no regular file", f.path)))
	}
	if err := spool.Lock(to); err != nil {
		return export.Refuse(fmt.Errorf("%s: another rtfm writes this file: %w", f.path, err))
	}
	whole, err := readContents(to, -1)
	if err != nil {
		return export.Refuse(fmt.Errorf("%s: %w", f.path, err))
	}
	if _, err := to.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if f.contents, err = readContents(to, whole.end); err != nil {
		return err
	}
	if err := to.Truncate(whole.end); err != nil {
		return err
	}
	if _, err := to.Seek(whole.end, io.SeekStart); err != nil {
		return err
	}
	f.f, f.out = to, bufio.NewWriterSize(to, 1<<16)
	return nil
}

// check finds whether the file may be written, or made.
func (f *file) check(context.Context) error {
	to, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		to, err = os.CreateTemp(filepath.Dir(f.path), "rtfm-*.tmp")
		if err != nil {
			return err
		}
		return errors.Join(to.Close(), os.Remove(to.Name()))
	} else if err != nil {
		return err
	}
	defer to.Close()
	if info, err := to.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, fmt.Errorf("%s is no regular file", f.path))
	}
	if _, err := readContents(to, ipfix.HeaderLen); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

func (f *file) has(c *record.Collection) bool { return f.contents.collections[intervalOf(c)] }

func (f *file) write(message []byte) error {
	_, err := f.out.Write(message)
	return err
}

func (f *file) end(_ context.Context, c *record.Collection) error {
	if err := errors.Join(f.out.Flush(), f.f.Sync()); err != nil {
		return err
	}
	f.contents.collections[intervalOf(c)] = true
	return nil
}

// failed has the file opened anew, which cuts off what was written of a collection.
func (f *file) failed() { f.close() }

func (f *file) limits() (most int, again time.Duration) { return fileMost, 0 }

func (f *file) close() error {
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f = nil
	return err
}

// interval identifies a collection in a file as its last record tells it.
type interval struct{ from, to uint64 } // milliseconds, and a dateTimeNanoseconds

func intervalOf(c *record.Collection) interval {
	return interval{milliseconds(c.From), ipfix.Time(c.To)}
}
