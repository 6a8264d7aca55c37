package packet

import (
	"encoding/binary"

	"rtfm/ruleset/match"
	"rtfm/traces"
)

// The header of Apple's packet tap (LINKTYPE_PKTAP): its length, the kind of
// record, the DLT_ number of the packet after it, and what process it is of. All
// numbers are little-endian.
const (
	pktapMin    = 108 // octets of the first version
	pktapMax    = 512 // that are believed
	pktapPacket = 1   // the kind of records that hold a packet
)

// pktap decodes the packet after a header of a packet tap. Apple's own tools
// write such packets as LINKTYPE_USER2, which may be anything: guess says so.
func pktap(p *match.Packet, off int, guess bool) {
	if off+pktapMin > len(p.Data) {
		if guess {
			p.Flags |= match.UnknownLink
		} else {
			short(p, off+pktapMin)
		}
		return
	}
	d := p.Data[off:]
	size, kind, link := binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[4:]), traces.LinkType(binary.LittleEndian.Uint32(d[8:]))
	switch {
	case size < pktapMin || size > pktapMax || guess && kind != pktapPacket:
		if guess {
			p.Flags |= match.UnknownLink
		} else {
			p.Flags |= match.Malformed
		}
	case kind != pktapPacket:
	case link == traces.LinkPKTAP || link == traces.LinkUser2:
		p.Flags |= match.Malformed // a tap within a tap
	default:
		decodeLink(p, link, off+int(size))
	}
}

// ipoib decodes a datagram of IP over InfiniBand: 40 octets of addresses, an
// EtherType and two octets that are reserved (RFC 4391 section 6).
func ipoib(p *match.Packet, off int) {
	p.Key.SetAdjacentType(ifInfiniBand)
	typ, off := skip(p, off, 40)
	if typ == etherOther {
		return
	}
	if off += 2; off > len(p.Data) {
		short(p, off)
		return
	}
	payload(p, typ, off)
}
