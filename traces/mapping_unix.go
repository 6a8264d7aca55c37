//go:build unix

package traces

import (
	"os"
	"syscall"
)

func mapMemory(f *os.File, size int) ([]byte, error) {
	data, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	return data, os.NewSyscallError("mmap", err)
}

func unmapMemory(data []byte) { syscall.Munmap(data) }
