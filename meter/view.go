package meter

import (
	"encoding/binary"
	"math/bits"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/keyhash"
)

// A view is what a ruleset sees of packets (pme.Program.Visible). It is never
// changed, so that packets may be seen while others are metered.
type view struct {
	ends   []visible // words of an end, the same of both
	common []visible // what has no direction: three words at most
	words  int       // of a sight without its last one
	blind  bool      // the ruleset sees more than that: no memo knows any packet
	tuple  bool      // the ruleset sees no more than seeTuple does
	tunnel bool      // it sees tunnels, and what they carry
	key    attr.Key  // the bits that count
}

// secret keeps whoever sends the packets from making ones whose sights collide:
// see package keyhash. The first words are added to those of a sight.
var secret = keyhash.NewSecret()

// visible is a word of the match key and the bits of it that count.
type visible struct {
	off  uint8
	size uint8 // of an end that has the word, in octets: 0 for what has no direction
	mask uint64
}

// dest returns where the destination's end has the word.
func (v *visible) dest() uint8 { return v.off + v.size }

const (
	endWords = attr.EndSize / 8
	// Of an end: the adjacent address, and one that has an octet to spare, at its
	// top.
	adjacentWord, lensWord = 3, 4
	innerWords             = attr.InnerEndSize / 8
	maxWords               = 2*(endWords-1+innerWords) + 4 // a word of an end is never seen
)

// maxMemoPeer is the longest peer address in a memo. Longer ones, of CLNS,
// would make all entries larger.
const maxMemoPeer = 16

// A sight is a packet as a ruleset sees it: the visible words of its ends, the
// lower end's and the higher end's in turn, those that have no direction, and a
// last word. The high half of that is a hash of the others; bit 0 is set if the
// lower end is the destination, bit 1 if no memo knows the packet. The lengths
// of its addresses stand in the ends' spare octets.
const (
	sightReverse = 1 << iota
	sightOdd
)

// newView returns how a ruleset sees packets that sees these bits.
func newView(see attr.Key) *view {
	v := &view{key: see, blind: see.HasRecord(), tunnel: see.SeesTunnel()}
	word := func(off, size int) visible {
		return visible{uint8(off), uint8(size), binary.LittleEndian.Uint64(see[off:])}
	}
	for _, off := range attr.CommonWords() {
		if w := word(off, 0); w.mask != 0 {
			v.common = append(v.common, w)
		}
	}
	for n := range innerWords {
		if w := word(attr.InnerEnds+8*n, attr.InnerEndSize); w.mask != 0 {
			v.ends = append(v.ends, w)
		}
	}
	v.tuple = !v.blind && len(v.common)+len(v.ends) == 0 && word(8*adjacentWord, 0).mask == 0
	for n := range endWords {
		w := word(8*n, attr.EndSize)
		peer := 8*n < maxMemoPeer
		if peer && v.tuple || (peer || n >= adjacentWord) && w.mask != 0 || n == lensWord {
			v.ends = append(v.ends, w)
		}
	}
	v.words = 2*len(v.ends) + len(v.common)
	return v
}

// sightLen is the number of words of a sight.
func (v *view) sightLen() int { return v.words + 1 }

// sight returns the i-th of sights.
func (v *view) sight(sights []uint64, i int) []uint64 {
	n := v.words + 1
	return sights[i*n : i*n+n : i*n+n]
}

