package stream

import (
	"math"
	"math/bits"

	"rtfm/ruleset/attr"
)

// tally is what all packets of one direction of a flow change, for statistics of
// single packets: a cache line. A flow with any has it whole. Of sums of squares it
// has the lower half, of least values the complement, so that those of no value are 0.
type tally struct {
	latest     int64 // time of the latest one
	size       moments
	gapSquares uint64
	gapUpper   uint32 // 32 bits more of them, since after a few seconds there are some
	packets    uint32 // lower half
	gapLeast   uint64
	gapMost    uint64
}

// tallyRest is what few of them change.
type tallyRest struct {
	first       int64  // time of the first one
	sizeSquares uint64 // upper half
	gapSquares  uint64 // from the 96th bit on
	packets     uint64 // upper half
}

// moments are those of values of 32 bits, but for how many there were.
type moments struct {
	sum, squares uint64
	least, most  uint32
}

// traits are what all packets of one direction of a flow change for statistics of
// details: another cache line.
type traits struct {
	payload                  moments
	windowSum, windowSquares uint64
	window, ipID             struct{ least, most uint16 }
	pushes                   uint64
	hops                     struct{ least, most uint8 }
	usual                    known // of the first packet
	listed                   uint8 // lists that are known to be full, a bit for each
}

// traitRest is what few of them change. What is known of a packet is mostly what is
// known of the flow's first one; of others it is counted here.
type traitRest struct {
	payloadSquares, windowSquares uint64            // upper halves
	unusual                       uint64            // packets of which other fields are known
	known                         [knownBits]uint64 // by field, those of them of which it is
	// With each TCP flag, but for PSH, which is in traits; of ACK those without.
	flags       [8]uint64
	zeroWindows uint64
}

const (
	pshBit = 3
	ackBit = 4
)

// add adds a value and returns 1 if the upper half of the sum of squares is to be
// one more.
func (m *moments) add(v uint32) (carry uint64) {
	m.sum += uint64(v)
	m.squares, carry = bits.Add64(m.squares, uint64(v)*uint64(v), 0)
	m.least, m.most = max(m.least, ^v), max(m.most, v)
	return carry
}

// count counts a packet and reports whether it is the first one.
func (t *tally) count(rest *tallyRest, octets uint32, now int64) (first bool) {
	t.packets++
	if t.packets == 0 {
		rest.packets++
	}
	if first = t.packets == 1 && rest.packets == 0; first {
		rest.first = now
	} else {
		gap := uint64(now - t.latest)
		high, low := bits.Mul64(gap, gap)
		var carry uint64
		t.gapSquares, carry = bits.Add64(t.gapSquares, low, 0)
		high += carry + uint64(t.gapUpper)
		if t.gapUpper = uint32(high); high > math.MaxUint32 {
			rest.gapSquares += high >> 32
		}
		t.gapLeast, t.gapMost = max(t.gapLeast, ^gap), max(t.gapMost, gap)
	}
	t.latest = now
	if t.size.add(octets) != 0 {
		rest.sizeSquares++
	}
	return first
}

// count counts a packet.
func (t *traits) count(rest *traitRest, d *detail, first bool) {
	k := d.known
	if first {
		t.usual = k
	}
	if k != t.usual {
		rest.unusual++
		for ; k != 0; k &= k - 1 {
			rest.known[bits.TrailingZeros8(uint8(k))]++
		}
		k = d.known
	}
	if k&knowsPayload != 0 && t.payload.add(d.payload) != 0 {
		rest.payloadSquares++
	}
	if k&knowsHopLimit != 0 {
		t.hops.least, t.hops.most = max(t.hops.least, ^d.hopLimit), max(t.hops.most, d.hopLimit)
	}
	if k&knowsIPID != 0 {
		t.ipID.least, t.ipID.most = max(t.ipID.least, ^d.ipID), max(t.ipID.most, d.ipID)
	}
	if k&knowsWindow != 0 {
		w := d.window
		t.windowSum += uint64(w)
		var carry uint64
		if t.windowSquares, carry = bits.Add64(t.windowSquares, uint64(w)*uint64(w), 0); carry != 0 {
			rest.windowSquares++
		}
		t.window.least, t.window.most = max(t.window.least, ^w), max(t.window.most, w)
		if w == 0 && d.flags&(flagSYN|flagFIN|flagRST) == 0 {
			rest.zeroWindows++
		}
	}
	if k&knowsFlags != 0 {
		t.pushes += uint64(d.flags >> pshBit & 1)
		for f := d.flags&^flagPSH ^ flagACK; f != 0; f &= f - 1 {
			rest.flags[bits.TrailingZeros8(f)]++
		}
	}
}

// packets returns of how many packets a field is known, one bit, where there were so
// many in all.
func (t *traits) packets(rest *traitRest, all uint64, field known) uint64 {
	n := rest.known[bits.TrailingZeros8(uint8(field))]
	if t.usual&field != 0 {
		n += all - rest.unusual
	}
	return n
}

