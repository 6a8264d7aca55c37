//go:build unix

package cmd

import (
	"os"
	"syscall"
)

// isStandIn reports whether f, standard output, is what the Go runtime has opened
// because it was closed: /dev/null, for reading and writing. What is written there
// is lost, and nobody has asked for that.
//
// Shells open /dev/null for writing only, as `>/dev/null` tells. A parent that
// opens it for reading and writing cannot be told from none.
func isStandIn(f *os.File) bool {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_GETFL, 0)
	if errno != 0 || flags&syscall.O_ACCMODE != syscall.O_RDWR {
		return false
	}
	st, err := f.Stat()
	null, nullErr := os.Stat(os.DevNull)
	return err == nil && nullErr == nil && os.SameFile(st, null)
}

// closedOutput returns a file each write to which is an error.
func closedOutput() *os.File {
	fd, err := syscall.Dup(int(os.Stdout.Fd()))
	if err != nil {
		return os.Stdout
	}
	f := os.NewFile(uintptr(fd), "standard output")
	f.Close()
	return f
}
