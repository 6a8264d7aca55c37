package flow

import (
	"encoding/binary"
	"math"
	"math/bits"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// maxKeyWords is the length of the longest packed key in 8-octet words.
const maxKeyWords = attr.KeySize / 8

// layout says how the keys of one shape are packed: octets that the shape
// does not save are left out.
type layout struct {
	shape  *match.Shape
	words  int
	pieces []piece
	mirror []move // to the packed key of the reverse flow, nil until it is asked for
}

// piece is 1, 2, 4 or 8 neighbouring octets of a key and their place in the
// packed form, which lies within one word.
type piece struct {
	from  uint8 // offset in the key
	size  uint8 // octets
	word  uint8
	shift uint8  // bits
	mask  uint64 // of the octets, before the shift
}

// move is up to 8 neighbouring octets of a packed key, in one word, and their place
// in that of the reverse flow.
type move struct {
	from, to    uint8  // words
	right, left uint8  // bits
	mask        uint64 // of the octets, between the shifts
}

// newMirror returns how a packed key is made of that of the reverse flow.
func newMirror(from, to *layout) (moves []move) {
	// What stands at each place of a reverse key, and where that is when it is packed.
	var reverse attr.Key
	for i := range reverse {
		reverse[i] = byte(i)
	}
	reverse = reverse.ReverseFlow()
	var packed [attr.KeySize]uint8
	for _, p := range from.pieces {
		for i := range p.size {
			packed[p.from+i] = 8*p.word + p.shift/8 + i
		}
	}
	for _, p := range to.pieces {
		last := uint8(math.MaxUint8)
		for i := range p.size {
			at := packed[reverse[p.from+i]]
			if at == last+1 && at%8 != 0 {
				m := &moves[len(moves)-1]
				m.mask = m.mask<<8 | 0xff
			} else {
				moves = append(moves, move{from: at / 8, right: at % 8 * 8, to: p.word, left: p.shift + 8*i, mask: 0xff})
			}
			last = at
		}
	}
	return moves
}

// layout returns the layout of a shape.
func (t *Table) layout(s *match.Shape) *layout {
	if s.ID < len(t.layouts) && t.layouts[s.ID] != nil {
		return t.layouts[s.ID]
	}
	for len(t.layouts) <= s.ID {
		t.layouts = append(t.layouts, nil)
	}
	l := newLayout(s)
	t.layouts[s.ID] = l
	return l
}

func newLayout(s *match.Shape) *layout {
	var saved [attr.KeySize]bool
	for _, v := range s.Saved {
		from := v.Attr.Info().Offset
		for i := range s.Len(v.Attr) {
			saved[from+i] = true
		}
	}
	// Runs of saved octets, cut into sizes that fill words without straddling.
	l := &layout{shape: s}
	var sizes [9][]uint8 // offsets of pieces, by size
	for i := 0; i < len(saved); {
		n := 0
		for n < 8 && i+n < len(saved) && saved[i+n] {
			n++
		}
		if n == 0 {
			i++
			continue
		}
		n = 1 << (bits.Len(uint(n)) - 1)
		sizes[n] = append(sizes[n], uint8(i))
		i += n
	}
	at := 0
	for _, n := range []int{8, 4, 2, 1} {
		for _, from := range sizes[n] {
			l.pieces = append(l.pieces, piece{
				from: from, size: uint8(n), word: uint8(at / 8), shift: uint8(at % 8 * 8),
				mask: ^uint64(0) >> (64 - 8*n),
			})
			at += n
		}
	}
	l.words = (at + 7) / 8
	return l
}

func (l *layout) pack(k *attr.Key, w *[maxKeyWords]uint64) {
	clear(w[:l.words])
	for i := range l.pieces {
		p := &l.pieces[i]
		w[p.word%maxKeyWords] |= binary.LittleEndian.Uint64(k[p.from:]) & p.mask << p.shift
	}
}

// unpack sets the octets of k that the shape saves.
func (l *layout) unpack(w []uint64, k *attr.Key) {
	for i := range l.pieces {
		p := &l.pieces[i]
		b, v := k[p.from:], w[p.word]>>p.shift
		switch p.size {
		case 1:
			b[0] = byte(v)
		case 2:
			binary.LittleEndian.PutUint16(b, uint16(v))
		case 4:
			binary.LittleEndian.PutUint32(b, uint32(v))
		default:
			binary.LittleEndian.PutUint64(b, v)
		}
	}
}

// keyStore holds packed keys of one length.
type keyStore struct {
	words  int
	blocks [][]uint64 // blockLen keys each
	slab   []uint64   // blocks that are not used yet
	used   uint32     // keys ever held
	// free is the place of the key that was removed last, + 1. Its first word is
	// what free was before.
	free uint32
}

func (s *keyStore) at(i uint32) []uint64 {
	from := int(i%blockLen) * s.words
	return s.blocks[i/blockLen][from : from+s.words]
}

func (s *keyStore) add(w []uint64) uint32 {
	if s.words == 0 {
		return 0
	}
	i := s.used
	if s.free != 0 {
		i = s.free - 1
		s.free = uint32(s.at(i)[0])
	} else {
		if int(s.used) == len(s.blocks)*blockLen {
			s.addBlock()
		}
		s.used++
	}
	copy(s.at(i), w)
	return i
}

func (s *keyStore) addBlock() {
	size := blockLen * s.words
	if len(s.slab) == 0 {
		// As large as all there are, from one block to 1 MiB.
		s.slab = make([]uint64, size*max(1, min(len(s.blocks), 1<<20/(8*size))))
	}
	s.blocks = append(s.blocks, s.slab[:size:size])
	s.slab = s.slab[size:]
}

func (s *keyStore) remove(i uint32) {
	if s.words > 0 {
		s.at(i)[0], s.free = uint64(s.free), i+1
	}
}
