package stream

import (
	"rtfm/ruleset/attr"

	"rtfm/meter/huge"
)

// sequence is what was seen of the sequence numbers of one end of a TCP stream: the
// last span of those before next, but for those in holes. SYN and FIN take a number
// as an octet does (RFC 9293 section 3.4). The zero sequence has seen nothing.
type sequence struct {
	next, span uint32
	holes      holes
}

// maxSpan is how far behind sequence numbers can be told from those ahead.
const maxSpan = 1 << 31

// maxTaken is more numbers than any segment takes.
const maxTaken = 1 << 30

// ofSequence reports whether a is a statistic of sequence numbers.
func ofSequence(a attr.Attr) bool {
	return a >= attr.ToRetransmittedPDUs && a <= attr.FromMissingOctets
}

// sequenceWords are the words in which one direction's sequence numbers are
// counted. What is not wanted is counted in word 0, which nobody reads.
type sequenceWords struct{ pdus, octets, outOfOrder, gaps, missing int }

// of returns the word of a statistic, of packets in either direction; nil if it is
// none of sequence numbers.
func (s *sequenceWords) of(what attr.Attr) *int {
	switch what {
	case attr.ToRetransmittedPDUs:
		return &s.pdus
	case attr.ToRetransmittedOctets:
		return &s.octets
	case attr.ToOutOfOrderPDUs:
		return &s.outOfOrder
	case attr.ToSequenceGaps:
		return &s.gaps
	case attr.ToMissingOctets:
		return &s.missing
	}
	return nil
}

// sequences are those of both ends of streams.
type sequences struct {
	blocks []*[streamBlock][2]sequence // by stream; nil where none has needed it
	slab   huge.Slab[[streamBlock][2]sequence]
	pools  holePools
}

// begin prepares for stream i, of which nothing was seen.
func (t *sequences) begin(i uint32) {
	for int(i/streamBlock) >= len(t.blocks) {
		t.blocks = append(t.blocks, nil)
	}
	b := &t.blocks[i/streamBlock]
	if *b == nil {
		*b = &t.slab.Take(1)[0]
	}
	(*b)[i%streamBlock] = [2]sequence{}
}

// at returns those of both ends of stream i; nil if it has none.
func (t *sequences) at(i uint32) *[2]sequence {
	if b := t.blocks[i/streamBlock]; b != nil {
		return &b[i%streamBlock]
	}
	return nil
}

// tracker is what is needed to follow the sequence of one end of a stream.
type tracker struct {
	*sequence
	pools   *holePools
	missing *uint64 // octets, of this end
}

// tracker returns that of one end of stream i, which is s.
func (t *sequences) tracker(c counted, i uint32, s stream, side uint8) tracker {
	direction := s.state / of(opposite, side) & 1
	missing := &c.store.wordsOf(c.flow)[c.sequence[direction].missing]
	return tracker{&t.at(i)[side&1], &t.pools, missing}
}

// end counts as missing what never came of stream i, and reports whether there was
// any.
func (t *sequences) end(c counted, i uint32, s stream) (missing bool) {
	for side := range uint8(2) {
		k := t.tracker(c, i, s, side)
		for k.holes.n > 0 {
			k.giveUp()
			missing = true
		}
		t.pools.empty(&k.holes)
	}
	return missing
}

// segment counts a TCP segment of stream i. Those with RST, whose numbers and data
// may be anything (RFC 9293 section 3.5.3), are not looked at, nor are those that
// take no number.
func (t *sequences) segment(c counted, i uint32, s stream, d *digest, direction uint8) {
	syn, fin := uint32(d.flags>>1&1), uint32(d.flags&flagFIN)
	taken := syn + min(d.length, maxTaken) + fin
	if taken == 0 || d.flags&flagRST != 0 {
		return
	}
	if q := &t.at(i)[d.side&1]; q.holes.n == 0 && q.next == d.seq && q.span != 0 { // the usual case
		q.next, q.span = d.seq+taken, min(q.span+taken, maxSpan)
		return
	}
	k := t.tracker(c, i, s, d.side)
	if k.span == 0 {
		k.next, k.span = d.seq+taken, taken
		return
	}
	words, w := c.store.wordsOf(c.flow), &c.sequence[direction&1]
	ahead := k.position(d.seq)
	switch {
	case ahead > 0:
		words[w.gaps]++
		k.insert(int(k.holes.n), hole{k.next, d.seq})
		k.advance(uint64(ahead) + uint64(taken))
	case ahead == 0:
		k.advance(uint64(taken))
	default:
		seen, fills := k.compare(ahead+int64(syn), ahead+int64(taken-fin))
		if seen > 0 {
			words[w.pdus]++
			words[w.octets] += uint64(seen)
		}
		if fills {
			words[w.outOfOrder]++
		}
		k.see(ahead, ahead+int64(taken))
	}
}

// position returns how far a number is ahead of next.
func (q *sequence) position(n uint32) int64 { return int64(int32(n - q.next)) }

// number returns the number at a position.
func (q *sequence) number(position int64) uint32 { return q.next + uint32(position) }

// compare returns how many numbers from one position up to another were seen, and
// whether any is in a hole.
func (k *tracker) compare(from, to int64) (seen int64, fills bool) {
	seen = max(min(to, 0)-max(from, -int64(k.span)), 0)
	for _, h := range k.pools.all(&k.holes) {
		if n := min(to, k.position(h.to)) - max(from, k.position(h.from)); n > 0 {
			seen, fills = seen-n, true
		}
	}
	return seen, fills
}

// see notes that the numbers from one position, behind next, up to another were
// seen.
func (k *tracker) see(from, to int64) {
	k.fill(from, to)
	if span := -int64(k.span); from < span {
		if to < span {
			k.insert(0, hole{k.number(to), k.number(span)})
		}
		k.span = uint32(-from)
	}
	if to > 0 {
		k.advance(uint64(to))
	}
}

// fill takes the numbers from one position up to another out of the holes.
func (k *tracker) fill(from, to int64) {
	all := k.pools.all(&k.holes)
	for i := 0; i < len(all); {
		h := &all[i]
		first, end := k.position(h.from), k.position(h.to)
		switch {
		case to <= first || end <= from:
			i++
		case from > first && to < end:
			above := hole{k.number(to), h.to}
			h.to = k.number(from)
			k.insert(i+1, above)
			return
		case from > first:
			h.to = k.number(from)
			i++
		case to < end:
			h.from = k.number(to)
			i++
		default:
			k.pools.remove(&k.holes, i)
			all = all[:len(all)-1]
		}
	}
}

// insert makes the i-th hole. If there are too many, the one farthest behind is
// given up.
func (k *tracker) insert(i int, h hole) {
	if k.holes.n == maxHoles {
		if i == 0 {
			*k.missing += uint64(h.to - h.from)
			return
		}
		k.giveUp()
		i--
	}
	k.pools.insert(&k.holes, i, h)
}

// giveUp counts the hole farthest behind as missing, and takes it as seen.
func (k *tracker) giveUp() {
	h := k.pools.all(&k.holes)[0]
	*k.missing += uint64(h.to - h.from)
	k.pools.remove(&k.holes, 0)
}

// advance moves next so many numbers on. Holes too far behind are given up.
func (k *tracker) advance(n uint64) {
	if uint64(k.span)+n > maxSpan { // else none is so far
		for k.holes.n > 0 && uint64(k.next-k.pools.all(&k.holes)[0].from)+n > maxSpan {
			k.giveUp()
		}
	}
	k.span = uint32(min(uint64(k.span)+n, maxSpan))
	k.next += uint32(n)
}
