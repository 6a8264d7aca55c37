package packet

import (
	"sort"

	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/anonymise"
)

// Parts appends where in a packet link addresses and IP datagrams are, those in tunnels
// too, as an anonymise.Config wants it. Nothing is appended if the link type is not
// understood well enough to say so.
func Parts(pk *traces.Packet, parts []anonymise.Part) []anonymise.Part {
	var u Usual
	if pk.Link == traces.LinkEthernet && u.Read(pk.Data) && !u.MayBe(AllTunnels) {
		kind := anonymise.IPv4
		if u.PeerLen == 16 {
			kind = anonymise.IPv6
		}
		return append(parts,
			anonymise.Part{Kind: anonymise.Station, At: 0, End: 6}, anonymise.Part{Kind: anonymise.Station, At: 6, End: 12},
			anonymise.Part{Kind: kind, At: etherSize, End: etherSize + int(u.IPOctets)})
	}
	w := parted{parts: parts}
	link, octets := pk.Link, pk.Wire
	w.p.Data = pk.Data
	for depth := 0; ; depth++ {
		w.p.FrameOctets = octets
		data := w.p.Data
		if len(data) == 0 {
			return w.parts
		}
		kind, at := w.frame(link, 0)
		if kind == anonymise.Rest {
			return w.parts
		}
		Decode(&w.p, link, data, octets)
		w.add(kind, at, max(int(octets), at+int(w.p.IPOctets)))
		var t Tunnel
		opening := AllTunnels.Open(&w.p, &t)
		udp := w.p.Key.TransType() == protoUDP && w.p.Flags&match.HasTransport != 0
		switch {
		case opening == Opened && depth < maxWithin && w.plain(&t):
			w.base += t.At
			link, w.p.Data, octets = t.Link, t.Inner(data), t.Octets
			continue
		case udp && opening != NoEnvelope:
			w.rest(int(w.p.Transport) + udpSize)
		}
		return w.parts
	}
}

// maxWithin is how many packets within each other are looked at.
const maxWithin = 8

// parted is a walk through a packet for its parts.
type parted struct {
	p     match.Packet // room, whose Data are those of the frame at hand
	base  int          // where that begins in the packet
	parts []anonymise.Part
}

// add adds a part, from octet at to before octet end of the frame at hand.
func (w *parted) add(kind anonymise.Kind, at, end int) {
	w.parts = append(w.parts, anonymise.Part{Kind: kind, At: w.base + at, End: w.base + end})
}

// rest adds what is not understood.
func (w *parted) rest(at int) (anonymise.Kind, int) {
	w.add(anonymise.Rest, at, at)
	return anonymise.Rest, at
}

// stations adds MAC addresses at these octets.
func (w *parted) stations(at ...int) {
	for _, at := range at {
		w.add(anonymise.Station, at, at+6)
	}
}

