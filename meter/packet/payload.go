package packet

import (
	"math"

	"rtfm/ruleset/match"
)

// What a link header says of its payload: EtherTypes of the IEEE registry.
// Link headers with protocol numbers of their own translate them into these.
const (
	etherIPv4      = 0x0800
	etherDECnet    = 0x6003
	etherTag       = 0x8100 // IEEE 802.1Q
	etherAppleTalk = 0x809b
	etherIPX       = 0x8137
	etherIPv6      = 0x86dd
	etherMPLS      = 0x8847
	etherMPLSMulti = 0x8848
	etherPPPoE     = 0x8864
	etherLLC       = 0x8870 // LLC in frames longer than a length field can tell
	etherTagS      = 0x88a8 // IEEE 802.1ad
	etherMACsec    = 0x88e5 // IEEE 802.1AE
	etherTagI      = 0x88e7 // IEEE 802.1ah, provider backbone bridges
	etherFabric    = 0x8903 // Cisco FabricPath
	etherVNTag     = 0x8926 // Cisco
	etherETag      = 0x893f // IEEE 802.1BR
	etherNSH       = 0x894f // RFC 8300
	etherTagOld    = 0x9100
	etherCLNS      = 0xfefe // not registered, Cisco HDLC's number for ISO protocols
	etherOther     = 0xffff // reserved: nothing that this package knows
)

// maxLength is the greatest number that stands in the place of an EtherType
// and is a length (IEEE 802.3): LLC follows.
const maxLength = 1500

// payload decodes what follows a link header at off: a packet of EtherType
// typ, or tags, labels and further headers before it.
func payload(p *match.Packet, typ uint16, off int) {
	tags, labelled := 0, false
	for {
		switch typ {
		case etherIPv4:
			ipv4(p, off)
			return
		case etherIPv6:
			ipv6(p, off)
			return
		case etherIPX:
			ipx(p, off)
			return
		case etherAppleTalk:
			appleTalk(p, off)
			return
		case etherDECnet:
			decnet(p, off)
			return
		case etherCLNS:
			clns(p, off)
			return
		case etherTag, etherTagS, etherTagOld:
			tags++
			tag(p, tags, off)
			typ, off = skip(p, off, 2)
		case etherVNTag:
			typ, off = skip(p, off, 4)
		case etherETag:
			typ, off = skip(p, off, 6)
		case etherFabric: // two octets, and the frame within from its addresses on
			typ, off = skip(p, off, 14)
		case etherTagI: // four octets, and the frame within
			typ, off = skip(p, off, 16)
		case etherMACsec:
			typ, off = macsec(p, off)
		case etherNSH:
			typ, off = nsh(p, off)
		case etherMPLS, etherMPLSMulti:
			typ, off = mpls(p, off, !labelled)
			labelled = true
		case etherPPPoE:
			typ, off = pppoe(p, off)
		case etherLLC:
			typ, off = llc(p, off)
		default:
			if typ > maxLength {
				if tags > 0 && p.Flags&(match.Cut|match.Malformed) != 0 {
					p.Key.SetVLANTags(0) // there may be more
				}
				return
			}
			typ = etherLLC
		}
	}
}

// tag takes what the n-th VLAN tag, from 1, says, whose control information is at off.
func tag(p *match.Packet, n, off int) {
	p.Key.SetVLANTags(uint8(min(n, math.MaxUint8)))
	if n > 2 || off+2 > len(p.Data) {
		return
	}
	if n == 1 {
		p.Key.SetVLAN(be16(p.Data[off:]))
	} else {
		p.Key.SetInnerVLAN(be16(p.Data[off:]))
	}
}

// skip skips size octets at off and returns the EtherType after them, and
// where its payload begins.
func skip(p *match.Packet, off, size int) (typ uint16, next int) {
	next = off + size + 2
	if next > len(p.Data) {
		short(p, next)
		return etherOther, next
	}
	return be16(p.Data[off+size:]), next
}
