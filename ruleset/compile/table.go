package compile

import (
	"fmt"
	"slices"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// tableKey is a table as it is compared with an attribute.
type tableKey struct {
	table *srl.Table
	attr  attr.Attr
}

// table is what a tableKey becomes.
type table struct {
	list []operand // the longest masks first, none twice
	rows []int32   // of which line each is
}

// table reads a table's keys as the attribute takes them.
func (c *compiler) table(ref reference, t *srl.Table) table {
	key := tableKey{t, ref.attr}
	if is, ok := c.tables[key]; ok {
		return is
	}
	if c.spend(len(t.Keys)); c.full() {
		return table{}
	}
	c.reading = t
	c.read(ref, &srl.Test{Place: t.Place, Operands: t.Keys, Table: t})
	c.reading = nil
	list, rows := c.operands, c.places
	double := c.doubles(t, list, rows)
	n := 0
	for i := range list {
		if !double[i] && !list[i].never {
			list[n], rows[n] = list[i], rows[i]
			n++
		}
	}
	is := table{list[:n], rows[:n]}
	is.sort()
	c.tables[key] = is
	c.names.Grow(ref.attr, len(is.list))
	for i := range is.list {
		c.names.Add(ref.attr, is.list[i].mask, is.list[i].value, t.Names[is.rows[i]])
	}
	return is
}

// sort puts the longest masks first, in room of their own.
func (t *table) sort() {
	order := make([]int32, len(t.list))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return int(t.list[b].width) - int(t.list[a].width) })
	list, rows := make([]operand, len(order)), make([]int32, len(order))
	for i, from := range order {
		list[i], rows[i] = t.list[from], t.rows[from]
	}
	t.list, t.rows = list, rows
}

// doubles finds what stands in a table twice, which is an error if it has two
// names, and warns of networks inside others.
func (c *compiler) doubles(t *srl.Table, list []operand, rows []int32) []bool {
	double := make([]bool, len(list))
	networks := make([]attr.Prefix, 0, 2*len(list))
	for i := range list {
		if o := &list[i]; o.never {
			c.errorf(o.from.Value.Place, "%s has bits outside of its mask: the network is %v/%d", *o.from, o.value.And(o.mask).Resize(o.value.Len()), o.width)
		} else {
			networks = append(networks, attr.MakePrefix(o.value, int(o.width), i))
		}
	}
	var around []attr.Prefix
	inside, first, outer := 0, int32(-1), int32(-1)
	for _, n := range attr.SortPrefixes(networks, networks[len(networks):2*len(networks)]) {
		for len(around) > 0 && !around[len(around)-1].Holds(&n) {
			around = around[:len(around)-1]
		}
		if len(around) > 0 {
			by := around[len(around)-1].Place
			switch a, b := rows[by], rows[n.Place]; {
			case list[by].width == list[n.Place].width:
				double[max(by, n.Place)] = true
				c.double(t, min(a, b), max(a, b))
				continue
			case t.Names[a] != t.Names[b] && list[by].width > 0: // all the rest is meant to have others inside
				if inside++; first < 0 || n.Place < first {
					first, outer = n.Place, by
				}
			}
		}
		around = append(around, n)
	}
	if inside > 0 {
		a, b := &t.Keys[rows[outer]], &t.Keys[rows[first]]
		more := ""
		if inside > 1 {
			more = fmt.Sprintf(", as are %d more in others", inside-1)
		}
		c.warnf(b.Value.Place, InsideEntry, "%s (%s) is inside %s (%s, %s)%s: the longest mask counts",
			*b, t.Names[rows[first]], *a, t.Names[rows[outer]], a.Value.Place.Where(), more)
	}
	return double
}

// double reports two lines that hold the same.
func (c *compiler) double(t *srl.Table, first, second int32) {
	a, b := &t.Keys[first], &t.Keys[second]
	if t.Names[first] != t.Names[second] {
		c.errorf(b.Value.Place, "%s is %s already (%s)", *b, t.Names[first], a.Value.Place.Where())
		return
	}
	c.warnf(b.Value.Place, DoubleEntry, "%s stands there already (%s)", *b, a.Value.Place.Where())
}

// mostOptimised is how many values a table may have of which the optimiser makes fewer
// rules. To look at each of 100,000 takes longer than all else, and a meter that has room
// for so many hardly minds more.
const mostOptimised = 1 << 12

// saveTable makes the nodes of a SAVE of the first value that has the name of the
// one which matches, of IPv4 and IPv6 each; what none matches is saved under the
// empty mask.
func (c *compiler) saveTable(ref reference, s *srl.Save, next *node) *node {
	if class := ref.class(); !ref.any && class != attr.ClassInteger && class != attr.ClassAddress {
		c.errorf(s.Attr.Place, "%s has no tables, and 255 values at most: save an address or a number of packets by one, which is as good a name and has no such limit", ref)
		return next
	}
	t := c.table(ref, s.Table)
	if ref.any || c.full() {
		return next
	}
	groups := t.groups(s.Table.Names)
	none, _ := c.mask(ref, &srl.Operand{Width: true, Mask: srl.Word{Text: "0"}})
	f := c.action(node{op: ruleset.OpPushPktTo, attr: ref.attr, mask: none, value: zeroOf(ref.attr), succ: next})
	c.large = len(t.list) > mostOptimised
	defer func() { c.large = false }()
	return c.listed(ref, &srl.Test{Place: s.Place}, t.list, f, func(i int) (ruleset.Opcode, *node) {
		g := groups[i]
		if g.several && g.push == nil {
			stands := &t.list[g.first]
			g.push = c.action(node{op: ruleset.OpPushRuleTo, attr: ref.attr, mask: stands.mask, value: stands.value, succ: next})
		}
		if g.several {
			return ruleset.OpGoto, g.push
		}
		return ruleset.OpPushRuleTo, next
	})
}

// group are the values of a table that have one name, of IPv4 or IPv6 or neither.
type group struct {
	first   int // of them in the file, which stands for all
	several bool
	push    *node // of that value
}

// groups returns the group of each value of a table.
func (t *table) groups(names []string) []*group {
	type entry struct {
		name string
		ipv6 bool
	}
	of := make([]*group, len(t.list))
	known := make(map[entry]*group, len(t.list))
	room := make([]group, 0, len(t.list))
	for i, row := range t.rows {
		e := entry{names[row], t.list[i].value.Len() > attr.MaxAdjacent}
		g := known[e]
		if g == nil {
			room = append(room, group{first: i})
			g = &room[len(room)-1]
			known[e] = g
		} else if g.several = true; row < t.rows[g.first] {
			g.first = i
		}
		of[i] = g
	}
	return of
}
