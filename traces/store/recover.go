package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// recover mends the newest file if its writer was killed: it is cut behind its last
// whole chunk, and gets its index. A file that is damaged elsewhere stays as it is.
func (d *disk) recover() error {
	n := len(d.files)
	if n == 0 {
		return nil
	}
	f := &d.files[n-1]
	if _, err := os.Stat(d.path(indexName(f.Name))); err == nil {
		return nil
	}
	ix, size, err := d.scan(*f)
	if err != nil {
		return err
	}
	if f.Size > size && marked(f.Format) {
		behind, err := wholeBehind(d.path(f.Name), size)
		if err != nil {
			return err
		}
		if behind {
			d.cfg.Notify(fmt.Sprintf("%s: damaged at offset %d, with whole chunks behind it: it stays as it is", f.Name, size))
			return nil
		}
	}
	if size == 0 {
		d.cfg.Notify(fmt.Sprintf("%s: the program that stored packets was killed before there were any", f.Name))
		d.files = d.files[:n-1]
		os.Remove(d.path(marksName(f.Name)))
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

// removeParts removes what a writer that was killed has left of indexes and marks that
// were not whole yet.
func removeParts(dir string) {
	entries, _ := os.ReadDir(dir) // what is left is of no harm
	for _, e := range entries {
		name, isPart := strings.CutSuffix(e.Name(), ".new")
		suffix := filepath.Ext(name)
		_, isOurs := parseName(strings.TrimSuffix(name, suffix) + formats[0].suffix)
		if isPart && isOurs && (suffix == indexSuffix || suffix == marksSuffix) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// scan reads all chunks of a file, and returns its index and where its last whole chunk
// ends. Marks beside the file are written anew, with what is behind them.
func (d *disk) scan(f File) (ix index, size int64, err error) {
	fl := newFlows(d.cfg)
	c, err := openChunks(d.cfg.Dir, f)
	if err != nil {
		return ix, 0, err
	}
	defer c.Close()
	b := make([]byte, chunkSize)
	head, err := c.head(b)
	if err != nil {
		return ix, 0, nil
	}
	for {
		m, packets, _, err := c.read(b, len(ix.chunks), size)
		if err != nil || m.Number != uint32(len(ix.chunks)) {
			break
		}
		ix.add(&m, size)
		size += int64(m.Length)
		fl.add(f.Format, head, packets, size)
	}
	ix.flows = fl
	if marked(f.Format) {
		return ix, size, nil
	}
	return d.scanBeside(&c, f, ix)
}

// scanBeside is scan for a file with marks beside it, whose chunks of the index are
// whole.
func (d *disk) scanBeside(c *chunkFile, f File, ix index) (index, int64, error) {
	marks, size, err := walk(c.marks[:len(ix.chunks)], f, c.File) // what was damaged, and is behind that
	if err != nil || len(marks) == 0 {
		return ix, 0, err
	}
	var side []byte
	for i := range marks {
		side = marks[i].appendTo(side)
	}
	if len(marks) > len(ix.chunks) {
		ix = indexOf(marks)
	}
	path := d.path(marksName(f.Name))
	if err := os.WriteFile(path+".new", side, 0o640); err != nil {
		return ix, 0, err
	}
	return ix, size, os.Rename(path+".new", path)
}

// wholeBehind reports whether a file has a whole chunk behind an offset at which there is
// none: then it was not a killed writer that has left it so.
func wholeBehind(path string, at int64) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	b, chunk := make([]byte, chunkSize), make([]byte, chunkSize)
	for {
		n, err := f.ReadAt(b, at)
		for i := 0; i+markLen <= n; i += align {
			if string(b[i+8:i+16]) != magic {
				continue
			}
			if _, err := readChunk(f, chunk, at+int64(i)); err == nil {
				return true, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		at += chunkSize
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
