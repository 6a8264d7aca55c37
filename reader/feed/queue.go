package feed

import (
	"net/netip"
	"sync"
)

// queue is what waits between those who read sockets and files, and who reads the
// messages: so many octets at most.
type queue struct {
	mu             sync.Mutex
	room           sync.Cond
	ready          chan struct{} // has an element if something waits
	most           int           // octets
	closed         bool
	waiting, spare batch
}

// batch is events, with the octets of their messages.
type batch struct {
	events []event
	octets []byte
}

// event is a message, or the end of an origin.
type event struct {
	in   *input
	from netip.AddrPort // of a datagram
	conn *origin        // of a stream or a file
	n    int            // octets; -1 is the end
	err  error          // why it has ended
}

// eventSize is about what an event takes beside its octets.
const eventSize = 80

func newQueue(most int) *queue {
	q := &queue{ready: make(chan struct{}, 1), most: most}
	q.room.L = &q.mu
	return q
}

// put has an event wait with the octets of its message. It waits for room itself; false
// if there will be none.
func (q *queue) put(e event, b []byte) bool {
	q.mu.Lock()
	for !q.closed && len(q.waiting.events) > 0 && len(q.waiting.octets)+len(b)+eventSize*len(q.waiting.events) > q.most {
		q.room.Wait()
	}
	closed := q.closed
	if !closed {
		q.waiting.events = append(q.waiting.events, e)
		q.waiting.octets = append(q.waiting.octets, b...)
	}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return !closed
}

// take returns what waits. It is valid until the next call.
func (q *queue) take() *batch {
	q.mu.Lock()
	q.waiting, q.spare = batch{q.spare.events[:0], q.spare.octets[:0]}, q.waiting
	q.mu.Unlock()
	q.room.Broadcast()
	return &q.spare
}

// close lets nobody wait for room any longer.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.room.Broadcast()
}
