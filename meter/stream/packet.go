package stream

import (
	"encoding/binary"
	"math"
	"slices"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Packets is what streams need of the packets of a batch. It does not refer to
// their data.
type Packets struct {
	wanted   Forms
	digests  []digest   // none without streams
	details  []detail   // only with Details
	keys     []shortKey // of the packets' streams; formless ones have none
	wide     [][2]address
	payloads []byte
}

// Packet is one of Packets. The zero Packet stands for no packet.
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

// shortKey is the key of a packet's stream, or refers to Packets.wide for its
// ends if they are more than 4 octets each.
type shortKey struct {
	ends [2]uint32
	rest uint64 // with one more than the index in Packets.wide, or 0, at wideShift
}

const wideShift = 16

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

// Forms are the forms of packets for which streams are kept, a bit for each, and
// whether details are wanted. Any flow with measures has some.
type Forms uint8

// Details are wanted by statistics that need more than octets and times; see
// Packets.SetDetail.
const Details Forms = 1 << forms

// counts reports whether a packet is in a stream, of a flow that has only those of one
// protocol, or may be.
func (f Forms) counts(p form) bool { return f>>p&1 != 0 }

// streams reports whether any streams are kept.
func (f Forms) streams() bool { return f&(1<<forms-1)&^(1<<formless) != 0 }

// FormsOf returns the forms of packets for which flows with some of these
// distributions keep streams. The flows of one ruleset may have several of an
// attribute, each with other parameters.
func FormsOf(distributions []attr.Measure) (all Forms) {
	for i := range distributions {
		all |= formsOf(&distributions[i])
	}
	return all
}

// formsOf is FormsOf for one distribution.
func formsOf(d *attr.Measure) Forms {
	p := new(plan)
	if d.Attr.Form() != attr.FormBuckets {
		p.addStatistic(d, 0)
	} else {
		p.add(d, newHistogram(d, 0))
	}
	p.wantPairs()
	all := Forms(1 << formless) // the others of its flow may be of any
	if p.detailed {
		all |= Details
	}
	for f, kept := range p.kept {
		if kept {
			all |= 1 << f
		}
	}
	return all
}

// maxPayload is how much of a UDP payload is looked at most: a DHCP message
// with options (RFC 2131 section 2).
const maxPayload = 576

// Reset prepares p for the packets of a batch of n, less than 65,535. Each must
// then be Set; of unwanted forms nothing but the form is kept.
func (p *Packets) Reset(n int, wanted Forms) {
	p.wanted, p.wide, p.payloads = wanted, p.wide[:0], p.payloads[:0]
	if p.digests, p.keys = p.digests[:0], p.keys[:0]; wanted.streams() {
		p.digests, p.keys = slices.Grow(p.digests, n)[:n], slices.Grow(p.keys, n)[:n]
	}
	if p.details = p.details[:0]; wanted&Details != 0 {
		p.details = slices.Grow(p.details, n)[:n]
	}
}

// At returns packet i.
func (p *Packets) At(i int) Packet { return Packet{p, i} }

// Set sets packet i.
func (p *Packets) Set(i int, from *match.Packet) {
	if p.wanted&Details != 0 {
		p.setDetail(i, from)
	}
	if len(p.digests) == 0 {
		return
	}
	if from.Flags&(match.HasTransport|match.Fragment|match.IsIP) != match.HasTransport|match.IsIP {
		p.digests[i], p.keys[i] = digest{}, shortKey{}
		return
	}
	var source, dest attr.End
	from.Key.Ends(&source, &dest)
	p.SetEnds(i, &source, &dest, from.Data[from.Transport:], from.TransportOctets)
}

// SetEnds sets packet i to an IP packet between these ends, with the transport
// header and what follows it, which had this many octets on the wire. SetDetail is
// not done by it.
func (p *Packets) SetEnds(i int, source, dest *attr.End, transport []byte, octets uint32) {
	if len(p.digests) == 0 {
		return
	}
	d := &p.digests[i]
	*d = digest{}
	proto := source.TransType()
	if d.form = formOf(proto); p.wanted>>d.form&1 == 0 {
		p.keys[i] = shortKey{}
		return
	}
	port0, port1 := source.Port(), dest.Port()
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
		port0, port1 = identifier, identifier
	}
	a, b := newAddress(source), newAddress(dest)
	if b.before(a) || a == b && port0 > port1 {
		d.side = 1
		a, b = b, a
		port0, port1 = port1, port0
	}
	p.setKey(i, &key{[2]address{a, b}, newRest(port0, port1, proto, source.PeerType())})
}

// formOf returns the form of packets of a protocol, formCut for TCP.
func formOf(proto uint8) form {
	switch proto {
	case protoTCP:
		return formCut
	case protoUDP:
		return formDatagram
	case protoICMP, protoICMPv6:
		return formMessage
	}
	return formOther
}

// setKey sets the key of packet i's stream.
func (p *Packets) setKey(i int, k *key) {
	s := &p.keys[i]
	s.rest = k.rest
	if (k.ends[0].high|k.ends[1].high)>>32|k.ends[0].low|k.ends[1].low == 0 {
		s.ends[0], s.ends[1] = uint32(k.ends[0].high), uint32(k.ends[1].high)
		return
	}
	p.wide = append(p.wide, k.ends)
	s.rest |= uint64(len(p.wide)) << wideShift
}

// detail returns what statistics need of the packet; Details must be wanted.
func (p Packet) detail() *detail { return &p.of.details[p.number] }

// digest returns what is known of the packet.
func (p Packet) digest() *digest { return &p.of.digests[p.number] }

// key returns that of the packet's stream.
func (p Packet) key() key {
	s := &p.of.keys[p.number]
	if wide := uint16(s.rest >> wideShift); wide > 0 {
		return key{p.of.wide[wide-1], s.rest &^ (math.MaxUint16 << wideShift)}
	}
	return key{[2]address{{high: uint64(s.ends[0])}, {high: uint64(s.ends[1])}}, s.rest}
}

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

// newAddress returns the peer address of an end, which for IP has zeros after 16
// octets.
func newAddress(e *attr.End) address { return address{e.Peer[0], e.Peer[1]} }

func (a address) before(b address) bool {
	return a.high < b.high || a.high == b.high && a.low < b.low
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
