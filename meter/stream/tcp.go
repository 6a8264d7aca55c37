package stream

import "rtfm/ruleset/attr"

// TCP flags (RFC 9293 section 3.1).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// tcpEnd is how far one end of a TCP stream is.
type tcpEnd struct {
	// The latest segment of data that waits for its ACK, if the state bit waits
	// is set: when it was sent, and the sequence number after it. Those before
	// it are in the queue.
	time int64
	end  uint32
	next uint32 // the sequence number after all that was sent
}

// again is what may have been sent twice: ACKs after from, up to to, may be
// for either.
type again struct{ from, to uint32 }

// sent is what one end of a TCP stream has sent.
type sent struct {
	size        uint64 // octets by sequence number
	first, last int64  // times of the first and last packet with data
}

// begins reports whether the segment is the first of another connection between
// the ends of s.
func (t *digest) begins(s stream) bool {
	if t.flags&(flagSYN|flagACK|flagRST) != flagSYN {
		return false
	}
	return s.closing() || s.state&(sentData|sentData<<1) != 0 ||
		s.state&of(numbers, t.side) != 0 && s.tcp[t.side&1].next != t.seq+1
}

// closing reports whether the stream has ended but for stragglers: by RST, or by
// FIN from both ends, or from the only one that is seen.
func (s stream) closing() bool {
	if s.state&(fin|fin<<1) == 0 {
		return false
	}
	for end := range uint8(2) {
		if s.state&of(saw, end) != 0 && s.state&of(fin, end) == 0 {
			return false
		}
	}
	return true
}

// tcp follows the sequence numbers, looks for pairs, and sees the stream's end.
func (e *Engine) tcp(c counted, s stream, t *digest, direction uint8, now int64) {
	side := t.side & 1
	from := &s.tcp[side]
	seq := t.seq
	if t.flags&flagSYN != 0 {
		seq++
	}
	if s.state&of(numbers, side) == 0 && t.flags&flagRST == 0 {
		s.state |= of(numbers, side)
		from.next = seq
	}
	if c.tcpData && t.flags&flagACK != 0 {
		e.acknowledge(c, s, 1-side, t.ack, now)
	}
	if t.length > 0 && t.flags&flagRST == 0 {
		ahead, last := int32(seq-from.next), seq+t.length
		if l := &c.losses[direction&1]; ahead > 0 && l.wanted && l.kind == attr.PairTCPData {
			s.lost[direction&1]++
		}
		if c.tcpData {
			if ahead >= 0 && c.answered[attr.PairTCPData][direction&1] {
				e.sends(c.plan, s, side, direction, last, now)
			} else if ahead < 0 {
				s.repeats(side, seq)
			}
		}
		more := max(int32(last-from.next), 0)
		if c.tcpWhole {
			whole := &s.sent[side]
			if s.state&of(sentData, side) == 0 {
				whole.first = now
			}
			whole.last = now
			whole.size += uint64(more)
		}
		from.next += uint32(more)
		s.state |= of(sentData, side)
	}
	if c.tcpSyn {
		switch t.flags & (flagSYN | flagACK | flagRST) {
		case flagSYN:
			e.ask(c, s, side, newRequest(now, attr.PairTCPSyn, uint64(t.seq+1), direction))
		case flagSYN | flagACK:
			e.answer(c, s, side, newRequest(now, attr.PairTCPSyn, uint64(t.ack), direction))
		}
	}
	if t.flags&flagFIN != 0 {
		s.state |= of(fin, side)
	}
	if t.flags&flagRST != 0 {
		s.state |= fin | fin<<1
	}
}

// sends keeps a segment of data up to the sequence number last as the latest
// that waits for its ACK.
func (e *Engine) sends(p *plan, s stream, side, direction uint8, last uint32, now int64) {
	if s.crowded() {
		e.makeRoom(p, s)
	}
	from := &s.tcp[side]
	if s.state&of(waits, side) != 0 {
		e.requests.push(&s.queues[side&1], from.request(s, side))
	}
	s.state = s.state&^of(backward, side) | of(waits, side) | of(backward, side)*uint16(direction&1)
	from.time, from.end = now, last
}

// request returns the latest segment that waits for its ACK.
func (t *tcpEnd) request(s stream, side uint8) request {
	direction := uint8(s.state / of(backward, side) & 1)
	return newRequest(t.time, attr.PairTCPData, uint64(t.end), direction)
}

// repeats notes that data from seq on was sent again: an ACK of what was sent
// so far may be for either (Karn's rule, RFC 6298 section 3).
func (s stream) repeats(side uint8, seq uint32) {
	a := &s.again[side]
	if s.state&of(twice, side) == 0 || int32(seq-a.from) < 0 {
		a.from = seq
	}
	s.state |= of(twice, side)
	a.to = s.tcp[side].next
}

// acknowledge pairs an ACK of what one end has sent with the last of the
// segments that it covers; the others were not answered at once.
func (e *Engine) acknowledge(c counted, s stream, sender uint8, ack uint32, now int64) {
	sent, q := &s.tcp[sender], &s.queues[sender]
	latest, found := request{}, false
	all := s.state&of(waits, sender) != 0 && int32(ack-sent.end) >= 0
	switch {
	case q.n == 0:
	case all && !c.tcpSyn: // nothing else is in the queue
		e.requests.drop(q, int(q.n))
	default:
		latest, found = e.covered(q, all, ack)
	}
	if all {
		s.state &^= of(waits, sender)
		latest, found = sent.request(s, sender), true
	}
	if found && (s.state&of(twice, sender) == 0 || !between(s.again[sender].from, uint32(latest.what), s.again[sender].to)) {
		c.pair(s, attr.PairTCPData, latest.direction(), now-latest.time)
	}
	if s.state&of(twice, sender) != 0 && int32(ack-s.again[sender].to) >= 0 {
		s.state &^= of(twice, sender)
	}
}

// covered takes the segments of data that an ACK covers out of a queue, all of
// them or those up to ack, and returns the last one if there is any.
func (e *Engine) covered(q *queue, all bool, ack uint32) (latest request, found bool) {
	requests := e.requests.all(q)
	taken := 0 // those before i that are taken; the others make room for them
	for i := range requests {
		e.streams.steps++
		r := requests[i]
		if r.kind() != attr.PairTCPData {
			continue
		}
		if !all && int32(ack-uint32(r.what)) < 0 {
			break
		}
		latest, found = r, true
		copy(requests[taken+1:i+1], requests[taken:i])
		taken++
	}
	e.requests.drop(q, taken)
	return latest, found
}

// between reports whether n is after from, and not after to.
func between(from, n, to uint32) bool { return int32(n-from) > 0 && int32(to-n) >= 0 }
