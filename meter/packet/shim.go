package packet

import (
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// LLC service access points (IEEE 802.2).
const (
	sapIP      = 0x06
	sapSNAP    = 0xaa
	sapNetware = 0xe0
	sapISO     = 0xfe
	sapGlobal  = 0xff
)

// llc reads the LLC header at off (IEEE 802.2), with SNAP if it has one, and
// returns what follows and where.
func llc(p *match.Packet, off int) (typ uint16, next int) {
	d := p.Data[min(off, len(p.Data)):]
	if len(d) < 3 {
		short(p, off+3)
		return etherOther, off
	}
	if d[0] == sapGlobal && d[1] == sapGlobal {
		return etherIPX, off // Novell's frames without LLC: the IPX checksum
	}
	switch control := d[2]; {
	case control&1 == 0: // numbered information, in two octets
		next = off + 4
	case control&^0x10 == 0x03: // unnumbered information
		next = off + 3
	default:
		return etherOther, off
	}
	if d[0] != d[1] {
		return etherOther, next
	}
	switch d[0] {
	case sapSNAP:
		return snap(p, next, 2)
	case sapIP:
		return etherIPv4, next
	case sapNetware:
		return etherIPX, next
	case sapISO:
		return nlpid(p, next)
	}
	return etherOther, next
}

// snap reads the SNAP header at off: an organisation's code and one of its
// protocol numbers. Bridged Ethernet frames are padded in front by pad octets.
func snap(p *match.Packet, off, pad int) (typ uint16, next int) {
	next = off + 5
	if next > len(p.Data) {
		short(p, next)
		return etherOther, next
	}
	d := p.Data[off:]
	organisation, typ := uint32(d[0])<<16|uint32(d[1])<<8|uint32(d[2]), be16(d[3:])
	switch organisation {
	case 0x000000, 0x0000f8: // EtherTypes; RFC 1042, and bridge tunnels (IEEE 802.1H)
		if typ > maxLength {
			return typ, next
		}
	case 0x080007: // Apple
		if typ == etherAppleTalk {
			return typ, next
		}
	case 0x0080c2: // bridged frames, RFC 2427 section 4.2 and RFC 2684 section 5.2
		if typ == 1 || typ == 7 {
			return bridged(p, next+pad)
		}
	}
	return etherOther, next
}

// bridged reads the header of an Ethernet frame that another link carries.
// Its MAC addresses become the packet's if the link has none.
func bridged(p *match.Packet, off int) (typ uint16, next int) {
	if p.AdjacentLen == 0 {
		setMAC(p, attr.Dest, off)
		setMAC(p, attr.Source, off+6)
	}
	return skip(p, off, 12)
}

// nlpid reads the network layer protocol identifier at off (ISO/IEC TR 9577).
// ISO protocols have it as the first octet of their own header.
func nlpid(p *match.Packet, off int) (typ uint16, next int) {
	if off >= len(p.Data) {
		short(p, off+1)
		return etherOther, off
	}
	switch p.Data[off] {
	case 0xcc:
		return etherIPv4, off + 1
	case 0x8e:
		return etherIPv6, off + 1
	case 0x80:
		return snap(p, off+1, 0)
	case 0xcf:
		return ppp(p, off+1)
	case nlpidCLNP:
		return etherCLNS, off
	}
	return etherOther, off
}

// pppoe reads the PPPoE session header at off (RFC 2516 section 4) and the PPP
// header after it.
func pppoe(p *match.Packet, off int) (typ uint16, next int) {
	if off+6 > len(p.Data) {
		short(p, off+6)
		return etherOther, off
	}
	if p.Data[off] != 0x11 || p.Data[off+1] != 0 {
		p.Flags |= match.Malformed
		return etherOther, off
	}
	return ppp(p, off+6)
}

// pppd decodes what pppd captures: PPP whose address is a direction.
func pppd(p *match.Packet, off int) {
	p.Key.SetAdjacentType(ifPPP)
	if off++; off < len(p.Data) && p.Data[off] == 0x03 { // control
		off++
	}
	typ, off := ppp(p, off)
	payload(p, typ, off)
}

// ppp reads a PPP header at off: address and control (RFC 1662 section 3.1)
// unless compressed, and a protocol number of two octets, or one (RFC 1661
// section 6.5).
func ppp(p *match.Packet, off int) (typ uint16, next int) {
	d := p.Data[min(off, len(p.Data)):]
	if len(d) >= 2 && d[0] == 0xff && d[1] == 0x03 {
		d, off = d[2:], off+2
	}
	var number uint16
	switch {
	case len(d) > 0 && d[0]&1 != 0:
		number, next = uint16(d[0]), off+1
	case len(d) > 1:
		number, next = be16(d), off+2
	default:
		short(p, off+2)
		return etherOther, off
	}
	switch number {
	case 0x21:
		return etherIPv4, next
	case 0x23:
		return etherCLNS, next
	case 0x27:
		return etherDECnet, next
	case 0x29:
		return etherAppleTalk, next
	case 0x2b:
		return etherIPX, next
	case 0x57:
		return etherIPv6, next
	case 0x281:
		return etherMPLS, next
	case 0x283:
		return etherMPLSMulti, next
	}
	return etherOther, next
}

// mpls reads the label stack at off (RFC 3032) and guesses what follows, since
// no label tells: the first four bits are an IP version, or 0, when it is an
// Ethernet pseudowire with or without control word (RFC 4448). The labels are the
// packet's if it is the first stack.
func mpls(p *match.Packet, off int, first bool) (typ uint16, next int) {
	top := uint32(0)
	for at, bottom := off, false; !bottom; off += 4 {
		if off+4 > len(p.Data) {
			short(p, off+4)
			return etherOther, off
		}
		label := be24(p.Data[off:]) >> 4
		if off == at {
			top = label
		}
		if bottom = p.Data[off+2]&1 != 0; !first {
			continue
		} else if bottom {
			p.Key.SetMPLS(top, label)
		} else if off == at {
			p.Key.SetMPLS(top, 0)
		}
	}
	if off >= len(p.Data) {
		short(p, off+1)
		return etherOther, off
	}
	switch p.Data[off] >> 4 {
	case 4:
		return etherIPv4, off
	case 6:
		return etherIPv6, off
	case 0:
		if off+19 > len(p.Data) {
			short(p, off+19)
			return etherOther, off
		}
		if d := p.Data[off:]; ethernetIP(d[4:]) {
			return be16(d[16:]), off + 18
		} else if ethernetIP(d) {
			return be16(d[12:]), off + 14
		}
	}
	return etherOther, off
}

// ethernetIP reports whether d, of 15 octets at least, looks like an Ethernet
// frame that carries IP.
func ethernetIP(d []byte) bool {
	switch typ := be16(d[12:]); typ {
	case etherIPv4:
		return d[14]>>4 == 4
	case etherIPv6:
		return d[14]>>4 == 6
	case etherTag, etherTagS:
		return true
	}
	return false
}

// macsec reads the security tag at off (IEEE 802.1AE section 9.3), after which
// the payload stands plain if it is not ciphered.
func macsec(p *match.Packet, off int) (typ uint16, next int) {
	if off >= len(p.Data) {
		short(p, off+1)
		return etherOther, off
	}
	const (
		channel = 0x20 // a channel identifier of eight octets follows
		cipher  = 0x0c // encrypted, or changed in another way
	)
	switch flags := p.Data[off]; {
	case flags&cipher != 0:
		return etherOther, off
	case flags&channel != 0:
		return skip(p, off, 14)
	}
	return skip(p, off, 6)
}

// nsh reads the network service header at off (RFC 8300 section 2.2).
func nsh(p *match.Packet, off int) (typ uint16, next int) {
	if off+4 > len(p.Data) {
		short(p, off+4)
		return etherOther, off
	}
	d := p.Data[off:]
	next = off + int(d[1]&0x3f)*4
	if next < off+8 {
		p.Flags |= match.Malformed
		return etherOther, next
	}
	switch d[3] {
	case 1:
		return etherIPv4, next
	case 2:
		return etherIPv6, next
	case 3:
		return bridged(p, next)
	case 5:
		return etherMPLS, next
	}
	return etherOther, next
}
