package huge

import "unsafe"

// A Slab hands out pieces of memory that lie side by side in large ones. The
// zero Slab is ready to use.
type Slab[T any] struct {
	rest  []T
	given int
	later []byte // the huge pages that were not asked for yet
}

// page is the size of a huge page in octets.
const page = 2 << 20

// most is the size of the largest piece that a Slab makes, in octets.
const most = 16 << 20

// Take returns n elements that are zero. A Slab grows by as much memory as it
// has handed out, up to a limit, so that no more than half of it is spare.
func (s *Slab[T]) Take(n int) []T {
	if len(s.rest) < n {
		size := n * int(unsafe.Sizeof(*new(T)))
		s.rest = make([]T, n*max(1, min(s.given/n, most/max(size, 1))))
		s.later = pages(s.rest)
	}
	taken := s.rest[:n:n]
	s.rest = s.rest[n:]
	s.given += n
	s.ahead()
	return taken
}

// ahead asks for the huge page after the one that is being given.
func (s *Slab[T]) ahead() {
	for len(s.later) > 0 && len(s.rest) > 0 {
		at, next := uintptr(unsafe.Pointer(&s.rest[0])), uintptr(unsafe.Pointer(&s.later[0]))
		if at+page <= next {
			return
		}
		if at <= next { // else it is being given
			populate(s.later[:page])
		}
		s.later = s.later[page:]
	}
}

// Len returns how many elements there are, handed out or not.
func (s *Slab[T]) Len() int { return s.given + len(s.rest) }
