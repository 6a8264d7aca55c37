package stream

import (
	"math/bits"

	"rtfm/ruleset/attr"
)

// tally is what all packets of one direction of a flow change, for statistics of
// single packets: a cache line. A flow with any has it whole. Of sums of squares it
// has the lower half, of least values the complement, so that those of no value are 0.
// When the first packet came is kept beside it.
type tally struct {
	latest     int64 // time of the latest one
	size       moments
	gapSquares uint64
	gapUpper   uint32 // 32 bits more of them, since after a few seconds there are some
	packets    uint32 // lower half
	gapLeast   uint64
	gapMost    uint64
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
	pushes                   uint32   // lower half
	few                      [8]uint8 // packets with what is rare, lower 8 bits
	hops                     struct{ least, most uint8 }
	usual                    known // of the first packet, and whether it is mixed
	listed                   uint8 // lists that are known to be full, a bit for each
}

// rest is what is not in the tally and the traits of a direction, for which most flows
// have too few packets: only those that need it have one. What is known of a packet is
// mostly what is known of the flow's first one; of others it is counted here.
type rest struct {
	packets, pushes                            uint64            // upper halves
	sizeSquares, payloadSquares, windowSquares uint64            // upper halves
	gapSquares                                 uint64            // from the 96th bit on
	few                                        [8]uint64         // without the lower 8 bits
	unusual                                    uint64            // packets of which other fields are known
	known                                      [knownBits]uint64 // by field, those of them of which it is
}

const (
	rstBit        = 2
	pshBit        = 3
	ackBit        = 4
	zeroWindowBit = pshBit // of rare, which has no PSH
)

// mixed is set beside what is known of the first packet if other fields are known of
// some later one.
const mixed known = 1 << 7

// add adds a value and returns 1 if the upper half of the sum of squares is to be
// one more.
func (m *moments) add(v uint32) (carry uint64) {
	m.sum += uint64(v)
	m.squares, carry = bits.Add64(m.squares, uint64(v)*uint64(v), 0)
	m.least, m.most = max(m.least, ^v), max(m.most, v)
	return carry
}

// spot is where numbers of packets in one direction of a flow are.
type spot struct {
	store     *store
	flow      uint32
	direction int
}

// rest returns what few of them change, which it makes if there is none.
func (p spot) rest() *rest { return p.store.restOf(p.flow, p.direction) }

// count counts a packet and reports whether it is the first one; p is where t is.
func (t *tally) count(p spot, octets uint32, now int64) (first bool) {
	t.packets++
	carry := t.size.add(octets)
	if t.packets <= 1 && t.begin(p, now) {
		return true
	}
	gap := uint64(now - t.latest)
	t.latest = now
	high, low := bits.Mul64(gap, gap)
	var more uint64
	t.gapSquares, more = bits.Add64(t.gapSquares, low, 0)
	high += more + uint64(t.gapUpper)
	t.gapUpper = uint32(high)
	t.gapLeast, t.gapMost = max(t.gapLeast, ^gap), max(t.gapMost, gap)
	if high>>32|carry != 0 {
		rest := p.rest()
		rest.gapSquares += high >> 32
		rest.sizeSquares += carry
	}
	return false
}

// begin notes that the count of packets has come to 0 or 1, and reports whether this is
// the first one.
func (t *tally) begin(p spot, now int64) (first bool) {
	if t.packets == 0 {
		p.rest().packets++
		return false
	}
	if p.store.restIfAny(p.flow, p.direction).packets > 0 {
		return false
	}
	t.latest, *p.store.firstOf(p.flow, p.direction) = now, now
	return true
}

// count counts a packet; p is where t is. Where the same is known of all, what is not
// known is counted as it stands there: nobody reads it.
func (t *traits) count(p spot, d *detail, first bool) {
	if first {
		t.usual = d.known
	}
	if t.usual != d.known {
		t.countUnusual(p, d)
		return
	}
	payload := t.payload.add(d.payload)
	t.hops.least, t.hops.most = max(t.hops.least, ^d.hopLimit), max(t.hops.most, d.hopLimit)
	t.ipID.least, t.ipID.most = max(t.ipID.least, ^d.ipID), max(t.ipID.most, d.ipID)
	window := t.addWindow(d.window)
	t.countFlags(p, d)
	if payload|window != 0 {
		p.carry(payload, window)
	}
}

// addWindow adds a window and returns what moments.add does.
func (t *traits) addWindow(w uint16) (carry uint64) {
	t.windowSum += uint64(w)
	t.windowSquares, carry = bits.Add64(t.windowSquares, uint64(w)*uint64(w), 0)
	t.window.least, t.window.most = max(t.window.least, ^w), max(t.window.most, w)
	return carry
}

// carry adds what is carried over to the upper halves of sums of squares.
func (p spot) carry(payload, window uint64) {
	rest := p.rest()
	rest.payloadSquares += payload
	rest.windowSquares += window
}

