package traces

import (
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
)

// mapLeast is the length in octets of the smallest file that is worth mapping.
const mapLeast = 1 << 20

// A Mapping is a file in the memory of the process. It is released when nobody
// refers to it any longer.
type Mapping struct {
	data []byte
	file *os.File
}

// ErrShortened is what became of a mapped file whose packets cannot be looked at.
var ErrShortened = errors.New("the file was made shorter, or fails, while it is read")

// Guard calls use, which looks at packets' Data that lie in the mapping, and
// returns an error if the file has become shorter, or cannot be read: then what
// use has seen may be wrong, and it may have been ended in the middle. The source
// goes on with what the file still has.
func (m *Mapping) Guard(use func()) (err error) {
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
	if st, err := m.file.Stat(); err == nil && st.Size() < int64(len(m.data)) {
		return ErrShortened
	}
	return nil
}

// mapFile puts a mapping of f, which in has read as far as its window goes, in
// the place of its buffer.
func (in *input) mapFile(f *os.File) {
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() < mapLeast || st.Size() != int64(int(st.Size())) || in.err != nil {
		return
	}
	data, err := mapMemory(f, int(st.Size()))
	if err != nil {
		return // it can be read all the same
	}
	if _, err := f.Seek(st.Size(), io.SeekStart); err != nil {
		return
	}
	in.mapping = &Mapping{data, f}
	runtime.AddCleanup(in.mapping, unmapMemory, data)
	in.buf, in.r, in.w = data, int(in.off), len(data)
}

// reread goes on without the mapping, by reading the file from off on.
func (in *input) reread(off int64) {
	_, in.err = in.mapping.file.Seek(off, io.SeekStart)
	in.buf, in.r, in.w, in.off = make([]byte, bufferSize), 0, 0, off
	in.mapping = nil
}

// unmap goes on without the mapping, by reading what the file has behind it.
func (in *input) unmap() {
	rest := in.window()
	in.buf = make([]byte, max(bufferSize, len(rest)))
	in.r, in.w = 0, copy(in.buf, rest)
	in.mapping = nil
}
