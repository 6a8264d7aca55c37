package ident

import (
	"crypto/sha1"
	"encoding/binary"

	"rtfm/ruleset/match"
)

// Namer gives flows FlowIDs of which no two are the same at a time.
type Namer struct {
	bits  int // of a FlowID
	index *index
	room  *room
}

// room is what namers of one goroutine share.
type room struct {
	former former
	store  store
}

// NewNamer returns a namer that has named no flow, with so many bits in a FlowID: 64 or
// less.
func NewNamer(bits int) *Namer { return newNamer(bits, new(room)) }

func newNamer(bits int, r *room) *Namer {
	return &Namer{bits, newIndex(bits, &r.store), r}
}

// Assign returns the first identifier for a flow in a row that no other flow has, and
// how many before it others have. Before one counts as another's, let, unless it is nil,
// is asked to let go of it, given the other's row: it returns true if it did, by Remove.
func (n *Namer) Assign(row uint32, k *match.FlowKey, let func(row uint32) bool) (id uint64, salt uint16) {
	form := n.room.former.form(k)
	for ; ; salt++ {
		binary.BigEndian.PutUint16(form, salt)
		sum := sha1.Sum(form)
		id = binary.BigEndian.Uint64(sum[:]) >> (64 - n.bits)
		if id == 0 {
			continue
		}
		if n.index.add(place{id, row}) {
			return id, salt
		}
		if let != nil && let(n.index.from(id).row) && n.index.add(place{id, row}) {
			return id, salt
		}
	}
}

// Remove lets go of an identifier.
func (n *Namer) Remove(id uint64) { n.index.remove(id) }

// Next returns this identifier, or the first higher one, that a flow has, and the flow's
// row, 0 if there is none.
func (n *Namer) Next(id uint64) (uint64, uint32) {
	p := n.index.from(id)
	return p.id, p.row
}
