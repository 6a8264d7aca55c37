package format

import (
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
)

// mapLeast is the length in octets of the smallest file that is worth mapping.
const mapLeast = 1 << 20

// mapping is a file in the memory of the process, a Mapping. It is released when it is
// no longer referenced.
type mapping struct {
	data []byte
	fd   int // of the file, the mapping's own
}

// ErrShortened means that packets of a mapped file can no longer be read.
var ErrShortened = errors.New("the file was made shorter, or fails, while it is read")

// Guard calls use, which looks at packets' Data in the mapping, and returns an
// error if the file has become shorter, or cannot be read: then what use has
// seen, and the source has read, may be wrong, and use may have been cut short.
// The source goes on with what the file still has.
func (m *mapping) Guard(use func()) error {
	if err := m.catch(use); err != nil {
		return err
	}
	if m.shortened() {
		return ErrShortened
	}
	return nil
}

// shortened reports whether the file is shorter than the mapping: then there may
// be zeros where its octets were.
func (m *mapping) shortened() bool {
	size, err := fileSize(m.fd)
	return err == nil && size < int64(len(m.data))
}

// catch calls use and returns an error if there is no memory where it looks.
func (m *mapping) catch(use func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer runtime.KeepAlive(m)
	defer func() {
		switch e := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }: // a runtime.Error of debug.SetPanicOnFault
			err = ErrShortened
		default:
			panic(e)
		}
	}()
	use()
	return nil
}

// mapFile puts a mapping of f, which in has read as far as its window goes, in
// the place of its buffer.
func (in *input) mapFile(f *os.File) {
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() < mapLeast || st.Size() != int64(int(st.Size())) || in.err != nil {
		return
	}
	m, err := newMapping(f, int(st.Size()))
	if err != nil {
		return // it can be read all the same
	}
	in.mapping, in.file = m, f
	in.buf, in.r, in.w = m.data, int(in.off), len(m.data)
}

// reread goes on without the mapping, by reading the file from off on; window is
// what it has there already.
func (in *input) reread(off int64, window []byte) {
	in.buf = make([]byte, max(bufferSize, len(window)))
	in.r, in.w, in.off = 0, copy(in.buf, window), off
	in.mapping = nil
	_, in.err = in.file.Seek(off+int64(in.w), io.SeekStart)
}
