package store

import (
	"fmt"
	"os"
)

// recover mends the newest file if its writer was killed: it is cut behind its last
// whole chunk, and gets its index.
func (d *disk) recover() error {
	n := len(d.files)
	if n == 0 {
		return nil
	}
	f := &d.files[n-1]
	if _, err := os.Stat(d.path(indexName(f.Name))); err == nil {
		return nil
	}
	ix, size, err := scan(d.path(f.Name), newFlows(d.cfg.Key))
	if err != nil {
		return err
	}
	if size == 0 {
		d.cfg.Notify(fmt.Sprintf("%s: the program that stored packets was killed before there were any", f.Name))
		d.files = d.files[:n-1]
		return os.Remove(d.path(f.Name))
	}
	if f.Size > size {
		if err := os.Truncate(d.path(f.Name), size); err != nil {
			return err
		}
		f.Size = size
	}
	d.cfg.Notify(fmt.Sprintf("%s: the program that stored packets was killed; %d packets of this file are there", f.Name, ix.packets()))
	return ix.write(d.path(indexName(f.Name)), size)
}

// scan reads all chunks of a file, whose flows fl collects, and returns its index and
// where its last whole chunk ends.
func scan(path string, fl *flows) (ix index, size int64, err error) {
	ix.flows = fl
	f, err := os.Open(path)
	if err != nil {
		return ix, 0, err
	}
	defer f.Close()
	b := make([]byte, chunkSize)
	var head []byte
	for {
		m, err := readChunk(f, b, size)
		if err != nil {
			return ix, size, nil
		}
		if m.Number != uint32(len(ix.chunks)) {
			return ix, size, nil
		}
		if m.at > 0 {
			head = append([]byte(nil), b[:m.at]...)
		}
		ix.add(&m, size)
		size += int64(m.Length)
		fl.add(head, b[m.at+markLen:m.End], size)
	}
}

// readChunk reads the chunk at an offset of f into b, which has chunkSize octets, and
// checks it.
func readChunk(f *os.File, b []byte, at int64) (Mark, error) {
	n, err := f.ReadAt(b, at)
	if n == 0 && err != nil {
		return Mark{}, err
	}
	m, err := readMark(b[:n])
	if err == nil {
		err = m.check(b[:n])
	}
	return m, err
}
