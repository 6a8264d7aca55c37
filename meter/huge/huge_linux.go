// Package huge asks for memory in huge pages.
package huge

import (
	"syscall"
	"unsafe"
)

const page = 2 << 20 // octets

// Prefer asks the system to hold memory in huge pages where whole ones fit,
// so that what is looked for all over it takes fewer steps of address
// translation.
func Prefer[T any](s []T) {
	if len(s) == 0 {
		return
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
	skip := int(-uintptr(unsafe.Pointer(&b[0])) % page)
	if n := (len(b) - skip) / page * page; n > 0 {
		syscall.Madvise(b[skip:skip+n], syscall.MADV_HUGEPAGE) // no harm if it cannot
	}
}
