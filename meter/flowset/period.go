package flowset

import (
	"cmp"
	"slices"
)

// holds reports whether a packet that came at t in direction d is of the period.
func (p *Period) holds(d Directions, t int64) bool {
	return p.First <= t && t <= p.Last && p.Directions&d != 0
}

// extend makes p what it and q are together if they overlap, else it returns false.
func (p *Period) extend(q Period) bool {
	if q.First > p.Last || p.First > q.Last {
		return false
	}
	p.First, p.Last = min(p.First, q.First), max(p.Last, q.Last)
	p.Directions |= q.Directions
	return true
}

// spans are periods of flows with the same key, one of which began after the other
// was forgotten.
type spans struct {
	list   []Period
	sorted bool // by time, and none overlap
}

func (s *spans) add(p Period) {
	if n := len(s.list); n > 0 && s.list[n-1].extend(p) {
		s.sorted = false
		return
	}
	s.list, s.sorted = append(s.list, p), false
}

// sort puts the periods in order, and those together that overlap.
func (s *spans) sort() {
	slices.SortFunc(s.list, func(a, b Period) int { return cmp.Compare(a.First, b.First) })
	n := 0
	for _, p := range s.list {
		if n > 0 && s.list[n-1].extend(p) {
			continue
		}
		s.list[n] = p
		n++
	}
	s.list, s.sorted = s.list[:n], true
}

// holds reports whether a packet that came at t in direction d is of any of them.
func (s *spans) holds(d Directions, t int64) bool {
	if !s.sorted {
		s.sort()
	}
	n, found := slices.BinarySearchFunc(s.list, t, func(p Period, t int64) int { return cmp.Compare(p.First, t) })
	if !found {
		n--
	}
	return n >= 0 && s.list[n].holds(d, t)
}