// frame adds the parts of the header of a frame at octet off, of this link type, and
// returns whether IPv4 or IPv6 follows, and where. If neither does it has added all, and
// returns anonymise.Rest.
func (w *parted) frame(link traces.LinkType, off int) (anonymise.Kind, int) {
	d := w.p.Data[min(off, len(w.p.Data)):]
	switch link {
	case traces.LinkEthernet:
		w.stations(off, off+6)
		if len(d) < 14 {
			return w.rest(len(w.p.Data))
		}
		return w.payload(be16(d[12:]), off+14)
	case traces.LinkTokenRing, traces.LinkFDDI:
		at := off + 1
		if link == traces.LinkTokenRing {
			at++
		}
		w.add(anonymise.RingStation, at, at+6)
		w.add(anonymise.RingStation, at+6, at+12)
		return w.decoded(link, off, at+12)
	case traces.Link80211, traces.LinkRadiotap, traces.LinkPrism, traces.LinkAVS:
		return w.wireless(link, off)
	case traces.LinkLinuxSLL, traces.LinkLinuxSLL2:
		return w.cooked(link, off)
	case traces.LinkNFLOG:
		w.netfilter(off)
		return w.decoded(link, off, len(w.p.Data))
	case traces.LinkPKTAP, traces.LinkUser2:
		size := 0
		if len(d) >= pktapMin {
			size = int(min(le32(d), pktapMax+1))
		}
		if size < pktapMin || size > pktapMax || le32(d[4:]) != pktapPacket {
			break
		}
		w.add(anonymise.Blank, off+52, off+size) // processes
		return w.frame(traces.LinkType(le32(d[8:])), off+size)
	case traces.LinkPPI:
		if len(d) < 8 || int(le16(d[2:])) < 8 {
			break
		}
		w.add(anonymise.Blank, off+8, off+int(le16(d[2:]))) // places among others
		return w.frame(traces.LinkType(le32(d[4:])), off+int(le16(d[2:])))
	case traces.LinkIPoIB:
		w.add(anonymise.Blank, off, off+40)
		return w.decoded(link, off, off+44)
	case traces.LinkARCnet, traces.LinkARCnetLinux:
		w.add(anonymise.Station, off, off+1)
		w.add(anonymise.Station, off+1, off+2)
		return w.decoded(link, off, off+5)
	case traces.LinkNull, traces.LinkLoop, traces.LinkRaw, traces.LinkRawBSD, traces.LinkRawOpenBSD, traces.LinkIPv4, traces.LinkIPv6,
		traces.LinkPPP, traces.LinkPPPHDLC, traces.LinkPPPD, traces.LinkPPPWithDir, traces.LinkPPPoE,
		traces.LinkCiscoHDLC, traces.LinkCiscoHDLCWithDir, traces.LinkFrameRelay, traces.LinkFrameRelayWithDir,
		traces.LinkMPLS, traces.LinkATM, traces.LinkSunATM, traces.LinkIPNET:
		return w.decoded(link, off, off+8)
	}
	if off > 0 || w.base > 0 {
		return w.rest(off)
	}
	return anonymise.Rest, 0
}

// decoded returns what follows the header at octet off of a link whose own addresses, if
// it has any, were added, by what Decode finds. If that is no IP the packet ends at
// octet end.
func (w *parted) decoded(link traces.LinkType, off, end int) (anonymise.Kind, int) {
	var p match.Packet
	data := w.p.Data
	Decode(&p, link, data[min(off, len(data)):], max(w.p.FrameOctets, uint32(off))-uint32(off))
	if p.Flags&match.IsIP == 0 {
		return w.rest(end)
	}
	at := off + ipAt(&p, link)
	switch link {
	case traces.LinkTokenRing, traces.LinkFDDI, traces.LinkNFLOG, traces.LinkARCnet, traces.LinkARCnetLinux:
	default:
		if p.AdjacentLen != 6 {
			break
		}
		// A bridged frame of Ethernet, whose addresses stand at once before the IP header.
		mac := at - etherSize
		if mac < off || [6]byte(data[mac:]) != [6]byte(p.Key.Adjacent(0)[:]) && [6]byte(data[mac:]) != [6]byte(p.Key.Adjacent(1)[:]) {
			return w.rest(end)
		}
		w.stations(mac, mac+6)
	}
	if p.PeerLen == 16 || p.Key.PeerType() == peerIPv6 {
		return anonymise.IPv6, at
	}
	return anonymise.IPv4, at
}

// ipAt returns where the IP header begins in a packet that Decode has found one in.
func ipAt(p *match.Packet, link traces.LinkType) int {
	if p.Flags&match.HasTransport != 0 {
		return int(p.Transport) + int(p.TransportOctets) - int(p.IPOctets)
	}
	var q match.Packet
	n := sort.Search(len(p.Data), func(n int) bool {
		Decode(&q, link, p.Data[:n], p.FrameOctets)
		return q.Flags&match.IsIP != 0
	})
	// So many octets of its header it needs.
	if q = *p; q.Key.PeerType() == peerIPv6 {
		return n - 2
	}
	return n - 4
}

