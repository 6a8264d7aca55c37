package packet

import (
	"encoding/binary"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// Link types: LINKTYPE_ numbers of the pcap registry, and those DLT_ numbers
// that stand in files beside them.
const (
	linkNull      = 0
	linkEthernet  = 1
	linkTokenRing = 6
	linkARCnet    = 7
	linkPPP       = 9
	linkFDDI      = 10
	linkRawBSD    = 12 // DLT_RAW of most systems
	linkRawOther  = 14 // DLT_RAW of OpenBSD
	linkPPPHDLC   = 50
	linkPPPoE     = 51
	linkATM       = 100
	linkRaw       = 101
	linkCiscoHDLC = 104
	link80211     = 105
	linkFrame     = 107
	linkLoop      = 108
	linkCooked    = 113
	linkPrism     = 119
	linkSunATM    = 123
	linkRadiotap  = 127
	linkARCnet2   = 129 // that of Linux
	linkUser2     = 149
	linkAVS       = 163
	linkPPPD      = 166 // PPP whose address is a direction
	linkPPI       = 192
	linkWPAN      = 195 // IEEE 802.15.4 with two octets of check sequence
	linkPPPDir    = 204 // after an octet of direction, as the next two
	linkHDLCDir   = 205
	linkFrameDir  = 206
	linkMPLS      = 219
	linkIPNET     = 226
	linkIPv4      = 228
	linkIPv6      = 229
	linkWPANNoFCS = 230
	linkNFLOG     = 239
	linkIPoIB     = 242
	linkPKTAP     = 258
	linkCooked2   = 276
	linkWPANTAP   = 283
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
func decodeLink(p *match.Packet, link uint32, off int) {
	switch link {
	case linkEthernet:
		ethernet(p, off)
	case linkNull, linkLoop:
		loopback(p, off)
	case linkTokenRing:
		tokenRing(p, off)
	case linkFDDI:
		fddi(p, off)
	case linkRaw, linkRawBSD, linkRawOther, linkIPv4, linkIPv6:
		rawIP(p, off)
	case linkPPP, linkPPPHDLC:
		serial(p, off)
	case linkARCnet:
		arcnet(p, off, 0)
	case linkARCnet2:
		arcnet(p, off, 2)
	case linkIPNET: // version, family, kind, length, two interfaces, two zones
		rawIP(p, off+24)
	case linkPPPD:
		pppd(p, off)
	case linkPPPDir:
		p.Key.SetAdjacentType(ifPPP)
		typ, off := ppp(p, off+1)
		payload(p, typ, off)
	case linkHDLCDir:
		ciscoHDLC(p, off+1)
	case linkFrameDir:
		p.Key.SetAdjacentType(ifFrame)
		frameRelay(p, off+1)
	case linkMPLS:
		payload(p, etherMPLS, off)
	case linkPPPoE:
		p.Key.SetAdjacentType(ifPPP)
		payload(p, etherPPPoE, off)
	case linkCiscoHDLC:
		ciscoHDLC(p, off)
	case linkFrame:
		p.Key.SetAdjacentType(ifFrame)
		frameRelay(p, off)
	case linkATM:
		p.Key.SetAdjacentType(ifATM)
		payload(p, etherLLC, off)
	case linkSunATM:
		p.Key.SetAdjacentType(ifATM)
		sunATM(p, off)
	case linkCooked:
		cooked(p, off)
	case linkCooked2:
		cooked2(p, off)
	case linkNFLOG:
		nflog(p, off)
	case link80211:
		ieee80211(p, off, false)
	case linkRadiotap:
		radiotap(p, off)
	case linkPrism:
		prism(p, off)
	case linkAVS:
		avs(p, off)
	case linkPPI:
		ppi(p, off)
	case linkPKTAP:
		pktap(p, off, false)
	case linkUser2:
		pktap(p, off, true)
	case linkIPoIB:
		ipoib(p, off)
	case linkWPAN:
		wpan(p, off, 2)
	case linkWPANNoFCS:
		wpan(p, off, 0)
	case linkWPANTAP:
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
