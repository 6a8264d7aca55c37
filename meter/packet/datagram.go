package packet

import (
	"net/netip"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
	"rtfm/traces"
)

// udpSize is the length of a UDP header (RFC 768).
const udpSize = 8

// Datagram returns the sender and the octets of the UDP datagram that a frame
// holds, and how many octets that datagram has: more than are returned if the frame
// is the first of its fragments, or was not captured whole. size is 0 if the frame
// holds none, or a later fragment. The octets are some of data. The arguments are
// those of Decode.
func Datagram(link traces.LinkType, data []byte, wire uint32) (from netip.AddrPort, octets []byte, size int) {
	var p match.Packet
	Decode(&p, link, data, wire)
	if p.Flags&match.HasTransport == 0 || p.Key.TransType() != protoUDP {
		return from, nil, 0
	}
	d := data[p.Transport:]
	d = d[:min(len(d), int(p.TransportOctets))]
	if len(d) < udpSize {
		return from, nil, 0
	}
	size = int(be16(d[4:])) - udpSize
	if size <= 0 {
		return from, nil, 0
	}
	addr, _ := netip.AddrFromSlice(p.Key.Peer(attr.Source)[:p.PeerLen])
	return netip.AddrPortFrom(addr, be16(d)), d[udpSize:min(len(d), udpSize+size)], size
}