// payload is frame behind a header that tells an EtherType.
func (w *parted) payload(typ uint16, off int) (anonymise.Kind, int) {
	p := &w.p
	for {
		at := off
		switch typ {
		case etherIPv4:
			return anonymise.IPv4, off
		case etherIPv6:
			return anonymise.IPv6, off
		case etherARP, etherRARP:
			w.add(anonymise.ARP, off, len(p.Data))
			return anonymise.Rest, off
		case etherIPX, etherAppleTalk, etherDECnet, etherCLNS:
			return w.legacy(typ, off)
		case etherTag, etherTagS, etherTagOld:
			typ, off = skip(p, off, 2)
		case etherVNTag:
			typ, off = skip(p, off, 4)
		case etherETag:
			typ, off = skip(p, off, 6)
		case etherFabric:
			w.stations(off+2, off+8)
			typ, off = skip(p, off, 14)
		case etherTagI:
			w.stations(off+4, off+10)
			typ, off = skip(p, off, 16)
		case etherMACsec:
			if typ, off = macsec(p, off); off-at > 8 {
				w.stations(at + 6)
			}
		case etherNSH:
			if typ, off = nsh(p, off); off-at >= 8+14 && p.Data[at+3] == 3 {
				w.stations(off-14, off-8)
			}
		case etherMPLS, etherMPLSMulti:
			typ, off = mpls(p, off, false)
			for at+4 <= off && p.Data[at+2]&1 == 0 {
				at += 4
			}
			if mac := off - 14; mac >= at+4 {
				w.stations(mac, mac+6)
			}
		case etherPPPoE:
			typ, off = pppoe(p, off)
		case etherLLC:
			if typ, off = llc(p, off); off-at >= 8+14 {
				w.stations(off-14, off-8)
			}
			if typ == etherOther && off < len(p.Data) && p.Data[at] == sapISO {
				off++ // the identifier of a protocol
			}
		default:
			if typ > maxLength {
				return w.rest(min(off, len(p.Data)))
			}
			typ = etherLLC
		}
	}
}

// The EtherTypes of ARP (RFC 826) and of RARP (RFC 903).
const (
	etherARP  = 0x0806
	etherRARP = 0x8035
)

// legacy adds the addresses of a packet of a network protocol that is not IP, and
// nothing behind them.
func (w *parted) legacy(typ uint16, off int) (anonymise.Kind, int) {
	d := w.p.Data[min(off, len(w.p.Data)):]
	add := func(at, size int) {
		for ; size > 0; at, size = at+8, size-8 {
			w.add(anonymise.Station, off+at, off+at+min(size, 8))
		}
	}
	end := 0
	switch typ {
	case etherIPX: // network and node of both ends
		add(6, 4)
		add(10, 6)
		add(18, 4)
		add(22, 6)
		end = 30
	case etherAppleTalk:
		add(4, 2)
		add(6, 2)
		end = 13
	case etherDECnet:
		at := 2
		if len(d) > at && d[at]&0x80 != 0 {
			at += int(d[at] & 0x7f)
		}
		if len(d) <= at {
			break
		}
		switch d[at] & 7 {
		case 2:
			add(at+1, 2)
			add(at+3, 2)
			end = at + 5
		case 6:
			add(at+7, 2)
			add(at+15, 2)
			end = at + 17
		}
	case etherCLNS:
		if len(d) == 0 || d[0] != nlpidCLNP {
			break
		}
		end = 9
		for range 2 { // dest, source
			if end >= len(d) || d[end] > maxNSAP {
				break
			}
			add(end+1, int(d[end]))
			end += 1 + int(d[end])
		}
	}
	return w.rest(min(off+end, len(w.p.Data)))
}

