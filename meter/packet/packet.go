// Package packet turns the captured octets of a frame into the attribute
// values that a meter's rules test and save (RFC 2722 appendix C).
//
// Decode knows link headers by their LINKTYPE_ number in the pcap registry
// and follows whatever stands between them and the network header: IEEE 802.1Q
// and 802.1ad tags, MPLS labels, PPPoE, LLC and SNAP. Values come from the
// outermost network header; what a tunnel carries is its payload.
//
// # Addresses
//
// Adjacent addresses are MAC addresses in canonical order (RFC 2720,
// AdjacentAddress), of the outermost link header; Linux cooked captures and
// NFLOG have that of the sender only. AdjacentLen is 0 on a link without
// addresses. The adjacent type is an ifType number:
//
//	Ethernet                       7
//	token ring                     9
//	FDDI                           15
//	PPP, PPPoE without Ethernet    23
//	BSD loopback                   24
//	frame relay                    32
//	ARCnet                         35
//	ATM                            37
//	IEEE 802.11                    71
//	Cisco HDLC                     118
//	IP over InfiniBand             199
//	Linux cooked, NFLOG            that of the device, 0 if not known
//	raw IP, MPLS, Solaris ipnet    0
//	IEEE 802.15.4                  0 (its number, 259, has no room)
//
// PeerType is an address family number: IPv4, IPv6, NSAP (ISO CLNP), IPX,
// AppleTalk and DECnet, their addresses as RFC 2720 (PeerAddress) writes them.
// Everything else, such as ARP, spanning tree or encrypted frames, is 0,
// 'other', and so is a packet whose IP header has another version or, with
// IPv4, a header or datagram of less than 20 octets.
//
// After a header of Apple's packet tap (PKTAP, also as USER2) everything is
// taken from the frame within. 6LoWPAN in frames of IEEE 802.15.4 is IPv6:
// uncompressed, or with a compressed header (RFC 6282) if that gives the
// addresses without a context. Frames that are encrypted or have information
// elements are not looked into, and fragments other than the first have no
// addresses.
//
// # Transport
//
// SourceTransType of IPv4 is the header's protocol field. That of IPv6 is the
// upper-layer protocol after all extension headers (RFC 7045), the
// authentication header among them; it is 0, not known, when the headers up to
// it were not captured, and the type of the missing header when the datagram
// ends before one. Fragments other than the first have what their fragment
// header names. TransAddress is as follows:
//
//	TCP, UDP, UDP-Lite, DCCP, SCTP   port numbers; 0 in all fragments but the first
//	ICMP, ICMPv6                     source: ICMP type, dest: ICMP code
//	IPX                              socket numbers; TransType is the packet type
//	AppleTalk                        DDP socket numbers; TransType is the DDP type
//	others                           0
//
// So an ICMP echo request and its reply have different transport addresses; a
// ruleset that wants them as one bidirectional flow must not save these.
// Remember that a ruleset sees source and destination, and with them type and
// code, swapped when it tries a packet the other way round.
//
// # Damage
//
// Decode takes a header's values in the order of its octets, as far as they
// were captured, and stops at the first contradiction. So a frame cut short
// has only values that the whole frame has too, and zeros.
package packet

import (
	"encoding/binary"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// Decode fills p from data, the captured octets of one frame from its link
// header on, whose form link names (a LINKTYPE_ number of the pcap registry),
// and from wire, the frame's length on the wire in octets without frame check
// sequence. It sets all of p but Time and the interface numbers within Key,
// which it clears. p.Data is data itself.
//
// Decode never fails: p.Flags say what was wrong.
//
// IPOctets is the length in the IP header, or what the frame holds from that
// header on if the length was not captured, if it is 0 in IPv4, as segmentation
// offload leaves it, or if it is 0 in IPv6 with more than 65,535 octets
// following, offload again. For a jumbogram it is what its option says (RFC
// 2675), at most what the frame holds; for 6LoWPAN the header counts as
// uncompressed.
func Decode(p *match.Packet, link traces.LinkType, data []byte, wire uint32) {
	p.FrameOctets, p.Data = wire, data
	if link == traces.LinkEthernet && usual(p) {
		return
	}
	p.Key, p.IPOctets = attr.Key{}, wire
	p.PeerLen, p.AdjacentLen, p.Flags, p.Transport, p.TransportOctets = 0, 0, 0, 0, 0
	p.IPHeader, p.IPID = 0, 0
	if link == traces.LinkEthernet {
		ethernet(p, 0)
	} else {
		decodeLink(p, link, 0)
	}
}

// Supported reports whether Decode knows the link type, a LINKTYPE_ number of
// the pcap registry.
func Supported(link traces.LinkType) bool {
	var p match.Packet
	Decode(&p, link, nil, 0)
	return p.Flags&match.UnknownLink == 0
}

// short flags p because its octets end before need, an offset in p.Data, and
// reports so: Cut when the frame on the wire goes on until there, otherwise
// Malformed.
func short(p *match.Packet, need int) {
	if need > int(p.FrameOctets) {
		p.Flags |= match.Malformed
	} else {
		p.Flags |= match.Cut
	}
}

// be16 returns the number in network order at the beginning of b.
func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }

// le16 returns the little-endian number at the beginning of b.
func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }

// le32 returns the little-endian number at the beginning of b.
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
