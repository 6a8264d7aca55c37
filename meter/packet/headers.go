package packet

import (
	"sort"

	"rtfm/ruleset/match"
	"rtfm/traces"
)

// Headers returns how many of the captured octets of a frame its headers take:
// as many as Decode needs to find the same attribute values as in all of them,
// and the whole transport header, for TCP with options. Its arguments are those
// of Decode.
func Headers(link traces.LinkType, data []byte, wire uint32) int {
	var whole, p match.Packet
	Decode(&whole, link, data, wire)
	enough := func(n int) bool {
		Decode(&p, link, data[:n], wire)
		return p.Key == whole.Key && p.IPOctets == whole.IPOctets &&
			p.PeerLen == whole.PeerLen && p.AdjacentLen == whole.AdjacentLen &&
			(p.Flags^whole.Flags)&^match.HasTransport == 0
	}
	end := 0
	if whole.Flags&match.HasTransport != 0 {
		at := int(whole.Transport)
		end = at + min(transportSize(whole.Key.TransType(), data[at:]), int(whole.TransportOctets))
		if end = min(end, len(data)); enough(end) { // as it mostly is
			return end
		}
	}
	// Decode takes values in the order of the octets, so that more octets never
	// give less.
	return max(end, sort.Search(len(data), enough))
}

// transportSize returns the length of the header of protocol proto that data,
// which may be cut, begins with; 0 if it is not known.
func transportSize(proto uint8, data []byte) int {
	switch proto {
	case protoTCP: // RFC 9293 section 3.1
		if len(data) > 12 {
			return max(20, int(data[12]>>4)*4)
		}
		return 20
	case protoDCCP: // RFC 4340 section 5.1
		if len(data) > 4 {
			return max(12, int(data[4])*4)
		}
		return 12
	case protoSCTP: // RFC 9260 section 3.1
		return 12
	case protoUDP, protoUDPLite, protoICMP, protoICMPv6:
		return 8
	}
	return 0
}
