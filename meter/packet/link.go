package packet

import (
	"encoding/binary"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
	"rtfm/traces"
)

// Adjacent types, the ifType numbers of IANA's registry. RFC 2720 has 7 for
// everything like Ethernet.
const (
	ifEthernet   = 7
	ifTokenRing  = 9
	ifFDDI       = 15
	ifPPP        = 23
	ifLoopback   = 24
	ifFrame      = 32 // frame relay
	ifARCnet     = 35
	ifATM        = 37
	if80211      = 71
	ifHDLC       = 118 // Cisco HDLC
	ifTunnel     = 131
	ifInfiniBand = 199
)

// decodeLink decodes the frame at off, whose link type is link.
func decodeLink(p *match.Packet, link traces.LinkType, off int) {
	switch link {
	case traces.LinkEthernet:
		ethernet(p, off)
	case traces.LinkNull, traces.LinkLoop:
		loopback(p, off)
	case traces.LinkTokenRing:
		tokenRing(p, off)
	case traces.LinkFDDI:
		fddi(p, off)
	case traces.LinkRaw, traces.LinkRawBSD, traces.LinkRawOpenBSD, traces.LinkIPv4, traces.LinkIPv6:
		rawIP(p, off)
	case traces.LinkPPP, traces.LinkPPPHDLC:
		serial(p, off)
	case traces.LinkARCnet:
		arcnet(p, off, 0)
	case traces.LinkARCnetLinux:
		arcnet(p, off, 2)
	case traces.LinkIPNET: // version, family, kind, length, two interfaces, two zones
		rawIP(p, off+24)
	case traces.LinkPPPD:
		pppd(p, off)
	case traces.LinkPPPWithDir:
		p.Key.SetAdjacentType(ifPPP)
		typ, off := ppp(p, off+1)
		payload(p, typ, off)
	case traces.LinkCiscoHDLCWithDir:
		ciscoHDLC(p, off+1)
	case traces.LinkFrameRelayWithDir:
		p.Key.SetAdjacentType(ifFrame)
		frameRelay(p, off+1)
	case traces.LinkMPLS:
		payload(p, etherMPLS, off)
	case traces.LinkPPPoE:
		p.Key.SetAdjacentType(ifPPP)
		payload(p, etherPPPoE, off)
	case traces.LinkCiscoHDLC:
		ciscoHDLC(p, off)
	case traces.LinkFrameRelay:
		p.Key.SetAdjacentType(ifFrame)
		frameRelay(p, off)
	case traces.LinkATM:
		p.Key.SetAdjacentType(ifATM)
		payload(p, etherLLC, off)
	case traces.LinkSunATM:
		p.Key.SetAdjacentType(ifATM)
		sunATM(p, off)
	case traces.LinkLinuxSLL:
		cooked(p, off)
	case traces.LinkLinuxSLL2:
		cooked2(p, off)
	case traces.LinkNFLOG:
		nflog(p, off)
	case traces.Link80211:
		ieee80211(p, off, false)
	case traces.LinkRadiotap:
		radiotap(p, off)
	case traces.LinkPrism:
		prism(p, off)
	case traces.LinkAVS:
		avs(p, off)
	case traces.LinkPPI:
		ppi(p, off)
	case traces.LinkPKTAP:
		pktap(p, off, false)
	case traces.LinkUser2:
		pktap(p, off, true)
	case traces.LinkIPoIB:
		ipoib(p, off)
	case traces.LinkWPAN:
		wpan(p, off, 2)
	case traces.LinkWPANNoFCS:
		wpan(p, off, 0)
	case traces.LinkWPANTAP:
		wpanTAP(p, off)
	default:
		p.Flags |= match.UnknownLink
	}
}

// ethernet decodes an Ethernet frame: destination, source, type or length.
func ethernet(p *match.Packet, off int) {
	p.Key.SetAdjacentType(ifEthernet)
	d := p.Data[off:]
	if len(d) < 14 {
		setMAC(p, attr.Dest, off)
		setMAC(p, attr.Source, off+6)
		short(p, off+14)
		return
	}
	copy(p.Key.Adjacent(attr.Dest)[:6], d)
	copy(p.Key.Adjacent(attr.Source)[:6], d[6:])
	p.AdjacentLen = 6
	payload(p, be16(d[12:]), off+14)
}

// setMAC sets the adjacent address of one end to the MAC address at off.
func setMAC(p *match.Packet, end, off int) {
	if off+6 > len(p.Data) {
		short(p, off+6)
		return
	}
	copy(p.Key.Adjacent(end)[:6], p.Data[off:])
	p.AdjacentLen = 6
}

// rawIP decodes an IP datagram without link header.
func rawIP(p *match.Packet, off int) {
	if off >= len(p.Data) {
		short(p, off+1)
		return
	}
	switch p.Data[off] >> 4 {
	case 4:
		ipv4(p, off)
	case 6:
		ipv6(p, off)
	default:
		p.Flags |= match.Malformed
	}
}

// loopback decodes a frame of a BSD loopback interface: the address family as
// four octets, in the order of the capturing machine or in network order, or
// an EtherType in the last two of the four. The families have other numbers on
// other systems.
func loopback(p *match.Packet, off int) {
	p.Key.SetAdjacentType(ifLoopback)
	if off+4 > len(p.Data) {
		short(p, off+4)
		return
	}
	family := binary.LittleEndian.Uint32(p.Data[off:])
	if family > 0xffff {
		family = binary.BigEndian.Uint32(p.Data[off:])
	}
	switch off += 4; family {
	case 2: // AF_INET everywhere
		ipv4(p, off)
	case 10, 23, 24, 28, 30: // AF_INET6 of Linux, Windows, NetBSD, FreeBSD, Darwin
		ipv6(p, off)
	case 7: // AF_ISO
		payload(p, etherCLNS, off)
	case 16: // AF_APPLETALK
		payload(p, etherAppleTalk, off)
	default:
		if family > 0xffff {
			payload(p, be16(p.Data[off-2:]), off)
		}
	}
}
