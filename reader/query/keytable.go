package query

import (
	"bytes"
	"hash/maphash"
)

// keyTable has a row for each key, and takes some 250 octets for one. The zero value is
// empty.
type keyTable struct {
	seed  maphash.Seed
	slots []int32           // numbers of rows, from 1, by hash; a power of 2 of them
	rows  []*[rowsLen]group // in pieces, so that many of them need not be copied
	n     int
	keys  [][]byte // what keys are kept in that have no room in their rows
}

const rowsLen = 256

// group is what flows with one key come to: now with the collection that is being
// read, before without it.
type group struct {
	groupSums
	before     groupSums
	collection uint32 // which has added to it last
	hash       uint32
	keyLen     uint32
	keyAt      uint32 // in keys
	short      [20]byte
}

type groupSums struct {
	sums
	saved uint32 // bit i is set if a flow has saved key i
	// transport is the protocol of the flows, of which ports have their names; 0 if
	// they have several.
	transport uint8
}

// at returns a row by its number.
func (t *keyTable) at(n int) *group { return &t.rows[n/rowsLen][n%rowsLen] }

// key returns the key of a row.
func (t *keyTable) key(row *group) []byte {
	if n := int(row.keyLen); n <= len(row.short) {
		return row.short[:n]
	}
	return t.keys[row.keyAt]
}

// find returns the row of a key, nil if there is none.
func (t *keyTable) find(key []byte) *group {
	if t.n == 0 {
		return nil
	}
	row, _ := t.slot(key, maphash.Bytes(t.seed, key))
	return row
}

// slot returns the row of a key, nil if there is none, and the slot where it is or
// would be.
func (t *keyTable) slot(key []byte, hash uint64) (*group, int) {
	mask := len(t.slots) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		n := t.slots[i]
		if n == 0 {
			return nil, i
		}
		if row := t.at(int(n - 1)); row.hash == uint32(hash) && bytes.Equal(t.key(row), key) {
			return row, i
		}
	}
}

// row returns the row of a key, a new one if there is none.
func (t *keyTable) row(key []byte) *group {
	if 2*t.n >= len(t.slots) {
		t.grow()
	}
	hash := maphash.Bytes(t.seed, key)
	row, at := t.slot(key, hash)
	if row != nil {
		return row
	}
	if t.n%rowsLen == 0 {
		t.rows = append(t.rows, new([rowsLen]group))
	}
	row = t.at(t.n)
	t.n++
	t.slots[at] = int32(t.n)
	row.hash, row.keyLen = uint32(hash), uint32(len(key))
	if len(key) <= len(row.short) {
		copy(row.short[:], key)
	} else {
		row.keyAt = uint32(len(t.keys))
		t.keys = append(t.keys, bytes.Clone(key))
	}
	return row
}

// grow makes more slots.
func (t *keyTable) grow() {
	if t.slots == nil {
		t.seed = maphash.MakeSeed()
	}
	t.slots = make([]int32, max(64, 2*len(t.slots)))
	mask := len(t.slots) - 1
	for n := range t.n {
		i := int(t.at(n).hash) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = int32(n + 1)
	}
}
