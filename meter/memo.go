package meter

import (
	"rtfm/meter/flow"
	"rtfm/ruleset/pme"
)

// A memo remembers what a ruleset does with packets, so that the engine and
// the index of the flow table need not be asked again. Packets that are alike
// in all bits that the ruleset can see (pme.Program.Visible) are done the same
// with; packets that are alike but for their direction share an entry, which
// holds both directions' results.
//
// A result that is a flow holds the generation of its row. The table changes
// it when the flow is recovered, and the meter when a flow is made whose
// reverse is current, which may take packets from it. All else stands for as
// long as the ruleset runs. The memo is a cache of fixed size: an entry has two
// places, and gives way when two newer ones come there.
//
// For a ruleset that sees addresses, ports and types an entry is just a cache
// line. BenchmarkMeter shows what it saves.
type memo struct {
	stride  int      // words an entry
	size    int      // pairs of entries, a power of two
	entries []uint64 // for each: the sight without its last word, two results
	evicted int      // entries that gave way since the memo grew last
}

// The memo is small at first, and grows while entries give way to others.
const (
	memoStart = 1 << 8
	memoMost  = 1 << 17
	memoGrows = 8 // times as large each time
)

// result is what is remembered: of a flow its row, direction and generation,
// of other packets the verdict. 0 is nothing.
type result uint64

func flowResult(row uint32, d flow.Direction, generation uint32) result {
	return result(generation)<<32 | result(d)<<31 | result(row)
}

func verdictResult(v pme.Verdict) result { return result(v+1) << 32 }

func (r result) row() uint32               { return uint32(r) &^ (1 << 31) }
func (r result) direction() flow.Direction { return flow.Direction(r >> 31 & 1) }
func (r result) generation() uint32        { return uint32(r >> 32) }
func (r result) verdict() pme.Verdict      { return pme.Verdict(r>>32) - 1 }

// newMemo returns the memo for a ruleset that sees packets in this way.
func newMemo(v *view) *memo {
	m := &memo{stride: v.words + 2}
	m.resize(memoStart)
	return m
}

// resize makes the memo anew, with room for size pairs of entries and none in
// it.
func (m *memo) resize(size int) {
	m.size = size
	m.entries = make([]uint64, 2*size*m.stride)
	m.evicted = 0
}

// grow makes the memo larger if too many entries gave way. Entries that were
// touched before must be touched again.
func (m *memo) grow() {
	if m.evicted > m.size && m.size < memoMost {
		m.resize(m.size * memoGrows)
	}
}

// pair returns the two entries that may be that of packets of this sight.
func (m *memo) pair(w []uint64) []uint64 {
	at := int(w[len(w)-1]>>32) & (m.size - 1) * 2 * m.stride
	return m.entries[at : at+2*m.stride]
}

// touch begins to fetch the entry for packets of this sight.
func (m *memo) touch(w []uint64) uint64 {
	return m.entries[int(w[len(w)-1]>>32)&(m.size-1)*2*m.stride]
}

// is tells whether entry e is that of packets of sight w.
func is(e, w []uint64) bool {
	w = w[:len(w)-1]
	e = e[:len(w)]
	for i, x := range w {
		if e[i] != x {
			return false
		}
	}
	return true
}

// find returns what is remembered of packets of this sight, 0 if nothing.
func (m *memo) find(w []uint64) result {
	e := m.pair(w)
	if !is(e, w) {
		if e = e[m.stride:]; !is(e, w) {
			return 0
		}
	}
	last := w[len(w)-1]
	if last&sightOdd != 0 {
		return 0
	}
	return result(e[len(w)-1+int(last&sightReverse)])
}

// remember keeps the result for packets of this sight.
func (m *memo) remember(w []uint64, r result) {
	n := len(w) - 1
	if w[n]&sightOdd != 0 {
		return
	}
	e := m.pair(w)
	if second := e[m.stride:]; is(second, w) {
		e = second
	} else if !is(e, w) {
		if second[n]|second[n+1] != 0 {
			m.evicted++
		}
		copy(second, e[:m.stride])
		copy(e, w[:n])
		e[n], e[n+1] = 0, 0
	}
	e[n+int(w[n]&sightReverse)] = uint64(r)
}
