package packet

import (
	"encoding/binary"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// TunnelKind says in what kind of envelope a packet carries another: the values of
// the attribute TunnelKind.
type TunnelKind uint8

// The kinds of tunnels.
const (
	VXLAN    TunnelKind = 1 + iota // RFC 7348
	VXLANGPE                       // draft-ietf-nvo3-vxlan-gpe
	GENEVE                         // RFC 8926
	GRE                            // RFC 2784, 2890, 7637; enhanced GRE with PPP, RFC 2637
	ERSPAN                         // draft-foschiano-erspan, types I to III
	TZSP                           // TaZmen sniffer protocol
	IPIP                           // RFC 2003, 2473, 4213
	GTPU                           // 3GPP TS 29.281
	L2TP                           // RFC 2661
	Teredo                         // RFC 4380
	AYIYA                          // draft-massar-v6ops-ayiya
	kindsEnd
)

// Tunnel is an envelope: what stands in a packet before the one that it carries.
type Tunnel struct {
	Kind TunnelKind
	// ID is the number that the envelope has, as tshark shows it: the VNI, GRE's key,
	// ERSPAN's session, GTP-U's TEID, L2TP's session; 0 if it has none.
	ID uint32
	// Link is what the inner frame begins with. It does so at At in the octets of the
	// packet, and has Octets on the wire by the lengths in the envelope, however many
	// were captured.
	Link   traces.LinkType
	At     int
	Octets uint32
}

// Inner returns the captured octets of the inner frame, in those of the packet.
func (t *Tunnel) Inner(data []byte) []byte {
	return data[t.At:min(uint64(len(data)), uint64(t.At)+uint64(t.Octets))]
}

// Opening is what became of an attempt to open an envelope.
type Opening uint8

// What Open finds. They are bits, so that what was found at several depths can
// stand together.
const (
	// NoEnvelope: the packet is none of the kinds asked for.
	NoEnvelope Opening = 0
	// Opened: the packet is an envelope, and the inner frame begins in what was
	// captured of it.
	Opened Opening = 1 << (iota - 1)
	// EnvelopeFragment: a fragment other than the first of a datagram that is an
	// envelope, or of UDP, where nothing tells.
	EnvelopeFragment
	// EnvelopeCut: the envelope was not captured as far as the inner frame.
	EnvelopeCut
	// EnvelopeUnknown: something else than what the kind is specified to have: a
	// version, a protocol, a length.
	EnvelopeUnknown
)

// Protocol numbers of IANA's registry that are envelopes.
const (
	protoIPv4 = 4
	protoIPv6 = 41
	protoGRE  = 47
)

// Ports of IANA's registry, but for VXLAN's of old and those of TZSP and AYIYA,
// which are what everybody takes.
const (
	portL2TP     = 1701
	portGTPU     = 2152
	portTeredo   = 3544
	portVXLAN    = 4789
	portVXLANGPE = 4790
	portAYIYA    = 5072
	portGENEVE   = 6081
	portVXLANOld = 8472
	portTZSP     = 37008
)

// Open finds what p carries, a packet that Decode has filled in, in an envelope of
// one of these kinds. It sets t if it returns Opened. It looks at one envelope; what
// is in the inner frame is another question.
func (k TunnelKinds) Open(p *match.Packet, t *Tunnel) Opening {
	if p.Flags&match.IsIP == 0 {
		return NoEnvelope
	}
	proto := p.Key.TransType()
	if proto == protoTCP {
		return NoEnvelope
	}
	var kind TunnelKind
	switch proto {
	case protoUDP:
		if k&udpKinds == 0 {
			return NoEnvelope
		}
		if p.Flags&match.Fragment != 0 {
			return EnvelopeFragment
		}
		if kind = k.byPorts(be16(p.Key.Trans(attr.Source)[:]), be16(p.Key.Trans(attr.Dest)[:])); kind == 0 {
			return NoEnvelope
		}
	case protoGRE:
		kind = GRE
		if !k.Has(GRE) {
			kind = ERSPAN
		}
	case protoIPv4, protoIPv6:
		kind = IPIP
	}
	if kind == 0 || !k.Has(kind) {
		return NoEnvelope
	}
	if p.Flags&match.Fragment != 0 {
		return EnvelopeFragment
	}
	if p.Flags&match.HasTransport == 0 {
		if len(p.Data) < int(p.FrameOctets) {
			return EnvelopeCut
		}
		return EnvelopeUnknown
	}
	w := walk{tunnel: t, data: p.Data, at: int(p.Transport), end: int(p.Transport) + int(p.TransportOctets)}
	*t = Tunnel{Kind: kind}
	return w.open(k, proto)
}

// Decapsulate turns p, which Decode has filled in, into what it carries in
// envelopes of these kinds, at most depth of them around each other, and returns all
// that it found. The key has kind and number of the innermost that it opened. An
// envelope that cannot be opened, or whose inner frame is cut within its headers,
// stays what it is. Interface numbers are cleared if anything was opened.
//
// Lengths are those in the envelope, but where the inner IP header tells of more:
// mirrors truncate what they send.
func (k TunnelKinds) Decapsulate(p *match.Packet, depth int) (found Opening) {
	var opened Opening
	for range depth {
		var t Tunnel
		o := k.Open(p, &t)
		found |= o
		if o != Opened {
			break
		}
		outer := *p
		Decode(p, t.Link, t.Inner(p.Data), t.Octets)
		if p.Flags&match.Cut != 0 {
			*p = outer
			return opened | EnvelopeCut
		}
		p.FrameOctets = max(p.FrameOctets, atLeast(p, t.Link))
		p.Key.SetTunnel(uint8(t.Kind), t.ID)
		opened = Opened
	}
	return found
}

// atLeast returns how many octets a frame of this link type has on the wire by its IP
// header.
func atLeast(p *match.Packet, link traces.LinkType) uint32 {
	switch {
	case p.Flags&match.HasTransport != 0:
		return uint32(p.Transport) + p.TransportOctets
	case p.Flags&match.IsIP == 0:
		return 0
	case link == traces.LinkEthernet:
		return etherSize + p.IPOctets
	}
	return p.IPOctets
}

// tunnelPorts has the bits of all ports of tunnels, by which most others are told from
// them at once: those of DNS, HTTP and QUIC among them.
const tunnelPorts = 1<<(portL2TP>>2&63) | 1<<(portGTPU>>2&63) | 1<<(portTeredo>>2&63) | 1<<(portVXLAN>>2&63) | 1<<(portVXLANGPE>>2&63) |
	1<<(portAYIYA>>2&63) | 1<<(portGENEVE>>2&63) | 1<<(portVXLANOld>>2&63) | 1<<(portTZSP>>2&63)

func portBit(port uint16) uint64 { return 1 << (port >> 2 & 63) }

// byPorts returns which of these kinds a UDP datagram is by its ports, 0 if none.
// Most envelopes are sent to the port, whatever they come from; both ends of the
// others may answer from it.
func (k TunnelKinds) byPorts(source, dest uint16) (kind TunnelKind) {
	switch dest {
	case portVXLAN, portVXLANOld:
		kind = VXLAN
	case portVXLANGPE:
		kind = VXLANGPE
	case portGENEVE:
		kind = GENEVE
	case portGTPU:
		kind = GTPU
	case portTZSP:
		kind = TZSP
	default:
		kind = eitherPort(dest)
	}
	if kind == 0 || !k.Has(kind) {
		kind = eitherPort(source)
	}
	if !k.Has(kind) {
		return 0
	}
	return kind
}

// eitherPort is byPorts for kinds whose port may be that of either end.
func eitherPort(port uint16) TunnelKind {
	switch port {
	case portL2TP:
		return L2TP
	case portTeredo:
		return Teredo
	case portAYIYA:
		return AYIYA
	}
	return 0
}

// walk is an envelope being opened.
type walk struct {
	tunnel *Tunnel
	data   []byte // of the packet, as captured
	at     int    // how far it came in them
	end    int    // of the envelope's payload, by its lengths; may be behind data
	result Opening
}

// next returns the next n octets; nil if they are not there, for which the result
// then gives the reason.
func (w *walk) next(n int) []byte {
	to := w.at + n
	switch {
	case to > w.end:
		w.result = EnvelopeUnknown
	case to > len(w.data):
		w.result = EnvelopeCut
	default:
		d := w.data[w.at:to]
		w.at = to
		return d
	}
	return nil
}

// inner ends the walk where a frame of this link type begins.
func (w *walk) inner(link traces.LinkType) Opening {
	at := w.at
	first := w.next(1)
	if first == nil {
		return w.result
	}
	if link == traces.LinkIPv4 && first[0]>>4 != 4 || link == traces.LinkIPv6 && first[0]>>4 != 6 {
		return EnvelopeUnknown
	}
	w.tunnel.Link, w.tunnel.At, w.tunnel.Octets = link, at, uint32(w.end-at)
	return Opened
}

// rawIP ends the walk where an IP datagram of either version begins.
func (w *walk) rawIP() Opening {
	if w.at < min(len(w.data), w.end) && w.data[w.at]>>4 == 6 {
		return w.inner(traces.LinkIPv6)
	}
	return w.inner(traces.LinkIPv4)
}

// open opens an envelope of protocol proto.
func (w *walk) open(k TunnelKinds, proto uint8) Opening {
	switch proto {
	case protoIPv4:
		return w.inner(traces.LinkIPv4)
	case protoIPv6:
		return w.inner(traces.LinkIPv6)
	case protoGRE:
		return w.gre(k)
	}
	h := w.next(udpSize)
	if h == nil {
		return w.result
	}
	// A length of 0 is what segmentation offload leaves.
	if size := int(be16(h[4:])); size != 0 {
		w.end = w.at - udpSize + size
	}
	switch w.tunnel.Kind {
	case VXLAN:
		return w.vxlan()
	case VXLANGPE:
		return w.vxlanGPE()
	case GENEVE:
		return w.geneve()
	case TZSP:
		return w.tzsp()
	case GTPU:
		return w.gtpu()
	case L2TP:
		return w.l2tp()
	case Teredo:
		return w.teredo()
	}
	return w.ayiya()
}

// EtherTypes that stand in envelopes and not in frames.
const (
	etherERSPAN  = 0x88be // types I and II
	etherERSPAN3 = 0x22eb
	etherBridged = 0x6558 // a whole Ethernet frame
	etherPPP     = 0x880b
)

// typed ends the walk where what an EtherType names begins.
func (w *walk) typed(typ uint16) Opening {
	switch typ {
	case etherBridged:
		return w.inner(traces.LinkEthernet)
	case etherIPv4:
		return w.inner(traces.LinkIPv4)
	case etherIPv6:
		return w.inner(traces.LinkIPv6)
	case etherPPP:
		return w.inner(traces.LinkPPP)
	case etherMPLS, etherMPLSMulti:
		return w.inner(traces.LinkMPLS)
	case etherNSH:
		return w.service()
	}
	return EnvelopeUnknown
}

// service steps over a network service header (RFC 8300 section 2.2).
func (w *walk) service() Opening {
	h := w.next(4)
	if h == nil {
		return w.result
	}
	size := int(h[1]&0x3f) * 4
	if h[0]>>6 != 0 || size < 8 {
		return EnvelopeUnknown
	}
	if w.next(size-4) == nil {
		return w.result
	}
	return w.protocol(h[3])
}

// protocol ends the walk where what a number of VXLAN-GPE and of network service
// headers names begins: they agree.
func (w *walk) protocol(number uint8) Opening {
	switch number {
	case 1:
		return w.inner(traces.LinkIPv4)
	case 2:
		return w.inner(traces.LinkIPv6)
	case 3:
		return w.inner(traces.LinkEthernet)
	case 4:
		return w.service()
	case 5:
		return w.inner(traces.LinkMPLS)
	}
	return EnvelopeUnknown
}

// be24 returns the number in network order in the first three octets of b.
func be24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

// be32 returns the number in network order at the beginning of b.
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
