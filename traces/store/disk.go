package store

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

func sortFiles(files []File) {
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Number, b.Number) })
}

// disk writes chunks into the files of a store, and removes old ones.
type disk struct {
	cfg     *Config
	lock    *os.File
	files   []File   // those that have ended, in order
	file    *os.File // the one that is written, nil for none
	now     File
	index   index
	next    uint64 // the number of the next file
	direct  bool   // files are written around the system's cache
	chunks  uint32 // of the file
	scratch []byte // a chunk
	failed  *fails
	lossList
	indexing chan struct{} // closed when the index of the file that ended last is written, nil for none
	dirty    bool
	newest   int64 // time of packets
	fault    error // what went wrong last, nil when chunks can be written
	told     time.Time
}

// openDisk makes a store of the folder, and mends it if it is one already.
func openDisk(cfg *Config) (*disk, error) {
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(cfg.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	if err := lockFile(lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: another program stores packets there", cfg.Dir)
	}
	d := &disk{cfg: cfg, lock: lock, direct: true}
	if d.files, err = Files(cfg.Dir); err == nil {
		err = d.recover()
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	if n := len(d.files); n > 0 {
		d.next = d.files[n-1].Number + 1
	}
	return d, nil
}

func (d *disk) path(name string) string { return filepath.Join(d.cfg.Dir, name) }

// write writes a chunk; if that cannot be, its packets count as not stored.
func (d *disk) write(c *chunk) {
	for _, l := range c.losses {
		d.lost(l.Interface, l.Lost)
		if l.Unstored > 0 {
			d.unstored(l.Interface, l.Unstored, l.From, l.Until)
		}
	}
	err := d.try(c)
	for n := 0; n < 3 && errors.Is(err, syscall.ENOSPC) && d.removeOldest(); n++ {
		err = d.try(c)
	}
	if err == nil {
		d.fault = nil
		d.take()
		return
	}
	d.fault = err
	d.end() // what comes next begins a file
	if m := &c.mark; m.Packets > 0 {
		d.failed.packets.Add(uint64(m.Packets))
		d.failed.cut.Add(uint64(m.Cut))
		d.unstored(0, uint64(m.Packets), m.First, m.Last)
	}
	d.tell("packets are not stored", err)
}

// tell tells of an error of the disk, at most once a minute.
func (d *disk) tell(what string, err error) {
	if now := time.Now(); now.Sub(d.told) >= time.Minute {
		d.told = now
		d.cfg.Notify(fmt.Sprintf("%s: %v", what, err))
	}
}

// try writes a chunk, into a new file if it begins one or there is none.
func (d *disk) try(c *chunk) error {
	if c.begins || d.file == nil {
		d.end()
		if err := d.create(c); err != nil {
			return err
		}
		if !c.begins { // the file that it was for could not be written
			head := Mark{at: uint32(copy(d.scratch, c.head)), First: c.mark.First, Last: c.mark.First}
			head.End = head.at + markLen
			if err := d.put(d.scratch, c.head, &head, nil); err != nil {
				return err
			}
		}
	}
	return d.put(c.buf, c.head, &c.mark, d.list)
}

// put seals a chunk, of a file with this head, and writes it.
func (d *disk) put(b, head []byte, m *Mark, losses []Loss) error {
	m.Length, m.File, m.Number = filled(m.End, len(losses)), d.now.Number, d.chunks
	m.Lost, m.Unstored = 0, 0
	for i := range losses {
		m.Lost += losses[i].Lost
		m.Unstored += losses[i].Unstored
	}
	m.seal(b, losses)
	_, err := d.file.WriteAt(b[:m.Length], d.now.Size)
	if err != nil && d.direct && errors.Is(err, syscall.EINVAL) { // not this file system
		d.direct = false
		d.cfg.Notify(d.cfg.Dir + ": not written around the system's cache, since the file system refuses that")
		if err = cached(d.file); err == nil {
			_, err = d.file.WriteAt(b[:m.Length], d.now.Size)
		}
	}
	if err != nil {
		return err
	}
	d.index.add(m, d.now.Size)
	d.now.Size += int64(m.Length)
	d.index.flows.add(head, b[m.at+markLen:m.End], d.now.Size)
	d.chunks++
	d.dirty, d.newest = true, max(d.newest, m.Last)
	return nil
}

// create begins a file.
func (d *disk) create(c *chunk) (err error) {
	d.now = File{Name: fileName(c.mark.First, d.next), Number: d.next, Begins: c.mark.First}
	d.file, d.direct, err = createFile(d.path(d.now.Name), d.direct)
	if err != nil {
		return err
	}
	d.next++
	d.chunks, d.index = 0, index{flows: newFlows(d.cfg.Key)}
	allocate(d.file, d.cfg.FileSize)
	d.keepLimits()
	return nil
}

// end ends the file that is written.
func (d *disk) end() {
	f := d.file
	if f == nil {
		return
	}
	d.file = nil
	err := f.Truncate(d.now.Size) // what was allocated for it is free
	if d.now.Size == 0 {
		f.Close()
		os.Remove(f.Name())
		return
	}
	d.files = append(d.files, d.now)
	d.ended(errors.Join(err, f.Sync(), f.Close()))
	d.writeIndex()
}

// writeIndex writes the index of the file that has ended, while the next one is written.
func (d *disk) writeIndex() {
	d.waitForIndex()
	done := make(chan struct{})
	d.indexing = done
	ix, path, size := d.index, d.path(indexName(d.now.Name)), d.now.Size
	d.index = index{}
	go func() {
		defer close(done)
		d.ended(ix.write(path, size))
	}()
}

// waitForIndex returns when no index is being written.
func (d *disk) waitForIndex() {
	if d.indexing != nil {
		<-d.indexing
	}
}

// ended tells what went wrong, if anything, when a file ended.
func (d *disk) ended(err error) {
	if err != nil {
		d.cfg.Notify(fmt.Sprintf("ending a file of the store: %v", err))
	}
}

// tick does what is to be done each second.
func (d *disk) tick() {
	if d.dirty && d.file != nil {
		d.dirty = false
		if err := d.file.Sync(); err != nil {
			d.fault = err
			d.tell("packets may not be on the disk", err)
		}
	}
	d.keepLimits()
}

// keepLimits removes the oldest files as long as a limit is passed.
func (d *disk) keepLimits() {
	size := d.now.Size
	if d.file == nil {
		size = 0
	}
	for _, f := range d.files {
		size += f.Size
	}
	for len(d.files) > 0 {
		oldest := d.files[0]
		ends := d.now.Begins // of the next file
		if len(d.files) > 1 {
			ends = d.files[1].Begins
		}
		over := d.cfg.Size > 0 && size > d.cfg.Size ||
			d.cfg.Age > 0 && ends < d.newest-int64(d.cfg.Age) ||
			d.cfg.KeepFree > 0 && d.tight()
		if !over || !d.removeOldest() {
			return
		}
		size -= oldest.Size
	}
}

// tight reports whether less of the disk is free than is to be kept so.
func (d *disk) tight() bool {
	free, err := freeSpace(d.cfg.Dir)
	return err == nil && free < d.cfg.KeepFree
}

// removeOldest removes the oldest file that has ended, and reports whether there was one.
func (d *disk) removeOldest() bool {
	if len(d.files) == 0 {
		return false
	}
	if len(d.files) == 1 {
		d.waitForIndex() // which may be that of this file
	}
	name := d.files[0].Name
	d.files = d.files[1:]
	os.Remove(d.path(indexName(name)))
	err := os.Remove(d.path(name))
	return err == nil || errors.Is(err, os.ErrNotExist)
}

// close ends everything. The error is what could not be written last.
func (d *disk) close() error {
	d.waitForIndex()
	return errors.Join(d.fault, d.lock.Close())
}
