package stream

import (
	"cmp"
	"encoding/binary"

	"rtfm/ruleset"
)

// Packets is what streams need of the packets of a batch. It holds nothing of
// their own data.
type Packets struct {
	digests  []digest
	keys     []key // of the packets' streams; formless ones have none
	payloads []byte
}

// Packet is one of Packets. The zero Packet is none.
type Packet struct {
	of     *Packets
	number int
}

// digest is what most streams need of a packet.
type digest struct {
	// Of a TCP segment; length is that of its data. Of an ICMP echo message seq
	// is identifier and sequence number, of a UDP datagram seq and length tell
	// which of the payloads is its.
	seq, ack, length uint32
	flags            uint8
	form             form
	side             uint8 // which end has sent it
	role             role  // of an ICMP message
}

// form says what is known of a packet.
type form uint8

const (
	formless form = iota // it is of no stream: not IP, or a fragment without ports
	formOther
	formMessage  // of ICMP
	formDatagram // of UDP
	formCut      // of TCP, cut before the flags
	formSegment  // of TCP
	forms
)

// maxPayload is how much of a UDP payload is looked at most: a DHCP message
// with options (RFC 2131 section 2).
const maxPayload = 576

// Reset makes p the packets of a batch of n. Each is then to be Set.
func (p *Packets) Reset(n int) {
	if cap(p.digests) < n {
		p.digests, p.keys = make([]digest, n), make([]key, n)
	}
	p.digests, p.keys, p.payloads = p.digests[:n], p.keys[:n], p.payloads[:0]
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
	d := digest{form: formOther}
	proto := source.TransType()
	ports := [2]uint16{source.Port(), dest.Port()}
	switch proto {
	case protoTCP:
		d.parseTCP(transport, octets)
	case protoUDP:
		d.form = formDatagram
		if len(transport) > 8 {
			d.seq = uint32(len(p.payloads))
			p.payloads = append(p.payloads, transport[8:min(len(transport), 8+maxPayload)]...)
			d.length = uint32(len(p.payloads)) - d.seq
		}
	case protoICMP, protoICMPv6: // these have types and codes for ports
		d.form = formMessage
		identifier, sequence, role := echo(transport, proto)
		d.seq, d.role = uint32(identifier)<<16|uint32(sequence), role
		ports = [2]uint16{identifier, identifier}
	}
	k := &p.keys[i]
	k.ends = [2]address{newAddress(source), newAddress(dest)}
	if c := k.ends[0].compare(k.ends[1]); c > 0 || c == 0 && ports[0] > ports[1] {
		d.side = 1
		k.ends[0], k.ends[1] = k.ends[1], k.ends[0]
		ports[0], ports[1] = ports[1], ports[0]
	}
	k.rest = newRest(ports[0], ports[1], proto, source.PeerType())
	p.digests[i] = d
}

// digest returns what is known of the packet.
func (p Packet) digest() *digest { return &p.of.digests[p.number] }

// key returns that of the packet's stream.
func (p Packet) key() *key { return &p.of.keys[p.number] }

// payload returns the payload of a UDP datagram as far as it was captured.
func (p *Packets) payload(d *digest) []byte { return p.payloads[d.seq : d.seq+d.length] }

// parseTCP reads the TCP header of a segment of so many octets, if it was captured
// as far as the flags.
func (d *digest) parseTCP(b []byte, octets uint32) {
	d.form = formCut
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
func newAddress(e *ruleset.End) address { return address{e.Peer[0], e.Peer[1]} }

func (a address) compare(b address) int {
	if a.high != b.high {
		return cmp.Compare(a.high, b.high)
	}
	return cmp.Compare(a.low, b.low)
}

// anywhere makes the key of a datagram of DHCP between any hosts that of one
// stream: clients have no address, and broadcast. It returns what becomes of the
// side that has sent it.
func (k *key) anywhere(side uint8) uint8 {
	if k.proto() != protoUDP || !isDHCP(k.port(0)) || !isDHCP(k.port(1)) {
		return side
	}
	k.ends = [2]address{}
	if k.port(0) > k.port(1) {
		k.rest = newRest(k.port(1), k.port(0), protoUDP, k.family())
		side = 1 - side
	}
	return side
}
