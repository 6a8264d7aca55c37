package packet

import (
	"math/bits"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// tokenRing decodes a token ring frame (IEEE 802.5): access and frame control,
// destination, source, routing information, LLC.
func tokenRing(p *match.Packet, off int) {
	p.Key.SetAdjacentType(ifTokenRing)
	if !ringAddresses(p, off+2) {
		return
	}
	isLLC, routed := p.Data[off+1]&0xc0 == 0x40, p.Data[off+8]&0x80 != 0
	off += 14
	if routed {
		if off >= len(p.Data) {
			short(p, off+1)
			return
		}
		size := int(p.Data[off] & 0x1f)
		if size < 2 || size&1 != 0 {
			p.Flags |= match.Malformed
			return
		}
		off += size
	}
	if isLLC {
		payload(p, etherLLC, off)
	}
}

// fddi decodes an FDDI frame: frame control, destination, source, LLC.
func fddi(p *match.Packet, off int) {
	p.Key.SetAdjacentType(ifFDDI)
	if !ringAddresses(p, off+1) {
		return
	}
	if control := p.Data[off] & 0xf0; control == 0x50 || control == 0xd0 {
		payload(p, etherLLC, off+13)
	}
}

// ringAddresses sets the adjacent addresses from destination and source at
// off, which these media send with the first bit leftmost: turned into
// canonical order, and without the bit in the source's first octet that tells
// of routing information. It reports whether both were captured.
func ringAddresses(p *match.Packet, off int) bool {
	setMAC(p, attr.Dest, off)
	setMAC(p, attr.Source, off+6)
	dst, src := p.Key.Adjacent(attr.Dest), p.Key.Adjacent(attr.Source)
	src[0] &= 0x7f
	for i := range 6 {
		dst[i], src[i] = bits.Reverse8(dst[i]), bits.Reverse8(src[i])
	}
	return off+12 <= len(p.Data)
}
