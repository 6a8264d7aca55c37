package meter

import (
	"sync/atomic"

	"rtfm/meter/flow"
	"rtfm/meter/huge"
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
//
// The goroutine that meters writes it, and one that reads ahead may look things
// up meanwhile. What that finds held once, which is enough: it is asked of the
// flow table before it is used whether it still does.
type memo struct {
	view    *view
	entries atomic.Pointer[entries]
	shared  bool // another goroutine reads
	_       [64]byte
	evicted int // entries that gave way since the memo grew last
}

// entries are those of a memo: for each the sight without its last word, and
// two results, 0 for nothing.
type entries struct {
	size   int // how many, a power of two
	stride int // words an entry
	words  []uint64
}

// The memo is small at first, and grows while entries give way to others.
const (
	memoStart = 1 << 9
	memoMost  = 1 << 18
	memoGrows = 8 // times as large each time
)

// nearWords is how much memory the caches near a processor hold, in words.
const nearWords = 1 << 15

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
	m := &memo{view: v}
	m.resize(memoStart)
	return m
}

// resize makes the memo anew, with room for size entries and none in it.
func (m *memo) resize(size int) {
	stride := m.view.words + 2
	words := make([]uint64, size*stride)
	huge.Prefer(words)
	m.entries.Store(&entries{size, stride, words})
	m.evicted = 0
}

// grow makes the memo larger if too many entries gave way.
func (m *memo) grow() {
	if size := m.entries.Load().size; m.evicted > size && size < memoMost {
		m.resize(size * memoGrows)
	}
}

// home returns the place of the entry for packets of sight w; the second one it
// has is beside that, at the other one of an even and an odd place.
func (e *entries) home(w []uint64) int { return int(w[len(w)-1]>>32) & (e.size - 1) }

// at returns the entry at a place.
func (e *entries) at(place int) []uint64 {
	return e.words[place*e.stride : place*e.stride+e.stride]
}

// is tells whether entry e is that of packets of sight w.
func is(e, w []uint64) bool {
	w = w[:len(w)-1]
	e = e[:len(w)]
	for i, x := range w {
		if atomic.LoadUint64(&e[i]) != x {
			return false
		}
	}
	return true
}

// lookUp sets results to what is remembered of packets of these sights. First
// it begins to fetch all their entries, so that the fetches overlap, unless there
// are so few that they are near.
func (m *memo) lookUp(sights []uint64, results []result) {
	e := m.entries.Load()
	n := m.view.sightLen()
	sum := uint64(0)
	for i := n - 1; i < len(sights) && len(e.words) > nearWords; i += n {
		at := int(sights[i]>>32) & (e.size - 1)
		sum |= atomic.LoadUint64(&e.words[at*e.stride]) | atomic.LoadUint64(&e.words[(at^1)*e.stride])
	}
	for i := range results {
		results[i] = result(sum) // so that sum is wanted
		results[i] = e.find(sights[i*n : i*n+n])
	}
}

// find returns what is remembered of packets of this sight, 0 if nothing.
func (m *memo) find(w []uint64) result { return m.entries.Load().find(w) }

func (e *entries) find(w []uint64) result {
	if len(w) == len(tupleSight{}) {
		return e.findTuple((*tupleSight)(w))
	}
	home := e.home(w)
	if r := result1(e.at(home), w); r != 0 {
		return r
	}
	return result1(e.at(home^1), w)
}

// result1 returns the result in an entry if it is that of packets of this sight.
// The entry may change meanwhile: but who puts another one in its place clears
// the results first, so that a result which is there before and after the
// comparison is one of this sight, or the same as one.
func result1(entry, w []uint64) result {
	n := len(w) - 1
	at := &entry[n+int(w[n]&sightReverse)]
	r := atomic.LoadUint64(at)
	if r == 0 || !is(entry, w) || atomic.LoadUint64(at) != r || w[n]&sightOdd != 0 {
		return 0
	}
	return result(r)
}

// findTuple is find for sights of this length, without loops.
func (e *entries) findTuple(w *tupleSight) result {
	const n = len(w) - 1
	place := e.home(w[:])
	for range 2 {
		entry := (*[n + 2]uint64)(e.words[place*(n+2):])
		at := &entry[n+int(w[n]&sightReverse)]
		if r := atomic.LoadUint64(at); r != 0 &&
			((atomic.LoadUint64(&entry[0])^w[0])|(atomic.LoadUint64(&entry[1])^w[1])|
				(atomic.LoadUint64(&entry[2])^w[2])|(atomic.LoadUint64(&entry[3])^w[3])|
				(atomic.LoadUint64(&entry[4])^w[4])|(atomic.LoadUint64(&entry[5])^w[5])|(w[n]&sightOdd)) == 0 &&
			atomic.LoadUint64(at) == r {
			return result(r)
		}
		place ^= 1
	}
	return 0
}

// remember keeps the result for packets of this sight.
func (m *memo) remember(w []uint64, r result) {
	n := len(w) - 1
	if w[n]&sightOdd != 0 {
		return
	}
	e := m.entries.Load()
	home := e.home(w)
	first, second := e.at(home), e.at(home^1)
	if is(second, w) {
		first = second
	} else if !is(first, w) {
		if second[n]|second[n+1] != 0 {
			m.evicted++
		}
		if first[n]|first[n+1] != 0 {
			m.replace(second, first[:n], first[n], first[n+1])
		}
		m.replace(first, w[:n], 0, 0)
	}
	m.store(&first[n+int(w[n]&sightReverse)], uint64(r))
}

// replace puts another entry in the place of one.
func (m *memo) replace(entry, words []uint64, forward, backward uint64) {
	n := len(words)
	m.store(&entry[n], 0)
	m.store(&entry[n+1], 0)
	for i, x := range words {
		m.store(&entry[i], x)
	}
	if forward|backward != 0 {
		m.store(&entry[n], forward)
		m.store(&entry[n+1], backward)
	}
}

// store writes a word that others may be reading.
func (m *memo) store(at *uint64, x uint64) {
	if m.shared {
		atomic.StoreUint64(at, x)
	} else {
		*at = x
	}
}
