//go:build unix

package format

import (
	"os"
	"runtime"
	"syscall"
)

// newMapping maps the first size octets of f.
func newMapping(f *os.File, size int) (*mapping, error) {
	data, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		syscall.Munmap(data)
		return nil, err
	}
	syscall.CloseOnExec(fd)
	m := &mapping{data, fd}
	runtime.AddCleanup(m, func(m mapping) {
		syscall.Munmap(m.data)
		syscall.Close(m.fd)
	}, *m)
	return m, nil
}

// fileSize returns the present length of a file in octets.
func fileSize(fd int) (int64, error) {
	var st syscall.Stat_t
	err := syscall.Fstat(fd, &st)
	return st.Size, err
}
