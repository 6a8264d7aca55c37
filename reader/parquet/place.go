package parquet

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rtfm/reader/spool"
)

// identity is what tells a collection from others.
type identity struct {
	Meter, Boot   string
	IntervalEndNs int64
	Flows         uint64
	rulesets      map[string]bool // hashes of those whose flows it has
}

// folder returns the path of the folder where the collection's file of a table stands.
func (id *identity) folder(root, table string) string {
	meter := escape(id.Meter)
	if meter == "" {
		meter = "__HIVE_DEFAULT_PARTITION__"
	}
	return filepath.Join(root, table, "meter="+meter, "day="+time.Unix(0, id.IntervalEndNs).UTC().Format(time.DateOnly))
}

// start returns what the file's name begins with. The rulesets' hash stands behind it: a
// trace that is metered again by other rules has the same meter, boot and intervals.
func (id *identity) start() string {
	return time.Unix(0, id.IntervalEndNs).UTC().Format("150405.000000000") + "-" + escape(id.Boot)
}

// name returns the file's name.
func (id *identity) name() string {
	h := sha256.New()
	for _, hash := range slices.Sorted(maps.Keys(id.rulesets)) {
		fmt.Fprintf(h, "%s\n", hash)
	}
	return fmt.Sprintf("%s-%.4x.parquet", id.start(), h.Sum(nil))
}

// mostName is how many octets a name has at most, before its hash if it would have more.
const mostName = 120

// escape returns a name that has only letters, digits and some signs that mean nothing to
// file systems, shells and patterns; others stand as % and two digits, which DuckDB and
// Hive take back.
func escape(name string) string {
	var out []byte
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			out = append(out, c)
		default:
			out = fmt.Appendf(out, "%%%02X", c)
		}
	}
	if len(out) > mostName {
		return fmt.Sprintf("%.*s-%.8x", mostName, out, sha256.Sum256([]byte(name)))
	}
	return string(out)
}

// write writes the file of a table. It has another name until all is on the disk and was
// read back, so that none with its name is ever half.
func (d *folder) write(table string, id *identity, rows func(*os.File) (sums, error)) error {
	in := id.folder(d.path, table)
	if err := makeFolder(in); err != nil {
		return err
	}
	temporary := filepath.Join(in, id.start()+".tmp")
	f, err := openTemporary(temporary)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := d.fill(table, f, rows); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := os.Rename(temporary, filepath.Join(in, id.name())); err != nil {
		return err
	}
	return syncFolder(in)
}

// fill writes rows to a file and reads it back.
func (d *folder) fill(table string, f *os.File, rows func(*os.File) (sums, error)) error {
	written, err := rows(f)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	t := d.flows
	if table != "flows" {
		t = d.collections
	}
	if err := written.check(f, t); err != nil {
		return fmt.Errorf("%s, read back: %w", f.Name(), err)
	}
	return nil
}

// openTemporary opens a file that is empty, and of this process alone.
func openTemporary(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if err := spool.Lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: another process writes it: %w", path, err)
	}
	// Who had the lock may have renamed it meanwhile.
	mine, err := f.Stat()
	if err == nil {
		var there fs.FileInfo
		if there, err = os.Stat(path); err == nil && !os.SameFile(mine, there) {
			err = fmt.Errorf("%s: another process has written it", path)
		}
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// makeFolder makes a folder and those above it, and has their names be on the disk.
func makeFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	above := filepath.Dir(path)
	if above != path {
		if err := makeFolder(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(above)
}

// syncFolder has what was renamed in a folder be on the disk.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
