package packet

import (
	"encoding/binary"
	"math"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// Address family numbers of IANA's registry (RFC 2720, PeerType).
const (
	peerIPv4      = 1
	peerIPv6      = 2
	peerNSAP      = 3
	peerIPX       = 11
	peerAppleTalk = 12
	peerDECnet    = 13
)

// Protocol numbers of IANA's registry.
const (
	protoHopByHop    = 0
	protoICMP        = 1
	protoTCP         = 6
	protoUDP         = 17
	protoDCCP        = 33
	protoRouting     = 43
	protoFragment    = 44
	protoAH          = 51
	protoICMPv6      = 58
	protoDestination = 60
	protoSCTP        = 132
	protoMobility    = 135
	protoUDPLite     = 136
	protoHIP         = 139
	protoShim6       = 140
)

// Lengths of the fixed IP headers (RFC 791, RFC 8200).
const (
	ipv4Size = 20
	ipv6Size = 40
)

// ipv4 decodes the IPv4 datagram at off.
func ipv4(p *match.Packet, off int) {
	if off+ipv4Size <= len(p.Data) {
		ipv4Header(p, off, (*[ipv4Size]byte)(p.Data[off:]))
	} else {
		ipv4Short(p, off)
	}
}

// ipv4Short decodes the IPv4 datagram at off whose header was not captured
// whole: missing fields, or parts of one, read as zero.
func ipv4Short(p *match.Packet, off int) {
	short(p, off+ipv4Size)
	var h [ipv4Size]byte
	n := copy(h[:], p.Data[min(off, len(p.Data)):])
	for _, field := range [...]int{16, 12, 10, 9, 8, 6, 4} {
		if field <= n {
			clear(h[field:])
			ipv4Header(p, off, &h)
			return
		}
	}
}

// ipv4Header decodes an IPv4 datagram (RFC 791 section 3.1) whose header,
// without options, is h.
func ipv4Header(p *match.Packet, off int, h *[ipv4Size]byte) {
	size, total := int(h[0]&0x0f)*4, int(be16(h[2:]))
	if total == 0 {
		total = max(int(p.FrameOctets)-off, 0)
	}
	if h[0]>>4 != 4 || size < ipv4Size || total < ipv4Size {
		p.Flags |= match.Malformed
		return
	}
	p.Flags |= match.IsIP
	p.Key.SetPeerType(peerIPv4)
	p.Key.SetDSCodePoint(h[1])
	p.Key.SetHopLimit(h[8])
	p.IPHeader, p.IPID = uint8(min(len(p.Data)-off, ipv4Size)), be16(h[4:])
	p.IPOctets = uint32(total)
	copy(p.Key.Peer(attr.Source)[:4], h[12:16])
	copy(p.Key.Peer(attr.Dest)[:4], h[16:20])
	p.PeerLen = 4
	if be16(h[6:])&0x1fff != 0 {
		p.Flags |= match.Fragment
		p.Key.SetTransType(h[9])
		p.Transport = uint16(min(off+size, math.MaxUint16))
		return
	}
	if size > total {
		p.Flags |= match.Malformed
		p.Key.SetTransType(h[9])
		return
	}
	upper(p, h[9], off+size, off+total)
}

// ipv6 decodes the IPv6 datagram at off.
func ipv6(p *match.Packet, off int) {
	if off+ipv6Size <= len(p.Data) {
		ipv6Header(p, off, (*[ipv6Size]byte)(p.Data[off:]))
	} else {
		ipv6Short(p, off)
	}
}

// ipv6Short decodes the IPv6 datagram at off whose fixed header was not
// captured whole: missing fields, or parts of one, read as zero.
func ipv6Short(p *match.Packet, off int) {
	short(p, off+ipv6Size)
	var h [ipv6Size]byte
	n := copy(h[:], p.Data[min(off, len(p.Data)):])
	for _, field := range [...]int{24, 8, 7, 6, 4, 2} {
		if field <= n {
			clear(h[field:])
			ipv6Header(p, off, &h)
			if n < 6 && p.Flags&match.IsIP != 0 {
				p.IPOctets = uint32(max(int(p.FrameOctets)-off, 0))
			}
			return
		}
	}
}

// ipv6Header decodes an IPv6 datagram (RFC 8200 section 3) whose fixed header
// is h.
func ipv6Header(p *match.Packet, off int, h *[ipv6Size]byte) {
	if h[0]>>4 != 6 {
		p.Flags |= match.Malformed
		return
	}
	p.Flags |= match.IsIP
	p.Key.SetPeerType(peerIPv6)
	p.Key.SetDSCodePoint(h[0]<<4 | h[1]>>4)
	p.Key.SetHopLimit(h[7])
	p.IPHeader = uint8(min(len(p.Data)-off, ipv6Size))
	total := ipv6Size + int(be16(h[4:]))
	if total == ipv6Size {
		total = ipv6Large(p, h[6], off)
	}
	p.IPOctets = uint32(total)
	copy(p.Key.Peer(attr.Source)[:16], h[8:24])
	copy(p.Key.Peer(attr.Dest)[:16], h[24:40])
	p.PeerLen = 16
	if off+7 > len(p.Data) {
		return
	}
	extensions(p, h[6], off+ipv6Size, off+total)
}

// The jumbo payload option (RFC 2675 section 2): its type and length, and the
// least that it may tell.
const (
	jumboType = 0xc2
	jumboSize = 4
	jumboMin  = math.MaxUint16 + 1
)

// ipv6Large returns the octets of the IPv6 datagram at off whose header tells a
// payload length of 0: what its jumbo payload option tells if the frame has so
// many, all of the frame if that is more than a header can tell, else those of the
// header.
func ipv6Large(p *match.Packet, next uint8, off int) int {
	rest := int(p.FrameOctets) - off
	if next == protoHopByHop {
		if n, ok := jumbo(p.Data[min(off+ipv6Size, len(p.Data)):]); ok {
			if n <= rest-ipv6Size {
				return ipv6Size + n
			}
			p.Flags |= match.Malformed
			return max(rest, ipv6Size)
		}
	}
	if rest > ipv6Size+math.MaxUint16 {
		return rest
	}
	return ipv6Size
}

// jumbo returns the length that a hop-by-hop options header tells in a jumbo
// payload option; false if it has none.
func jumbo(d []byte) (n int, ok bool) {
	if len(d) < 2 {
		return 0, false
	}
	d = d[2:min(len(d), (int(d[1])+1)*8)]
	for len(d) > 0 {
		switch {
		case d[0] == 0: // Pad1
			d = d[1:]
			continue
		case len(d) < 2 || len(d) < 2+int(d[1]):
			return 0, false
		case d[0] == jumboType && d[1] == jumboSize:
			n := int64(binary.BigEndian.Uint32(d[2:]))
			return int(min(n, math.MaxInt32)), n >= jumboMin
		}
		d = d[2+int(d[1]):]
	}
	return 0, false
}

// extensions walks the chain of extension headers that begins at off with one
// of type next, in a datagram that ends at end.
func extensions(p *match.Packet, next uint8, off, end int) {
	for {
		if !isExtension(next) {
			upper(p, next, off, end)
			return
		}
		need := 2
		if next == protoFragment {
			need = 4
		}
		if !captured(p, off+need, end) {
			if off+need > end {
				p.Key.SetTransType(next)
			} else if off < len(p.Data) && next != protoFragment && !isExtension(p.Data[off]) {
				p.Key.SetTransType(p.Data[off]) // what follows is told, but not where
			}
			return
		}
		d := p.Data[off:]
		size := (int(d[1]) + 1) * 8
		switch next {
		case protoAH:
			size = (int(d[1]) + 2) * 4 // RFC 4302 section 2.2
		case protoFragment:
			size = 8
			if be16(d[2:])>>3 != 0 {
				p.Flags |= match.Fragment
				p.Key.SetTransType(d[0])
				p.Transport = uint16(min(off, math.MaxUint16))
				return
			}
		}
		next, off = d[0], off+size
	}
}

// isExtension reports whether a number is that of an extension header: those of
// RFC 8200 section 4, RFC 4302, RFC 6275, RFC 7401 and RFC 5533, in any order and as
// often as they come. What is after ESP is ciphered, and after No Next Header
// there is nothing.
func isExtension(next uint8) bool {
	switch next {
	case protoHopByHop, protoRouting, protoFragment, protoAH, protoDestination, protoMobility, protoHIP, protoShim6:
		return true
	}
	return false
}

// captured reports whether the octets before need are captured octets of the
// datagram that ends at end, and flags p if not.
func captured(p *match.Packet, need, end int) bool {
	switch {
	case need > end:
		p.Flags |= match.Malformed
	case need > len(p.Data):
		short(p, need)
	default:
		return true
	}
	return false
}

// upper decodes the upper-layer header of protocol proto at off, in a datagram
// that ends at end.
func upper(p *match.Packet, proto uint8, off, end int) {
	p.Key.SetTransType(proto)
	if off < len(p.Data) && off < end && off <= math.MaxUint16 {
		p.Transport = uint16(off)
		p.TransportOctets = uint32(end - off)
		p.Flags |= match.HasTransport
	}
	switch proto {
	case protoTCP, protoUDP, protoDCCP, protoSCTP, protoUDPLite:
		if captured(p, off+4, end) {
			ports := (*[4]byte)(p.Data[off:])
			*p.Key.Trans(attr.Source) = [2]byte(ports[:2])
			*p.Key.Trans(attr.Dest) = [2]byte(ports[2:])
		} else if off+2 <= min(len(p.Data), end) {
			*p.Key.Trans(attr.Source) = [2]byte(p.Data[off:])
		}
	case protoICMP, protoICMPv6:
		if captured(p, off+2, end) {
			p.Key.Trans(attr.Source)[1] = p.Data[off]
			p.Key.Trans(attr.Dest)[1] = p.Data[off+1]
		} else if off+1 <= min(len(p.Data), end) {
			p.Key.Trans(attr.Source)[1] = p.Data[off]
		}
	}
}
