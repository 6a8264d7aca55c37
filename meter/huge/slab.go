package huge

import "unsafe"

// A Slab gives memory in pieces that stand side by side in large ones. The zero
// Slab is ready to use.
type Slab[T any] struct {
	rest  []T
	given int
}

// most is the size of the largest piece that a Slab makes, in octets.
const most = 16 << 20

// Take returns n elements that are zero. A Slab makes as much memory as it has
// given, up to a limit, so that no more than half of it is spare.
func (s *Slab[T]) Take(n int) []T {
	if len(s.rest) < n {
		size := n * int(unsafe.Sizeof(*new(T)))
		s.rest = make([]T, n*max(1, min(s.given/n, most/max(size, 1))))
		Prefer(s.rest)
	}
	taken := s.rest[:n:n]
	s.rest = s.rest[n:]
	s.given += n
	return taken
}

// Len returns how many elements there are, given or not.
func (s *Slab[T]) Len() int { return s.given + len(s.rest) }
