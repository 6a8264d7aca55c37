package packet

import (
	"encoding/binary"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// The bits of a frame control field of IEEE 802.15.4 (section 7.2.2 of its 2015
// edition) that are read.
const (
	wpanType      = 0x0007
	wpanData      = 1 // the type that carries data
	wpanSecurity  = 0x0008
	wpanSamePAN   = 0x0040 // the source has no network number of its own
	wpanNoNumber  = 0x0100 // there is no sequence number; version 2
	wpanElements  = 0x0200 // information elements follow; version 2
	wpanShort     = 2      // the mode of an address of two octets
	wpanLong      = 3      // and of one of eight
	wpanTAPHeader = 4      // octets before the fields of LINKTYPE_IEEE802_15_4_TAP
)

// wpanEnd is the address of one end: an interface identifier of IPv6 is made of it
// (RFC 4944 section 6, RFC 6282 section 3.2.2).
type wpanEnd struct {
	id    [8]byte
	known bool
}

// wpan decodes a frame of IEEE 802.15.4, which has fcs octets of check sequence,
// and the 6LoWPAN (RFC 4944) in it. Frames that are ciphered, or have information
// elements, are not looked into.
func wpan(p *match.Packet, off, fcs int) {
	if off+3 > len(p.Data) {
		short(p, off+3)
		return
	}
	control := le16(p.Data[off:])
	version := control >> 12 & 3
	if control&wpanType != wpanData || control&wpanSecurity != 0 || version == 3 ||
		version == 2 && control&(wpanNoNumber|wpanElements) != 0 {
		return
	}
	off += 3
	var ends [2]wpanEnd
	for _, end := range [...]int{attr.Dest, attr.Source} {
		mode := control >> 14
		if end == attr.Dest {
			mode = control >> 10 & 3
		}
		if mode == 0 {
			continue
		}
		if end == attr.Dest || control&wpanSamePAN == 0 {
			off += 2 // the network
		}
		size := 2
		if mode == wpanLong {
			size = 8
		}
		if mode == 1 { // reserved
			p.Flags |= match.Malformed
			return
		}
		if off+size > len(p.Data) {
			short(p, off+size)
			return
		}
		ends[end].read(p.Data[off : off+size])
		off += size
	}
	lowpan(p, off, int(p.FrameOctets)-fcs, &ends)
}

// read makes an interface identifier of an address as it is in frames, from its
// last octet to its first.
func (e *wpanEnd) read(address []byte) {
	e.known = true
	if len(address) == 2 {
		e.id = [8]byte{0, 0, 0, 0xff, 0xfe, 0, address[1], address[0]}
		return
	}
	for i := range 8 {
		e.id[i] = address[7-i]
	}
	e.id[0] ^= 0x02 // universal or local
}

// wpanTAP decodes a frame of IEEE 802.15.4 after a header with fields, of which
// one tells the length of the check sequence.
func wpanTAP(p *match.Packet, off int) {
	if off+wpanTAPHeader > len(p.Data) {
		short(p, off+wpanTAPHeader)
		return
	}
	fcs, end := 0, off+int(le16(p.Data[off+2:]))
	for at := off + wpanTAPHeader; at+8 <= min(end, len(p.Data)); {
		kind, size := le16(p.Data[at:]), int(le16(p.Data[at+2:]))
		if kind == 0 { // none, or 16 or 32 bits
			fcs = int(min(p.Data[at+4], 2)) * 2
		}
		at += 4 + (size+3)&^3
	}
	if end < off+wpanTAPHeader {
		p.Flags |= match.Malformed
		return
	}
	wpan(p, end, fcs)
}

// lowpan decodes a 6LoWPAN frame at off, which ends at end: IPv6 as it is, or
// compressed (RFC 6282), after mesh, broadcast and fragmentation headers. Of
// fragments only the first has addresses.
func lowpan(p *match.Packet, off, end int, ends *[2]wpanEnd) {
	total := 0 // octets of the datagram that a fragment is of
	for {
		if off >= len(p.Data) {
			short(p, off+1)
			return
		}
		d := p.Data[off:]
		size := 0
		switch dispatch := d[0]; {
		case dispatch == 0x41:
			ipv6(p, off+1)
			return
		case dispatch>>5 == 3: // 011
			iphc(p, off, end, total, ends)
			return
		case dispatch == 0x50: // broadcast
			size = 2
		case dispatch>>6 == 2: // mesh, with the addresses of the ends
			size = meshHeader(d, ends)
		case dispatch>>3 == 0x18: // the first fragment
			if size = 4; len(d) >= 2 {
				total = int(be16(d) & 0x7ff)
			}
		default: // a later fragment, or nothing that is known
			return
		}
		off += size
	}
}

// meshHeader returns the length of the mesh header that begins d (RFC 4944 section
// 5.2), and reads the addresses, if they were captured.
func meshHeader(d []byte, ends *[2]wpanEnd) int {
	at := 1
	if d[0]&0x0f == 0x0f {
		at++ // hops
	}
	sizes := [2]int{8, 8}
	if d[0]&0x20 != 0 {
		sizes[0] = 2
	}
	if d[0]&0x10 != 0 {
		sizes[1] = 2
	}
	for i, end := range [...]int{attr.Source, attr.Dest} {
		if at+sizes[i] <= len(d) {
			// These stand in network order, those of frames do not.
			var turned [8]byte
			for j := range sizes[i] {
				turned[j] = d[at+sizes[i]-1-j]
			}
			ends[end].read(turned[:sizes[i]])
		}
		at += sizes[i]
	}
	return at
}

// iphcReader reads the fields of a compressed header one after the other.
type iphcReader struct {
	data []byte
	at   int
}

// next returns the next n octets, nil if they were not captured.
func (r *iphcReader) next(n int) []byte {
	r.at += n
	if r.at > len(r.data) {
		return nil
	}
	return r.data[r.at-n : r.at]
}

// iphc decodes a datagram with a compressed header at off (RFC 6282 section 3).
// total is the datagram's length if it is in fragments, else 0. Addresses that
// need a context, which both ends know and the frame does not tell, are not known:
// such a datagram has none.
func iphc(p *match.Packet, off, end, total int, ends *[2]wpanEnd) {
	r := iphcReader{p.Data, off}
	base := r.next(2)
	if base == nil {
		short(p, r.at)
		return
	}
	bits := be16(base)
	if bits&0x80 != 0 {
		r.next(1) // which contexts
	}
	var h [ipv6Size]byte
	h[0] = 6 << 4
	class := [...]int{4, 3, 1, 0}[bits>>11&3]
	if b := r.next(class); len(b) > 0 && class != 3 {
		// ECN stands before the code point here, and after it in IPv6.
		tos := b[0]<<2 | b[0]>>6
		h[0], h[1] = h[0]|tos>>4, tos<<4
	} else if len(b) > 0 {
		h[1] = b[0] >> 6 << 4
	}
	compressed := bits&0x400 != 0
	if !compressed {
		if b := r.next(1); b != nil {
			h[6] = b[0]
		}
	}
	h[7] = [...]uint8{0, 1, 64, 255}[bits>>8&3]
	if bits&0x300 == 0 {
		if b := r.next(1); b != nil {
			h[7] = b[0]
		}
	}
	known := iphcAddress(&r, h[8:24], bits>>4&7, &ends[attr.Source])
	if bits&0x08 == 0 {
		known = iphcAddress(&r, h[24:40], bits&7, &ends[attr.Dest]) && known
	} else {
		known = iphcMulticast(&r, h[24:40], bits&7) && known
	}
	if r.at > len(p.Data) {
		short(p, r.at)
		return
	}
	if !known {
		return
	}
	p.Flags |= match.IsIP
	p.Key.SetPeerType(peerIPv6)
	p.Key.SetDSCodePoint(h[0]<<4 | h[1]>>4)
	p.Key.SetHopLimit(h[7])
	p.IPHeader = ipv6Size
	copy(p.Key.Peer(attr.Source)[:16], h[8:24])
	copy(p.Key.Peer(attr.Dest)[:16], h[24:40])
	p.PeerLen = 16
	p.IPOctets = uint32(max(total, ipv6Size+max(end-r.at, 0)))
	if compressed {
		udp := nhc(p, &r)
		if total == 0 {
			p.IPOctets = uint32(ipv6Size + udp + max(end-r.at, 0))
		}
		return
	}
	extensions(p, h[6], r.at, end)
}

// iphcAddress rebuilds an address of one end, whose form the lowest three bits of
// form tell; false if that needs a context.
func iphcAddress(r *iphcReader, to []byte, form uint16, end *wpanEnd) bool {
	if form == 4 {
		return true // unspecified, of the source; reserved of the destination
	}
	if form&4 != 0 {
		r.next([...]int{16, 8, 2, 0}[form&3])
		return false
	}
	if form == 0 {
		copy(to, r.next(16))
		return true
	}
	to[0], to[1] = 0xfe, 0x80
	switch form {
	case 1:
		copy(to[8:], r.next(8))
	case 2:
		to[11], to[12] = 0xff, 0xfe
		copy(to[14:], r.next(2))
	case 3:
		copy(to[8:], end.id[:])
		return end.known
	}
	return true
}

// iphcMulticast rebuilds a multicast address (RFC 6282 section 3.2.4).
func iphcMulticast(r *iphcReader, to []byte, form uint16) bool {
	if form&4 != 0 {
		r.next([...]int{6, 0, 0, 0}[form&3])
		return false
	}
	b := r.next([...]int{16, 6, 4, 1}[form])
	if b == nil {
		return false
	}
	to[0], to[1] = 0xff, 0x02
	switch form {
	case 0:
		copy(to, b)
	case 1:
		to[1] = b[0]
		copy(to[11:], b[1:])
	case 2:
		to[1] = b[0]
		copy(to[13:], b[1:])
	case 3:
		to[15] = b[0]
	}
	return true
}

// nhc reads headers that are compressed themselves (RFC 6282 section 4): of UDP,
// and those of extensions before it. It returns how many octets they have when
// they are not.
func nhc(p *match.Packet, r *iphcReader) (size int) {
	for {
		b := r.next(1)
		if b == nil {
			short(p, r.at)
			return size
		}
		switch kind := b[0]; {
		case kind>>3 == 0x1e: // 11110CPP
			return size + nhcUDP(p, r, kind)
		case kind>>4 == 0x0e && kind>>1&7 < 5: // an extension header
			next := uint8(0)
			if kind&1 == 0 {
				if b := r.next(1); b != nil {
					next = b[0]
				}
			}
			b := r.next(1)
			if b == nil {
				short(p, r.at)
				return size
			}
			r.next(int(b[0]))
			size += (2 + int(b[0]) + 7) &^ 7
			if kind&1 == 0 {
				extensions(p, next, r.at, max(int(p.FrameOctets), r.at))
				return size
			}
		default: // an IPv6 header, or nothing that is known
			return size
		}
	}
}

// nhcUDP reads a compressed UDP header (RFC 6282 section 4.3), and returns how many
// octets there are of one.
func nhcUDP(p *match.Packet, r *iphcReader, kind uint8) int {
	p.Key.SetTransType(protoUDP)
	var source, dest uint16
	switch b := r.next([...]int{4, 3, 3, 1}[kind&3]); {
	case b == nil:
		short(p, r.at)
		return udpSize
	case kind&3 == 0:
		source, dest = be16(b), be16(b[2:])
	case kind&3 == 1:
		source, dest = be16(b), 0xf000|uint16(b[2])
	case kind&3 == 2:
		source, dest = 0xf000|uint16(b[0]), be16(b[1:])
	default:
		source, dest = 0xf0b0|uint16(b[0]>>4), 0xf0b0|uint16(b[0]&15)
	}
	if kind&4 == 0 {
		r.next(2) // the checksum
	}
	binary.BigEndian.PutUint16(p.Key.Trans(attr.Source)[:], source)
	binary.BigEndian.PutUint16(p.Key.Trans(attr.Dest)[:], dest)
	return udpSize
}
