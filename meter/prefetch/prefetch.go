// Package prefetch fetches from memory what is needed soon, many things together, so
// that the fetches overlap.
package prefetch

import "unsafe"

// Lines reads from where these point to. They may be nil.
//
// The instructions that processors have for this are no better: where memory is that of
// a virtual machine, they were slower than reads that have nothing between them.
func Lines[T any](all []*T) {
	sum := byte(0)
	for _, p := range all {
		if p != nil {
			sum += *(*byte)(unsafe.Pointer(p))
		}
	}
	keep(sum)
}

// keep keeps the compiler from leaving out what gives n.
//
//go:noinline
func keep(byte) {}
