//go:build !amd64

package prefetch

import "unsafe"

// lines reads what n pointers that stand one after the other point to: so the fetches
// overlap at least.
func lines(pointers unsafe.Pointer, n int) {
	sum := byte(0)
	for _, p := range unsafe.Slice((**byte)(pointers), n) {
		if p != nil {
			sum += *p
		}
	}
	keep(sum)
}

// keep keeps the compiler from leaving out what gives n.
//
//go:noinline
func keep(byte) {}
