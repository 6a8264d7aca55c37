package stream

import "rtfm/ruleset/attr"

// Most requests that a stream keeps, by protocol. The oldest makes room.
const (
	maxQueueTCP = 90
	maxQueue    = 60
)

// loss is the distribution of what a stream has lost in one direction.
type loss struct {
	histogram
	wanted bool
	kind   attr.PairKind
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

// ask keeps a request from one end, unless nobody wants its answer or it repeats
// one that waits: the answer is to the first.
func (e *Engine) ask(c counted, s stream, side uint8, r request) {
	if !c.answered[r.kind()][r.direction()] {
		return
	}
	for _, o := range e.requests.all(&s.queues[side&1]) {
		e.streams.steps++
		if o.asks() == r.asks() {
			return
		}
	}
	if s.crowded() {
		e.makeRoom(c.plan, s)
	}
	e.requests.push(&s.queues[side&1], r)
}

// crowded reports whether so many requests wait that there may be no room for
// another one.
func (h *hot) crowded() bool { return h.queues[0].n+h.queues[1].n >= maxQueue-2 }

// makeRoom has the oldest request of the stream give way if there are too many
// for another one.
func (e *Engine) makeRoom(p *plan, s stream) {
	waiting, most := s.queues[0].n+s.queues[1].n, uint8(maxQueue)
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
	queues := [2][]request{e.requests.all(&s.queues[0]), e.requests.all(&s.queues[1])}
	oldest := 0
	if len(queues[0]) == 0 || len(queues[1]) > 0 && queues[1][0].time < queues[0][0].time {
		oldest = 1
	}
	p.loses(s, &queues[oldest][0])
	e.requests.drop(&s.queues[oldest], 1)
}

// answer pairs an answer from one end, as if it were a request, with the request
// of the other end that it is to.
func (e *Engine) answer(c counted, s stream, side uint8, a request) {
	asker := 1 - side&1
	if s.sameEnds() {
		asker = 0
	}
	q := &s.queues[asker&1]
	all := e.requests.all(q)
	for i := range all {
		e.streams.steps++
		if r := &all[i]; r.asks() == a.asks() {
			c.pair(s, r.kind(), r.direction(), a.time-r.time)
			e.requests.remove(q, i)
			return
		}
	}
}

// pair counts a pair whose answer came so much later.
func (c counted) pair(s stream, kind attr.PairKind, direction uint8, took int64) {
	times := c.turnarounds[kind][direction&1]
	for i := range times {
		c.count(&times[i], uint64(took)/1000, 1)
	}
	if s := &c.took[direction&1]; s.of(kind) {
		s.add(c.store.wordsOf(c.flow), uint64(took))
	}
	if l := &c.losses[direction&1]; l.wanted && l.kind == kind && took > l.limit {
		s.lost[direction&1]++
	}
}

// loses counts a request that was not answered.
func (p *plan) loses(s stream, r *request) {
	direction, kind := r.direction()&1, r.kind()
	if l := &p.losses[direction]; l.wanted && l.kind == kind && kind != attr.PairTCPData {
		s.lost[direction]++
	}
}

// unanswered empties the queues of a stream that ends at time now. Requests
// that could still have been answered in time are not lost.
func (e *Engine) unanswered(p *plan, s stream, now int64) {
	for end := range s.queues {
		all := e.requests.all(&s.queues[end])
		for i := range all {
			if r := &all[i]; now-r.time > p.losses[r.direction()&1].limit {
				p.loses(s, r)
			}
		}
		e.requests.drop(&s.queues[end], len(all))
	}
}

// plain counts the pairs of runs: the time from the first packet in one
// direction to the first in the other.
func (c counted) plain(s stream, side, direction uint8, now int64) {
	r := &s.run
	if r.any && (r.side == side || s.sameEnds()) {
		return
	}
	if r.any {
		c.pair(s, attr.PairPlain, r.direction, now-r.began)
	}
	*r = run{now, true, side, direction}
}

// udp looks for pairs of the kinds that UDP has.
func (e *Engine) udp(c counted, s stream, payload []byte, side, direction uint8, now int64) {
	for _, k := range c.udp {
		id, role := k.parse(payload)
		e.pairs(c, s, role, side, newRequest(now, k.kind, id, direction))
	}
}

// pairs does what is to be done with a packet in this role.
func (e *Engine) pairs(c counted, s stream, role role, side uint8, r request) {
	switch role {
	case asks:
		e.ask(c, s, side, r)
	case answers:
		e.answer(c, s, side, r)
	}
}
