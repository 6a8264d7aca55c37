package meter

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"rtfm/meter/flow"
	"rtfm/ruleset"
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
// long as the ruleset runs. The memo is a cache of fixed size: an entry gives
// way to the next one that comes to its place.
//
// For a ruleset that sees addresses, ports and types an entry is just a cache
// line. BenchmarkMeter shows what it saves.
type memo struct {
	visible []visible
	commons int      // of these, the last so many have no direction
	stride  int      // words an entry
	size    int      // entries, a power of two
	entries []uint64 // for each: the visible words, two results
	evicted int      // entries that gave way since the memo grew last
	seed    uint64
	blind   bool // the ruleset sees what is in no word of the memo
}

// visible is a word of the match key and the bits of it that count.
type visible struct {
	off  uint8
	mask uint64
}

// The memo is small at first, and grows while entries give way to others.
const (
	memoStart = 1 << 9
	memoMost  = 1 << 18
	memoGrows = 8 // times as large each time
)

const (
	endWords   = ruleset.EndSize / 8
	lensWord   = 4 // of an end: has an octet to spare, at its top
	maxVisible = 2*endWords + 1
)

// maxMemoPeer is the longest peer address in a memo. Longer ones, of CLNS,
// would make all entries larger.
const maxMemoPeer = 16

// alike is what the memo knows a packet by.
type alike struct {
	words   [maxVisible]uint64
	hash    uint32
	reverse uint8 // 1 if source and destination have been changed over
	known   bool  // false if there can be no entry
	entry   int   // where it begins
}

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

// newMemo returns the memo for a ruleset that sees these bits.
func newMemo(see ruleset.Key) *memo {
	m := &memo{seed: rand.Uint64(), blind: see.HasRecord()}
	add := func(word int) {
		if mask := binary.LittleEndian.Uint64(see[8*word:]); mask != 0 || word%endWords == lensWord {
			m.visible = append(m.visible, visible{uint8(8 * word), mask})
		}
	}
	for end := range 2 {
		for w := range endWords {
			if 8*w < maxMemoPeer || 8*w >= 24 {
				add(end*endWords + w)
			}
		}
	}
	n := len(m.visible)
	if mask := binary.LittleEndian.Uint64(see[80:]); mask != 0 {
		m.visible = append(m.visible, visible{80, mask})
	}
	m.commons = len(m.visible) - n
	m.stride = len(m.visible) + 2
	m.resize(memoStart)
	return m
}

// resize makes the memo anew, with room for size entries and none in it.
func (m *memo) resize(size int) {
	m.size = size
	m.entries = make([]uint64, size*m.stride)
	m.evicted = 0
}

// grow makes the memo larger if too many entries gave way. Entries that were
// touched before must be touched again.
func (m *memo) grow() {
	if m.evicted > m.size && m.size < memoMost {
		m.resize(m.size * memoGrows)
	}
}

// recognise returns what the memo knows packets by, in the memory of a.
func (m *memo) recognise(packets []ruleset.Packet, a []alike) []alike {
	if cap(a) < len(packets) {
		a = make([]alike, len(packets))
	}
	a = a[:len(packets)]
	for i := range packets {
		m.recognise1(&packets[i], &a[i])
	}
	return a
}

func (m *memo) recognise1(p *ruleset.Packet, a *alike) {
	a.known = p.PeerLen <= maxMemoPeer && !m.blind
	if !a.known {
		return
	}
	n := len(m.visible)
	half := (n - m.commons) / 2
	w := a.words[:n]
	for i, v := range m.visible {
		w[i] = binary.LittleEndian.Uint64(p.Key[v.off:]) & v.mask
	}
	a.reverse = 0
	for i := range half {
		if w[i] != w[half+i] {
			if w[i] > w[half+i] {
				a.reverse = 1
				for j := i; j < half; j++ {
					w[j], w[half+j] = w[half+j], w[j]
				}
			}
			break
		}
	}
	w[half-1] |= uint64(p.PeerLen) << 56
	w[2*half-1] |= uint64(p.AdjacentLen) << 56
	h := m.seed
	for _, x := range w {
		hi, lo := bits.Mul64(x^0x9e3779b97f4a7c15, h^0xe7037ed1a0b428db)
		h = hi ^ lo
	}
	a.hash = uint32(h >> 20)
}

// touch finds the place of a's entry and begins to fetch it.
func (m *memo) touch(a *alike) uint64 {
	a.entry = (int(a.hash) & (m.size - 1)) * m.stride
	return m.entries[a.entry]
}

// find returns what is remembered of packets like a, 0 if nothing.
func (m *memo) find(a *alike) result {
	if !a.known {
		return 0
	}
	e := m.entries[a.entry : a.entry+m.stride]
	for i := range e[:len(e)-2] {
		if e[i] != a.words[i] {
			return 0
		}
	}
	return result(e[len(e)-2+int(a.reverse)])
}

// remember keeps the result for packets like a.
func (m *memo) remember(a *alike, r result) {
	if !a.known {
		return
	}
	e := m.entries[a.entry : a.entry+m.stride]
	n := len(e) - 2
	for i := range n {
		if e[i] != a.words[i] {
			m.evicted++
			copy(e, a.words[:n])
			e[n], e[n+1] = 0, 0
			break
		}
	}
	e[n+int(a.reverse)] = uint64(r)
}
