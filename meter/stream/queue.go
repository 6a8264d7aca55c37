package stream

import (
	"rtfm/meter/huge"
	"rtfm/ruleset"
)

// request is a packet that waits for its answer.
type request struct {
	time      int64
	id        uint64
	next      uint32
	kind      ruleset.PairKind
	direction uint8
}

// queue is a list of requests, the oldest first.
type queue struct{ first, last uint32 }

// requests holds the requests of all streams.
type requests struct {
	blocks []*[requestBlock]request
	slab   huge.Slab[[requestBlock]request]
	used   uint32
	free   uint32
	active int
}

const requestBlock = 1024

func (t *requests) at(i uint32) *request {
	return &t.blocks[i/requestBlock][i%requestBlock]
}

// push adds r, from an end of s, to its queue.
func (t *requests) push(s stream, end uint8, r request) {
	i := t.free
	if i != 0 {
		t.free = t.at(i).next
	} else {
		t.used++
		i = t.used
		if int(i/requestBlock) == len(t.blocks) {
			t.blocks = append(t.blocks, &t.slab.Take(1)[0])
		}
	}
	*t.at(i) = r
	q := &s.queues[end&1]
	if q.last != 0 {
		t.at(q.last).next = i
	} else {
		q.first = i
	}
	q.last = i
	s.queued[end&1]++
	t.active++
}

// remove takes request i, which stands behind before (0 for none), out of the
// queue of an end of s, and returns the one behind it. The memory of many is
// given back with the last.
func (t *requests) remove(s stream, end uint8, before, i uint32) uint32 {
	q, r := &s.queues[end&1], t.at(i)
	s.queued[end&1]--
	next := r.next
	if before != 0 {
		t.at(before).next = next
	} else {
		q.first = next
	}
	if q.last == i {
		q.last = before
	}
	r.next = t.free
	t.free = i
	if t.active--; t.active == 0 && t.used > requestBlock {
		*t = requests{}
	}
	return next
}
