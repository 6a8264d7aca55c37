// Package huge asks for memory in huge pages.
package huge

import (
	"syscall"
	"unsafe"
)

// madvPopulateWrite is MADV_POPULATE_WRITE, since Linux 5.14.
const madvPopulateWrite = 23

// Prefer asks the system to hold memory in huge pages where whole ones fit, so
// that random accesses take fewer steps of address translation.
func Prefer[T any](s []T) { pages(s) }

// pages is Prefer, and returns the whole huge pages that there are in s.
func pages[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
	skip := int(-uintptr(unsafe.Pointer(&b[0])) % page)
	n := (len(b) - skip) / page * page
	if n <= 0 {
		return nil
	}
	if syscall.Madvise(b[skip:skip+n], syscall.MADV_HUGEPAGE) != nil {
		return nil // no harm done
	}
	return b[skip : skip+n]
}

// populate has the system find memory for a page, on another processor if one is
// idle: to clear a huge page may take it milliseconds.
func populate(page []byte) { go syscall.Madvise(page, madvPopulateWrite) }
