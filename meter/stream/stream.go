package stream

import (
	"math"
	"math/bits"

	"rtfm/meter/huge"
	"rtfm/ruleset/keyhash"
)

// key identifies a stream within its flow: its ends in an order of their own, so
// that both directions have the same. It is made of words, which compare fast.
type key struct {
	ends [2]address
	rest uint64 // see newRest
}

// address is one of IP, 16 octets with zeros after those that it has not.
type address struct{ high, low uint64 }

// newRest returns ports, protocol and address family as one word.
func newRest(port0, port1 uint16, proto, family uint8) uint64 {
	return uint64(port0)<<48 | uint64(port1)<<32 | uint64(proto)<<8 | uint64(family)
}

func (k *key) port(end int) uint16 { return uint16(k.rest >> (48 - 16*end)) }
func (k *key) proto() uint8        { return uint8(k.rest >> 8) }
func (k *key) family() uint8       { return uint8(k.rest) }

func (k *key) is(o *key) bool {
	return k.rest == o.rest &&
		k.ends[0].high == o.ends[0].high && k.ends[0].low == o.ends[0].low &&
		k.ends[1].high == o.ends[1].high && k.ends[1].low == o.ends[1].low
}

// stream is what is known of one stream, in parts for the sake of caches. They
// hold no pointers: the numbers of others link them, 0 ends a list.
type stream struct {
	*hot
	*cold
}

// hot is what most packets need of a stream: a cache line.
type hot struct {
	last    int64
	tcp     [2]tcpEnd
	flow    uint32   // in the store
	packets uint32   // no more than it holds
	queues  [2]queue // of the requests from each end
	state   uint16
}

// cold is for few packets, or not always wanted. What a stream is found by, and
// looked at in time, is a line of its own.
type cold struct {
	key
	first int64
	due   links  // in the wheel's list
	row   uint32 // of its flow in the flow table, 0 if there is no stream here
	slot  uint16 // of the wheel

	run      run
	pdus     [2]uint64 // by direction in the flow
	octets   [2]uint64
	sent     [2]sent
	again    [2]again
	lost     [2]uint32 // by direction
	siblings links     // in the flow's list
}

// State bits of the first end of a stream. Next to each is that of the other.
const (
	saw      uint16 = 1 << (2 * iota) // a packet was seen
	opposite                          // what it sends goes from the flow's destination to its source
	fin                               // with FIN, or RST was seen from either end
	numbers                           // TCP sequence numbers are known
	sentData                          // there was TCP data
	waits                             // tcpEnd.end waits for its ACK
	backward                          // it was sent from the flow's destination
	twice                             // again is known
)

// of returns a state bit for an end.
func of(bit uint16, end uint8) uint16 { return bit << (end & 1) }

// sameEnds reports whether both ends of the stream are one.
func (s *cold) sameEnds() bool { return s.ends[0] == s.ends[1] && s.port(0) == s.port(1) }

// links are the neighbours in a doubly linked list.
type links struct{ next, before uint32 }

// streams is the table of streams.
type streams struct {
	blocks  []*block
	slab    huge.Slab[block]
	used    uint32 // numbers ever given, from 1
	free    uint32 // linked by siblings.next
	index   []uint64
	mask    uint32
	active  int
	secret  keyhash.Secret
	created uint64
	refused uint64
	// steps counts what a test wants to see bounded: entries looked at.
	steps uint64
}

const streamBlock = 256

type block struct {
	hot  [streamBlock]hot
	cold [streamBlock]cold
}

func (t *streams) at(i uint32) stream {
	b := t.blocks[i/streamBlock]
	return stream{&b.hot[i%streamBlock], &b.cold[i%streamBlock]}
}

// hash returns the hash of the stream in this row with this key. Package keyhash
// tells what it withstands.
func (t *streams) hash(k *key, row uint32) uint32 {
	s := &t.secret
	sum := keyhash.Sum{}.Add(k.ends[0].high+s[0], k.ends[1].high+s[1]).
		Add(k.ends[0].low+s[2], k.ends[1].low+s[3]).Add(k.rest+s[4], uint64(row)+s[5])
	return uint32(sum.Hash((*[4]uint64)(s[6:])))
}

// is reports whether s is the stream of the flow in this row that has this key.
func (s *cold) is(row uint32, k *key) bool { return s.row == row && s.key.is(k) }

// find returns the number of the stream in this row with this key, 0 if there
// is none.
func (t *streams) find(row uint32, k *key, hash uint32) uint32 {
	if t.index == nil {
		return 0
	}
	for i := hash & t.mask; t.index[i] != 0; i = (i + 1) & t.mask {
		t.steps++
		if uint32(t.index[i]>>32) == hash {
			if n := uint32(t.index[i]); t.at(n).is(row, k) {
				return n
			}
		}
	}
	return 0
}

// first returns the number of a stream with this hash, 0 if there is none.
func (t *streams) first(hash uint32) uint32 {
	for i := hash & t.mask; t.index[i] != 0; i = (i + 1) & t.mask {
		if uint32(t.index[i]>>32) == hash {
			return uint32(t.index[i])
		}
	}
	return 0
}

// add makes a stream in this row and returns its number.
func (t *streams) add(row uint32, k *key, hash uint32) uint32 {
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
			t.blocks = append(t.blocks, &t.slab.Take(1)[0])
		}
	}
	s := t.at(i)
	*s.hot, *s.cold = hot{}, cold{row: row, key: *k}
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
	huge.Prefer(t.index)
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
	hash := t.hash(&s.key, s.row)
	e := uint64(hash)<<32 | uint64(i)
	at := hash & t.mask
	for t.index[at] != e {
		at = (at + 1) & t.mask
		t.steps++
	}
	for j := (at + 1) & t.mask; t.index[j] != 0; j = (j + 1) & t.mask {
		t.steps++
		// What stands at j may move to at unless its home lies after at.
		home := uint32(t.index[j]>>32) & t.mask
		if (j-home)&t.mask >= (j-at)&t.mask {
			t.index[at] = t.index[j]
			at = j
		}
	}
	t.index[at] = 0
	s.row = 0 // it is nobody's
	s.siblings.next = t.free
	t.free = i
	if t.active--; t.active == 0 && t.used > streamBlock {
		*t = streams{secret: t.secret, created: t.created, refused: t.refused, steps: t.steps}
	}
}

// idleLimit returns how long the stream may be idle before it has ended. A
// stream that is closing has the timeout, any other one multiplier times the
// average interval of its packets if that is more.
func (s stream) idleLimit(timeout, multiplier int64) int64 {
	if s.closing() {
		return timeout
	}
	average := uint64(s.last-s.first) / uint64(max(s.packets, 1))
	high, low := bits.Mul64(average, uint64(multiplier))
	if high > 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return max(timeout, int64(low))
}
