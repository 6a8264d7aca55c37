package packet

import "rtfm/ruleset/match"

// serial decodes a frame of a serial line: PPP, or Cisco HDLC, which its first
// octet tells apart (RFC 1662 section 3.1, RFC 1547 section 4.3).
func serial(p *match.Packet, off int) {
	switch {
	case off >= len(p.Data):
		short(p, off+1)
	case p.Data[off] == 0x0f || p.Data[off] == 0x8f:
		ciscoHDLC(p, off)
	default:
		p.Key.SetAdjacentType(ifPPP)
		typ, off := ppp(p, off)
		payload(p, typ, off)
	}
}

// ciscoHDLC decodes a Cisco HDLC frame: address, a zero octet, EtherType.
func ciscoHDLC(p *match.Packet, off int) {
	p.Key.SetAdjacentType(ifHDLC)
	if off+4 > len(p.Data) {
		short(p, off+4)
		return
	}
	typ := be16(p.Data[off+2:])
	off += 4
	if typ == etherCLNS && off < len(p.Data) && p.Data[off] != nlpidCLNP {
		off++ // a pad octet, which some leave out
	}
	payload(p, typ, off)
}

// frameRelay decodes a frame relay frame: an address of 2 to 4 octets (Q.922),
// and a header after RFC 2427, or an EtherType after Cisco.
func frameRelay(p *match.Packet, off int) {
	d := p.Data[min(off, len(p.Data)):]
	size := 0
	for {
		if size == len(d) {
			short(p, off+size+1)
			return
		}
		size++
		if d[size-1]&1 != 0 {
			break
		}
	}
	if size < 2 || size > 4 {
		p.Flags |= match.Malformed
		return
	}
	off += size
	if off+2 > len(p.Data) {
		short(p, off+2)
		return
	}
	if p.Data[off] != 0x03 { // control: unnumbered information
		payload(p, be16(p.Data[off:]), off+2)
		return
	}
	off++
	if p.Data[off] == 0 { // a pad octet
		off++
	}
	typ, off := nlpid(p, off)
	payload(p, typ, off)
}

// sunATM decodes an AAL5 frame with SunATM's header: a type in the low four
// bits of the first octet, VPI, VCI.
func sunATM(p *match.Packet, off int) {
	if off+4 > len(p.Data) {
		short(p, off+4)
		return
	}
	kind := p.Data[off] & 0x0f
	switch off += 4; kind {
	case 1: // LAN emulation: a client's identifier, Ethernet
		typ, off := bridged(p, off+2)
		payload(p, typ, off)
	case 2: // LLC (RFC 2684)
		payload(p, etherLLC, off)
	}
}