// wireless is frame for those of IEEE 802.11.
func (w *parted) wireless(link traces.LinkType, off int) (anonymise.Kind, int) {
	d := w.p.Data[min(off, len(w.p.Data)):]
	head := 0
	switch {
	case link == traces.Link80211:
	case len(d) < 8:
		return w.rest(len(w.p.Data))
	case link == traces.LinkRadiotap:
		head = int(le16(d[2:]))
	case link == traces.LinkAVS || be32(d)&^0xfff == avsMagic:
		head = int(min(be32(d[4:]), uint32(len(d))))
	default: // Prism
		head = 144
	}
	at := off + head
	if at+2 > len(w.p.Data) {
		return w.rest(off + min(8, len(d)))
	}
	const bothDS = 3
	kind, subtype, ds := w.p.Data[at]>>2&3, w.p.Data[at]>>4, w.p.Data[at+1]&bothDS
	end := at + 24
	switch kind {
	case 0:
		w.stations(at+4, at+10, at+16)
		return w.rest(end)
	case 1:
		w.stations(at + 4)
		switch subtype {
		case 8, 9, 10, 11, 14, 15:
			w.stations(at + 10)
			return w.rest(at + 16)
		}
		return w.rest(at + 10)
	case 3:
		return w.rest(at + 2)
	}
	w.stations(at+4, at+10, at+16)
	if ds == bothDS {
		w.stations(at + 24)
		end += 6
	}
	var p match.Packet
	Decode(&p, link, d, max(w.p.FrameOctets, uint32(off))-uint32(off))
	if p.Flags&match.IsIP == 0 {
		return w.rest(min(end, len(w.p.Data)))
	}
	ip := off + ipAt(&p, link)
	if subtype&8 != 0 && w.p.Data[end]&0x80 != 0 { // an aggregate, whose frames have addresses of their own
		if ip < end+2+14+8 || w.p.Data[ip-8] != sapSNAP {
			return w.rest(end + 2)
		}
		w.stations(ip-22, ip-16)
	}
	if p.Key.PeerType() == peerIPv6 {
		return anonymise.IPv6, ip
	}
	return anonymise.IPv4, ip
}

// cooked is frame for Linux' cooked captures.
func (w *parted) cooked(link traces.LinkType, off int) (anonymise.Kind, int) {
	size, at, device, typ := 16, 6, 2, 14
	if link == traces.LinkLinuxSLL2 {
		size, at, device, typ = 20, 12, 8, 0
	}
	if off+size > len(w.p.Data) {
		return w.rest(off + min(4, len(w.p.Data)-off))
	}
	d := w.p.Data[off:]
	n := int(d[at-1])
	if link == traces.LinkLinuxSLL {
		n = int(be16(d[at-2:]))
	}
	n = min(n, 8)
	w.add(anonymise.Station, off+at, off+at+n)
	w.add(anonymise.Blank, off+at+n, off+at+8)
	switch protocol := be16(d[typ:]); {
	case be16(d[device:]) == arphrdRadiotap:
		return w.wireless(traces.LinkRadiotap, off+size)
	case be16(d[device:]) == arphrdFrame:
		return w.frame(traces.LinkFrameRelay, off+size)
	case protocol == 1:
		return w.payload(etherIPX, off+size)
	case protocol == 4:
		return w.payload(etherLLC, off+size)
	case protocol <= maxLength:
		return w.rest(off + size)
	default:
		return w.payload(protocol, off+size)
	}
}

// netfilter adds the parts of a frame of NFLOG before the packet: all attributes are
// blank but for the sender's address and the kind of device.
func (w *parted) netfilter(off int) {
	d := w.p.Data
	for at := off + 4; at+4 <= len(d); {
		size, typ := int(le16(d[at:])), le16(d[at+2:])
		if d[at+2] == 0 {
			size, typ = int(be16(d[at:])), be16(d[at+2:])
		}
		if size < 4 || typ == nflogPayload {
			return
		}
		switch typ {
		case nflogDevice:
		case nflogAddress:
			if size == 16 && at+16 <= len(d) {
				w.add(anonymise.Station, at+8, at+8+min(int(be16(d[at+4:])), 8))
			}
		default:
			w.add(anonymise.Blank, at+4, at+size)
		}
		at += (size + 3) &^ 3
	}
}

// plain reports whether an envelope tells nothing of people but by addresses that are
// replaced.
func (w *parted) plain(t *Tunnel) bool {
	at := int(w.p.Transport) + udpSize
	switch t.Kind {
	case AYIYA: // whose identities are addresses
		return false
	case Teredo: // origins, unless there are none
		return t.At == at
	case TZSP: // tags, but for the last
		return t.At == at+5
	}
	return true
}
