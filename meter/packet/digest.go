package packet

import (
	"encoding/binary"
	"math/bits"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// DigestOctets is how many octets behind the IP header are in a packet's digest. Where
// so many were captured, what else was makes no difference.
const DigestOctets = 20

// Digest returns a hash of what does not change on a packet's way, by which two meters
// know that they have seen the same one (RFC 5475 section 6.2). Of an IP datagram it is
// of its length, protocol and addresses, in IPv4 the identification, and the first
// DigestOctets behind the IP header; fewer only if the datagram has no more. So TCP's
// sequence numbers and the checksums of TCP and UDP are in it, and with these the whole
// payload. Hop limit, DSCP, ECN, flow label, options, tags and stations are not. Of a
// packet in a tunnel that was opened it is that of the inner one; of a frame without IP,
// of its length and its first 40 octets.
//
// It is not keyed: packets can be made that have the same.
func Digest(p *match.Packet) uint32 {
	if p.Flags&match.IsIP == 0 {
		var b [frameDigested]byte
		copy(b[:], p.Data)
		return digest(uint64(p.FrameOctets), words(b[:]), words(b[16:]), b[32:])
	}
	var rest []byte
	if at := int(p.Transport); at > 0 && at < len(p.Data) {
		n := DigestOctets
		if p.Flags&match.HasTransport != 0 {
			n = int(min(p.TransportOctets, DigestOctets))
		}
		rest = p.Data[at:min(at+n, len(p.Data))]
	}
	head := digestHead(p.IPOctets, p.IPID, p.Key.TransType())
	return digest(head, words(p.Key.Peer(attr.Source)[:]), words(p.Key.Peer(attr.Dest)[:]), rest)
}

const frameDigested = 40 // octets of a frame without IP

// Digest is that of the packet whose frame was read.
func (u *Usual) Digest(frame []byte) uint32 {
	at, octets := u.Transport()
	rest := frame[at:min(at+int(min(octets, DigestOctets)), len(frame))]
	return digest(digestHead(u.IPOctets, u.IPID(frame), u.Source.TransType()), u.Source.Peer, u.Dest.Peer, rest)
}

func digestHead(octets uint32, id uint16, protocol uint8) uint64 {
	return uint64(octets) | uint64(id)<<32 | uint64(protocol)<<48
}

// words returns the first two words of b.
func words(b []byte) [2]uint64 {
	return [2]uint64{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

// digest hashes these words, and up to 20 octets.
func digest(head uint64, source, dest [2]uint64, rest []byte) uint32 {
	var room [DigestOctets]byte
	if len(rest) < DigestOctets {
		copy(room[:], rest)
		rest = room[:]
	}
	// The constants are digits of the golden ratio; any others without a pattern do.
	h := product(source[0]^0x9e3779b97f4a7c15, dest[0]^0xf39cc0605cedc835)
	h ^= product(source[1]^0x1082276bf3a27251, dest[1]^0xf86c6a11d0c18e95)
	r := words(rest)
	h ^= product(r[0]^0x2767f0b153d27b7f, r[1]^0x0347045b5bf1827f)
	h = product(h^head, uint64(binary.LittleEndian.Uint32(rest[16:DigestOctets]))^0x01886f0928403002)
	return uint32(h>>32) ^ uint32(h)
}

func product(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
