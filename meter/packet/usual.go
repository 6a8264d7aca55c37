package packet

import (
	"encoding/binary"

	"rtfm/ruleset"
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

// usual decodes the frames that most links carry most, Ethernet with TCP or UDP
// over IPv4 or IPv6 and nothing between, and does just what ethernet does with
// them, in a third of the time (BenchmarkDecode). It returns false, and has done
// nothing, if p is any other.
func usual(p *ruleset.Packet) bool {
	if len(p.Data) < usualIPv4 {
		return false
	}
	d := (*[usualIPv4]byte)(p.Data)
	var source, dest ruleset.End
	var total, header, tos uint32
	switch binary.LittleEndian.Uint16(d[12:]) {
	case etherIPv4le:
		total, header, tos = uint32(be16(d[16:])), ipv4Size, uint32(d[15])
		if d[14] != 0x45 || total < ipv4Size+portsSize || be16(d[20:])&0x1fff != 0 || d[23] != protoTCP && d[23] != protoUDP {
			return false
		}
		source.Peer[0] = uint64(binary.LittleEndian.Uint32(d[26:]))
		dest.Peer[0] = uint64(binary.LittleEndian.Uint32(d[30:]))
		types := ruleset.Types(peerIPv4, d[23], ifEthernet)
		source.Trans = types | uint64(binary.LittleEndian.Uint16(d[34:]))
		dest.Trans = types | uint64(binary.LittleEndian.Uint16(d[36:]))
		p.PeerLen = 4
	case etherIPv6le:
		if len(p.Data) < usualIPv6 {
			return false
		}
		d := (*[usualIPv6]byte)(p.Data)
		total, header, tos = ipv6Size+uint32(be16(d[18:])), ipv6Size, uint32(be16(d[14:])>>4&0xff)
		if d[14]>>4 != 6 || total < ipv6Size+portsSize || d[20] != protoTCP && d[20] != protoUDP {
			return false
		}
		source.Peer[0], source.Peer[1] = binary.LittleEndian.Uint64(d[22:]), binary.LittleEndian.Uint64(d[30:])
		dest.Peer[0], dest.Peer[1] = binary.LittleEndian.Uint64(d[38:]), binary.LittleEndian.Uint64(d[46:])
		types := ruleset.Types(peerIPv6, d[20], ifEthernet)
		source.Trans = types | uint64(binary.LittleEndian.Uint16(d[54:]))
		dest.Trans = types | uint64(binary.LittleEndian.Uint16(d[56:]))
		p.PeerLen = 16
	default:
		return false
	}
	dest.Adjacent = binary.LittleEndian.Uint64(d[0:]) & (1<<48 - 1)
	source.Adjacent = binary.LittleEndian.Uint64(d[6:]) & (1<<48 - 1)
	p.Key.SetEnds(&source, &dest)
	p.Key.SetDSCodePoint(uint8(tos))
	p.AdjacentLen = 6
	p.IPOctets = total
	p.Transport = uint16(etherSize + header)
	p.TransportOctets = total - header
	p.Flags = ruleset.IsIP | ruleset.HasTransport
	return true
}
