package anonymise

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// stations replaces link addresses: each kind of them by a permutation of its own, so
// that no two become one.
type stations struct {
	block   cipher.Block
	in, out [aes.BlockSize]byte
	known   [1 << stationBits]struct{ in, out uint64 }
}

// stationBits is the number of bits of what stands for an address that is remembered.
const stationBits = 12

// newStations returns what replaces link addresses with a key that is derived from key.
func newStations(key *Key) *stations {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte("link addresses"))
	block, err := aes.NewCipher(h.Sum(nil)[:16])
	if err != nil {
		panic(err) // the length is right
	}
	return &stations{block: block}
}

// maxStation is the greatest length in octets of addresses that are replaced.
const maxStation = 8

// replace replaces a link address of 8 octets at most.
func (s *stations) replace(address []byte) {
	keep := keptOctets(address)
	if keep == len(address) {
		return
	}
	var b [8]byte
	copy(b[8-len(address):], address)
	in := binary.BigEndian.Uint64(b[:]) // not 0, which is kept
	if len(address) != 6 {
		binary.BigEndian.PutUint64(b[:], s.permute(in, keep, len(address)))
	} else {
		k := &s.known[slot(in, stationBits)]
		if k.in != in {
			k.in, k.out = in, s.permute(in, keep, 6)
		}
		binary.BigEndian.PutUint64(b[:], k.out)
	}
	copy(address, b[8-len(address):])
}

// replaceRing replaces a MAC address whose octets have their first bit leftmost. The
// source's first bit, which tells of routing information, stays.
func (s *stations) replaceRing(address []byte) {
	var b [6]byte
	first := address[0] & 0x80
	for i, octet := range address[:6] {
		b[i] = bits.Reverse8(octet)
	}
	if b[0]&1 != 0 && [6]byte(b) != broadcast {
		b[0] &^= 1
	}
	s.replace(b[:])
	for i, octet := range b {
		address[i] = bits.Reverse8(octet)
	}
	address[0] |= first
}

var broadcast = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// keptOctets returns how many of an address's first octets stay. Of MAC addresses these
// are three, the manufacturer's; one where the address is somebody's own; all of those of
// groups, but for groups of IP, which are made of IP addresses. Zeros mean that there is
// none.
func keptOctets(address []byte) int {
	zero := true
	for _, octet := range address {
		zero = zero && octet == 0
	}
	switch {
	case zero:
		return len(address)
	case len(address) != 6:
		return 0
	case address[0] == 0x33 && address[1] == 0x33: // RFC 2464 section 7
		return 2
	case address[0]&1 != 0:
		if address[0] == 1 && address[1] == 0 && address[2] == 0x5e { // RFC 1112 section 6.4
			return 3
		}
		return 6
	case address[0]&2 != 0:
		return 1
	}
	return 3
}

// permute returns what an address of size octets becomes, the first keep of which stay:
// a Feistel network of 10 rounds over the others, whose function is AES of round, kept
// octets and half. What would become 0, which means no address, or the broadcast address
// of other links than Ethernet is permuted again.
func (s *stations) permute(address uint64, keep, size int) uint64 {
	half := 4 * (size - keep)
	mask := uint64(1)<<half - 1
	kept := address >> (2 * half) << (2 * half)
	for out := address; ; {
		left, right := out>>half&mask, out&mask
		for round := range 10 {
			s.in = [aes.BlockSize]byte{0: byte(round), 1: byte(size)}
			binary.BigEndian.PutUint64(s.in[2:], kept)
			binary.BigEndian.PutUint32(s.in[12:], uint32(right))
			s.block.Encrypt(s.out[:], s.in[:])
			left, right = right, left^uint64(binary.BigEndian.Uint32(s.out[:]))&mask
		}
		out = kept | left<<half | right
		if out != 0 {
			return out
		}
	}
}
