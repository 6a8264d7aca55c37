package stream

import (
	"encoding/binary"

	"rtfm/ruleset/attr"

	"rtfm/meter/huge"
)

// request is a packet that waits for its answer: 16 octets, of which four are a
// cache line.
type request struct {
	time int64
	what uint64 // what it asks, and as the highest bit its direction
}

// newRequest returns a request with this identifier, of 59 bits.
func newRequest(now int64, kind attr.PairKind, id uint64, direction uint8) request {
	return request{now, uint64(direction&1)<<63 | asked(kind, id)}
}

// asked is what requests of a kind and their answers have in common.
func asked(kind attr.PairKind, id uint64) uint64 { return uint64(kind)<<idBits | id&(1<<idBits-1) }

// idBits are the bits of an identifier; beside them is room for kinds.
const idBits = 59

func (r *request) asks() uint64        { return r.what &^ (1 << 63) }
func (r *request) direction() uint8    { return uint8(r.what >> 63) }
func (r *request) kind() attr.PairKind { return attr.PairKind(r.asks() >> idBits) }

// queue is the requests from one end of a stream, the oldest first, side by side
// in a chunk. The zero queue is empty and has no chunk.
type queue struct {
	number  [4]uint8 // of the chunk; octets, since a stream has no room between its fields
	size    uint8    // of the chunk, index in chunkSizes, 0 if there is none
	from, n uint8    // where in the chunk they are
}

func (q *queue) chunk() uint32 { return binary.NativeEndian.Uint32(q.number[:]) }

// chunkSizes are the requests that chunks have room for. The largest has more than
// the longest queue, which is moved to its beginning when it comes to the end.
var chunkSizes = [...]uint8{0, 4, 16, 128}

// requests holds the requests of all streams.
type requests struct {
	pools  [len(chunkSizes)]chunkPool[request]
	chunks int // in use
	active int // requests
}

// chunkPool is the chunks of one size, some to a block.
type chunkPool[T any] struct {
	blocks [][]T
	slab   huge.Slab[T]
	used   uint32 // numbers ever given
	free   []uint32
}

const chunkBlock = 64

// take returns the number of a chunk, which has this room.
func (p *chunkPool[T]) take(room uint32) uint32 {
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		return i
	}
	if int(p.used) == len(p.blocks)*chunkBlock {
		p.blocks = append(p.blocks, p.slab.Take(chunkBlock*int(room)))
	}
	p.used++
	return p.used - 1
}

// give takes back a chunk.
func (p *chunkPool[T]) give(chunk uint32) { p.free = append(p.free, chunk) }

// at returns a chunk, which has this room.
func (p *chunkPool[T]) at(chunk, room uint32) []T {
	at := chunk % chunkBlock * room
	return p.blocks[chunk/chunkBlock][at : at+room : at+room]
}

// give takes back the chunk of q, which is empty then. The memory of many chunks
// is given back with the last.
func (t *requests) give(q *queue) {
	t.pools[q.size].give(q.chunk())
	*q = queue{}
	if t.chunks--; t.chunks > 0 {
		return
	}
	used := uint32(0)
	for size := range t.pools {
		used += t.pools[size].used
	}
	if used > 4*chunkBlock {
		*t = requests{}
	}
}

// all returns the requests of q, followed by the room that there is for more.
func (t *requests) all(q *queue) []request {
	if q.size == 0 {
		return nil
	}
	return t.pools[q.size].at(q.chunk(), uint32(chunkSizes[q.size]))[q.from:][:q.n]
}

// push adds r to q.
func (t *requests) push(q *queue, r request) {
	all := t.all(q)
	if len(all) == cap(all) {
		all = t.widen(q)
	}
	all = all[:len(all)+1]
	all[len(all)-1] = r
	q.n++
	t.active++
}

// widen makes room for another request in q and returns all of it.
func (t *requests) widen(q *queue) []request {
	all, before := t.all(q), *q
	if q.from == 0 {
		q.size++
		t.chunks++
		binary.NativeEndian.PutUint32(q.number[:], t.pools[q.size].take(uint32(chunkSizes[q.size])))
	}
	q.from = 0
	room := t.all(q)[:len(all)]
	copy(room, all)
	if before.from == 0 && before.size != 0 {
		t.give(&before)
	}
	return room
}

// drop takes the first n requests out of q.
func (t *requests) drop(q *queue, n int) {
	if n == 0 {
		return
	}
	t.active -= n
	q.from += uint8(n)
	if q.n -= uint8(n); q.n == 0 {
		t.give(q)
	}
}

// remove takes the i-th request out of q.
func (t *requests) remove(q *queue, i int) {
	all := t.all(q)
	copy(all[1:i+1], all[:i])
	t.drop(q, 1)
}
