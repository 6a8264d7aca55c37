package meter

import (
	"sync/atomic"

	"rtfm/meter/flow"
	"rtfm/meter/huge"
	"rtfm/ruleset/pme"
)

// A memo remembers what rulesets do with packets, so that the engine and
// the index of the flow table need not be asked again. Packets that are alike
// in all bits that a ruleset can see (pme.Program.Visible) are done the same
// with; packets that are alike but for their direction share an entry, which
// holds both directions' results. Rulesets that see the same bits share a memo:
// an entry holds the results of each.
//
// A result that is a flow holds the generation of its row. The table changes
// it when the flow is recovered, and the meter when a flow is made whose
// reverse is current, which may take packets from it. All else stands for as
// long as the ruleset runs. The memo is a cache of fixed size: an entry has two or
// four places to be in, and gives way when others come there.
//
// For a ruleset that sees addresses, ports and types an entry is just a cache
// line, for two to five of them it is two. BenchmarkMeter shows what it saves.
//
// The goroutine that meters writes it, and one that reads ahead may look things
// up meanwhile. What that finds held once, which is enough: it is asked of the
// flow table before it is used whether it still does.
type memo struct {
	view    *view
	tasks   []*Task // that share it
	entries atomic.Pointer[entries]
	shared  bool // another goroutine reads
	_       [64]byte
	evicted int        // entries that gave way since the memo grew last
	results [][]result // room for what is looked up by the goroutine that meters
}

// entries are those of a memo: for each the sight without its last word, and
// two results of each task, 0 for nothing: first those of the forward direction.
type entries struct {
	size   int // how many, a power of two
	places int // in which each may be
	tasks  int
	stride int // words an entry
	words  []uint64
}

// The memo is small at first, since one Set may start a task of each of 255 rulesets
// while nobody else has the meter (TestMemosOfManyTasks), and grows when an eighth of it gave way to others.
const (
	memoStart = 1 << 6
	memoMost  = 1 << 18
	memoGrows = 8 // times as large each time
)

