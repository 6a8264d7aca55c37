package stream

import "rtfm/ruleset"

// Most requests that a stream keeps, by protocol. The oldest makes room.
const (
	maxQueueTCP = 90
	maxQueue    = 60
)

// turnaround is a distribution of the times between requests of one kind and
// direction and their answers.
type turnaround struct {
	histogram
	kind      ruleset.PairKind
	direction uint8
}

// loss is the distribution of what a stream has lost in one direction.
type loss struct {
	histogram
	wanted bool
	kind   ruleset.PairKind
	limit  int64 // nanoseconds within which an answer is wanted
}

// run is the present run of packets in one direction, for plain pairs.
type run struct {
	began     int64
	any       bool
	side      uint8
	direction uint8
}

// role is what a packet is in a kind of pairs.
type role uint8

const (
	neither role = iota
	asks
	answers
)

// ask keeps a request from one end, unless it repeats one that waits: the
// answer is to the first.
func (e *Engine) ask(p *plan, s stream, side uint8, r request) {
	for i := s.queues[side&1].first; i != 0; {
		e.streams.steps++
		o := e.requests.at(i)
		if o.id == r.id && o.kind == r.kind {
			return
		}
		i = o.next
	}
	e.enqueue(p, s, side, r)
}

// enqueue keeps a request.
func (e *Engine) enqueue(p *plan, s stream, end uint8, r request) {
	e.makeRoom(p, s)
	e.requests.push(s, end, r)
}

// makeRoom has the oldest request of the stream give way if there are too many
// for another one.
func (e *Engine) makeRoom(p *plan, s stream) {
	waiting, most := s.queued[0]+s.queued[1], uint8(maxQueue)
	if waiting < maxQueue-2 {
		return
	}
	if s.proto() == protoTCP {
		most = maxQueueTCP
		for end := range uint8(2) {
			if s.state&of(waits, end) != 0 {
				waiting++
			}
		}
	}
	if waiting < most {
		return
	}
	// The queues of TCP are older than what waits beside them.
	oldest := uint8(0)
	if q := s.queues; q[0].first == 0 || q[1].first != 0 && e.requests.at(q[1].first).time < e.requests.at(q[0].first).time {
		oldest = 1
	}
	first := s.queues[oldest].first
	p.loses(s, e.requests.at(first))
	e.requests.remove(s, oldest, 0, first)
}

// answer pairs an answer from one end with the request of the other end that
// it is to.
func (e *Engine) answer(p *plan, s stream, kind ruleset.PairKind, side uint8, id uint64, now int64) {
	asker := 1 - side&1
	if s.state&sameEnds != 0 {
		asker = 0
	}
	before := uint32(0)
	for i := s.queues[asker].first; i != 0; {
		e.streams.steps++
		r := e.requests.at(i)
		if r.id == id && r.kind == kind {
			p.pair(s, kind, r.direction, now-r.time)
			e.requests.remove(s, asker, before, i)
			return
		}
		before, i = i, r.next
	}
}

// pair counts a pair whose answer came so much later.
func (p *plan) pair(s stream, kind ruleset.PairKind, direction uint8, took int64) {
	for i := range p.turnarounds {
		if t := &p.turnarounds[i]; t.kind == kind && t.direction == direction {
			p.count(&t.histogram, s.flow, uint64(took)/1000, 1)
		}
	}
	if l := &p.losses[direction&1]; l.wanted && l.kind == kind && took > l.limit {
		s.lost[direction&1]++
	}
}

// loses counts a request that was not answered.
func (p *plan) loses(s stream, r *request) {
	if l := &p.losses[r.direction&1]; l.wanted && l.kind == r.kind && r.kind != ruleset.PairTCPData {
		s.lost[r.direction&1]++
	}
}

// unanswered empties the queues of a stream that ends at time now. Requests
// that could still have been answered in time are not lost.
func (e *Engine) unanswered(p *plan, s stream, now int64) {
	for end := range uint8(2) {
		for i := s.queues[end].first; i != 0; {
			r := e.requests.at(i)
			if now-r.time > p.losses[r.direction&1].limit {
				p.loses(s, r)
			}
			i = e.requests.remove(s, end, 0, i)
		}
	}
}

// plain counts the pairs of runs: the time from the first packet in one
// direction to the first in the other.
func (p *plan) plain(s stream, side, direction uint8, now int64) {
	r := &s.run
	if r.any && (r.side == side || s.state&sameEnds != 0) {
		return
	}
	if r.any {
		p.pair(s, ruleset.PairPlain, r.direction, now-r.began)
	}
	*r = run{now, true, side, direction}
}

// udp looks for pairs of the kinds that UDP has.
func (e *Engine) udp(p *plan, s stream, payload []byte, side, direction uint8, now int64) {
	for _, k := range p.udp {
		id, role := k.parse(payload)
		e.pairs(p, s, role, side, request{time: now, id: id, kind: k.kind, direction: direction})
	}
}

// pairs does what is to be done with a packet in this role.
func (e *Engine) pairs(p *plan, s stream, role role, side uint8, r request) {
	switch role {
	case asks:
		e.ask(p, s, side, r)
	case answers:
		e.answer(p, s, r.kind, side, r.id, r.time)
	}
}
