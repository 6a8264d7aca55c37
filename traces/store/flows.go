package store

import (
	"hash/maphash"
	"math/bits"
	"slices"

	"rtfm/traces"
	"rtfm/traces/format"
)

// What the digest of a file has at most. When it has more octets than startDigest and a
// sixteenth of the file, the next chunk is one that may have anything.
const (
	startDigest = 4 << 20
	maxFlows    = 1 << 20
	maxPairs    = 1 << 23 // of a flow and a chunk that it is in
)

// flows collects the flows of a file as its chunks are written.
type flows struct {
	key    func(k *Key, p *traces.Packet) bool // nil if nothing is to be collected
	tuple  func(p *traces.Packet) (t Tuple, ok bool)
	tuples tuples // flows that have one; others are found by their keys:
	seed   maphash.Seed
	slots  []slot // by open addressing
	used   int
	list   []Key
	last   []uint32 // the number + 1 of the last chunk that each is in
	pairs  []uint32 // places in list, those of each chunk one after the other
	chunks []chunkFlows
	size   int64 // of the digest, in octets, about
	batch  traces.Batch
	fits   bool // the chunk at hand, until now

	// Keys of packets that wait for pair.
	keys    [64]Key
	hashes  [64]uint64
	looked  [64]uint32
	waiting int
}

type slot struct {
	tag  uint32
	flow uint32 // its place in list + 1, 0 for none
}

// chunkFlows is where the pairs of a chunk end.
type chunkFlows struct {
	end uint32
	any bool // it may have flows that are not there
}

func newFlows(cfg *Config) *flows {
	f := &flows{key: cfg.Key, tuple: cfg.Tuple, seed: maphash.MakeSeed(), slots: make([]slot, 1<<10), tuples: newTuples()}
	if f.tuple == nil {
		f.tuple = func(*traces.Packet) (t Tuple, ok bool) { return t, false }
	}
	return f
}

// add notes the flows of the next chunk of a file, which has so many octets up to that
// chunk's end.
func (f *flows) add(kind string, head, blocks []byte, size int64) {
	if f.key == nil {
		return
	}
	from := len(f.pairs)
	f.fits = f.size <= startDigest+size/16
	if f.fits {
		if used, err := format.SectionPackets(kind, head, blocks, &f.batch, f.note); err != nil || used < len(blocks) {
			f.fits = false
		}
	}
	f.end(from)
}

// end ends the chunk at hand, before which there were so many pairs.
func (f *flows) end(from int) {
	if f.fits {
		f.pair()
		f.pairTuples()
	}
	f.waiting, f.tuples.waiting = 0, 0
	if !f.fits {
		f.pairs = f.pairs[:from]
	}
	f.chunks = append(f.chunks, chunkFlows{uint32(len(f.pairs)), !f.fits})
}

// note notes the flow of a packet of the chunk at hand.
func (f *flows) note(p *traces.Packet) {
	if !f.fits {
		return
	}
	if t, ok := f.tuple(p); ok {
		f.noteTuple(t)
		return
	}
	k := &f.keys[f.waiting]
	*k = Key{}
	if f.fits = f.key(k, p); !f.fits {
		return
	}
	if t, ok := k.tuple(); ok {
		f.noteTuple(t)
		return
	}
	k.order()
	f.hashes[f.waiting] = maphash.Bytes(f.seed, k[:])
	if f.waiting++; f.waiting == len(f.keys) {
		f.pair()
	}
}

// pair adds the pairs of the keys that wait. Memory is looked at for all of them first,
// which takes hardly longer than for one: none waits for the one before.
func (f *flows) pair() {
	n := f.waiting
	f.waiting = 0
	mask := uint64(len(f.slots) - 1)
	for i, hash := range f.hashes[:n] {
		f.looked[i] = f.slots[hash&mask].flow
	}
	for i, flow := range f.looked[:n] {
		if flow > 0 {
			f.looked[i] = f.last[flow-1] + uint32(f.list[flow-1][0])
		}
	}
	for i := 0; i < n && f.fits; i++ {
		f.join(f.find(&f.keys[i], f.hashes[i]))
	}
}

// join adds the pair of the chunk at hand and the flow at this place in the list, unless
// it is there. Without room, or with a place below 0, the chunk may have anything.
func (f *flows) join(at int) {
	if at < 0 || len(f.pairs) == maxPairs {
		f.fits = false
		return
	}
	if number := uint32(len(f.chunks)) + 1; f.last[at] != number {
		f.last[at] = number
		f.pairs = append(f.pairs, uint32(at))
		f.size += 2
	}
}

// find returns the place of a flow in the list, to which it is added if it is new; -1 if
// there is no room.
func (f *flows) find(k *Key, hash uint64) int {
	tag := uint32(hash >> 32)
	mask := uint64(len(f.slots) - 1)
	at := hash & mask
	for ; f.slots[at].flow != 0; at = (at + 1) & mask {
		if s := f.slots[at]; s.tag == tag && f.list[s.flow-1] == *k {
			return int(s.flow - 1)
		}
	}
	n := f.append(k)
	if n < 0 {
		return n
	}
	f.slots[at] = slot{tag, uint32(n + 1)}
	if f.used++; 2*f.used > len(f.slots) {
		f.grow()
	}
	return n
}

// append adds a flow to the list, and returns its place, -1 if there is no room.
func (f *flows) append(k *Key) int {
	if len(f.list) == maxFlows || !slices.Contains(addressLengths[:], k[keyLength]) {
		return -1
	}
	f.list, f.last = append(f.list, *k), append(f.last, 0)
	f.size += recordLen(k[keyLength]) + 4
	return len(f.list) - 1
}

// grow doubles the table.
func (f *flows) grow() {
	old := f.slots
	f.slots = make([]slot, 2*len(old))
	mask := uint64(len(f.slots) - 1)
	for _, s := range old {
		if s.flow == 0 {
			continue
		}
		at := maphash.Bytes(f.seed, f.list[s.flow-1][:]) & mask
		for f.slots[at].flow != 0 {
			at = (at + 1) & mask
		}
		f.slots[at] = s
	}
}

// lists returns which chunks each flow is in: those of flow i are
// chunks[starts[i]:starts[i+1]], in order. The pairs are gone then.
func (f *flows) lists() (starts, chunks []uint32) {
	starts = make([]uint32, len(f.list)+2) // of flow i in starts[i+1], until its list is there
	for _, p := range f.pairs {
		starts[p+2]++
	}
	for i := range f.list {
		starts[i+2] += starts[i+1]
	}
	chunks = make([]uint32, len(f.pairs))
	from := uint32(0)
	for number, c := range f.chunks {
		for _, p := range f.pairs[from:c.end] {
			chunks[starts[p+1]] = uint32(number)
			starts[p+1]++
		}
		from = c.end
	}
	f.pairs = nil
	return starts, chunks
}

// uvarintLen returns how many octets binary.AppendUvarint appends for v.
func uvarintLen(v uint32) uint32 { return uint32(bits.Len32(v|1)+6) / 7 }