// countFlags counts PSH, and what is rare of a packet.
func (t *traits) countFlags(p spot, d *detail) {
	push := uint32(d.flags >> pshBit & 1)
	if t.pushes += push; t.pushes < push {
		p.rest().pushes++
	}
	for f := d.rare; f != 0; f &= f - 1 {
		i := bits.TrailingZeros8(uint8(f))
		if t.few[i]++; t.few[i] == 0 {
			p.rest().few[i] += 1 << 8
		}
	}
}

// rare returns how many packets had what is rare, by its bit.
func (t *traits) rare(rest *rest, bit int) uint64 { return rest.few[bit] + uint64(t.few[bit]) }

// countUnusual counts a packet of which other fields are known than of the first one, or
// one that follows such a packet: fields that are not known must be left out then.
func (t *traits) countUnusual(p spot, d *detail) {
	if t.usual&mixed == 0 {
		t.forget(^t.usual)
		t.usual |= mixed
	}
	k := d.known
	if k|mixed != t.usual {
		rest := p.rest()
		rest.unusual++
		for f := k; f != 0; f &= f - 1 {
			rest.known[bits.TrailingZeros8(uint8(f))]++
		}
	}
	var payload, window uint64
	if k&knowsPayload != 0 {
		payload = t.payload.add(d.payload)
	}
	if k&knowsHopLimit != 0 {
		t.hops.least, t.hops.most = max(t.hops.least, ^d.hopLimit), max(t.hops.most, d.hopLimit)
	}
	if k&knowsIPID != 0 {
		t.ipID.least, t.ipID.most = max(t.ipID.least, ^d.ipID), max(t.ipID.most, d.ipID)
	}
	if k&knowsWindow != 0 {
		window = t.addWindow(d.window)
	}
	t.countFlags(p, d)
	if payload|window != 0 {
		p.carry(payload, window)
	}
}

// forget forgets what was counted of these fields.
func (t *traits) forget(fields known) {
	if fields&knowsPayload != 0 {
		t.payload = moments{}
	}
	if fields&knowsHopLimit != 0 {
		t.hops.least, t.hops.most = 0, 0
	}
	if fields&knowsIPID != 0 {
		t.ipID.least, t.ipID.most = 0, 0
	}
	if fields&knowsWindow != 0 {
		t.windowSum, t.windowSquares, t.window.least, t.window.most = 0, 0, 0, 0
	}
}

// packets returns of how many packets a field is known, one bit, where there were so
// many in all.
func (t *traits) packets(rest *rest, all uint64, field known) uint64 {
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
	p := spot{c.store, c.flow, direction}
	t, s := c.store.tallyOf(c.flow, direction)
	first := t.count(p, uint32(octets), now)
	if s != nil {
		d := packet.detail()
		s.count(p, d, first)
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
	t, s := c.store.tallyOf(c.flow, direction)
	rest := c.store.restIfAny(c.flow, direction)
	packets := rest.packets<<32 | uint64(t.packets)
	switch what {
	case attr.ToSizeStats:
		return appendMoments(all, packets, &t.size, rest.sizeSquares)
	case attr.ToGapStats:
		if packets < 2 {
			return append(all, 0, 0, 0, 0, 0, 0)
		}
		return append(all, packets-1, uint64(t.latest-*c.store.firstOf(c.flow, direction)), t.gapSquares, rest.gapSquares<<32|uint64(t.gapUpper), ^t.gapLeast, t.gapMost)
	case attr.ToPayloadStats:
		return appendMoments(all, s.packets(rest, packets, knowsPayload), &s.payload, rest.payloadSquares)
	case attr.ToWindowStats:
		m := moments{s.windowSum, s.windowSquares, ^uint32(^s.window.least), uint32(s.window.most)}
		return appendMoments(all, s.packets(rest, packets, knowsWindow), &m, rest.windowSquares)
	case attr.ToHopLimitRange:
		return appendRange(all, s.packets(rest, packets, knowsHopLimit), uint64(^s.hops.least), uint64(s.hops.most))
	case attr.ToIPIDRange:
		return appendRange(all, s.packets(rest, packets, knowsIPID), uint64(^s.ipID.least), uint64(s.ipID.most))
	case attr.ToTCPFlags:
		first := len(all)
		all = append(all, make([]uint64, 1+len(s.few))...)
		counts := all[first+1:]
		for i := range counts {
			counts[i] = s.rare(rest, i)
		}
		counts[pshBit] = rest.pushes<<32 | uint64(s.pushes)
		counts[ackBit] = s.packets(rest, packets, knowsFlags) - counts[ackBit]
		for i, n := range counts {
			if n > 0 {
				all[first] |= 1 << i
			}
		}
		return all
	case attr.ToZeroWindows:
		return append(all, s.rare(rest, zeroWindowBit))
	case attr.ToResets:
		return append(all, s.rare(rest, rstBit))
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
