//go:build unix

package reader

import (
	"os"
	"syscall"
)

// noFollow keeps open from following a symbolic link.
const noFollow = syscall.O_NOFOLLOW

// lock keeps others from locking f as long as it is open.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
