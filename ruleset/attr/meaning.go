package attr

import "strings"

// meanings say what attributes that rules test or save are, by the name without
// Source, Dest, To or From.
var meanings = map[string]string{
	"Interface":       "number of the interface where the packet was seen",
	"AdjacentType":    "medium below the peer protocol, an interface type such as 7 for Ethernet",
	"AdjacentAddress": "address on that medium, such as the MAC address",
	"PeerType":        "address family: 1 for IPv4, 2 for IPv6, 0 for what has none, such as ARP",
	"PeerAddress":     "address of the peer protocol, such as the IP address",
	"TransType":       "protocol above IP: 6 for TCP, 17 for UDP",
	"TransAddress":    "port of TCP, UDP, SCTP, DCCP; of ICMP the source has the type and the dest the code; of others 0",
	"SubscriberID":    "identifier of a subscriber: only what rules save",
	"SessionID":       "identifier of a session: only what rules save",
	"Class":           "variable: 0 until STOREd",
	"Kind":            "variable: 0 until STOREd",
	"MatchingStoD":    "1 while the packet is tried as it came, 0 and 2 when source and destination are changed over; can be tested only",
	"MeterID":         "of flow records: the router that has exported it, its IPv4 address or the last octets of its IPv6 address",
	"ASN":             "of flow records: number of the autonomous system",
	"Prefix":          "of flow records: width of the prefix by which the router has found the network",
	"DSCodePoint":     "upper 6 bits of IP's traffic class (RFC 2474); 0 for what is no IP",
	"VLANid":          "12 bits of the outermost VLAN tag (IEEE 802.1Q), 0 without one",
	"Priority":        "3 bits of the outermost VLAN tag",
	"ECNCodeBits":     "lower 2 bits of IP's traffic class (RFC 3168)",
	"HopLimit":        "IPv6 hop limit, or IPv4 time to live: by how many routers the packet may still be passed on",
	"Duplicate":       "1 for a packet that has come before, with --dedup mark",

	"PacketSize":       "octets of packets",
	"InterarrivalTime": "microseconds between packets",
	"TurnaroundTime":   "microseconds from a packet to its answer",
	"BitRate":          "bits a second, in intervals",
	"PDURate":          "packets a second, in intervals",
	"FlowTime":         "microseconds that streams last",
	"FlowOctets":       "octets of streams",
	"FlowPDUs":         "packets of streams",
	"TCPSize":          "octets of TCP streams' data",
	"TCPTime":          "microseconds of TCP streams' data",
	"TCPRate":          "bits a second of TCP streams' data",
	"LostPDUs":         "packets that streams lack",
}

// Meaning describes in a few words an attribute that rules may test or save.
func (a Attr) Meaning() string {
	name := strings.TrimRight(a.String(), "1234")
	for _, prefix := range [...]string{"", "Source", "Dest", "Flow", "To", "From"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && meanings[rest] != "" {
			return meanings[rest]
		}
	}
	return ""
}