// An entry of one ruleset may be in so many places, one of several in more: what
// is not known must be matched by each, but more places take longer to look at.
const (
	onePlaces    = 2
	sharedPlaces = 4
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

// newMemo returns the memo for tasks that see packets in this way.
func newMemo(v *view, tasks ...*Task) *memo {
	m := &memo{view: v, tasks: tasks}
	m.resize(memoStart)
	return m
}

// resize makes a new memo, with room for size entries and none in it.
func (m *memo) resize(size int) {
	stride := (m.view.words + 2*len(m.tasks) + 7) &^ 7 // whole cache lines
	words := make([]uint64, size*stride)
	huge.Prefer(words)
	places := onePlaces
	if len(m.tasks) > 1 {
		places = sharedPlaces
	}
	m.entries.Store(&entries{size, places, len(m.tasks), stride, words})
	m.evicted = 0
}

// grow makes the memo larger if too many entries gave way.
func (m *memo) grow() {
	if size := m.entries.Load().size; m.evicted > size/8 && size < memoMost {
		m.resize(size * memoGrows)
	}
}

// home returns the first place of the entry for packets of a sight with this last
// word. The others differ from that in the lowest bits.
func (e *entries) home(last uint64) int { return int(last>>32) & (e.size - 1) }

// at returns the entry at a place.
func (e *entries) at(place int) []uint64 {
	return e.words[place*e.stride : place*e.stride+e.stride]
}

// is reports whether entry e is that of packets of sight w.
func is(e, w []uint64) bool {
	n := len(w) - 1
	if w[n]&sightOdd != 0 {
		return false
	}
	w, e = w[:n], e[:n]
	for i, x := range w {
		if atomic.LoadUint64(&e[i]) != x {
			return false
		}
	}
	return true
}

// lookUp returns by task what is remembered of packets of these sights, in the
// memory of results if that is enough. First it prefetches the first two places
// of each, so that the fetches overlap, unless there are so few entries that
// they are in the cache.
func (m *memo) lookUp(sights []uint64, results [][]result) [][]result {
	e := m.entries.Load()
	n := m.view.sightLen()
	results = room(results, e.tasks)
	for j := range results {
		results[j] = room(results[j], len(sights)/n)
	}
	sum := uint64(0)
	for i := n - 1; i < len(sights) && len(e.words) > nearWords; i += n {
		at := e.home(sights[i])
		sum |= atomic.LoadUint64(&e.words[at*e.stride]) | atomic.LoadUint64(&e.words[(at^1)*e.stride])
		if e.tasks > 1 { // the last of their results
			sum |= atomic.LoadUint64(&e.words[at*e.stride+n-2+int(sights[i]&sightReverse+1)*e.tasks])
		}
	}
	for i := range results[0] {
		results[0][i] = result(sum) // so the compiler keeps the prefetch reads
		if w := sights[i*n : i*n+n]; e.tasks == 1 && n == len(tupleSight{}) {
			results[0][i] = e.findTuple((*tupleSight)(w))
		} else {
			e.find(w, results, i)
		}
	}
	return results
}

// find sets the i-th result of each task to what is remembered of packets of this
// sight, 0 if nothing. The entry may change meanwhile: but who puts another one in its place clears
// the results first, so that a result which is there before and after the
// comparison is one of this sight, or the same as one.
func (e *entries) find(w []uint64, results [][]result, i int) {
	n := len(w) - 1
	home := e.home(w[n])
	for k := range e.places {
		entry := e.at(home ^ k)
		at := entry[n+int(w[n]&sightReverse)*e.tasks:][:len(results)]
		for j := range at {
			results[j][i] = result(atomic.LoadUint64(&at[j]))
		}
		if is(entry, w) {
			for j := range at {
				if result(atomic.LoadUint64(&at[j])) != results[j][i] {
					results[j][i] = 0
				}
			}
			return
		}
	}
	for _, r := range results {
		r[i] = 0
	}
}

// findTuple is find for sights of this length where there is one task, without
// loops over words and tasks.
func (e *entries) findTuple(w *tupleSight) result {
	const n = len(w) - 1
	home := e.home(w[n])
	for k := range onePlaces {
		entry := (*[n + 2]uint64)(e.words[(home^k)*(n+2):])
		at := &entry[n+int(w[n]&sightReverse)]
		if r := atomic.LoadUint64(at); r != 0 &&
			((atomic.LoadUint64(&entry[0])^w[0])|(atomic.LoadUint64(&entry[1])^w[1])|
				(atomic.LoadUint64(&entry[2])^w[2])|(atomic.LoadUint64(&entry[3])^w[3])|
				(atomic.LoadUint64(&entry[4])^w[4])|(atomic.LoadUint64(&entry[5])^w[5])|(w[n]&sightOdd)) == 0 &&
			atomic.LoadUint64(at) == r {
			return result(r)
		}
	}
	return 0
}

// entry returns the entry for packets of this sight, nil if there is none. Only
// the goroutine that writes the memo may call it.
func (e *entries) entry(w []uint64) []uint64 {
	n := len(w) - 1
	home := e.home(w[n])
	for k := range e.places {
		if entry := e.at(home ^ k); is(entry, w) {
			return entry
		}
	}
	return nil
}

// result returns the place of a task's result for packets of this sight in their
// entry.
func (e *entries) result(entry, w []uint64, task int) *uint64 {
	n := len(w) - 1
	return &entry[n+int(w[n]&sightReverse)*e.tasks+task]
}

// remembered returns the task's result for packets of this sight, 0 if there is
// none. Only the goroutine that writes the memo may call it.
func (m *memo) remembered(w []uint64, task int) result {
	e := m.entries.Load()
	if entry := e.entry(w); entry != nil {
		return result(*e.result(entry, w, task))
	}
	return 0
}

// remember keeps the task's result for packets of this sight. A new entry is put
// into the first of its places, since it is likely to be asked for next; what was
// there goes to another one.
func (m *memo) remember(w []uint64, task int, r result) {
	n := len(w) - 1
	if w[n]&sightOdd != 0 {
		return
	}
	e := m.entries.Load()
	entry := e.entry(w)
	if entry == nil {
		home := e.home(w[n])
		if entry = e.at(home); !empty(entry[n:]) {
			k := 1
			for k < e.places && !empty(e.at(home ^ k)[n:]) {
				k++
			}
			if k == e.places {
				m.evicted++
				k = 1 + m.evicted%(e.places-1)
			}
			m.replace(e.at(home^k), entry)
		}
		m.replace(entry, w[:n])
	}
	m.store(e.result(entry, w, task), uint64(r))
}

// empty reports whether none of these results is one.
func empty(results []uint64) bool {
	for _, r := range results {
		if r != 0 {
			return false
		}
	}
	return true
}

// replace puts another entry in the place of one, or the words of a sight without
// results.
func (m *memo) replace(entry, words []uint64) {
	n := m.view.words
	for i := n; i < len(entry); i++ {
		m.store(&entry[i], 0)
	}
	for i, x := range words[:n] {
		m.store(&entry[i], x)
	}
	for i, x := range words[n:] {
		m.store(&entry[n+i], x)
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
