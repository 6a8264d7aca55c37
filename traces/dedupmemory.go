package traces

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// dedupChunk is how many packets are looked at together before the first of them
// is looked up.
const dedupChunk = 256

// ring says which of its places hold the latest packets. There are more places
// than packets that are remembered, so that those to come can be prepared.
type ring struct {
	most int32 // packets that are remembered
	used int32 // that are by now
	size int32 // places
	at   int32 // the place of the next packet
}

// ahead returns the place of the i-th packet to come, of dedupChunk.
func (r *ring) ahead(i int32) int32 {
	if at := r.at + i; at < r.size {
		return at
	}
	return r.at + i - r.size
}

// next goes to the next place.
func (r *ring) next() {
	r.at = r.ahead(1)
	r.used = min(r.used+1, r.most)
}

// age returns how many packets ago that was at place i, or more than are
// remembered.
func (r *ring) age(i int32) int32 {
	if age := r.at - i; age > 0 {
		return age
	}
	return r.at - i + r.size
}

// memory finds the latest packet in a ring by octets, its key. Packets whose keys
// share a bucket are chained, the latest first. Those that are no longer remembered
// stay until their place is taken, and who goes along a chain notices: what is there
// now is then younger than what came before it in the chain.
type memory struct {
	seed    maphash.Seed
	buckets []int32 // by hash: the latest packet's place, or none
	entries []memoryEntry
	keys    []byte // of each place keyLen
	keyLen  int
}

type memoryEntry struct {
	hash   uint64
	older  int32 // in the chain, or none
	length uint8 // of the key
	added  bool
}

const none = -1

// newMemory returns a memory for keys of so many octets at most.
func newMemory(r *ring, keyLen int) *memory {
	m := &memory{
		seed: maphash.MakeSeed(), keyLen: keyLen,
		buckets: make([]int32, 2<<bits.Len32(uint32(r.most-1))),
		entries: make([]memoryEntry, r.size), keys: make([]byte, int(r.size)*keyLen),
	}
	for i := range m.buckets {
		m.buckets[i] = none
	}
	return m
}

// room returns where the key of a place is to be appended.
func (m *memory) room(place int32) []byte {
	from := int(place) * m.keyLen
	return m.keys[from : from : from+m.keyLen]
}

// key returns the key of a place.
func (m *memory) key(place int32) []byte {
	return m.room(place)[:m.entries[place].length]
}

// set takes the key of a packet to come, made in its room.
func (m *memory) set(place int32, key []byte) {
	m.entries[place] = memoryEntry{hash: maphash.Bytes(m.seed, key), older: none, length: uint8(len(key))}
}

func (m *memory) bucket(hash uint64) *int32 { return &m.buckets[hash&uint64(len(m.buckets)-1)] }

// find returns the place of the latest packet that was added with the key of the
// next one, none if none is remembered.
func (m *memory) find(r *ring) int32 {
	return m.findFrom(r, *m.bucket(m.entries[r.at].hash), 0)
}

// findBefore returns the place of the one before that, which is at i.
func (m *memory) findBefore(r *ring, i int32) int32 {
	return m.findFrom(r, m.entries[i].older, r.age(i))
}

func (m *memory) findFrom(r *ring, i, before int32) int32 {
	e := &m.entries[r.at]
	for m.has(r, i, e.hash, before) {
		x := &m.entries[i]
		if x.hash == e.hash && bytes.Equal(m.key(i), m.key(r.at)) {
			return i
		}
		i, before = x.older, r.age(i)
	}
	return none
}

// has reports whether i, of a chain, is the place of a packet that is remembered
// there, older than before.
func (m *memory) has(r *ring, i int32, hash uint64, before int32) bool {
	if i == none {
		return false
	}
	age, x := r.age(i), &m.entries[i]
	return age > before && age <= r.used && x.added && m.bucket(x.hash) == m.bucket(hash)
}

// add remembers the next packet.
func (m *memory) add(r *ring) {
	e := &m.entries[r.at]
	bucket := m.bucket(e.hash)
	e.added = true
	if m.has(r, *bucket, e.hash, 0) {
		e.older = *bucket
	}
	*bucket = r.at
}
