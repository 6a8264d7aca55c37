package compile

import (
	"fmt"
	"slices"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/srl"
)

// listKey is a list of operands, compared with an attribute.
type listKey struct {
	test *srl.Test
	attr attr.Attr
}

// operands are those of a test as rules test them. If inverted is set, the test
// is true when none matches.
type operands struct {
	list     []operand
	inverted bool
}

// list reads the operands of a test and puts them in the order in which the
// rules test them. The first operand of the program that matches is also the
// first of this order that does, so that what an IF saves does not change.
func (c *compiler) list(ref reference, e *srl.Test) operands {
	key := listKey{e, ref.attr}
	if list, ok := c.lists[key]; ok {
		return list
	}
	// For the attribute of a packet's other end it is the same list; what there
	// was to say of it need not be said again unless it is an error.
	if list, ok := c.lists[listKey{e, ref.attr.Reverse()}]; ok && len(c.errs) == 0 && !ref.any {
		return list
	}
	if e.Table != nil {
		c.lists[key] = operands{c.table(ref, e.Table).list, e.Op == srl.NotEqual}
		return c.lists[key]
	}
	if c.spend(len(e.Operands)); c.full() {
		return operands{}
	}
	inverted := c.read(ref, e)
	if c.full() {
		return operands{}
	}
	list := c.operands[:c.needed(ref, e, c.operands, c.places)]
	if slices.ContainsFunc(list, func(o operand) bool { return o.width < 0 }) {
		list = slices.Clone(list)
	} else {
		// What overlaps is one inside the other, and no operand is inside one
		// in front of it: the longest masks first keep that order.
		list = widestFirst(list)
	}
	c.lists[key] = operands{list, inverted != (e.Op == srl.NotEqual)}
	return c.lists[key]
}

// read reads the operands of a test into c.operands, ranges as the prefixes that
// they take. If inverted is set, these are for what the one range does not hold.
func (c *compiler) read(ref reference, e *srl.Test) (inverted bool) {
	c.operands, c.places = slices.Grow(c.operands[:0], len(e.Operands)), slices.Grow(c.places[:0], len(e.Operands))
	for i := range e.Operands {
		if c.full() {
			return inverted
		}
		from := &e.Operands[i]
		if from.To.Text == "" && (e.Op == srl.Equal || e.Op == srl.NotEqual) {
			if o, ok := c.operand(ref, from); ok && !ref.any {
				c.operands, c.places = append(c.operands, o), append(c.places, int32(i))
			}
			continue
		}
		spans, inv, ok := c.spans(ref, e, from)
		if !ok {
			continue
		}
		inverted = inv
		for _, s := range spans {
			s.prefixes(func(first wide, free int) bool {
				width := 8*s.octets - free
				c.operands = append(c.operands, operand{
					mask: attr.WidthMask(width, s.octets), value: canonical(ref.attr, first.value(s.octets)),
					width: int16(width), from: from, span: true,
				})
				c.places = append(c.places, int32(i))
				if len(c.operands) > c.maxNodes {
					c.tooLong("takes more than %d rules", c.maxNodes)
				}
				return !c.full()
			})
		}
	}
	return inverted
}

// needed moves the operands of a list that can match what those in front of
// them do not to its beginning and returns their number. at is where they stand
// in the test.
func (c *compiler) needed(ref reference, e *srl.Test, list []operand, at []int32) int {
	hidden := make([]bool, len(list))
	warned := false
	if ref.class() != attr.ClassMatching { // 0 and 2 are the same there
		c.covered(list, hidden)
	}
	n := 0
	last := int32(-1) // of which operand there is something in front of n
	for i := range list {
		o, given := &list[i], &e.Operands[at[i]]
		more := i+1 < len(list) && at[i+1] == at[i]
		switch {
		case o.never:
			network := ""
			if o.width >= 0 && (ref.attr.IsPeer() || ref.attr.IsAdjacent()) {
				network = fmt.Sprintf("; the network is %v/%d", o.value.And(o.mask).Resize(o.value.Len()), o.width)
			}
			c.warnf(given.Value.Place, OutsideMask, "this can never match: the value has bits outside of its mask%s", network)
		case !hidden[i]:
			last = at[i]
			list[n], at[n] = *o, at[i]
			n++
		case !warned && last != at[i] && !more: // nor was anything else of its range left
			by := e.Operands[at[covering(list[:n], o)]]
			c.warnf(given.Value.Place, Covered, "%s is covered by %s in front of it", *given, by)
			warned = true
		}
	}
	return n
}

// widestFirst returns operands, whose masks are a number of leading ones, in the
// order of these numbers, the greatest first, and else in the order they have.
func widestFirst(list []operand) []operand {
	const most = 8 * attr.MaxAddress
	var begin [most + 2]int // of those of each width; next where the next one goes
	for i := range list {
		begin[most-list[i].width+1]++
	}
	for w := range most {
		begin[w+1] += begin[w]
	}
	sorted := make([]operand, len(list))
	for i := range list {
		to := &begin[most-list[i].width]
		sorted[*to] = list[i]
		*to++
	}
	return sorted
}

// covered notes as hidden each operand of which one in front of it matches
// whatever it does. Those that never match do not count.
func (c *compiler) covered(list []operand, hidden []bool) {
	c.networks = slices.Grow(c.networks[:0], 2*len(list))
	networks := c.networks
	others := map[[2]attr.Value]bool{}
	for i := range list {
		switch o := &list[i]; {
		case o.never:
		case o.width >= 0:
			networks = append(networks, attr.MakePrefix(o.value, int(o.width), i))
		default: // only its like covers it, of whatever length
			like := [2]attr.Value{o.mask.Resize(attr.MaxAddress), o.value.Resize(attr.MaxAddress)}
			hidden[i] = others[like]
			others[like] = true
		}
	}
	var around []attr.Prefix // those that hold the next one, each at the first place of it and those around it
	for _, n := range attr.SortPrefixes(networks, networks[len(networks):2*len(networks)]) {
		for len(around) > 0 && !around[len(around)-1].Holds(&n) {
			around = around[:len(around)-1]
		}
		if len(around) > 0 {
			if first := around[len(around)-1].Place; first < n.Place {
				hidden[n.Place] = true
				n.Place = first
			}
		}
		around = append(around, n)
	}
}

// covering returns the place of the operand that is said to cover o: of those of
// the list that do, one of the width that the list has first.
func covering(list []operand, o *operand) int {
	best, bestSince := -1, 0
	since := map[int16]int{}
	for i := range list {
		l := &list[i]
		if _, ok := since[l.width]; !ok {
			since[l.width] = i
		}
		same := l.mask.Padded() == o.mask.Padded()
		if (o.width < 0 && same || l.width >= 0 && l.width <= o.width) && l.holds(o) && (best < 0 || since[l.width] < bestSince) {
			best, bestSince = i, since[l.width]
		}
	}
	return best
}
