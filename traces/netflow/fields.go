package netflow

import "rtfm/traces/ipfix"

// reverse is set in the number of a field that is of the other direction
// (RFC 5103 section 6.1); IANA's numbers have 15 bits.
const reverse = 1 << 15

// read reports whether the field is one that flow.set or options.set takes.
func read(number uint16) bool {
	var f flow
	var o options
	return f.set(number, nil) || o.set(number, 0)
}

// number returns the number that b holds, of its last eight octets.
func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// narrow returns n, or the greatest number that has so many bits.
func narrow(n uint64, bits int) uint64 { return min(n, 1<<bits-1) }

// set takes the value of a field, false if it is none that is read. A value of
// another length than the registry has is a number cut or filled with zeros on
// the left (RFC 7011 section 6.2), an address on the right.
func (f *flow) set(field uint16, b []byte) bool {
	n := number(b)
	switch field {
	case ipfix.OctetDeltaCount, ipfix.InitiatorOctets:
		f.octets[0] = n
	case ipfix.Layer2OctetDeltaCount:
		f.frameOctets[0] = n
	case ipfix.PacketDeltaCount, ipfix.InitiatorPackets:
		f.pdus[0] = n
	case ipfix.OctetDeltaCount | reverse, ipfix.ResponderOctets:
		f.octets[1] = n
	case ipfix.Layer2OctetDeltaCount | reverse:
		f.frameOctets[1] = n
	case ipfix.PacketDeltaCount | reverse, ipfix.ResponderPackets:
		f.pdus[1] = n
	case ipfix.OctetTotalCount:
		f.totalOctets[0] = n
	case ipfix.PacketTotalCount:
		f.totalPDUs[0] = n
	case ipfix.OctetTotalCount | reverse:
		f.totalOctets[1] = n
	case ipfix.PacketTotalCount | reverse:
		f.totalPDUs[1] = n
	case ipfix.ProtocolIdentifier:
		f.proto = uint8(n)
	case ipfix.IPClassOfService:
		f.tos[0] = uint8(n)
	case ipfix.IPClassOfService | reverse:
		f.tos[1], f.hasTOS[1] = uint8(n), true
	case ipfix.IPDiffServCodePoint:
		f.tos[0] = f.tos[0]&3 | uint8(n)<<2
	case ipfix.TCPControlBits:
		f.flags = uint8(n)
	case ipfix.SourceTransportPort, ipfix.UDPSourcePort, ipfix.TCPSourcePort:
		f.ports[0] = uint16(n)
	case ipfix.DestinationTransportPort, ipfix.UDPDestinationPort, ipfix.TCPDestinationPort:
		f.ports[1] = uint16(n)
	case ipfix.SourceIPv4Address:
		f.has4 = true
		copy(f.v4[0][:4], b)
	case ipfix.DestinationIPv4Address:
		f.has4 = true
		copy(f.v4[1][:4], b)
	case ipfix.SourceIPv4Prefix:
		f.prefix4(0, b)
	case ipfix.DestinationIPv4Prefix:
		f.prefix4(1, b)
	case ipfix.SourceIPv6Address:
		f.has6 = true
		copy(f.v6[0][:], b)
	case ipfix.DestinationIPv6Address:
		f.has6 = true
		copy(f.v6[1][:], b)
	case ipfix.SourceIPv6Prefix:
		f.prefix6(0, b)
	case ipfix.DestinationIPv6Prefix:
		f.prefix6(1, b)
	case ipfix.SourceIPv4PrefixLength, ipfix.SourceIPv6PrefixLength:
		f.prefix[0] = max(f.prefix[0], uint8(narrow(n, 8)))
	case ipfix.DestinationIPv4PrefixLength, ipfix.DestinationIPv6PrefixLength:
		f.prefix[1] = max(f.prefix[1], uint8(narrow(n, 8)))
	case ipfix.IPVersion:
		if n == 4 || n == 6 {
			f.version = uint8(n)
		}
	default:
		return f.setFurther(field, b, n)
	}
	return true
}

