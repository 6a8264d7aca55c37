package packet

import (
	"encoding/binary"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// ieee80211 decodes an IEEE 802.11 frame; padded tells that its header is
// padded to a multiple of four octets.
func ieee80211(p *match.Packet, off int, padded bool) {
	p.Key.SetAdjacentType(if80211)
	d := p.Data[min(off, len(p.Data)):]
	if len(d) < 2 {
		short(p, off+2)
		return
	}
	const dest, source = attr.Dest, attr.Source
	kind, subtype, flags := d[0]>>2&3, d[0]>>4, d[1]
	const (
		toDS      = 0x01
		fromDS    = 0x02
		protected = 0x40
		order     = 0x80
	)
	switch kind {
	case 0: // management
		setMAC(p, dest, off+4)
		setMAC(p, source, off+10)
		return
	case 1: // control
		setMAC(p, dest, off+4)
		switch subtype {
		case 8, 9, 10, 11, 14, 15: // block ack request and block ack, PS-poll, RTS, CF-end
			setMAC(p, source, off+10)
		}
		return
	case 3:
		return
	}
	size := 24
	switch flags & (toDS | fromDS) {
	case 0:
		setMAC(p, dest, off+4)
		setMAC(p, source, off+10)
	case toDS:
		setMAC(p, dest, off+16)
		setMAC(p, source, off+10)
	case fromDS:
		setMAC(p, dest, off+4)
		setMAC(p, source, off+16)
	default:
		setMAC(p, dest, off+16)
		setMAC(p, source, off+24)
		size = 30
	}
	if subtype&4 != 0 || flags&protected != 0 { // no data, or ciphered
		return
	}
	aggregated := false
	if subtype&8 != 0 { // QoS control, and HT control
		if len(d) < size+2 {
			short(p, off+size+2)
			return
		}
		aggregated = d[size]&0x80 != 0
		size += 2
		if flags&order != 0 {
			size += 4
		}
	}
	if padded {
		size = (size + 3) &^ 3
	}
	if aggregated { // A-MSDU: the first subframe's destination, source, length
		size += 14
	}
	payload(p, etherLLC, off+size)
}

// radiotap decodes an IEEE 802.11 frame after a radiotap header: version,
// padding, length, and bit sets of the fields present.
func radiotap(p *match.Packet, off int) {
	p.Key.SetAdjacentType(if80211)
	if off+8 > len(p.Data) {
		short(p, off+8)
		return
	}
	d := p.Data[off:]
	size := int(le16(d[2:]))
	if d[0] != 0 || size < 8 {
		p.Flags |= match.Malformed
		return
	}
	if size > len(d) {
		short(p, off+size)
		return
	}
	const (
		hasTime    = 1 << 0
		hasFlags   = 1 << 1
		more       = 1 << 31
		headerPads = 0x20
	)
	fields := binary.LittleEndian.Uint32(d[4:])
	padded := false
	if fields&hasFlags != 0 {
		at := 8
		for set := fields; set&more != 0 && at+4 <= size; at += 4 {
			set = binary.LittleEndian.Uint32(d[at:])
		}
		if fields&hasTime != 0 {
			at = (at+7)&^7 + 8
		}
		padded = at < size && d[at]&headerPads != 0
	}
	ieee80211(p, off+size, padded)
}

// avsMagic begins an AVS header; its low bits are a version.
const avsMagic = 0x80211000

// prism decodes an IEEE 802.11 frame after a Prism header of fixed size, or
// after an AVS one, which stands under the same link type.
func prism(p *match.Packet, off int) {
	p.Key.SetAdjacentType(if80211)
	if off+4 > len(p.Data) {
		short(p, off+4)
		return
	}
	if binary.BigEndian.Uint32(p.Data[off:])&^0xfff == avsMagic {
		avs(p, off)
		return
	}
	ieee80211(p, off+144, false)
}

// avs decodes an IEEE 802.11 frame after an AVS header: magic, length.
func avs(p *match.Packet, off int) {
	p.Key.SetAdjacentType(if80211)
	if off+8 > len(p.Data) {
		short(p, off+8)
		return
	}
	size := binary.BigEndian.Uint32(p.Data[off+4:])
	if binary.BigEndian.Uint32(p.Data[off:])&^0xfff != avsMagic || size < 8 || size > p.FrameOctets {
		p.Flags |= match.Malformed
		return
	}
	ieee80211(p, off+int(size), false)
}

// ppi decodes a frame after a PPI header: version, flags, length, link type.
func ppi(p *match.Packet, off int) {
	if off+8 > len(p.Data) {
		short(p, off+8)
		return
	}
	d := p.Data[off:]
	size, link := int(le16(d[2:])), traces.LinkType(binary.LittleEndian.Uint32(d[4:]))
	switch {
	case d[0] != 0 || size < 8 || link == traces.LinkPPI:
		p.Flags |= match.Malformed
	case size > len(d):
		short(p, off+size)
	default:
		decodeLink(p, link, off+size)
	}
}
