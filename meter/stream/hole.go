package stream

// hole is sequence numbers from one on up to before another that were not seen.
type hole struct{ from, to uint32 }

// maxHoles is the most holes that the sequence of one end has.
const maxHoles = 64

// holes are those of one end, the one farthest behind first, side by side in a
// chunk. Most have none, and no chunk.
type holes struct {
	chunk uint32
	size  uint8 // of the chunk, index in holeSizes, 0 if there is none
	n     uint8
}

// holeSizes are the holes that chunks have room for.
var holeSizes = [...]uint8{0, 2, 8, maxHoles}

// holePools holds the holes of all streams.
type holePools [len(holeSizes)]chunkPool[hole]

// all returns the holes.
func (p *holePools) all(q *holes) []hole {
	if q.size == 0 {
		return nil
	}
	return p[q.size].at(q.chunk, uint32(holeSizes[q.size]))[:q.n]
}

// insert makes the i-th of less than maxHoles holes.
func (p *holePools) insert(q *holes, i int, h hole) {
	if q.n == holeSizes[q.size] {
		before := *q
		q.size++
		q.chunk = p[q.size].take(uint32(holeSizes[q.size]))
		copy(p.all(q), p.all(&before))
		if before.size != 0 {
			p[before.size].give(before.chunk)
		}
	}
	q.n++
	all := p.all(q)
	copy(all[i+1:], all[i:])
	all[i] = h
}

// remove takes the i-th hole out.
func (p *holePools) remove(q *holes, i int) {
	all := p.all(q)
	copy(all[i:], all[i+1:])
	if q.n--; q.n == 0 {
		p.empty(q)
	}
}

// empty takes all holes out.
func (p *holePools) empty(q *holes) {
	if q.size != 0 {
		p[q.size].give(q.chunk)
	}
	*q = holes{}
}
