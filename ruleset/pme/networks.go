package pme

import (
	"math"
	"math/bits"
	"slices"

	"rtfm/ruleset/attr"
)

// networks finds the first of a run of rules whose test succeeds, where all test
// one attribute for prefixes of 64 bits at most. These are networks one inside
// the other or apart, so they divide the numbers of 64 bits into spans, in each
// of which a certain rule is the first.
type networks struct {
	spans []span  // by their starts, the first of which is 0
	index []int32 // for each value of a number's leading bits, the first span that starts there or after
	shift int     // what leaves a number's leading bits
}

// span begins at a number and ends where the next one begins.
type span struct {
	start uint64
	rule  int32
}

// noRule is the rule of spans that are in no network.
const noRule = math.MaxInt32

// isNetwork reports whether r is a test for a prefix that a span can have.
func isNetwork(r *instr) bool {
	m := bits.ReverseBytes64(r.mask[0])
	return r.kind == testWord && ^m&(^m+1) == 0
}

// makeNetworks makes the group of such a run, in which room is used.
func makeNetworks(first, end int, form func(int) *instr, room *[]attr.Prefix) group {
	count := end - first
	*room = slices.Grow((*room)[:0], 2*count)
	all := *room
	for i := first; i < end; i++ {
		r := form(i)
		all = append(all, attr.Prefix{
			Bits: [3]uint64{bits.ReverseBytes64(r.value[0])}, Len: uint8(bits.OnesCount64(r.mask[0])), Place: int32(i),
		})
	}
	n := &networks{spans: append(make([]span, 0, 2*len(all)+1), span{0, noRule})}
	type network struct {
		last uint64
		rule int32 // the first one of it and those around it
	}
	var open []network // those around, the outermost first
	innermost := func() int32 {
		if len(open) == 0 {
			return noRule
		}
		return open[len(open)-1].rule
	}
	closeUntil := func(start uint64) {
		for len(open) > 0 && open[len(open)-1].last < start {
			next := open[len(open)-1].last + 1
			open = open[:len(open)-1]
			n.add(next, innermost())
		}
	}
	for _, w := range attr.SortPrefixes(all, all[count:2*count]) {
		start := w.Bits[0]
		closeUntil(start)
		open = append(open, network{start | ^uint64(0)>>w.Len, min(w.Place, innermost())})
		n.add(start, innermost())
	}
	closeUntil(math.MaxUint64)
	n.makeIndex()
	return group{first: int32(first), end: int32(end), networks: n}
}

// add has a span begin, in the place of one that begins there too.
func (n *networks) add(start uint64, rule int32) {
	if last := len(n.spans) - 1; n.spans[last].start == start {
		n.spans = n.spans[:last]
	}
	if last := len(n.spans) - 1; last < 0 || n.spans[last].rule != rule {
		n.spans = append(n.spans, span{start, rule})
	}
}

// maxIndexBits is the most leading bits that the index knows: all networks of an
// address range like 10/8 have the same first ones in any case.
const maxIndexBits = 16

func (n *networks) makeIndex() {
	width := min(bits.Len(uint(len(n.spans))), maxIndexBits)
	n.shift = 64 - width
	n.index = make([]int32, 1<<width+1)
	at := 0
	for i := range n.index {
		for at < len(n.spans) && n.spans[at].start>>n.shift < uint64(i) {
			at++
		}
		n.index[i] = int32(at)
	}
}

// find returns the first rule that succeeds for a number, noRule if none does.
func (n *networks) find(x uint64) int32 {
	lead := x >> n.shift
	from, to := n.index[lead], n.index[lead+1]
	for from < to {
		if mid := (from + to) / 2; n.spans[mid].start > x {
			to = mid
		} else {
			from = mid + 1
		}
	}
	return n.spans[from-1].rule
}
