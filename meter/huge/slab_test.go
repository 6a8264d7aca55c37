package huge

import "testing"

// TestSlab takes pieces that must be zero, of the length that was asked for and
// each of its own, and sees that no more memory is spare than was given.
func TestSlab(t *testing.T) {
	var s Slab[uint64]
	var pieces [][]uint64
	given := 0
	for i := range 3000 {
		n := 1 + i*7%4096
		p := s.Take(n)
		if len(p) != n || cap(p) != n {
			t.Fatalf("piece %d has %d elements and room for %d, want %d", i, len(p), cap(p), n)
		}
		for _, x := range p {
			if x != 0 {
				t.Fatalf("piece %d is not zero", i)
			}
		}
		for j := range p {
			p[j] = uint64(i) + 1
		}
		pieces = append(pieces, p)
		if given += n; s.Len() < given || s.Len() > 2*given+n {
			t.Fatalf("%d elements for %d that were given", s.Len(), given)
		}
	}
	for i, p := range pieces {
		for _, x := range p {
			if x != uint64(i)+1 {
				t.Fatalf("piece %d was written over", i)
			}
		}
	}
	if p := s.Take(0); len(p) != 0 {
		t.Errorf("a piece of %d elements, want none", len(p))
	}
}