// see sets w to the sight of packet p, and reports whether a memo can know it.
func (v *view) see(p *match.Packet, w []uint64) bool {
	if v.blind || p.PeerLen > maxMemoPeer {
		w[v.words] = sightOdd
		return false
	}
	if v.tuple {
		var source, dest attr.End
		p.Key.Ends(&source, &dest)
		v.seeTuple(&source, &dest, p.PeerLen, p.AdjacentLen, (*tupleSight)(w))
		return true
	}
	// The ends are compared as numbers of so many words, without a branch, since
	// nobody can predict it.
	lower := uint64(0) // 1 if the destination is
	for i, e := range v.ends {
		source := binary.LittleEndian.Uint64(p.Key[e.off:]) & e.mask
		dest := binary.LittleEndian.Uint64(p.Key[e.dest():]) & e.mask
		_, lower = bits.Sub64(dest, source, lower)
		w[2*i], w[2*i+1] = source, dest
	}
	n := 2 * len(v.ends)
	for i := 0; i+1 < n; i += 2 {
		x := (w[i] ^ w[i+1]) & -lower
		w[i] ^= x
		w[i+1] ^= x
	}
	w[n-2] |= uint64(p.PeerLen) << 56
	w[n-1] |= uint64(p.AdjacentLen) << 56
	var sum keyhash.Sum
	for i := 0; i+1 < n; i += 2 {
		sum = sum.Add(w[i]+secret[i], w[i+1]+secret[i+1])
	}
	for i, c := range v.common {
		w[n+i] = binary.LittleEndian.Uint64(p.Key[c.off:]) & c.mask
	}
	for i := n; i < v.words; i += 2 {
		y := secret[i+1]
		if i+1 < v.words {
			y += w[i+1]
		}
		sum = sum.Add(w[i]+secret[i], y)
	}
	w[v.words] = sum.Hash((*[4]uint64)(secret[maxWords:]))&^(1<<32-1) | lower
	return true
}

// tupleSight is the sight of a packet where rulesets see no more than peer
// addresses, transport addresses, types and interfaces, as most do.
type tupleSight [7]uint64

// seeTuple is see for such rulesets, without loops, and for a packet that has
// these ends.
func (v *view) seeTuple(source, dest *attr.End, peerLen, adjacentLen uint8, w *tupleSight) {
	m := (*[3]visible)(v.ends)
	s0, d0 := source.Peer[0]&m[0].mask, dest.Peer[0]&m[0].mask
	s1, d1 := source.Peer[1]&m[1].mask, dest.Peer[1]&m[1].mask
	s2, d2 := source.Trans&m[2].mask, dest.Trans&m[2].mask
	_, lower := bits.Sub64(d0, s0, 0)
	_, lower = bits.Sub64(d1, s1, lower)
	_, lower = bits.Sub64(d2, s2, lower)
	x0, x1, x2 := (s0^d0)&-lower, (s1^d1)&-lower, (s2^d2)&-lower
	s0, d0, s1, d1, s2, d2 = s0^x0, d0^x0, s1^x1, d1^x1, s2^x2, d2^x2
	s2, d2 = s2|uint64(peerLen)<<56, d2|uint64(adjacentLen)<<56
	sum := keyhash.Sum{}.Add(s0+secret[0], d0+secret[1]).Add(s1+secret[2], d1+secret[3]).Add(s2+secret[4], d2+secret[5])
	w[0], w[1], w[2], w[3], w[4], w[5] = s0, d0, s1, d1, s2, d2
	w[6] = sum.Hash((*[4]uint64)(secret[maxWords:]))&^(1<<32-1) | lower
}

// blank sets w to what no memo knows, for a packet of which nothing will be asked.
func (v *view) blank(w []uint64) { w[v.words] = sightOdd }

// recall sets p to a packet that the ruleset cannot tell from the one with this
// sight. p is zero, or a packet that was recalled in this view before: what the
// view does not see stays zero.
func (v *view) recall(w []uint64, p *match.Packet) {
	n := 2 * len(v.ends)
	p.PeerLen, p.AdjacentLen = uint8(w[n-2]>>56), uint8(w[n-1]>>56)
	source := int(w[v.words] & sightReverse)
	for i, e := range v.ends {
		binary.LittleEndian.PutUint64(p.Key[e.off:], w[2*i+source]&e.mask)
		binary.LittleEndian.PutUint64(p.Key[e.dest():], w[2*i+1-source]&e.mask)
	}
	for i, c := range v.common {
		binary.LittleEndian.PutUint64(p.Key[c.off:], w[n+i])
	}
}