// list is a list of the first packets of a flow, in its words. At head there are how
// many there are, and the time of the latest one; heads stand side by side.
type list struct {
	head, at, most int
	payloads       bool // it lists those with payload
}

// listHead is how many words a head has.
const listHead = 2

// list lists a packet where there is room for it; t are the traits of its direction.
func (c counted) list(t *traits, d *detail, direction int, octets uint64, now int64) {
	words := c.store.wordsOf(c.flow)
	for i := range c.lists {
		l := &c.lists[i]
		head := (*[listHead]uint64)(words[l.head:])
		switch {
		case head[0] == uint64(l.most):
			t.listed |= 1 << i
			continue
		case l.payloads && d.payload == 0:
			continue
		case head[0] == 0:
			head[1] = uint64(now)
		}
		size := octets
		if l.payloads {
			size = uint64(d.payload)
		}
		words[l.at:][:l.most][head[0]] = uint64(attr.NewListed(size, d.flags, now-int64(head[1]), direction == 1))
		head[0], head[1] = head[0]+1, uint64(now)
	}
}

// tally counts a packet in the statistics of single packets.
func (c counted) tally(direction int, packet Packet, octets uint64, now int64) {
	b, i := &c.store.blocks[c.flow/blockLen], c.flow%blockLen
	t := &b.tallies[i][direction]
	first := t.count(&b.rests[i][direction], uint32(octets), now)
	if c.detailed {
		d, s := packet.detail(), &b.traits[i][direction]
		s.count(&b.traitRests[i][direction], d, first)
		if s.listed != c.listed {
			c.list(s, d, direction, octets, now)
		}
	}
}

// toDestination returns what a measures, as if of packets to the destination, and
// the direction that it is of.
func toDestination(a attr.Attr) (what attr.Attr, direction int) {
	if a.IsFrom() {
		return a - 1, 1
	}
	return a, 0
}

// appendTallied appends the numbers of a statistic of single packets; if it is a list,
// the one with this number.
func (c counted) appendTallied(all []uint64, d *attr.Measure, list int) []uint64 {
	what, direction := toDestination(d.Attr)
	b, i := &c.store.blocks[c.flow/blockLen], c.flow%blockLen
	t, rest := &b.tallies[i][direction], &b.rests[i][direction]
	packets := rest.packets<<32 | uint64(t.packets)
	switch what {
	case attr.ToSizeStats:
		return appendMoments(all, packets, &t.size, rest.sizeSquares)
	case attr.ToGapStats:
		if packets < 2 {
			return append(all, 0, 0, 0, 0, 0, 0)
		}
		return append(all, packets-1, uint64(t.latest-rest.first), t.gapSquares, rest.gapSquares<<32|uint64(t.gapUpper), ^t.gapLeast, t.gapMost)
	}
	s, few := &b.traits[i][direction], &b.traitRests[i][direction]
	switch what {
	case attr.ToPayloadStats:
		return appendMoments(all, s.packets(few, packets, knowsPayload), &s.payload, few.payloadSquares)
	case attr.ToWindowStats:
		m := moments{s.windowSum, s.windowSquares, ^uint32(^s.window.least), uint32(s.window.most)}
		return appendMoments(all, s.packets(few, packets, knowsWindow), &m, few.windowSquares)
	case attr.ToHopLimitRange:
		return appendRange(all, s.packets(few, packets, knowsHopLimit), uint64(^s.hops.least), uint64(s.hops.most))
	case attr.ToIPIDRange:
		return appendRange(all, s.packets(few, packets, knowsIPID), uint64(^s.ipID.least), uint64(s.ipID.most))
	case attr.ToTCPFlags:
		first := len(all)
		all = append(append(all, 0), few.flags[:]...)
		counts := all[first+1:]
		counts[pshBit], counts[ackBit] = s.pushes, s.packets(few, packets, knowsFlags)-few.flags[ackBit]
		for i, n := range counts {
			if n > 0 {
				all[first] |= 1 << i
			}
		}
		return all
	case attr.ToZeroWindows:
		return append(all, few.zeroWindows)
	case attr.ToResets:
		return append(all, few.flags[bits.TrailingZeros8(flagRST)])
	}
	words := c.store.wordsOf(c.flow)
	l := &c.lists[list]
	return append(append(all, words[l.head]), words[l.at:l.at+l.most]...)
}

// appendMoments appends the numbers of a FormStats of n values.
func appendMoments(all []uint64, n uint64, m *moments, squaresHigh uint64) []uint64 {
	if n == 0 {
		return append(all, 0, 0, 0, 0, 0, 0)
	}
	return append(all, n, m.sum, m.squares, squaresHigh, uint64(^m.least), uint64(m.most))
}

// appendRange appends the numbers of a FormRange of n values.
func appendRange(all []uint64, n, least, most uint64) []uint64 {
	if n == 0 {
		return append(all, 0, 0, 0)
	}
	return append(all, n, least, most)
}
