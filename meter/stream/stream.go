package stream

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// key identifies a stream: its flow, and its ends in an order of their own, so
// that both directions have the same.
type key struct {
	row    uint32
	ends   [2]end
	proto  uint8
	family uint8
}

type end struct {
	addr [16]byte
	port uint16
}

// stream is what is known of one stream. It holds no pointers: the numbers of
// others link them, 0 ends a list. What most packets need stands together.
type stream struct {
	key
	packets     uint32 // no more than it holds
	first, last int64
	// A cache line.
	queues     [2]queue // of the requests from each end
	tcp        [2]tcpEnd
	state      uint8
	directions [2]uint8 // in the flow, of what each end sends
	slot       uint16   // of the wheel
	// Another one; the rest is for few packets, or not always wanted.
	pdus     [2]uint64 // by direction in the flow
	octets   [2]uint64
	sent     [2]sent
	due      links     // in the wheel's list
	siblings links     // in the flow's list
	lost     [2]uint32 // by direction
	run      run
	_        [8]byte // 256 in all
}

// State bits of a stream.
const (
	sawEnd0 uint8 = 1 << iota // a packet of the first end was seen
	sawEnd1
	finEnd0 // with FIN
	finEnd1
	reset // RST was seen
	sameEnds
)

// links are the neighbours in a doubly linked list.
type links struct{ next, before uint32 }

// streams is the table of streams.
type streams struct {
	blocks  []*[streamBlock]stream
	used    uint32 // numbers ever given, from 1
	free    uint32 // linked by siblings.next
	index   []uint64
	mask    uint32
	active  int
	seed    uint64
	created uint64
	refused uint64
	// steps counts what a test wants to see bounded: entries looked at.
	steps uint64
}

const streamBlock = 256

func (t *streams) at(i uint32) *stream {
	return &t.blocks[i/streamBlock][i%streamBlock]
}

func (t *streams) hash(k *key) uint32 {
	const a, b = 0x9e3779b97f4a7c15, 0xe7037ed1a0b428db
	h := t.seed ^ uint64(k.row)<<32 ^ uint64(k.ends[0].port)<<16 ^ uint64(k.ends[1].port) ^ uint64(k.proto)<<56
	for e := range k.ends {
		for i := 0; i < 16; i += 8 {
			hi, lo := bits.Mul64(binary.LittleEndian.Uint64(k.ends[e].addr[i:])^a, h^b)
			h = hi ^ lo
		}
	}
	hi, lo := bits.Mul64(h^b, a)
	return uint32(hi ^ lo)
}

// find returns the number of the stream with this key, 0 if there is none.
func (t *streams) find(k *key, hash uint32) uint32 {
	if t.index == nil {
		return 0
	}
	for i := hash & t.mask; t.index[i] != 0; i = (i + 1) & t.mask {
		t.steps++
		if uint32(t.index[i]>>32) == hash {
			if n := uint32(t.index[i]); t.at(n).key == *k {
				return n
			}
		}
	}
	return 0
}

// add makes a stream and returns its number.
func (t *streams) add(k *key, hash uint32) uint32 {
	if t.active*4 >= len(t.index)*3 {
		t.grow()
	}
	i := t.free
	if i != 0 {
		t.free = t.at(i).siblings.next
	} else {
		t.used++
		i = t.used
		if int(i/streamBlock) == len(t.blocks) {
			t.blocks = append(t.blocks, new([streamBlock]stream))
		}
	}
	*t.at(i) = stream{key: *k}
	t.insert(uint64(hash)<<32 | uint64(i))
	t.active++
	t.created++
	return i
}

func (t *streams) insert(e uint64) {
	i := uint32(e>>32) & t.mask
	for t.index[i] != 0 {
		i = (i + 1) & t.mask
	}
	t.index[i] = e
}

// grow doubles the index.
func (t *streams) grow() {
	old := t.index
	n := max(2*len(old), 256)
	t.index, t.mask = make([]uint64, n), uint32(n-1)
	for _, e := range old {
		if e != 0 {
			t.insert(e)
		}
	}
}

// remove takes stream i out of the table. The memory of many is given back
// with the last.
func (t *streams) remove(i uint32) {
	s := t.at(i)
	hash := t.hash(&s.key)
	e := uint64(hash)<<32 | uint64(i)
	at := hash & t.mask
	for t.index[at] != e {
		at = (at + 1) & t.mask
		t.steps++
	}
	for j := (at + 1) & t.mask; t.index[j] != 0; j = (j + 1) & t.mask {
		t.steps++
		// What stands at j may move to at unless its home lies behind at.
		home := uint32(t.index[j]>>32) & t.mask
		if (j-home)&t.mask >= (j-at)&t.mask {
			t.index[at] = t.index[j]
			at = j
		}
	}
	t.index[at] = 0
	s.siblings.next = t.free
	t.free = i
	if t.active--; t.active == 0 && t.used > streamBlock {
		*t = streams{seed: t.seed, created: t.created, refused: t.refused, steps: t.steps}
	}
}

// idleLimit returns how long the stream may be idle before it has ended. A
// stream that is closing has the timeout, any other one multiplier times the
// average interval of its packets if that is more.
func (s *stream) idleLimit(timeout, multiplier int64) int64 {
	if s.closing() {
		return timeout
	}
	average := (s.last - s.first) / int64(max(s.packets, 1))
	if average > math.MaxInt64/multiplier {
		return math.MaxInt64
	}
	return max(timeout, average*multiplier)
}
