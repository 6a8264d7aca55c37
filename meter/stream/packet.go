package stream

import (
	"cmp"
	"encoding/binary"

	"rtfm/ruleset"
)

// Packet is what streams need of a packet. It holds nothing of the packet's own
// data.
type Packet struct {
	key              // of its stream, but for the row
	mixed     uint64 // key's
	side      uint8  // which end has sent it
	streamed  bool   // false if it is of no stream: not IP, or a fragment without ports
	segmented bool   // tcp is known
	role      role   // of an ICMP echo message
	tcp       segment
	id        uint64 // of an ICMP echo message
	payload   []byte // of UDP
}

// maxPayload is how much of a UDP payload is looked at most: a DHCP message
// with options (RFC 2131 section 2).
const maxPayload = 576

// Set makes s what streams need of p, for the engine with this seed. It appends
// what must be kept of p's data to kept, which it returns, and refers to it.
func (s *Packet) Set(p *ruleset.Packet, kept []byte, seed uint64) []byte {
	*s = Packet{}
	if p.Flags&(ruleset.HasTransport|ruleset.Fragment|ruleset.IsIP) != ruleset.HasTransport|ruleset.IsIP {
		return kept
	}
	s.streamed = true
	proto := p.Key.TransType()
	data := p.Data[p.Transport:]
	ports := [2]uint16{binary.BigEndian.Uint16(p.Key.Trans(0)[:]), binary.BigEndian.Uint16(p.Key.Trans(1)[:])}
	switch proto {
	case protoTCP:
		s.tcp, s.segmented = parseTCP(data, p.TransportOctets)
	case protoUDP:
		if len(data) > 8 {
			from := len(kept)
			kept = append(kept, data[8:min(len(data), 8+maxPayload)]...)
			s.payload = kept[from:len(kept):len(kept)]
		}
	case protoICMP, protoICMPv6: // these have types and codes for ports
		identifier, sequence, role := echo(data, proto)
		s.id, s.role = uint64(identifier)<<16|uint64(sequence), role
		ports = [2]uint16{identifier, identifier}
	}
	ends := [2]address{newAddress(p.Key.Peer(0)), newAddress(p.Key.Peer(1))}
	if c := ends[0].compare(ends[1]); c > 0 || c == 0 && ports[0] > ports[1] {
		s.side = 1
		ends[0], ends[1] = ends[1], ends[0]
		ports[0], ports[1] = ports[1], ports[0]
	}
	s.ends, s.rest = ends, newRest(ports[0], ports[1], proto, p.Key.PeerType())
	s.mixed = s.mix(seed)
	return kept
}

// newAddress returns a peer address, which for IP has zeros behind 16 octets.
func newAddress(a *[ruleset.MaxAddress]byte) address {
	return address{binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(a[8:])}
}

func (a address) compare(b address) int {
	if a.high != b.high {
		return cmp.Compare(a.high, b.high)
	}
	return cmp.Compare(a.low, b.low)
}

// anywhere makes the stream one of DHCP between any hosts: clients have no
// address, and broadcast.
func (s *Packet) anywhere(seed uint64) {
	if s.proto() != protoUDP || !isDHCP(s.port(0)) || !isDHCP(s.port(1)) {
		return
	}
	s.ends = [2]address{}
	if s.port(0) > s.port(1) {
		s.rest = newRest(s.port(1), s.port(0), protoUDP, s.family())
		s.side = 1 - s.side
	}
	s.mixed = s.mix(seed)
}
