package store

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// Tuple is a Key of IPv4 addresses without a VLAN in two numbers, which most packets'
// are. Addresses has those of both ends as they are on the wire, the source's in the low
// half, little-endian; Ports has the protocol in the low octet, and above it the ports of
// source and destination, likewise.
type Tuple struct{ Addresses, Ports uint64 }

const (
	peerIPv4   = 1  // the number of the address family
	tupleBits  = 40 // of Tuple.Ports
	tupleFirst = 1 << 10
)

// Key sets k, of zeros, to the key that t is.
func (t Tuple) Key(k *Key) {
	k.Set(peerIPv4, uint8(t.Ports), 0, 4)
	for end := range 2 {
		binary.LittleEndian.PutUint32(k.Address(end)[:], uint32(t.Addresses>>(32*end)))
		binary.LittleEndian.PutUint16(k.Port(end)[:], uint16(t.Ports>>(8+16*end)))
	}
}

// tuple returns the tuple of a key, if it has one.
func (k *Key) tuple() (t Tuple, ok bool) {
	if k.PeerType() != peerIPv4 || k.VLAN() != 0 || k.Length() != 4 {
		return t, false
	}
	t.Ports = uint64(k.TransType())
	for end := range 2 {
		t.Addresses |= uint64(binary.LittleEndian.Uint32(k.Address(end)[:])) << (32 * end)
		t.Ports |= uint64(binary.LittleEndian.Uint16(k.Port(end)[:])) << (8 + 16*end)
	}
	return t, true
}

// ordered returns the same tuple for both directions.
func (t Tuple) ordered() Tuple {
	from, to := t.Addresses<<32|t.Ports>>8&0xffff, t.Addresses>>32<<32|t.Ports>>24&0xffff
	if from > to {
		t.Addresses = bits.RotateLeft64(t.Addresses, 32)
		t.Ports = t.Ports&0xff | t.Ports>>16&0xffff00 | t.Ports&0xffff00<<16
	}
	return t
}

// tuples finds the flows of a file that are tuples.
type tuples struct {
	seed  [2]uint64 // so that nobody can make packets whose tuples are looked for long
	slots []Tuple   // by open addressing; Ports has the flow's place in the list + 1 above
	used  int

	// Those of packets that wait for pairTuples.
	wait    [64]Tuple
	hashes  [64]uint64
	looked  [64]uint32
	waiting int
}

func newTuples() tuples {
	return tuples{seed: [2]uint64{rand.Uint64(), rand.Uint64()}, slots: make([]Tuple, tupleFirst)}
}

func (u *tuples) hash(t Tuple) uint64 {
	high, low := bits.Mul64(t.Addresses^u.seed[0], t.Ports^u.seed[1])
	return high ^ low
}

// noteTuple notes the flow of a packet of the chunk at hand.
func (f *flows) noteTuple(t Tuple) {
	u := &f.tuples
	t = t.ordered()
	u.wait[u.waiting], u.hashes[u.waiting] = t, u.hash(t)
	if u.waiting++; u.waiting == len(u.wait) {
		f.pairTuples()
	}
}

// pairTuples does what pair does, for the tuples that wait.
func (f *flows) pairTuples() {
	u := &f.tuples
	n := u.waiting
	u.waiting = 0
	mask := uint64(len(u.slots) - 1)
	for i, hash := range u.hashes[:n] {
		u.looked[i] = uint32(u.slots[hash&mask].Ports >> tupleBits)
	}
	for i, flow := range u.looked[:n] {
		if flow > 0 {
			u.looked[i] = f.last[flow-1]
		}
	}
	for i := 0; i < n && f.fits; i++ {
		f.join(f.findTuple(u.wait[i], u.hashes[i]))
	}
}

// findTuple returns the place of a flow in the list, as find does.
func (f *flows) findTuple(t Tuple, hash uint64) int {
	u := &f.tuples
	mask := uint64(len(u.slots) - 1)
	at := hash & mask
	for ; u.slots[at].Ports>>tupleBits != 0; at = (at + 1) & mask {
		if s := &u.slots[at]; s.Addresses == t.Addresses && (s.Ports^t.Ports)<<(64-tupleBits) == 0 {
			return int(s.Ports>>tupleBits) - 1
		}
	}
	var k Key
	t.Key(&k)
	k.order()
	n := f.append(&k)
	if n < 0 {
		return n
	}
	u.slots[at] = Tuple{t.Addresses, t.Ports | uint64(n+1)<<tupleBits}
	if u.used++; 2*u.used > len(u.slots) {
		u.grow()
	}
	return n
}

// grow doubles the table.
func (u *tuples) grow() {
	old := u.slots
	u.slots = make([]Tuple, 2*len(old))
	mask := uint64(len(u.slots) - 1)
	for _, s := range old {
		if s.Ports>>tupleBits == 0 {
			continue
		}
		at := u.hash(Tuple{s.Addresses, s.Ports & (1<<tupleBits - 1)}) & mask
		for u.slots[at].Ports>>tupleBits != 0 {
			at = (at + 1) & mask
		}
		u.slots[at] = s
	}
}
