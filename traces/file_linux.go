package traces

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// file reads a regular file by system calls that the Go scheduler is not told
// of. Their result is usually at hand; else the scheduler would give the
// processor of the goroutine that reads to another, and both would wait for
// each other more than they work.
type file struct {
	*os.File
	raw syscall.RawConn
}

// openedFile returns what reads f best.
func openedFile(f *os.File) io.Reader {
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
		if raw, err := f.SyscallConn(); err == nil {
			return &file{f, raw}
		}
	}
	return f
}

// Read implements io.Reader.
func (f *file) Read(b []byte) (int, error) {
	var n uintptr
	var errno syscall.Errno
	err := f.raw.Read(func(fd uintptr) bool {
		for {
			n, _, errno = syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
			if errno != syscall.EINTR {
				return true
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case errno != 0:
		return 0, &os.PathError{Op: "read", Path: f.Name(), Err: errno}
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	return int(n), nil
}
