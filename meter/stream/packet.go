package stream

import (
	"cmp"
	"encoding/binary"
	"math/bits"

	"rtfm/ruleset"
)

// Packets is what streams need of the packets of a batch. It holds nothing of
// their own data.
type Packets struct {
	digests  []digest
	payloads []byte
}

// Packet is one of Packets. The zero Packet is none.
type Packet struct {
	of     *Packets
	number int
}

// digest is what streams need of a packet: a cache line.
type digest struct {
	key // of its stream, but for the row
	// Of a TCP segment; length is that of its data. Of an ICMP echo message seq
	// is identifier and sequence number, of a UDP datagram seq and length tell
	// which of the payloads is its.
	seq, ack, length uint32
	flags            uint8
	form             form
	side             uint8 // which end has sent it
	role             role  // of an ICMP echo message
	_                [8]byte
}

// form says what is known of a packet.
type form uint8

const (
	formless form = iota // it is of no stream: not IP, or a fragment without ports
	formOther
	formSegment // its TCP header
)

// maxPayload is how much of a UDP payload is looked at most: a DHCP message
// with options (RFC 2131 section 2).
const maxPayload = 576

// Reset makes p the packets of a batch of n. Each is then to be Set.
func (p *Packets) Reset(n int) {
	if cap(p.digests) < n {
		p.digests = make([]digest, n)
	}
	p.digests, p.payloads = p.digests[:n], p.payloads[:0]
}

// At returns packet i.
func (p *Packets) At(i int) Packet { return Packet{p, i} }

// Set sets packet i.
func (p *Packets) Set(i int, from *ruleset.Packet) {
	if from.Flags&(ruleset.HasTransport|ruleset.Fragment|ruleset.IsIP) != ruleset.HasTransport|ruleset.IsIP {
		p.digests[i] = digest{}
		return
	}
	var source, dest ruleset.End
	from.Key.Ends(&source, &dest)
	p.SetEnds(i, &source, &dest, from.Data[from.Transport:], from.TransportOctets)
}

// SetEnds sets packet i to one of IP between these ends, with a transport header
// and what follows it, which were of so many octets on the wire.
func (p *Packets) SetEnds(i int, source, dest *ruleset.End, transport []byte, octets uint32) {
	d := &p.digests[i]
	*d = digest{form: formOther}
	proto := source.TransType()
	ports := [2]uint16{source.Port(), dest.Port()}
	switch proto {
	case protoTCP:
		d.parseTCP(transport, octets)
	case protoUDP:
		if len(transport) > 8 {
			d.seq = uint32(len(p.payloads))
			p.payloads = append(p.payloads, transport[8:min(len(transport), 8+maxPayload)]...)
			d.length = uint32(len(p.payloads)) - d.seq
		}
	case protoICMP, protoICMPv6: // these have types and codes for ports
		identifier, sequence, role := echo(transport, proto)
		d.seq, d.role = uint32(identifier)<<16|uint32(sequence), role
		ports = [2]uint16{identifier, identifier}
	}
	ends := [2]address{newAddress(source), newAddress(dest)}
	if c := ends[0].compare(ends[1]); c > 0 || c == 0 && ports[0] > ports[1] {
		d.side = 1
		ends[0], ends[1] = ends[1], ends[0]
		ports[0], ports[1] = ports[1], ports[0]
	}
	d.ends, d.rest = ends, newRest(ports[0], ports[1], proto, source.PeerType())
}

// digest returns what is known of the packet.
func (p Packet) digest() *digest { return &p.of.digests[p.number] }

// payload returns the payload of a UDP datagram as far as it was captured.
func (p *Packets) payload(d *digest) []byte { return p.payloads[d.seq : d.seq+d.length] }

// parseTCP reads the TCP header of a segment of so many octets, if it was captured
// as far as the flags.
func (d *digest) parseTCP(b []byte, octets uint32) {
	if len(b) < 14 {
		return
	}
	d.form = formSegment
	d.seq, d.ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	d.flags = b[13]
	if header := uint32(b[12]>>4) * 4; header >= 20 && octets > header {
		d.length = octets - header
	}
}

// newAddress returns the peer address of an end, which for IP has zeros behind 16
// octets.
func newAddress(e *ruleset.End) address {
	return address{bits.ReverseBytes64(e.Peer[0]), bits.ReverseBytes64(e.Peer[1])}
}

func (a address) compare(b address) int {
	if a.high != b.high {
		return cmp.Compare(a.high, b.high)
	}
	return cmp.Compare(a.low, b.low)
}

// anywhere makes the stream one of DHCP between any hosts: clients have no
// address, and broadcast.
func (d *digest) anywhere() {
	if d.proto() != protoUDP || !isDHCP(d.port(0)) || !isDHCP(d.port(1)) {
		return
	}
	d.ends = [2]address{}
	if d.port(0) > d.port(1) {
		d.rest = newRest(d.port(1), d.port(0), protoUDP, d.family())
		d.side = 1 - d.side
	}
}
