package compile

import (
	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// listKey is a list of operands, compared with an attribute.
type listKey struct {
	test *srl.Test
	attr ruleset.Attr
}

// list reads the operands of a test and puts them in the order in which the
// rules test them. The first operand of the program that matches is also the
// first of this order that does, so that what an IF saves does not change.
func (c *compiler) list(ref reference, e *srl.Test) []operand {
	key := listKey{e, ref.attr}
	if list, ok := c.lists[key]; ok {
		return list
	}
	// For the attribute of a packet's other end it is the same list; what there
	// was to say of it need not be said again unless it is an error.
	if list, ok := c.lists[listKey{e, ref.attr.Reverse()}]; ok && len(c.errs) == 0 && !ref.any {
		return list
	}
	list := make([]operand, 0, len(e.Operands))
	seen := newCover()
	warned := ref.class() == ruleset.ClassMatching // 0 and 2 are the same there
	for i := range e.Operands {
		o, ok := c.operand(ref, e.Operands[i])
		switch {
		case !ok || ref.any:
			continue
		case o.never():
			c.warnf(e.Operands[i].Value.Place, "this can never match: the value has bits outside of its mask")
			continue
		}
		if by, ok := seen.covers(o); ok && ref.class() != ruleset.ClassMatching {
			if !warned {
				c.warnf(e.Operands[i].Value.Place, "%s is covered by %s in front of it", e.Operands[i], e.Operands[by])
				warned = true
			}
			continue
		}
		seen.add(o, i)
		list = append(list, o)
	}
	if seen.prefixes {
		// What overlaps is one inside the other, and no operand is inside one
		// in front of it: the longest masks first keep that order.
		list = widestFirst(list)
	}
	c.lists[key] = list
	return list
}

// widestFirst returns operands, whose masks are a number of leading ones, in the
// order of these numbers, the greatest first, and else in the order they have.
func widestFirst(list []operand) []operand {
	var byWidth [8*ruleset.MaxAddress + 1][]operand
	for _, o := range list {
		w, _ := o.mask.Width()
		byWidth[w] = append(byWidth[w], o)
	}
	sorted := make([]operand, 0, len(list))
	for w := len(byWidth) - 1; w >= 0; w-- {
		sorted = append(sorted, byWidth[w]...)
	}
	return sorted
}

// cover knows a list of operands, to tell whether another one can still
// match something that they do not.
type cover struct {
	prefixes bool // all masks are a number of leading ones
	// byWidth holds, for masks of so many leading ones, the values and where
	// they stand in the list; others those of other masks.
	byWidth map[int]map[[ruleset.MaxAddress]byte]int
	widths  []int
	masks   []ruleset.Value // of widths
	others  map[[2][ruleset.MaxAddress]byte]int
}

func newCover() *cover {
	return &cover{
		prefixes: true,
		byWidth:  map[int]map[[ruleset.MaxAddress]byte]int{},
		others:   map[[2][ruleset.MaxAddress]byte]int{},
	}
}

// add takes the operand at place i of the list.
func (s *cover) add(o operand, i int) {
	w, ok := o.mask.Width()
	if !ok {
		s.prefixes = false
		s.others[[2][ruleset.MaxAddress]byte{o.mask.Padded(), o.value.Padded()}] = i
		return
	}
	if s.byWidth[w] == nil {
		s.byWidth[w] = map[[ruleset.MaxAddress]byte]int{}
		s.widths = append(s.widths, w)
		s.masks = append(s.masks, ruleset.WidthMask(w, ruleset.MaxAddress))
	}
	s.byWidth[w][o.value.Padded()] = i
}

// covers tells whether an operand of the list matches whatever o does, and
// where it stands.
func (s *cover) covers(o operand) (int, bool) {
	width, ok := o.mask.Width()
	if !ok {
		i, found := s.others[[2][ruleset.MaxAddress]byte{o.mask.Padded(), o.value.Padded()}]
		return i, found
	}
	for n, w := range s.widths {
		if w > width {
			continue
		}
		if i, found := s.byWidth[w][o.value.And(s.masks[n]).Padded()]; found {
			return i, true
		}
	}
	return 0, false
}
