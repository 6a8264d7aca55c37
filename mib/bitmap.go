package mib

import "math/bits"

// bitmap is a set of numbers from 0 on.
type bitmap []uint64

// with returns the set with number i in it, in b's memory if that is enough.
func (b bitmap) with(i int) bitmap {
	for len(b) <= i/64 {
		b = append(b, 0)
	}
	b[i/64] |= 1 << (i % 64)
	return b
}

// has reports whether number i is in the set.
func (b bitmap) has(i int) bool { return i/64 < len(b) && b[i/64]>>(i%64)&1 != 0 }

// next returns the first number from i on that is in the set, -1 if there is none.
func (b bitmap) next(i int) int {
	for at := i / 64; at < len(b); at++ {
		word := b[at]
		if at == i/64 {
			word &= ^uint64(0) << (i % 64)
		}
		if word != 0 {
			return 64*at + bits.TrailingZeros64(word)
		}
	}
	return -1
}
