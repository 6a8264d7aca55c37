package netflow

import (
	"encoding/binary"
	"math"
	"math/bits"

	"rtfm/traces"
)

// flow is a record as its fields tell it.
type flow struct {
	// Counters of the flow's interval and its total ones, in its direction and
	// the other one.
	pdus, octets, totalPDUs, totalOctets [2]uint64
	frameOctets                          [2]uint64 // of the interval

	v4, v6       [2][16]byte // addresses of source and destination, from the left
	has4, has6   bool
	version      uint8 // of IP; 0 if it is not told
	proto        uint8
	tos          [2]uint8 // of each direction
	hasTOS       [2]bool
	flags        uint8 // of TCP
	ports        [2]uint16
	icmp         [2]uint16 // type and code, of each direction
	hasICMP      [2]bool
	mac, further [2][6]byte // as the packets came, and as they went
	ethernet     bool       // there are fields of the link layer
	etherType    uint16
	tag          uint16 // VLAN and priority
	tagged       bool

	meter      [4]byte
	hasMeter   bool
	interfaces [2]uint32
	asn        [2]uint32
	prefix     [2]uint8
	sampling   uint64 // interval; 0 if the record does not tell
	sampler    uint64
	hasSampler bool
}

// Protocol and header numbers of IANA's registries.
const (
	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoDCCP     = 33
	protoFragment = 44
	protoICMPv6   = 58
	protoSCTP     = 132
	protoUDPLite  = 136

	etherIPv4  = 0x0800
	etherVLAN  = 0x8100
	etherIPv6  = 0x86dd
	etherOther = 0xffff // reserved
)

// maxHeaders is the most octets that headers append.
const maxHeaders = 14 + 4 + 40 + 8 + 20

// counts returns the packets and octets in a direction, 0 for the flow's own: those of
// IP, unless only those of frames are told.
func (f *flow) counts(direction int) (pdus, octets uint64) {
	pdus, octets = f.pdus[direction], f.octets[direction]
	if pdus == 0 {
		pdus = f.totalPDUs[direction]
	}
	if octets == 0 {
		octets = f.totalOctets[direction]
	}
	if octets == 0 {
		octets = f.frameOctets[direction]
	}
	return pdus, octets
}

// isCounted reports whether any packets are told.
func (f *flow) isCounted() bool {
	to, _ := f.counts(0)
	from, _ := f.counts(1)
	return to+from > 0
}

// record returns what was counted in a direction, at a sampling interval.
func (f *flow) record(direction int, sampling uint64) traces.Record {
	pdus, octets := f.counts(direction)
	from, to := direction, 1-direction
	return traces.Record{
		PDUs: times(pdus, sampling), Octets: times(octets, sampling), Meter: f.meter,
		Input: f.interfaces[from], Output: f.interfaces[to],
		SourceASN: f.asn[from], DestASN: f.asn[to],
		SourcePrefix: f.prefix[from], DestPrefix: f.prefix[to],
	}
}

// times returns the product, or the greatest number if that is too large.
func times(a, b uint64) uint64 {
	if high, low := bits.Mul64(a, b); high == 0 {
		return low
	}
	return math.MaxUint64
}

// isIPv6 reports whether the flow is one of IPv6. Some exporters fill in zeros
// for the addresses of the other version.
func (f *flow) isIPv6() bool {
	switch {
	case f.has4 && f.has6 && f.version != 0:
		return f.version == 6
	case f.has4 && f.has6:
		return f.v4 == [2][16]byte{}
	case f.has4 || f.has6:
		return f.has6
	}
	return f.version == 6
}

// headers appends to b headers such as the flow's packets in a direction had,
// and returns their link type.
func (f *flow) headers(b []byte, direction int) ([]byte, traces.LinkType) {
	isIP := f.has4 || f.has6 || f.version != 0 || !f.ethernet
	link := traces.LinkRaw
	if f.ethernet {
		link = traces.LinkEthernet
		b = f.linkHeader(b, direction, isIP)
	}
	if isIP {
		b = f.ipHeader(b, direction)
	}
	return b, link
}

// linkHeader appends an Ethernet header.
func (f *flow) linkHeader(b []byte, direction int, isIP bool) []byte {
	for end := range 2 {
		mac := &f.mac[end^1^direction] // the destination comes first
		if *mac == [6]byte{} {
			mac = &f.further[end^1^direction]
		}
		b = append(b, mac[:]...)
	}
	if f.tagged {
		b = binary.BigEndian.AppendUint16(b, etherVLAN)
		b = binary.BigEndian.AppendUint16(b, f.tag)
	}
	typ := f.etherType
	switch {
	case isIP && f.isIPv6():
		typ = etherIPv6
	case isIP:
		typ = etherIPv4
	case typ <= 1500, typ == etherIPv4, typ == etherIPv6: // a length, or what would have to follow
		typ = etherOther
	}
	return binary.BigEndian.AppendUint16(b, typ)
}

// ipHeader appends an IP header and a transport header.
func (f *flow) ipHeader(b []byte, direction int) []byte {
	from, to := direction, 1-direction
	tos := f.tos[told(f.hasTOS, direction)]
	var transport [20]byte
	size := f.transport(&transport, direction)
	if !f.isIPv6() {
		at := len(b)
		b = append(b, []byte{0x45, tos, 0, byte(20 + size), 9: f.proto, 19: 0}...)
		copy(b[at+12:], f.v4[from][:4])
		copy(b[at+16:], f.v4[to][:4])
		return append(b, transport[:size]...)
	}
	next, fragment := f.proto, 0
	if isExtension(f.proto) {
		// Its header is not told: as a later fragment nobody looks for it.
		next, fragment = protoFragment, 8
	}
	b = append(b, 0x60|tos>>4, tos<<4, 0, 0, 0, byte(fragment+size), next, 0)
	b = append(b, f.v6[from][:]...)
	b = append(b, f.v6[to][:]...)
	if fragment > 0 {
		b = append(b, f.proto, 0, 0, 8, 0, 0, 0, 0)
	}
	return append(b, transport[:size]...)
}

// told returns the direction whose value is that of direction: the flow's own
// for the other one too, unless its is told.
func told(has [2]bool, direction int) int {
	if has[1] {
		return direction
	}
	return 0
}

// isExtension reports whether an IPv6 header of this type comes before the
// transport header (RFC 7045).
func isExtension(proto uint8) bool {
	switch proto {
	case 0, 43, protoFragment, 51, 60, 135, 139, 140:
		return true
	}
	return false
}

// transport fills in the transport header and returns its length; 0 for
// protocols of which nothing is metered.
func (f *flow) transport(h *[20]byte, direction int) int {
	size := 8
	switch f.proto {
	case protoICMP, protoICMPv6:
		typeCode := f.ports[1] // the convention of NetFlow 5
		if d := told(f.hasICMP, direction); f.hasICMP[d] {
			typeCode = f.icmp[d]
		}
		binary.BigEndian.PutUint16(h[:], typeCode)
		return size
	case protoTCP:
		size = 20
		h[12], h[13] = 5<<4, f.flags
	case protoUDP, protoUDPLite:
	case protoSCTP, protoDCCP:
		size = 12
	default:
		return 0
	}
	binary.BigEndian.PutUint16(h[:], f.ports[direction])
	binary.BigEndian.PutUint16(h[2:], f.ports[1-direction])
	return size
}
