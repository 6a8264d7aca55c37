package packet

import "rtfm/ruleset"

// Numbers of Linux' device types, ARPHRD_, whose frames have no EtherType.
const (
	arphrdFrame    = 770
	arphrdRadiotap = 803
)

// hardwareType returns the ifType number for one of Linux' ARPHRD_ numbers, 0
// where there is none.
func hardwareType(arphrd uint16) uint8 {
	switch arphrd {
	case 1: // ARPHRD_ETHER
		return ifEthernet
	case 6, 800: // ARPHRD_IEEE802, ARPHRD_IEEE802_TR
		return ifTokenRing
	case 19: // ARPHRD_ATM
		return ifATM
	case 512: // ARPHRD_PPP
		return ifPPP
	case 513: // ARPHRD_CISCO
		return ifHDLC
	case 768, 769, 776, 778: // ARPHRD_TUNNEL, _TUNNEL6, _SIT, _IPGRE
		return ifTunnel
	case arphrdFrame:
		return ifFrame
	case 772: // ARPHRD_LOOPBACK
		return ifLoopback
	case 774: // ARPHRD_FDDI
		return ifFDDI
	case 801, 802, arphrdRadiotap: // ARPHRD_IEEE80211, _PRISM, _RADIOTAP
		return if80211
	}
	return 0
}

// cooked decodes a frame of a Linux cooked capture: packet type, ARPHRD_ type,
// length of the sender's address, eight octets for it, protocol.
func cooked(p *ruleset.Packet, off int) {
	if off+16 > len(p.Data) {
		short(p, off+16)
		return
	}
	d := p.Data[off:]
	setSender(p, d[6:14], int(be16(d[4:])))
	cookedPayload(p, be16(d[2:]), be16(d[14:]), off+16)
}

// cooked2 decodes a frame of a Linux cooked capture, version 2: protocol, two
// reserved octets, interface index, ARPHRD_ type, packet type, length of the
// sender's address, eight octets for it.
func cooked2(p *ruleset.Packet, off int) {
	if off+20 > len(p.Data) {
		short(p, off+20)
		return
	}
	d := p.Data[off:]
	setSender(p, d[12:20], int(d[11]))
	cookedPayload(p, be16(d[8:]), be16(d), off+20)
}

// setSender sets the source adjacent address from the first size octets of
// address; more than all are all.
func setSender(p *ruleset.Packet, address []byte, size int) {
	p.AdjacentLen = uint8(copy(p.Key.Adjacent(ruleset.Source)[:], address[:min(size, len(address))]))
}

// cookedPayload decodes what follows a cooked header, which gave arphrd as the
// device's type and typ as the payload's: an EtherType, or one of the numbers
// below that Linux has besides.
func cookedPayload(p *ruleset.Packet, arphrd, typ uint16, off int) {
	p.Key.SetAdjacentType(hardwareType(arphrd))
	switch arphrd {
	case arphrdFrame:
		frameRelay(p, off)
		return
	case arphrdRadiotap:
		radiotap(p, off)
		return
	}
	switch {
	case typ == 1: // ETH_P_802_3: Novell's frames without LLC
		typ = etherIPX
	case typ == 4: // ETH_P_802_2
		typ = etherLLC
	case typ <= maxLength:
		return
	}
	payload(p, typ, off)
}

// Attribute types of an NFLOG frame (Linux' nfulnl_attr_type).
const (
	nflogAddress = 8
	nflogPayload = 9
	nflogDevice  = 15 // ARPHRD_ type
)

// nflog decodes a frame of Linux' netfilter log: an address family, then
// attributes, one of which is the packet.
func nflog(p *ruleset.Packet, off int) {
	if off+4 > len(p.Data) {
		short(p, off+4)
		return
	}
	family, attributes := p.Data[off], p.Data[off+4:]
	if _, device := nflogFind(attributes, nflogDevice); len(device) == 2 {
		p.Key.SetAdjacentType(hardwareType(be16(device)))
	}
	if _, address := nflogFind(attributes, nflogAddress); len(address) == 12 {
		setSender(p, address[4:], int(be16(address))) // length, two unused octets, address
	}
	at, packet := nflogFind(attributes, nflogPayload)
	switch off += 4 + at; {
	case packet == nil:
		short(p, len(p.Data)+1)
	case family == 2: // AF_INET
		ipv4(p, off)
	case family == 10: // AF_INET6
		ipv6(p, off)
	}
}

// nflogFind returns the value of the first attribute in d of one type, as far
// as it was captured, and where in d it begins; nil if there is none. An
// attribute is a length that counts its head, a type, and a value, padded to a
// multiple of four octets; the numbers are in the order of the capturing
// machine, which shows, since types are small.
func nflogFind(d []byte, kind uint16) (at int, value []byte) {
	for at+4 <= len(d) {
		size, typ := int(le16(d[at:])), le16(d[at+2:])
		if d[at+2] == 0 {
			size, typ = int(be16(d[at:])), be16(d[at+2:])
		}
		if size < 4 {
			break
		}
		if typ == kind {
			return at + 4, d[at+4 : min(at+size, len(d))]
		}
		at += (size + 3) &^ 3
	}
	return 0, nil
}
