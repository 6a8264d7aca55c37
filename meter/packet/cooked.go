package packet

import (
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

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
func cooked(p *match.Packet, off int) {
	if off+16 > len(p.Data) {
		short(p, off+16)
		return
	}
	d := p.Data[off:]
	sender := d[6:min(14, 6+int(be16(d[4:])))]
	cookedPayload(p, be16(d[2:]), sender, be16(d[14:]), off+16)
}

// cooked2 decodes a frame of a Linux cooked capture, version 2: protocol, two
// reserved octets, interface index, ARPHRD_ type, packet type, length of the
// sender's address, eight octets for it.
func cooked2(p *match.Packet, off int) {
	if off+20 > len(p.Data) {
		short(p, off+20)
		return
	}
	d := p.Data[off:]
	sender := d[12:min(20, 12+int(d[11]))]
	cookedPayload(p, be16(d[8:]), sender, be16(d), off+20)
}

// cookedPayload decodes what follows a cooked header, which gave arphrd as the
// device's type, the sender's address, and typ as the payload's type: an
// EtherType, or one of the numbers below that Linux has besides.
func cookedPayload(p *match.Packet, arphrd uint16, sender []byte, typ uint16, off int) {
	if arphrd == arphrdRadiotap {
		radiotap(p, off) // which has all addresses
		return
	}
	p.Key.SetAdjacentType(hardwareType(arphrd))
	p.AdjacentLen = uint8(copy(p.Key.Adjacent(attr.Source)[:], sender))
	switch {
	case arphrd == arphrdFrame:
		frameRelay(p, off)
		return
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
func nflog(p *match.Packet, off int) {
	if off+4 > len(p.Data) {
		short(p, off+4)
		return
	}
	family, attributes := p.Data[off], p.Data[off+4:]
	if at, size := nflogFind(attributes, nflogDevice); size == 2 && at+2 <= len(attributes) {
		p.Key.SetAdjacentType(hardwareType(be16(attributes[at:])))
	}
	if at, size := nflogFind(attributes, nflogAddress); size == 12 && at+12 <= len(attributes) {
		value := attributes[at : at+12] // length, two unused octets, room for eight
		sender := value[4:min(12, 4+int(be16(value)))]
		p.AdjacentLen = uint8(copy(p.Key.Adjacent(attr.Source)[:], sender))
	}
	at, _ := nflogFind(attributes, nflogPayload)
	switch off += 4 + at; {
	case at == 0:
		short(p, len(p.Data)+1)
	case family == 2: // AF_INET
		ipv4(p, off)
	case family == 10: // AF_INET6
		ipv6(p, off)
	}
}

// nflogFind returns where in d the value of the first attribute of one type
// begins, and its length, all of which need not be captured; 0 if there is
// none. An attribute is a length that counts its head, a type, and a value,
// padded to a multiple of four octets; the numbers are in the order of the
// capturing machine, which shows, since types are small.
func nflogFind(d []byte, kind uint16) (at, size int) {
	for next := 0; next+4 <= len(d); next += (size + 3) &^ 3 {
		head := d[next:]
		typ := le16(head[2:])
		size = int(le16(head))
		if head[2] == 0 {
			typ = be16(head[2:])
			size = int(be16(head))
		}
		if size < 4 {
			break
		}
		if typ == kind {
			return next + 4, size - 4
		}
	}
	return 0, 0
}
