//go:build !cgo

package cmd

import (
	"fmt"
	"syscall"
	"unsafe"
)

// giveUpCapabilities gives up all capabilities for good, of each thread.
func giveUpCapabilities() error {
	// struct __user_cap_header_struct and __user_cap_data_struct, twice, of
	// linux/capability.h: this process, and nothing effective, permitted or
	// inheritable.
	header := struct{ version, pid uint32 }{version: 0x20080522}
	var none [2]struct{ effective, permitted, inheritable uint32 }
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	if errno != 0 {
		return fmt.Errorf("give up capabilities: %w", errno)
	}
	return nil
}
