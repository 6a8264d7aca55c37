package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rtfm/traces/format"
)

// Export copies the chunks of a store that may have packets of a time to a new one in
// cfg.Dir, where cfg.Key is for its indexes. They are copied as they are, so there are
// packets around the time as well. It ends early when ctx is done. packets is how many
// there are, damaged what of the store could not be read, and err what ended it.
func Export(ctx context.Context, dir string, q Query, cfg Config) (packets uint64, covered Covered, damaged []error, err error) {
	s, err := Open(dir, q)
	if err != nil {
		return 0, covered, nil, err
	}
	if files, err := Files(cfg.Dir); err == nil && len(files) > 0 {
		return 0, covered, nil, fmt.Errorf("%s: has packets already, want a new folder", cfg.Dir)
	}
	if cfg.Notify == nil {
		cfg.Notify = func(string) {}
	}
	d, err := openDisk(&cfg)
	if err != nil {
		return 0, covered, nil, err
	}
	e := export{s: s, d: d}
	memory, err := alignedMemory(2 * chunkSize)
	if err == nil {
		d.scratch, e.buf = memory[:chunkSize], memory[chunkSize:]
	}
	for err == nil && len(s.files) > 0 && ctx.Err() == nil {
		f := s.files[0]
		s.files = s.files[1:]
		err = e.file(ctx, f)
		d.end()
		if e.unmarked { // what is missing is not known of the copy either
			err = errors.Join(err, os.Remove(d.path(marksName(d.now.Name))))
		}
	}
	return e.packets, s.covered, e.damaged, errors.Join(err, d.close())
}

// export copies chunks of a store to a disk.
type export struct {
	s       *Source
	d       *disk
	buf     []byte
	packets uint64
	damaged []error

	unmarked bool // marks of the file that was copied last are missing
}

// file copies those of a file.
func (e *export) file(ctx context.Context, f File) error {
	e.unmarked = false
	c, err := e.s.choose(f)
	if errors.Is(err, fs.ErrNotExist) {
		if e.s.mayHave(f) {
			e.s.covered.Removed++
			e.damaged = append(e.damaged, &format.Error{File: filepath.Join(e.s.dir, f.Name), Format: "store", Err: ErrRemoved})
		}
		return nil
	}
	if err != nil {
		return &format.Error{File: filepath.Join(e.s.dir, f.Name), Format: "store", Err: err}
	}
	defer c.file.Close()
	if len(c.places) == 0 {
		return nil
	}
	e.s.covered.Files++
	e.unmarked = c.file.fault != nil
	c.buf = e.buf
	e.d.cfg.Format = f.Format
	head, err := c.file.head(c.buf)
	if err != nil {
		e.damaged = append(e.damaged, &format.Error{File: c.path, Format: "store", Err: err})
		e.s.covered.Damaged += len(c.places)
		return nil
	}
	for _, p := range c.places {
		if ctx.Err() != nil {
			break
		}
		m, _, losses := c.read(p)
		if m == nil {
			continue
		}
		if !marked(f.Format) {
			m.End = m.Length // as it was in memory
		}
		e.d.list = losses
		if err := e.d.try(&chunk{buf: c.buf, head: head, begins: p.at == 0, mark: *m}); err != nil {
			return err
		}
		e.d.take()
		e.packets += uint64(m.Packets)
	}
	if c.damage != nil {
		e.damaged = append(e.damaged, c.damage)
	}
	return nil
}
