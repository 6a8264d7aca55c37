package format

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// compressors are those that can be written, by the suffix of a file's name.
var compressors = map[string]func(w io.Writer) (io.WriteCloser, error){
	".gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	".zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) },
	".xz":  func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
}

// File is a trace file that is being written. It has a temporary name until
// Commit, so that nobody takes half a trace for the whole.
type File struct {
	*Writer
	compressor io.WriteCloser // nil for none
	file       *os.File
	name       string // the file's name in the end
	temporary  bool   // file still has another name
}

// Create begins a trace file. Its format and compression follow from the
// suffixes of its name, such as .pcap or .erf.gz; a format may also stand
// before the name, as in "erf:trace.dat". "-" is standard output, pcapng if no
// format is given. NewWriter explains snap. Commit replaces a file of the same
// name.
func Create(name string, snap uint32) (*File, error) {
	format, path, compress, err := parseName(name)
	if err != nil {
		return nil, err
	}
	f := &File{name: path}
	if f.file, err = f.create(); err != nil {
		return nil, err
	}
	var w io.Writer = f.file
	if compress != nil {
		if f.compressor, err = compress(w); err != nil {
			f.Abort()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		w = f.compressor
	}
	if f.Writer, err = NewWriter(w, path, format, snap); err != nil {
		f.Abort()
		return nil, err
	}
	return f, nil
}

// parseName returns the format, the path and the compressor, nil for none, of
// a trace to be written.
func parseName(name string) (format, path string, compress func(io.Writer) (io.WriteCloser, error), err error) {
	if prefix, rest, ok := strings.Cut(name, ":"); ok {
		for _, r := range recorders {
			if r.name == prefix {
				return prefix, rest, compressors[filepath.Ext(rest)], nil
			}
		}
	}
	if name == "-" {
		return "pcapng", name, nil, nil
	}
	base := name
	if compress = compressors[filepath.Ext(name)]; compress != nil {
		base = strings.TrimSuffix(name, filepath.Ext(name))
	}
	var known []string
	for _, r := range recorders {
		if slices.Contains(r.suffixes, filepath.Ext(base)) {
			return r.name, name, compress, nil
		}
		known = append(known, r.suffixes[0])
	}
	return "", "", nil, fmt.Errorf("%s: no format: want a name that ends in %s, with .gz, .zst or .xz behind it, or one like %s:%s",
		name, strings.Join(known, ", "), recorders[0].name, name)
}

// create opens the file to write to: one with another name beside it, but
// what is there and no regular file itself.
func (f *File) create() (*os.File, error) {
	if f.name == "-" {
		return os.Stdout, nil
	}
	if real, err := filepath.EvalSymlinks(f.name); err == nil {
		f.name = real
	}
	old, err := os.Stat(f.name)
	if err == nil && !old.Mode().IsRegular() {
		return os.OpenFile(f.name, os.O_WRONLY, 0)
	}
	mode := os.FileMode(0o666)
	if err == nil {
		mode = old.Mode().Perm()
	}
	f.temporary = true
	dir, base := filepath.Split(f.name)
	for n := 0; ; n++ {
		file, err := os.OpenFile(fmt.Sprintf("%s.%s.%d-%d", dir, base, os.Getpid(), n), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err == nil && old != nil {
			file.Chmod(mode) // whatever the umask; where it cannot be, it is less
		}
		if !errors.Is(err, os.ErrExist) || n == 100 {
			return file, err
		}
	}
}

// Commit writes the end of the trace and gives the file its name.
func (f *File) Commit() error { return f.commit(f.name) }

// CommitPart is Commit for an incomplete trace: the file gets the name that is
// returned, and an existing file under the final name stays. Where there is no
// other name, as for standard output, it is the same as Commit.
func (f *File) CommitPart() (name string, err error) {
	if !f.temporary {
		return f.name, f.Commit()
	}
	name = f.name + ".part"
	return name, f.commit(name)
}

// commit does what Commit does, with this name.
func (f *File) commit(name string) error {
	err := f.Writer.Close()
	if f.compressor != nil {
		err = errors.Join(err, f.compressor.Close())
		f.compressor = nil
	}
	if err != nil {
		f.Abort()
		return err
	}
	if err := f.file.Close(); err != nil {
		f.Abort()
		return err
	}
	if f.temporary {
		f.temporary = false
		return os.Rename(f.file.Name(), name)
	}
	return nil
}

// Abort abandons the file: what was written is removed, unless it went to
// standard output or the like. It does nothing after Commit.
func (f *File) Abort() {
	f.file.Close()
	if f.temporary {
		f.temporary = false
		os.Remove(f.file.Name())
	}
}
