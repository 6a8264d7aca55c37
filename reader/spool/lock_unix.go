//go:build unix

package spool

import (
	"os"
	"syscall"
)

// Lock keeps others from locking f as long as it is open.
func Lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
