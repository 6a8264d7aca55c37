package stream

import (
	"bytes"
	"encoding/binary"

	"rtfm/ruleset"
)

// Packet is what streams need of a packet. It holds nothing of the packet's own
// data.
type Packet struct {
	key             // of its stream, but for the row
	side      uint8 // which end has sent it
	streamed  bool  // false if it is of no stream: not IP, or a fragment without ports
	segmented bool  // tcp is known
	role      role  // of an ICMP echo message
	tcp       segment
	id        uint64 // of an ICMP echo message
	payload   []byte // of UDP
}

// maxPayload is how much of a UDP payload is looked at most: a DHCP message
// with options (RFC 2131 section 2).
const maxPayload = 576

// Set makes s what streams need of p. It appends what must be kept of p's data
// to kept, which it returns, and refers to it.
func (s *Packet) Set(p *ruleset.Packet, kept []byte) []byte {
	*s = Packet{}
	if p.Flags&(ruleset.HasTransport|ruleset.Fragment|ruleset.IsIP) != ruleset.HasTransport|ruleset.IsIP {
		return kept
	}
	s.streamed = true
	s.proto, s.family = p.Key.TransType(), p.Key.PeerType()
	for e := range 2 {
		copy(s.ends[e].addr[:], p.Key.Peer(e)[:p.PeerLen])
		s.ends[e].port = binary.BigEndian.Uint16(p.Key.Trans(e)[:])
	}
	data := p.Data[p.Transport:]
	switch s.proto {
	case protoTCP:
		s.tcp, s.segmented = parseTCP(data, p.TransportOctets)
	case protoUDP:
		if len(data) > 8 {
			from := len(kept)
			kept = append(kept, data[8:min(len(data), 8+maxPayload)]...)
			s.payload = kept[from:len(kept):len(kept)]
		}
	case protoICMP, protoICMPv6: // these have types and codes for ports
		identifier, sequence, role := echo(data, s.proto)
		s.id, s.role = uint64(identifier)<<16|uint64(sequence), role
		s.ends[0].port, s.ends[1].port = identifier, identifier
	}
	s.order()
	return kept
}

// order puts the ends in their order.
func (s *Packet) order() {
	a, b := &s.ends[0], &s.ends[1]
	if c := bytes.Compare(a.addr[:], b.addr[:]); c > 0 || c == 0 && a.port > b.port {
		*a, *b = *b, *a
		s.side = 1 - s.side
	}
}

// anywhere makes the stream one of DHCP between any hosts: clients have no
// address, and broadcast.
func (s *Packet) anywhere() {
	if s.proto == protoUDP && isDHCP(s.ends[0].port) && isDHCP(s.ends[1].port) {
		s.ends[0].addr, s.ends[1].addr = [16]byte{}, [16]byte{}
		s.order()
	}
}
