package stream

import (
	"encoding/binary"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// detail is what only statistics need of a packet.
type detail struct {
	payload  uint32 // octets behind the header of TCP, UDP or UDP-Lite
	window   uint16 // of TCP
	ipID     uint16
	hopLimit uint8
	flags    uint8 // of TCP
	rare     rare
	known    known
}

// rare is what is to be counted of few TCP segments: a bit for each flag that one has,
// but for ACK that it has not, and in place of PSH for a window of 0.
type rare uint8

// known says which fields of a detail are known, a bit for each.
type known uint8

const (
	knowsPayload known = 1 << iota
	knowsFlags
	knowsWindow
	knowsHopLimit
	knowsIPID
	knownBits = iota
)

// IP is what the IP header of a packet says, as far as statistics need it.
type IP struct {
	Family   uint8 // of its addresses
	HopLimit uint8
	ID       uint16 // of IPv4
	Octets   uint8  // of its fixed header that were captured
}

// SetDetail sets what only statistics need of packet i, which is to be done whenever
// Reset was told Details: of its IP header, and of the transport header and what
// follows it, as SetEnds has them; none behind fragments other than the first.
func (p *Packets) SetDetail(i int, ip IP, proto uint8, transport []byte, octets uint32) {
	d := &p.details[i]
	*d = detail{hopLimit: ip.HopLimit, ipID: ip.ID}
	switch {
	case ip.Family == familyIPv4 && ip.Octets >= 9:
		d.known = knowsHopLimit | knowsIPID
	case ip.Family == familyIPv4 && ip.Octets >= 6:
		d.known = knowsIPID
	case ip.Family == familyIPv6 && ip.Octets >= 8:
		d.known = knowsHopLimit
	}
	switch proto {
	case protoTCP:
		d.setTCP(transport, octets)
	case protoUDP, protoUDPLite:
		if len(transport) > 0 && octets >= udpHeader {
			d.payload = octets - udpHeader
			d.known |= knowsPayload
		}
	}
}

// Address families of IANA's registry.
const (
	familyIPv4 = 1
	familyIPv6 = 2
)

const udpHeader = 8 // octets, of UDP-Lite too

// setTCP sets what the header of a TCP segment of so many octets says.
func (d *detail) setTCP(b []byte, octets uint32) {
	if len(b) < 13 {
		return
	}
	if header := uint32(b[12]>>4) * 4; header >= 20 && octets >= header {
		d.payload = octets - header
		d.known |= knowsPayload
	}
	if len(b) >= 14 {
		d.flags = b[13]
		d.rare = rare(d.flags&^flagPSH ^ flagACK)
		d.known |= knowsFlags
	}
	if len(b) >= 16 {
		d.window = binary.BigEndian.Uint16(b[14:])
		d.known |= knowsWindow
		if d.window == 0 && d.flags&(flagSYN|flagFIN|flagRST) == 0 {
			d.rare |= 1 << zeroWindowBit
		}
	}
}

// setDetail is SetDetail for a packet that was decoded.
func (p *Packets) setDetail(i int, from *match.Packet) {
	if from.Flags&match.IsIP == 0 {
		p.details[i] = detail{}
		return
	}
	var source, dest attr.End
	from.Key.Ends(&source, &dest)
	ip := IP{source.PeerType(), from.Key.HopLimit(), from.IPID, from.IPHeader}
	if from.Flags&(match.HasTransport|match.Fragment) == match.HasTransport {
		p.SetDetail(i, ip, source.TransType(), from.Data[from.Transport:], from.TransportOctets)
	} else {
		p.SetDetail(i, ip, 0, nil, 0)
	}
}
