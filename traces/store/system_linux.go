package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// alignedMemory returns memory that files can be written from around the cache.
func alignedMemory(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

// createFile creates a file that is written around the system's cache, if that is
// wanted and can be, and returns whether it is.
func createFile(path string, direct bool) (*os.File, bool, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if direct {
		if f, err := os.OpenFile(path, flags|unix.O_DIRECT, 0o640); err == nil {
			return f, true, nil
		}
		os.Remove(path) // some file systems create it, and refuse then
	}
	f, err := os.OpenFile(path, flags, 0o640)
	return f, false, err
}

// cached has f written through the system's cache.
func cached(f *os.File) error {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, flags&^unix.O_DIRECT)
	}
	return err
}

// allocate makes room for a file where the file system can.
func allocate(f *os.File, size int64) { unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size) }

// freeSpace returns how many octets are free where dir is.
func freeSpace(dir string) (int64, error) {
	var st unix.Statfs_t
	err := unix.Statfs(dir, &st)
	return int64(st.Bavail) * st.Bsize, err
}

// lockFile keeps others from locking f as long as it is open.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
