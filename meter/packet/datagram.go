package packet

import (
	"net/netip"

	"rtfm/ruleset"
)

// udpSize is the length of a UDP header (RFC 768).
const udpSize = 8

// Datagram returns the sender and the octets of the UDP datagram that a frame
// holds; false if it holds none, or only a fragment or part of one. The octets
// are some of data. The arguments are those of Decode.
func Datagram(link uint32, data []byte, wire uint32) (from netip.AddrPort, octets []byte, ok bool) {
	var p ruleset.Packet
	Decode(&p, link, data, wire)
	if p.Flags&ruleset.HasTransport == 0 || p.Key.TransType() != protoUDP {
		return from, nil, false
	}
	d := data[p.Transport:]
	d = d[:min(len(d), int(p.TransportOctets))]
	if len(d) < udpSize {
		return from, nil, false
	}
	size := int(be16(d[4:]))
	if size < udpSize || size > len(d) {
		return from, nil, false
	}
	addr, _ := netip.AddrFromSlice(p.Key.Peer(ruleset.Source)[:p.PeerLen])
	return netip.AddrPortFrom(addr, be16(d)), d[udpSize:size], true
}
