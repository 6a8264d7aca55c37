package stream

import (
	"encoding/binary"

	"rtfm/ruleset/attr"
)

// Protocol numbers of IANA's registry.
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoICMPv6  = 58
	protoUDPLite = 136
)

// parser tells what the payload of a UDP datagram is in one kind of pairs, and
// what identifies the pair. Payloads may be cut anywhere.
type parser struct {
	kind  attr.PairKind
	parse func(payload []byte) (id uint64, r role)
}

// udpParsers are the kinds of pairs over UDP.
var udpParsers = [...]parser{
	{attr.PairDNS, dns}, {attr.PairSNMP, snmp}, {attr.PairNTP, ntp},
	{attr.PairRADIUS, radius}, {attr.PairDHCP, dhcp},
}

// echo reads an ICMP or ICMPv6 echo message (RFC 792, RFC 4443 section 4).
func echo(d []byte, proto uint8) (id, sequence uint16, r role) {
	if len(d) < 8 {
		return 0, 0, neither
	}
	v6 := proto == protoICMPv6
	switch {
	case !v6 && d[0] == 8 || v6 && d[0] == 128:
		r = asks
	case !v6 && d[0] == 0 || v6 && d[0] == 129:
		r = answers
	default:
		return 0, 0, neither
	}
	return binary.BigEndian.Uint16(d[4:]), binary.BigEndian.Uint16(d[6:]), r
}

// dns reads the identifier and the QR bit of a DNS message (RFC 1035 section
// 4.1.1).
func dns(d []byte) (uint64, role) {
	if len(d) < 12 {
		return 0, neither
	}
	id := uint64(binary.BigEndian.Uint16(d))
	if d[2]&0x80 != 0 {
		return id, answers
	}
	return id, asks
}

// ntp reads time stamps (RFC 5905 section 7.3): the answer's origin time stamp
// is the transmit time stamp of the request. Their five highest bits, which change
// every four years, are left out.
func ntp(d []byte) (uint64, role) {
	if len(d) < 48 {
		return 0, neither
	}
	switch d[0] & 7 { // mode
	case 3: // client
		return binary.BigEndian.Uint64(d[40:]), asks
	case 4: // server
		return binary.BigEndian.Uint64(d[24:]), answers
	}
	return 0, neither
}

// radius reads the identifier (RFC 2865 section 3, RFC 2866, RFC 5176).
func radius(d []byte) (uint64, role) {
	if len(d) < 4 || binary.BigEndian.Uint16(d[2:]) < 20 {
		return 0, neither
	}
	id := uint64(d[1])
	switch d[0] {
	case 1, 12: // Access-Request, Status-Server
		return id, asks
	case 2, 3, 11: // Access-Accept, -Reject, -Challenge
		return id, answers
	case 4:
		return 1<<8 | id, asks // Accounting
	case 5:
		return 1<<8 | id, answers
	case 40, 43: // Disconnect, change of authorization
		return uint64(d[0])<<8 | id, asks
	case 41, 42, 44, 45: // their ACK and NAK
		return uint64(40+(d[0]-40)/3*3)<<8 | id, answers
	}
	return 0, neither
}

func isDHCP(port uint16) bool { return port == 67 || port == 68 }

// dhcp reads transaction, client and message type (RFC 2131 section 2, RFC
// 2132 section 9.6). OFFER answers DISCOVER; ACK and NAK answer REQUEST.
func dhcp(d []byte) (uint64, role) {
	const options = 240 // after the magic cookie
	if len(d) < options || binary.BigEndian.Uint32(d[236:]) != 0x63825363 {
		return 0, neither
	}
	// Transaction and the last bits of the client's MAC address.
	id := uint64(binary.BigEndian.Uint32(d[4:]))<<27 | uint64(binary.BigEndian.Uint32(d[30:]))<<1&(1<<27-1)
	for o := d[options:]; len(o) >= 3 && o[0] != 255; {
		if o[0] == 0 {
			o = o[1:]
			continue
		}
		if o[0] == 53 {
			switch o[2] {
			case 1: // DISCOVER
				return id, asks
			case 2: // OFFER
				return id, answers
			case 3, 8: // REQUEST, INFORM
				return id | 1, asks
			case 5, 6: // ACK, NAK
				return id | 1, answers
			}
			return 0, neither
		}
		if len(o) < 2+int(o[1]) {
			break
		}
		o = o[2+int(o[1]):]
	}
	return 0, neither
}

// snmp reads the request identifier of an SNMPv1 or v2c message (RFC 3416
// section 3), and of SNMPv3, whose PDU may be encrypted, the message
// identifier and the flag that wants a report, which only requests have (RFC
// 3412 section 6).
func snmp(d []byte) (uint64, role) {
	d, _, ok := element(d, 0x30)
	if !ok {
		return 0, neither
	}
	version, d, ok := integer(d)
	if !ok {
		return 0, neither
	}
	if version == 3 {
		header, _, ok := element(d, 0x30)
		if !ok {
			return 0, neither
		}
		id, header, ok := integer(header)
		if !ok {
			return 0, neither
		}
		if _, header, ok = integer(header); !ok {
			return 0, neither
		}
		flags, _, ok := element(header, 4)
		if !ok || len(flags) < 1 {
			return 0, neither
		}
		if flags[0]&4 != 0 {
			return 1<<32 | id, asks
		}
		return 1<<32 | id, answers
	}
	if _, d, ok = element(d, 4); !ok || len(d) == 0 {
		return 0, neither
	}
	kind := d[0]
	pdu, _, ok := element(d, kind)
	if !ok {
		return 0, neither
	}
	id, _, ok := integer(pdu)
	if !ok {
		return 0, neither
	}
	switch kind {
	case 0xa0, 0xa1, 0xa3, 0xa5, 0xa6: // Get, GetNext, Set, GetBulk, Inform
		return id, asks
	case 0xa2: // Response
		return id, answers
	}
	return 0, neither
}

// element reads a BER element with this tag: its content, as far as captured,
// and what stands after it.
func element(d []byte, tag byte) (content, rest []byte, ok bool) {
	if len(d) < 2 || d[0] != tag {
		return nil, nil, false
	}
	n, head := int(d[1]), 2
	if n >= 0x80 {
		octets := n & 0x7f
		if octets == 0 || octets > 4 || len(d) < 2+octets {
			return nil, nil, false
		}
		n = 0
		for _, o := range d[2 : 2+octets] {
			n = n<<8 | int(o)
		}
		head += octets
	}
	d = d[head:]
	n = min(n, len(d))
	return d[:n], d[n:], true
}

// integer reads a BER INTEGER, of which the low-order 32 bits count.
func integer(d []byte) (n uint64, rest []byte, ok bool) {
	content, rest, ok := element(d, 2)
	if !ok || len(content) == 0 {
		return 0, nil, false
	}
	for _, o := range content {
		n = n<<8 | uint64(o)
	}
	return n & 0xffffffff, rest, true
}
