package prefetch

import "unsafe"

// lines prefetches what n pointers that stand one after the other point to.
//
//go:noescape
func lines(pointers unsafe.Pointer, n int)
