package attr

import "strings"

// PairKind says which packets of a stream are a request and its answer. It is
// parameter 1 of the turnaround and lost PDU distributions. 11 is the number
// that NeTraMet used; the others are this meter's own.
type PairKind uint8

// The kinds of packet pairs.
const (
	// PairPlain takes the first packet of each run of packets in one direction
	// and the first of the run that follows it in the other.
	PairPlain PairKind = 0
	// PairEcho is ICMP and ICMPv6 echo, by identifier and sequence number.
	PairEcho PairKind = 1
	// PairTCPSyn is TCP SYN and SYN-ACK, by sequence number.
	PairTCPSyn PairKind = 2
	// PairTCPData is TCP data and the ACK that covers it.
	PairTCPData PairKind = 3
	// PairDNS is DNS over UDP, by query identifier.
	PairDNS PairKind = 11
	// PairSNMP is SNMP over UDP, by request identifier, in SNMPv3 by message
	// identifier.
	PairSNMP PairKind = 12
	// PairNTP is NTP, by the time stamp that the answer returns.
	PairNTP PairKind = 13
	// PairRADIUS is RADIUS, by identifier.
	PairRADIUS PairKind = 14
	// PairDHCP is DHCP, by transaction identifier, client and message type.
	PairDHCP PairKind = 15
	// PairKinds is one more than the last kind.
	PairKinds = 16
)

var pairKinds = map[string]PairKind{
	"plain": PairPlain, "echo": PairEcho, "tcp_syn": PairTCPSyn, "tcp_data": PairTCPData, "dns": PairDNS,
	"snmp": PairSNMP, "ntp": PairNTP, "radius": PairRADIUS, "dhcp": PairDHCP,
	// Further names.
	"icmp": PairEcho, "ping": PairEcho, "tcp_ack": PairTCPData, "pp_udp_dns": PairDNS,
}

// pairKindByName finds a kind by its name, whatever the case of its letters.
func pairKindByName(name string) (PairKind, bool) {
	k, ok := pairKinds[strings.ToLower(name)]
	return k, ok
}

func pairKindNames() []string {
	names := make([]string, 0, len(pairKinds))
	for n := range pairKinds {
		names = append(names, n)
	}
	return names
}

// Valid reports whether there is such a kind.
func (k PairKind) Valid() bool { return k.String() != "" }

// String returns the kind's name, "" if there is no such kind.
func (k PairKind) String() string {
	switch k {
	case PairPlain:
		return "plain"
	case PairEcho:
		return "echo"
	case PairTCPSyn:
		return "tcp_syn"
	case PairTCPData:
		return "tcp_data"
	case PairDNS:
		return "dns"
	case PairSNMP:
		return "snmp"
	case PairNTP:
		return "ntp"
	case PairRADIUS:
		return "radius"
	case PairDHCP:
		return "dhcp"
	}
	return ""
}
