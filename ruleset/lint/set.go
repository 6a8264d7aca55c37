package lint

import (
	"bytes"
	"slices"

	"rtfm/ruleset/attr"
)

// number is an attribute's value, octets from the left.
type number [attr.MaxAddress]byte

func (n *number) compare(m *number) int { return bytes.Compare(n[:], m[:]) }

// next returns n+1, previous n-1, each in the first size octets.
func (n number) next(size int) number {
	for i := size - 1; i >= 0; i-- {
		if n[i]++; n[i] != 0 {
			break
		}
	}
	return n
}

func (n number) previous(size int) number {
	for i := size - 1; i >= 0; i-- {
		if n[i]--; n[i] != 0xff {
			break
		}
	}
	return n
}

// interval is all numbers from lo to hi.
type interval struct{ lo, hi number }

// set is what values an attribute may have: intervals in order that do not touch.
// Sets are never changed.
type set struct {
	size int // octets of the attribute
	list []interval
}

// universe returns the set of all values of an attribute.
func universe(a attr.Attr) *set {
	in := a.Info()
	var hi number
	for i := range in.Size {
		hi[i] = 0xff
	}
	if spare := 8*in.Size - a.Bits(); spare > 0 {
		hi[0] = 0xff >> spare // of what has no more than two octets
	}
	return &set{in.Size, []interval{{hi: hi}}}
}

// prefixed returns the values whose first width bits are those of v; ok is false if
// that takes more than an interval.
func prefixed(a attr.Attr, mask, value attr.Value) (iv interval, ok bool) {
	size := a.Info().Size
	width, ok := mask.Resize(size).Width()
	if !ok {
		return iv, false
	}
	iv.lo = value.Padded()
	iv.hi = iv.lo
	for bit := width; bit < 8*size; bit++ {
		iv.hi[bit/8] |= 0x80 >> (bit % 8)
	}
	return iv, true
}

func (s *set) empty() bool { return len(s.list) == 0 }

// from returns the place of the first interval that does not end before n.
func (s *set) from(n *number) int {
	i, _ := slices.BinarySearchFunc(s.list, n, func(iv interval, n *number) int {
		if iv.hi.compare(n) < 0 {
			return -1
		}
		return 1
	})
	return i
}

// split returns what of s is in an interval, and what is not.
func (s *set) split(by interval) (in, out *set) {
	at := s.from(&by.lo)
	end := at
	in = &set{size: s.size}
	var left, right []interval
	for ; end < len(s.list) && s.list[end].lo.compare(&by.hi) <= 0; end++ {
		iv := s.list[end]
		if iv.lo.compare(&by.lo) < 0 {
			left = append(left, interval{iv.lo, by.lo.previous(s.size)})
			iv.lo = by.lo
		}
		if iv.hi.compare(&by.hi) > 0 {
			right = append(right, interval{by.hi.next(s.size), iv.hi})
			iv.hi = by.hi
		}
		in.list = append(in.list, iv)
	}
	if in.empty() {
		return in, s
	}
	out = &set{size: s.size, list: make([]interval, 0, len(s.list)+1)}
	out.list = append(append(append(append(out.list, s.list[:at]...), left...), right...), s.list[end:]...)
	return in, out
}

// union returns what is in s or t.
func (s *set) union(t *set) *set {
	if s == t || t.empty() {
		return s
	}
	u := &set{size: s.size, list: make([]interval, 0, len(s.list)+len(t.list))}
	a, b := s.list, t.list
	for len(a)+len(b) > 0 {
		if len(a) == 0 || len(b) > 0 && b[0].lo.compare(&a[0].lo) < 0 {
			a, b = b, a
		}
		iv := a[0]
		a = a[1:]
		if n := len(u.list) - 1; n >= 0 {
			last := &u.list[n]
			after := last.hi.next(s.size)
			if after == (number{}) || iv.lo.compare(&after) <= 0 { // last ends with the greatest number, or touches
				if last.hi.compare(&iv.hi) < 0 {
					last.hi = iv.hi
				}
				continue
			}
		}
		u.list = append(u.list, iv)
	}
	return u
}

// holds reports whether n is in s.
func (s *set) holds(n *number) bool {
	i := s.from(n)
	return i < len(s.list) && s.list[i].lo.compare(n) <= 0
}

// only returns the one value of s, false if it has more or none.
func (s *set) only() (n number, ok bool) {
	if len(s.list) != 1 || s.list[0].lo != s.list[0].hi {
		return n, false
	}
	return s.list[0].lo, true
}
