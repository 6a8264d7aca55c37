package store

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"rtfm/traces/format"
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
	beside  *os.File // with its marks, if it has none; nil else
	marks   int64    // octets of these
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
		removeParts(cfg.Dir)
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
	}
	if !c.begins && d.chunks == 0 && len(c.head) > 0 { // the file that it was for could not be written
		head := Mark{at: uint32(copy(d.scratch, c.head)), First: c.mark.First, Last: c.mark.First}
		head.End = head.at
		if marked(d.cfg.Format) {
			head.End += markLen
		}
		if err := d.put(d.scratch, c.head, &head, nil); err != nil {
			return err
		}
	}
	return d.put(c.buf, c.head, &c.mark, d.list)
}

// put seals a chunk, of a file with this head, and writes it.
func (d *disk) put(b, head []byte, m *Mark, losses []Loss) error {
	m.File, m.Number = d.now.Number, d.chunks
	m.Lost, m.Unstored = 0, 0
	for i := range losses {
		m.Lost += losses[i].Lost
		m.Unstored += losses[i].Unstored
	}
	packets := b[m.at:m.End]
	if marked(d.cfg.Format) {
		packets = packets[markLen:]
		m.Length = filled(m.End, len(losses))
		m.seal(b, losses)
	} else {
		m.Length = m.End
	}
	_, err := d.file.WriteAt(b[:m.Length], d.now.Size)
	if err != nil && d.direct && errors.Is(err, syscall.EINVAL) { // not this file system
		d.direct = false
		d.cfg.Notify(d.cfg.Dir + ": not written around the system's cache, since the file system refuses that")
		if err = cached(d.file); err == nil {
			_, err = d.file.WriteAt(b[:m.Length], d.now.Size)
		}
	}
	if err == nil && d.beside != nil {
		err = d.putBeside(b, *m, losses)
	}
	if err != nil {
		return err
	}
	d.index.add(m, d.now.Size)
	d.now.Size += int64(m.Length)
	d.index.flows.add(d.cfg.Format, head, packets, d.now.Size)
	d.chunks++
	d.dirty, d.newest = true, max(d.newest, m.Last)
	return nil
}

// putBeside writes the mark of a chunk that was written beside the file.
func (d *disk) putBeside(b []byte, m Mark, losses []Loss) error {
	k := besideMark{Mark: m, losses: losses, sum: crc32.Checksum(b[:m.Length], castagnoli)}
	n, err := d.beside.WriteAt(k.appendTo(nil), d.marks)
	if err == nil {
		d.marks += int64(n)
	}
	return err
}

// create begins a file.
func (d *disk) create(c *chunk) (err error) {
	d.now = newFile(d.cfg.Format, c.mark.First, d.next)
	if marked(d.cfg.Format) {
		d.file, d.direct, err = createFile(d.path(d.now.Name), d.direct)
	} else if d.file, _, err = createFile(d.path(d.now.Name), false); err == nil {
		d.marks = 0
		d.beside, _, err = createFile(d.path(marksName(d.now.Name)), false)
	}
	if err != nil {
		if d.file.Close() == nil {
			os.Remove(d.path(d.now.Name))
		}
		d.file = nil
		return err
	}
	d.next++
	d.chunks, d.index = 0, index{flows: newFlows(d.cfg)}
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
	if d.chunks == 0 { // none could be written
		f.Close()
		os.Remove(f.Name())
		if d.beside != nil {
			d.beside.Close()
			os.Remove(d.beside.Name())
			d.beside = nil
		}
		return
	}
	err := errors.Join(f.Truncate(d.now.Size), d.endBeside(f)) // what was allocated for it is free
	d.files = append(d.files, d.now)
	d.ended(errors.Join(err, f.Sync(), f.Close()))
	d.writeIndex()
}

// endBeside writes what the file ends with, if it has its marks beside it, and ends these.
func (d *disk) endBeside(f *os.File) error {
	if d.beside == nil {
		return nil
	}
	end := format.SectionEnd(d.cfg.Format, d.now.Size)
	_, err := f.WriteAt(end, d.now.Size)
	if err != nil {
		err = errors.Join(err, f.Truncate(d.now.Size))
	} else {
		d.now.Size += int64(len(end))
	}
	err = errors.Join(err, d.beside.Truncate(d.marks), d.beside.Sync(), d.beside.Close())
	d.beside = nil
	return err
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
		err := d.file.Sync()
		if d.beside != nil {
			err = errors.Join(err, d.beside.Sync())
		}
		if err != nil {
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
	os.Remove(d.path(marksName(name)))
	err := os.Remove(d.path(name))
	return err == nil || errors.Is(err, os.ErrNotExist)
}

// close ends everything. The error is what could not be written last.
func (d *disk) close() error {
	d.waitForIndex()
	return errors.Join(d.fault, d.lock.Close())
}
