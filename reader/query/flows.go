package query

import (
	"cmp"
	"slices"
	"strconv"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// best holds the flows that counted most, as a heap with the least of them first.
type best struct {
	by   Sum
	most int // 0 for any number
	heap []counted
	n    int
}

// counted is a flow and what it counted.
type counted struct {
	flow   match.Flow
	sums   sums
	spread []uint64 // counters of its distributions
	value  uint64   // that they are sorted by
	n      int      // its place among all: of equal ones the first comes first
	row    *flowSum // what it has counted in all collections, nil if there is one only
}

// before reports whether c stands above d in a table.
func (c *counted) before(d *counted) bool {
	return c.value > d.value || c.value == d.value && c.n < d.n
}

// add takes a flow in if it is one of them.
func (b *best) add(f *match.Flow, c *record.Counters) {
	var now counted
	now.sums.add(f, c, false)
	now.value, now.n = b.by.of(&now.sums), b.n
	b.n++
	full := b.most > 0 && len(b.heap) == b.most
	if full && !now.before(&b.heap[0]) {
		return
	}
	now.flow = *f
	now.flow.Counters = nil // which are the sender's
	now.spread = spreadOf(f, c)
	b.put(now, full)
}

// put puts a flow in, instead of the least if the heap is full.
func (b *best) put(now counted, full bool) {
	switch {
	case b.most == 0:
		b.heap = append(b.heap, counted{})
		b.set(len(b.heap)-1, now)
		return
	case full:
		if now.row != nil {
			b.heap[0].row.place = 0
		}
		b.set(0, now)
		b.sink(0)
		return
	}
	b.heap = append(b.heap, counted{})
	b.set(len(b.heap)-1, now)
	for i := len(b.heap) - 1; i > 0 && b.heap[(i-1)/2].before(&b.heap[i]); i = (i - 1) / 2 {
		b.swap(i, (i-1)/2)
	}
}

// set sets a place of the heap.
func (b *best) set(i int, to counted) {
	if b.heap[i] = to; to.row != nil {
		to.row.place = int32(i + 1)
	}
}

// swap changes two places of the heap over.
func (b *best) swap(i, k int) {
	at := b.heap[i]
	b.set(i, b.heap[k])
	b.set(k, at)
}

// update takes a flow in if it is one of them by what it has counted up to now, which
// only grows.
func (b *best) update(row *flowSum, f *match.Flow) {
	all := row.sums()
	value := b.by.of(&all)
	if at := int(row.place) - 1; at >= 0 {
		if b.heap[at].value = value; b.most > 0 {
			b.sink(at)
		}
		return
	}
	now := counted{value: value, n: int(row.n), row: row}
	full := b.most > 0 && len(b.heap) == b.most
	if full && !now.before(&b.heap[0]) {
		return
	}
	now.flow = *f
	now.flow.Counters = nil // which are the sender's
	b.put(now, full)
}

// join takes in the flows of a later collection.
func (b *best) join(o *best) {
	for _, now := range o.heap {
		now.n += b.n
		if full := b.most > 0 && len(b.heap) == b.most; !full || now.before(&b.heap[0]) {
			b.put(now, full)
		}
	}
	b.n += o.n
}

// sink moves the flow at a place of the heap to where it belongs.
func (b *best) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(b.heap); child++ {
			if b.heap[least].before(&b.heap[child]) {
				least = child
			}
		}
		if least == i {
			return
		}
		b.swap(i, least)
		i = least
	}
}

// sorted returns the flows, those that counted most first.
func (b *best) sorted() []counted {
	return slices.SortedFunc(slices.Values(b.heap), func(c, d counted) int {
		return cmp.Or(cmp.Compare(d.value, c.value), cmp.Compare(c.n, d.n))
	})
}

// ofFlow returns what a table shows of an attribute of a flow, whose ruleset has these
// names.
func (n *namer) ofFlow(f *match.Flow, a attr.Attr, names *ruleset.Names) table.Value {
	switch a {
	case attr.FlowRuleSet:
		return table.Uint(uint64(f.Shape.RuleSet))
	case attr.FlowIndex:
		return table.Uint(uint64(f.Index))
	}
	if !n.numeric {
		if name := record.NameOf(names, f, a); name != "" {
			return table.String(name)
		}
		if mask, saved := f.Shape.Mask(a); saved && mask.Zero() {
			return inNoLine(f, a, names)
		}
	}
	text := f.Show(a, n.numeric)
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && isNumber(a) {
		return table.Uint(n)
	} else if text == "" {
		return table.Value{}
	}
	return table.String(text)
}

// inNoLine returns what a table shows of an attribute of which a flow has saved no bit:
// nothing, or, if the ruleset has names for other values of it, which family of
// addresses this is, since packets of each are a flow.
func inNoLine(f *match.Flow, a attr.Attr, names *ruleset.Names) table.Value {
	if !a.IsPeer() || !names.Has(a) {
		return table.Value{}
	}
	switch f.Shape.Len(a) {
	case 4:
		return table.String("other IPv4")
	case 16:
		return table.String("other IPv6")
	}
	return table.String("not IP")
}

// columnsOf returns attributes in the order in which people read them, without the
// types of the other end: a packet has the same at both.
func columnsOf(saved []attr.Attr) (columns []attr.Attr) {
	for _, f := range flowfile.DefaultFormat(saved).Fields {
		a := f.Attr
		twice := a.SourceType() != a && slices.Contains(saved, a.SourceType())
		if a.Info().Class != attr.ClassMeasured && !a.IsMeasure() && !twice {
			columns = append(columns, a)
		}
	}
	return columns
}