// setFurther is set for the fields that fewer exporters have.
func (f *flow) setFurther(field uint16, b []byte, n uint64) bool {
	switch field {
	case ipfix.IngressInterface:
		f.interfaces[0] = uint32(narrow(n, 32))
	case ipfix.EgressInterface:
		f.interfaces[1] = uint32(narrow(n, 32))
	case ipfix.BGPSourceASNumber:
		f.asn[0] = uint32(n)
	case ipfix.BGPDestinationASNumber:
		f.asn[1] = uint32(n)
	case ipfix.ICMPTypeCodeIPv4, ipfix.ICMPTypeCodeIPv6:
		f.setICMP(0, uint16(n), 0xffff)
	case ipfix.ICMPTypeCodeIPv4 | reverse, ipfix.ICMPTypeCodeIPv6 | reverse:
		f.setICMP(1, uint16(n), 0xffff)
	case ipfix.ICMPTypeIPv4, ipfix.ICMPTypeIPv6:
		f.setICMP(0, uint16(n)<<8, 0xff00)
	case ipfix.ICMPTypeIPv4 | reverse, ipfix.ICMPTypeIPv6 | reverse:
		f.setICMP(1, uint16(n)<<8, 0xff00)
	case ipfix.ICMPCodeIPv4, ipfix.ICMPCodeIPv6:
		f.setICMP(0, uint16(n), 0x00ff)
	case ipfix.ICMPCodeIPv4 | reverse, ipfix.ICMPCodeIPv6 | reverse:
		f.setICMP(1, uint16(n), 0x00ff)
	case ipfix.SourceMACAddress:
		f.ethernet = true
		copy(f.mac[0][:], b)
	case ipfix.DestinationMACAddress:
		f.ethernet = true
		copy(f.mac[1][:], b)
	case ipfix.PostSourceMACAddress:
		f.ethernet = true
		copy(f.further[0][:], b)
	case ipfix.PostDestinationMACAddress:
		f.ethernet = true
		copy(f.further[1][:], b)
	case ipfix.VLANID, ipfix.Dot1qVLANID:
		if n &= 0xfff; n != 0 {
			f.ethernet, f.tagged = true, true
			f.tag = f.tag&0xf000 | uint16(n)
		}
	case ipfix.Dot1qPriority:
		f.tag = f.tag&0x0fff | uint16(n&7)<<13
	case ipfix.EthernetType:
		f.ethernet, f.etherType = true, uint16(n)
	case ipfix.ExporterIPv4Address:
		f.hasMeter = true
		copy(f.meter[:], b)
	case ipfix.SamplingInterval, ipfix.SamplerRandomInterval:
		f.sampling = n
	case ipfix.SamplerID, ipfix.SelectorID:
		f.sampler, f.hasSampler = n, true
	default:
		return false
	}
	return true
}

// setICMP takes the bits of mask for the type and code of a direction. Some
// exporters have fields of both versions of IP, and zero in one.
func (f *flow) setICMP(direction int, value, mask uint16) {
	f.icmp[direction] |= value & mask
	f.hasICMP[direction] = true
}

// prefix4 takes a prefix for an address that is not told.
func (f *flow) prefix4(end int, b []byte) {
	if f.v4[end] == [16]byte{} {
		f.has4 = true
		copy(f.v4[end][:4], b)
	}
}

func (f *flow) prefix6(end int, b []byte) {
	if f.v6[end] == [16]byte{} {
		f.has6 = true
		copy(f.v6[end][:], b)
	}
}

// options is what an options record tells of sampling.
type options struct {
	interval, packets, space uint64
	sampler                  uint64
	hasSampler               bool
}

// set takes the value of a field, false if it is none that is read.
func (o *options) set(field uint16, n uint64) bool {
	switch field {
	case ipfix.SamplingInterval, ipfix.SamplerRandomInterval:
		o.interval = n
	case ipfix.SamplingPacketInterval:
		o.packets = n
	case ipfix.SamplingPacketSpace:
		o.space = n
	case ipfix.SamplerID, ipfix.SelectorID:
		o.sampler, o.hasSampler = n, true
	default:
		return false
	}
	return true
}

// sampling returns the interval, rounded; 0 if the options do not tell any.
func (o *options) sampling() uint64 {
	if o.interval == 0 && o.packets != 0 && o.space < 1<<32 && o.packets < 1<<32 {
		return (o.packets + o.space + o.packets/2) / o.packets
	}
	return o.interval
}
