package stream

import (
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
	data := p.Data[p.Transport:]
	ports := [2]uint16{binary.BigEndian.Uint16(p.Key.Trans(0)[:]), binary.BigEndian.Uint16(p.Key.Trans(1)[:])}
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
		ports = [2]uint16{identifier, identifier}
	}
	// Addresses of IP have 16 octets at most, and zeros behind them.
	var high, low [2]uint64
	for e := range 2 {
		a := p.Key.Peer(e)
		high[e], low[e] = binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(a[8:])
	}
	if high[0] > high[1] || high[0] == high[1] && (low[0] > low[1] || low[0] == low[1] && ports[0] > ports[1]) {
		s.side = 1
	}
	for e := range 2 {
		from := (e ^ int(s.side)) & 1
		to := &s.ends[e]
		binary.BigEndian.PutUint64(to.addr[:], high[from])
		binary.BigEndian.PutUint64(to.addr[8:], low[from])
		to.port = ports[from]
	}
	return kept
}

// anywhere makes the stream one of DHCP between any hosts: clients have no
// address, and broadcast.
func (s *Packet) anywhere() {
	if s.proto == protoUDP && isDHCP(s.ends[0].port) && isDHCP(s.ends[1].port) {
		s.ends[0].addr, s.ends[1].addr = [16]byte{}, [16]byte{}
		if s.ends[0].port > s.ends[1].port {
			s.ends[0], s.ends[1] = s.ends[1], s.ends[0]
			s.side = 1 - s.side
		}
	}
}
