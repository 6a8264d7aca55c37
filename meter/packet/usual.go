package packet

import (
	"encoding/binary"
	"math/bits"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// What a usual frame has: an Ethernet header, an IP header without options or
// extension headers, and TCP or UDP ports.
const (
	etherSize   = 14
	portsSize   = 4
	usualIPv4   = etherSize + ipv4Size + portsSize
	usualIPv6   = etherSize + ipv6Size + portsSize
	etherIPv4le = etherIPv4>>8 | etherIPv4&0xff<<8
	etherIPv6le = etherIPv6>>8 | etherIPv6&0xff<<8
)

// Usual is what a usual frame, the common case, says about its ends, except for
// their adjacent addresses and interfaces.
type Usual struct {
	Source, Dest attr.End
	IPOctets     uint32
	PeerLen      uint8 // octets of a peer address
	HopLimit     uint8
	tos          uint8
}

// UsualAdjacentLen is the length in octets of the adjacent addresses of usual
// frames.
const UsualAdjacentLen = 6

// Read reads an Ethernet frame as Decode does, in a third of the time
// (BenchmarkDecode), if it is usual: TCP or UDP directly over IPv4 or IPv6, as
// most packets on most links are. Otherwise it returns false.
func (u *Usual) Read(frame []byte) bool {
	if len(frame) < usualIPv4 {
		return false
	}
	d := (*[usualIPv4]byte)(frame)
	switch binary.LittleEndian.Uint16(d[12:]) {
	case etherIPv4le:
		if !isUsualIPv4(d) {
			return false
		}
		types := attr.Types(peerIPv4, d[23], ifEthernet)
		u.Source.Peer[0], u.Source.Peer[1] = uint64(binary.LittleEndian.Uint32(d[26:])), 0
		u.Dest.Peer[0], u.Dest.Peer[1] = uint64(binary.LittleEndian.Uint32(d[30:])), 0
		u.Source.Trans = types | uint64(binary.LittleEndian.Uint16(d[34:]))
		u.Dest.Trans = types | uint64(binary.LittleEndian.Uint16(d[36:]))
		u.IPOctets, u.PeerLen, u.tos = uint32(be16(d[16:])), 4, d[15]
		u.HopLimit = d[22]
		return true
	case etherIPv6le:
		if len(frame) < usualIPv6 {
			return false
		}
		d := (*[usualIPv6]byte)(frame)
		total := ipv6Size + uint32(be16(d[18:]))
		if d[14]>>4 != 6 || total < ipv6Size+portsSize || d[20] != protoTCP && d[20] != protoUDP {
			return false
		}
		types := attr.Types(peerIPv6, d[20], ifEthernet)
		u.Source.Peer[0], u.Source.Peer[1] = binary.LittleEndian.Uint64(d[22:]), binary.LittleEndian.Uint64(d[30:])
		u.Dest.Peer[0], u.Dest.Peer[1] = binary.LittleEndian.Uint64(d[38:]), binary.LittleEndian.Uint64(d[46:])
		u.Source.Trans = types | uint64(binary.LittleEndian.Uint16(d[54:]))
		u.Dest.Trans = types | uint64(binary.LittleEndian.Uint16(d[56:]))
		u.IPOctets, u.PeerLen, u.tos = total, 16, uint8(be16(d[14:])>>4)
		u.HopLimit = d[21]
		return true
	}
	return false
}

// Tuple returns the addresses of a usual frame of IPv4, that of the source in the low
// half, and its protocol with the ports above it, as they are on the wire, little-endian.
// Of any other frame it reports false.
func Tuple(frame []byte) (addresses, ports uint64, ok bool) {
	if len(frame) < usualIPv4 {
		return 0, 0, false
	}
	d := (*[usualIPv4]byte)(frame)
	if binary.LittleEndian.Uint16(d[12:]) != etherIPv4le || !isUsualIPv4(d) {
		return 0, 0, false
	}
	return binary.LittleEndian.Uint64(d[26:]), uint64(binary.LittleEndian.Uint32(d[34:]))<<8 | uint64(d[23]), true
}

// isUsualIPv4 reports whether TCP or UDP ports come directly behind the header.
func isUsualIPv4(d *[usualIPv4]byte) bool {
	return d[14] == 0x45 && be16(d[16:]) >= ipv4Size+portsSize && be16(d[20:])&0x1fff == 0 && (d[23] == protoTCP || d[23] == protoUDP)
}

// Transport returns where in the frame the transport header begins, and the length
// of that and the payload in octets by the IP header.
func (u *Usual) Transport() (at int, octets uint32) {
	header := uint32(ipv4Size)
	if u.PeerLen != 4 {
		header = ipv6Size
	}
	return etherSize + int(header), u.IPOctets - header
}

// IPHeader returns the octets of the IP header, which was captured whole.
func (u *Usual) IPHeader() uint8 {
	at, _ := u.Transport()
	return uint8(at - etherSize)
}

// IPID returns the identification of an IPv4 packet, whose frame was read; of others 0.
func (u *Usual) IPID(frame []byte) uint16 {
	if u.PeerLen != 4 {
		return 0
	}
	return be16(frame[18:])
}

// TCPFlags returns the TCP flags of a packet, whose frame was read: octet 13 of its header
// (RFC 9293 section 3.1); 0 of others, and of those that were not captured so far.
func (u *Usual) TCPFlags(frame []byte) uint8 {
	at, octets := u.Transport()
	if u.Source.TransType() != protoTCP || octets < 14 || len(frame) < at+14 {
		return 0
	}
	return frame[at+13]
}

// TCPFlags is Usual.TCPFlags of a packet that was decoded.
func TCPFlags(p *match.Packet) uint8 {
	at := int(p.Transport)
	if p.Flags&match.HasTransport == 0 || p.Key.TransType() != protoTCP || p.TransportOctets < 14 || len(p.Data) < at+14 {
		return 0
	}
	return p.Data[at+13]
}

// MayBe reports whether the packet may be an envelope of one of these kinds, by its
// protocol and ports.
func (u *Usual) MayBe(kinds TunnelKinds) bool {
	if u.Source.TransType() != protoUDP {
		return false
	}
	source, dest := bits.ReverseBytes16(uint16(u.Source.Trans)), bits.ReverseBytes16(uint16(u.Dest.Trans))
	return tunnelPorts&(portBit(source)|portBit(dest)) != 0 && kinds.byPorts(source, dest) != 0
}

// usual decodes the common case (IPv4 or IPv6 with TCP or UDP directly in
// Ethernet) exactly as ethernet does into a packet of zeros, whatever p was. It
// returns false, and has done nothing, for any other frame.
func usual(p *match.Packet) bool {
	var u Usual
	if !u.Read(p.Data) {
		return false
	}
	u.Dest.Adjacent = binary.LittleEndian.Uint64(p.Data[0:]) & (1<<48 - 1)
	u.Source.Adjacent = binary.LittleEndian.Uint64(p.Data[6:]) & (1<<48 - 1)
	p.Key.SetEnds(&u.Source, &u.Dest)
	p.Key.SetDSCodePoint(u.tos)
	p.Key.SetHopLimit(u.HopLimit)
	p.PeerLen, p.AdjacentLen = u.PeerLen, UsualAdjacentLen
	at, octets := u.Transport()
	p.IPHeader, p.IPID = u.IPHeader(), u.IPID(p.Data)
	p.IPOctets, p.Transport, p.TransportOctets = u.IPOctets, uint16(at), octets
	p.Flags = match.IsIP | match.HasTransport
	return true
}
