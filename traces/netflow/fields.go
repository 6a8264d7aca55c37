package netflow

// The fields that are read: information elements of IANA's IPFIX registry,
// whose numbers below 128 NetFlow 9 has too (RFC 3954 section 8).
const (
	octetDeltaCount             = 1
	packetDeltaCount            = 2
	protocolIdentifier          = 4
	ipClassOfService            = 5
	tcpControlBits              = 6
	sourceTransportPort         = 7
	sourceIPv4Address           = 8
	sourceIPv4PrefixLength      = 9
	ingressInterface            = 10
	destinationTransportPort    = 11
	destinationIPv4Address      = 12
	destinationIPv4PrefixLength = 13
	egressInterface             = 14
	bgpSourceAsNumber           = 16
	bgpDestinationAsNumber      = 17
	sourceIPv6Address           = 27
	destinationIPv6Address      = 28
	sourceIPv6PrefixLength      = 29
	destinationIPv6PrefixLength = 30
	icmpTypeCodeIPv4            = 32
	samplingInterval            = 34
	sourceIPv4Prefix            = 44
	destinationIPv4Prefix       = 45
	samplerID                   = 48
	samplerRandomInterval       = 50
	sourceMacAddress            = 56
	postDestinationMacAddress   = 57
	vlanID                      = 58
	ipVersion                   = 60
	destinationMacAddress       = 80
	postSourceMacAddress        = 81
	octetTotalCount             = 85
	packetTotalCount            = 86
	exporterIPv4Address         = 130
	icmpTypeCodeIPv6            = 139
	destinationIPv6Prefix       = 169
	sourceIPv6Prefix            = 170
	icmpTypeIPv4                = 176
	icmpCodeIPv4                = 177
	icmpTypeIPv6                = 178
	icmpCodeIPv6                = 179
	udpSourcePort               = 180
	udpDestinationPort          = 181
	tcpSourcePort               = 182
	tcpDestinationPort          = 183
	ipDiffServCodePoint         = 195
	initiatorOctets             = 231
	responderOctets             = 232
	dot1qVlanID                 = 243
	dot1qPriority               = 244
	ethernetType                = 256
	initiatorPackets            = 298
	responderPackets            = 299
	selectorID                  = 302
	samplingPacketInterval      = 305
	samplingPacketSpace         = 306
)

// reverse is set in the number of a field that is of the other direction
// (RFC 5103 section 6.1); IANA's numbers have 15 bits.
const reverse = 1 << 15

// reversePEN is the enterprise number of such fields.
const reversePEN = 29305

// read reports whether the field is one of those above.
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
	case octetDeltaCount, initiatorOctets:
		f.octets[0] = n
	case packetDeltaCount, initiatorPackets:
		f.pdus[0] = n
	case octetDeltaCount | reverse, responderOctets:
		f.octets[1] = n
	case packetDeltaCount | reverse, responderPackets:
		f.pdus[1] = n
	case octetTotalCount:
		f.totalOctets[0] = n
	case packetTotalCount:
		f.totalPDUs[0] = n
	case octetTotalCount | reverse:
		f.totalOctets[1] = n
	case packetTotalCount | reverse:
		f.totalPDUs[1] = n
	case protocolIdentifier:
		f.proto = uint8(n)
	case ipClassOfService:
		f.tos[0] = uint8(n)
	case ipClassOfService | reverse:
		f.tos[1], f.hasTOS[1] = uint8(n), true
	case ipDiffServCodePoint:
		f.tos[0] = f.tos[0]&3 | uint8(n)<<2
	case tcpControlBits:
		f.flags = uint8(n)
	case sourceTransportPort, udpSourcePort, tcpSourcePort:
		f.ports[0] = uint16(n)
	case destinationTransportPort, udpDestinationPort, tcpDestinationPort:
		f.ports[1] = uint16(n)
	case sourceIPv4Address:
		f.has4 = true
		copy(f.v4[0][:4], b)
	case destinationIPv4Address:
		f.has4 = true
		copy(f.v4[1][:4], b)
	case sourceIPv4Prefix:
		f.prefix4(0, b)
	case destinationIPv4Prefix:
		f.prefix4(1, b)
	case sourceIPv6Address:
		f.has6 = true
		copy(f.v6[0][:], b)
	case destinationIPv6Address:
		f.has6 = true
		copy(f.v6[1][:], b)
	case sourceIPv6Prefix:
		f.prefix6(0, b)
	case destinationIPv6Prefix:
		f.prefix6(1, b)
	case sourceIPv4PrefixLength, sourceIPv6PrefixLength:
		f.prefix[0] = max(f.prefix[0], uint8(narrow(n, 8)))
	case destinationIPv4PrefixLength, destinationIPv6PrefixLength:
		f.prefix[1] = max(f.prefix[1], uint8(narrow(n, 8)))
	case ipVersion:
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
	case ingressInterface:
		f.interfaces[0] = uint32(narrow(n, 32))
	case egressInterface:
		f.interfaces[1] = uint32(narrow(n, 32))
	case bgpSourceAsNumber:
		f.asn[0] = uint32(n)
	case bgpDestinationAsNumber:
		f.asn[1] = uint32(n)
	case icmpTypeCodeIPv4, icmpTypeCodeIPv6:
		f.setICMP(0, uint16(n), 0xffff)
	case icmpTypeCodeIPv4 | reverse, icmpTypeCodeIPv6 | reverse:
		f.setICMP(1, uint16(n), 0xffff)
	case icmpTypeIPv4, icmpTypeIPv6:
		f.setICMP(0, uint16(n)<<8, 0xff00)
	case icmpTypeIPv4 | reverse, icmpTypeIPv6 | reverse:
		f.setICMP(1, uint16(n)<<8, 0xff00)
	case icmpCodeIPv4, icmpCodeIPv6:
		f.setICMP(0, uint16(n), 0x00ff)
	case icmpCodeIPv4 | reverse, icmpCodeIPv6 | reverse:
		f.setICMP(1, uint16(n), 0x00ff)
	case sourceMacAddress:
		f.ethernet = true
		copy(f.mac[0][:], b)
	case destinationMacAddress:
		f.ethernet = true
		copy(f.mac[1][:], b)
	case postSourceMacAddress:
		f.ethernet = true
		copy(f.further[0][:], b)
	case postDestinationMacAddress:
		f.ethernet = true
		copy(f.further[1][:], b)
	case vlanID, dot1qVlanID:
		if n &= 0xfff; n != 0 {
			f.ethernet, f.tagged = true, true
			f.tag = f.tag&0xf000 | uint16(n)
		}
	case dot1qPriority:
		f.tag = f.tag&0x0fff | uint16(n&7)<<13
	case ethernetType:
		f.ethernet, f.etherType = true, uint16(n)
	case exporterIPv4Address:
		f.hasMeter = true
		copy(f.meter[:], b)
	case samplingInterval, samplerRandomInterval:
		f.sampling = n
	case samplerID, selectorID:
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
	case samplingInterval, samplerRandomInterval:
		o.interval = n
	case samplingPacketInterval:
		o.packets = n
	case samplingPacketSpace:
		o.space = n
	case samplerID, selectorID:
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
