package stream

import (
	"encoding/binary"

	"rtfm/ruleset"
)

// TCP flags (RFC 9293 section 3.1).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	_
	flagACK
)

// tcpEnd is how far one end of a TCP stream is.
type tcpEnd struct {
	next uint32 // the sequence number behind all that was sent
	// ACKs behind again, up to againTo, may be for data that was sent twice.
	again, againTo uint32
	seen           bool // next is known
	data           bool // there was data
	twice          bool // again and againTo are known
}

// sent is what one end of a TCP stream has sent.
type sent struct {
	size        uint64 // octets by sequence number
	first, last int64  // times of the first and last packet with data
}

// segment is what a TCP header tells.
type segment struct {
	seq, ack uint32
	length   uint32 // of the data
	flags    uint8
}

// parseTCP reads the TCP header of a segment of so many octets; false if it was
// not captured as far as the flags.
func parseTCP(d []byte, octets uint32) (t segment, ok bool) {
	if len(d) < 14 {
		return t, false
	}
	t.seq, t.ack = binary.BigEndian.Uint32(d[4:]), binary.BigEndian.Uint32(d[8:])
	t.flags = d[13]
	if header := uint32(d[12]>>4) * 4; header >= 20 && octets > header {
		t.length = octets - header
	}
	return t, true
}

// begins tells whether the segment is the first of another connection between
// the ends of s.
func (t *segment) begins(s *stream, side uint8) bool {
	if t.flags&(flagSYN|flagACK|flagRST) != flagSYN {
		return false
	}
	sent := &s.tcp[side&1]
	return s.closing() || sent.data || s.tcp[1-side&1].data || sent.seen && sent.next != t.seq+1
}

// closing tells whether the stream has ended but for stragglers: by RST, or by
// FIN from both ends, or from the only one that is seen.
func (s *stream) closing() bool {
	switch s.state & (finEnd0 | finEnd1) {
	case finEnd0 | finEnd1:
		return true
	case finEnd0:
		return s.state&(reset|sawEnd1) != sawEnd1
	case finEnd1:
		return s.state&(reset|sawEnd0) != sawEnd0
	}
	return s.state&reset != 0
}

// tcp follows the sequence numbers, looks for pairs, and sees the stream's end.
func (e *Engine) tcp(p *plan, words []uint64, s *stream, t *segment, side, direction uint8, now int64) {
	side &= 1
	sent := &s.tcp[side]
	seq := t.seq
	if t.flags&flagSYN != 0 {
		seq++
	}
	if !sent.seen && t.flags&flagRST == 0 {
		sent.seen, sent.next = true, seq
	}
	ahead := int32(seq - sent.next)
	if p.tcpData && t.flags&flagACK != 0 {
		e.acknowledge(p, words, s, side, t.ack, now)
	}
	if t.length > 0 && t.flags&flagRST == 0 {
		last := seq + t.length
		if l := &p.losses[direction&1]; ahead > 0 && l.wanted && l.kind == ruleset.PairTCPData {
			s.lost[direction&1]++
		}
		if p.tcpData {
			if ahead >= 0 {
				e.enqueue(p, s, side, request{time: now, id: uint64(last), kind: ruleset.PairTCPData, direction: direction})
			} else {
				sent.repeats(seq)
			}
		}
		more := max(int32(last-sent.next), 0)
		if p.tcpWhole {
			whole := &s.sent[side]
			if !sent.data {
				whole.first = now
			}
			whole.last = now
			whole.size += uint64(more)
		}
		sent.next += uint32(more)
		sent.data = true
	}
	if p.tcpSyn {
		switch t.flags & (flagSYN | flagACK | flagRST) {
		case flagSYN:
			e.ask(p, s, side, request{time: now, id: uint64(t.seq + 1), kind: ruleset.PairTCPSyn, direction: direction})
		case flagSYN | flagACK:
			e.answer(p, words, s, ruleset.PairTCPSyn, side, uint64(t.ack), now)
		}
	}
	if t.flags&flagFIN != 0 {
		s.state |= finEnd0 << side
	}
	if t.flags&flagRST != 0 {
		s.state |= reset
	}
}

// repeats notes that data from seq on was sent again: an ACK of what was sent
// so far may be for either (Karn's rule, RFC 6298 section 3).
func (t *tcpEnd) repeats(seq uint32) {
	if !t.twice || int32(seq-t.again) < 0 {
		t.again = seq
	}
	t.twice, t.againTo = true, t.next
}

// acknowledge pairs an ACK from one end with the last of the segments that it
// covers; the others were not answered at once.
func (e *Engine) acknowledge(p *plan, words []uint64, s *stream, side uint8, ack uint32, now int64) {
	q, sent := &s.queues[1-side&1], &s.tcp[1-side&1]
	before, found := uint32(0), false
	var latest request
	for i := q.first; i != 0; {
		e.streams.steps++
		r := e.requests.at(i)
		if r.kind != ruleset.PairTCPData {
			before, i = i, r.next
			continue
		}
		if int32(ack-uint32(r.id)) < 0 {
			break
		}
		latest, found = *r, true
		i = e.requests.remove(q, before, i)
	}
	if found && (!sent.twice || !between(sent.again, uint32(latest.id), sent.againTo)) {
		p.pair(words, s, ruleset.PairTCPData, latest.direction, now-latest.time)
	}
	if sent.twice && int32(ack-sent.againTo) >= 0 {
		sent.twice = false
	}
}

// between tells whether n is behind from, and not behind to.
func between(from, n, to uint32) bool { return int32(n-from) > 0 && int32(to-n) >= 0 }
