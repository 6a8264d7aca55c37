package attr

import (
	"strconv"
	"strings"
)

// About describes an attribute for people.
type About struct {
	// Unit is what its numbers count, or what its values are.
	Unit string
	// Source is where the values come from.
	Source string
	// Meaning is what it is, in a few words.
	Meaning string
}

// Sources of values.
const (
	fromCapture   = "capture"
	fromLink      = "link header"
	fromIP        = "IP header"
	fromTransport = "transport header"
	fromRecord    = "flow record"
	fromRules     = "rules"
	fromMeter     = "meter"
	fromClock     = "packets' times"
	fromPackets   = "packets"
	fromReader    = "reader"
)

// abouts describe attributes by their names, or by those without Source, Dest, Flow,
// To or From. The units of distributions are those of Attr.Unit.
var abouts = map[string]About{
	"Null":              {"", fromMeter, "no attribute: a test of it holds always"},
	"Interface":         {"ifIndex", fromCapture, "number of the interface where the packet was seen"},
	"AdjacentType":      {"ifType", fromLink, "medium below the peer protocol, an interface type such as 7 for Ethernet"},
	"AdjacentAddress":   {"address", fromLink, "address on that medium, such as the MAC address"},
	"AdjacentMask":      {"mask", fromRules, "bits of the adjacent address that the flow saved"},
	"PeerType":          {"address family", fromLink, "address family: 1 for IPv4, 2 for IPv6, 0 for what has none, such as ARP"},
	"PeerAddress":       {"address", fromIP, "address of the peer protocol, such as the IP address"},
	"PeerMask":          {"mask", fromRules, "bits of the peer address that the flow saved"},
	"TransType":         {"protocol", fromIP, "protocol above IP: 6 for TCP, 17 for UDP"},
	"TransAddress":      {"port", fromTransport, "port of TCP, UDP, SCTP, DCCP; of ICMP the source has the type and the dest the code; of others 0"},
	"TransMask":         {"mask", fromRules, "bits of the transport address that the flow saved"},
	"SubscriberID":      {"octets", fromRules, "identifier of a subscriber: only what rules save"},
	"SessionID":         {"octets", fromRules, "identifier of a session: only what rules save"},
	"Class":             {"number", fromRules, "variable: 0 until STOREd"},
	"Kind":              {"number", fromRules, "variable: 0 until STOREd"},
	"MatchingStoD":      {"number", fromMeter, "1 while the packet is tried as it came, 0 and 2 when source and destination are changed over; can be tested only"},
	"v":                 {"attribute", fromRules, "meter variable of rules: stands for another attribute"},
	"MeterID":           {"address", fromRecord, "the router that has exported the record, its IPv4 address or the last octets of its IPv6 address"},
	"ASN":               {"AS number", fromRecord, "number of the autonomous system"},
	"Prefix":            {"bits", fromRecord, "width of the prefix by which the router has found the network"},
	"DSCodePoint":       {"DSCP", fromIP, "upper 6 bits of IP's traffic class (RFC 2474); 0 for what is no IP"},
	"VLANid":            {"VLAN number", fromLink, "12 bits of the outermost VLAN tag (IEEE 802.1Q), 0 without one"},
	"Priority":          {"priority", fromLink, "3 bits of the outermost VLAN tag"},
	"ECNCodeBits":       {"ECN", fromIP, "lower 2 bits of IP's traffic class (RFC 3168)"},
	"HopLimit":          {"hops", fromIP, "IPv6 hop limit, or IPv4 time to live: by how many routers the packet may still be passed on"},
	"TunnelID":          {"number", fromTransport, "number of the tunnel: the VNI of VXLAN and GENEVE, the key of GRE, the session of ERSPAN and L2TP, the TEID of GTP-U; 0 without one"},
	"TunnelKind":        {"kind", fromTransport, "kind of the tunnel in the packet, or of the one that --decap has taken off: 0 without one"},
	"MPLSLabel":         {"label", fromLink, "20 bits of the MPLS label at the top of the stack, 0 without one"},
	"MPLSBottomLabel":   {"label", fromLink, "20 bits of the MPLS label at the bottom of the stack: the same if there is only one"},
	"InnerVLANid":       {"VLAN number", fromLink, "12 bits of the second VLAN tag from the outside (IEEE 802.1ad), 0 without one"},
	"VLANTags":          {"tags", fromLink, "how many VLAN tags the packet has"},
	"InnerPeerType":     {"address family", fromIP, "PeerType of the packet in the tunnel"},
	"InnerPeerAddress":  {"address", fromIP, "IP address of the packet in the tunnel; none if that is no IP"},
	"InnerPeerMask":     {"mask", fromRules, "bits of the inner peer address that the flow saved"},
	"InnerTransType":    {"protocol", fromIP, "protocol above IP of the packet in the tunnel"},
	"InnerTransAddress": {"port", fromTransport, "port of the packet in the tunnel, or type and code of ICMP"},
	"InnerTransMask":    {"mask", fromRules, "bits of the inner transport address that the flow saved"},
	"Duplicate":         {"number", fromMeter, "copies of packets that have come before, with --dedup mark: 1 as they were, 2 passed on by a router"},

	"PacketSize":       {"", fromPackets, "octets of packets"},
	"InterarrivalTime": {"", fromClock, "microseconds between packets"},
	"TurnaroundTime":   {"", fromClock, "microseconds from a packet to its answer"},
	"BitRate":          {"", fromPackets, "bits a second, in intervals"},
	"PDURate":          {"", fromPackets, "packets a second, in intervals"},
	"FlowTime":         {"", fromClock, "microseconds that streams last"},
	"FlowOctets":       {"", fromPackets, "octets of streams"},
	"FlowPDUs":         {"", fromPackets, "packets of streams"},
	"TCPSize":          {"", fromPackets, "octets of TCP streams' data"},
	"TCPTime":          {"", fromClock, "microseconds of TCP streams' data"},
	"TCPRate":          {"", fromPackets, "bits a second of TCP streams' data"},
	"LostPDUs":         {"", fromPackets, "packets that streams lack"},

	"ID":              {"number", fromMeter, "64 bits that identify the flow, the same on every meter; of two that live at a time and would share one, the later has another"},
	"CommunityID":     {"octets", fromMeter, "Community ID of the flow's addresses, ports and protocol, version 1, by which Zeek, Suricata and others name it"},
	"SizeStats":       {"", fromPackets, "octets of packets, as they are counted: how many, sum, sum of squares, least, most"},
	"GapStats":        {"", fromClock, "nanoseconds between packets, likewise"},
	"PayloadStats":    {"", fromPackets, "octets of TCP's or UDP's payload, likewise; packets without payload count with 0"},
	"TurnaroundStats": {"", fromClock, "nanoseconds from a packet to its answer, likewise, of one kind of packet pairs"},
	"WindowStats":     {"number", fromTransport, "TCP's window as it stands in the header, not scaled, likewise"},
	"HopLimitRange":   {"", fromIP, "HopLimit: how many packets have one, least, most"},
	"IPIDRange":       {"number", fromIP, "IPv4's identification: how many packets have one, least, most"},
	"TCPFlags":        {"flags", fromTransport, "all TCP flags seen, and how often each was"},

	"RetransmittedPDUs":   {"", fromTransport, "TCP segments with data that was all or in part sent before"},
	"RetransmittedOctets": {"", fromTransport, "octets of TCP data that were sent before"},
	"OutOfOrderPDUs":      {"", fromTransport, "TCP segments with data that comes after data behind it"},
	"SequenceGaps":        {"gaps", fromTransport, "TCP segments that leave out data which has not come yet"},
	"MissingOctets":       {"", fromTransport, "octets of TCP data that never came, of streams that have ended"},
	"ZeroWindows":         {"", fromTransport, "TCP segments with a window of 0, but for SYN, FIN and RST"},
	"Resets":              {"", fromTransport, "TCP segments with RST"},
	"FirstPackets":        {"packets", fromPackets, "the first packets: direction, octets, microseconds since the one before, TCP flags"},
	"Censored":            {"edges", fromMeter, "with a schedule, whether packets outside of the window may be of the flow: 1 before it, 2 behind it, 3 both; else 0"},
	"FirstPayloads":       {"packets", fromPackets, "the first packets with payload of TCP or UDP, likewise, with the octets of that"},

	"Index":            {"number", fromMeter, "row of the flow in the meter's table, used again after the flow was recovered"},
	"Status":           {"number", fromMeter, "2, current"},
	"TimeMark":         {"0.01 s", fromClock, "uptime at the flow's last change"},
	"RuleSet":          {"number", fromMeter, "the ruleset by which the packet is counted, 1 to 255"},
	"PDUScale":         {"number", fromMeter, "0: counters of packets are not scaled"},
	"OctetScale":       {"number", fromMeter, "0: counters of octets are not scaled"},
	"ToOctets":         {"octets", fromPackets, "octets from source to destination: of frames, or of IP with --octets ip"},
	"FromOctets":       {"octets", fromPackets, "octets from destination to source, likewise"},
	"ToPDUs":           {"packets", fromPackets, "packets from source to destination"},
	"FromPDUs":         {"packets", fromPackets, "packets from destination to source"},
	"FirstTime":        {"0.01 s", fromClock, "uptime at the flow's first packet"},
	"LastActiveTime":   {"0.01 s", fromClock, "uptime at the flow's latest packet"},
	"FirstTimeNs":      {"ns", fromClock, "time of the flow's first packet since 1970-01-01 00:00:00 UTC"},
	"LastActiveTimeNs": {"ns", fromClock, "time of the flow's latest packet since 1970-01-01 00:00:00 UTC"},
	"DeltaToPDUs":      {"packets", fromReader, "packets from source to destination that the interval has added"},
	"DeltaFromPDUs":    {"packets", fromReader, "packets from destination to source that the interval has added"},
	"DeltaToOctets":    {"octets", fromReader, "octets from source to destination that the interval has added"},
	"DeltaFromOctets":  {"octets", fromReader, "octets from destination to source that the interval has added"},
	"DeltaToPDURate":   {"packets/s", fromReader, "DeltaToPDUs by the length of the interval"},
	"DeltaFromPDURate": {"packets/s", fromReader, "DeltaFromPDUs by the length of the interval"},
	"DeltaToBitRate":   {"bits/s", fromReader, "bits of DeltaToOctets by the length of the interval"},
	"DeltaFromBitRate": {"bits/s", fromReader, "bits of DeltaFromOctets by the length of the interval"},
	"Distributions":    {"bits", fromRules, "a bit for each distribution that the flow saved, the lowest for number 66"},
	"SavedAttributes":  {"bits", fromRules, "a bit for each attribute that the flow saved, the first for number 0"},
}

// About describes a.
func (a Attr) About() About {
	name := strings.TrimRight(a.String(), "12345")
	if a.IsInner() { // no matter of which end
		name = "Inner" + strings.TrimPrefix(strings.TrimPrefix(a.Outer().String(), "Source"), "Dest")
	}
	for _, prefix := range [...]string{"", "Source", "Dest", "Flow", "To", "From"} {
		rest, ok := strings.CutPrefix(name, prefix)
		if about, known := abouts[rest]; ok && known {
			if about.Unit == "" {
				about.Unit = a.Unit()
			}
			return about
		}
	}
	return About{}
}

// Meaning describes in a few words an attribute that rules may test or save; it is ""
// for others.
func (a Attr) Meaning() string {
	switch a.info().Class {
	case ClassInteger, ClassAddress, ClassComputed, ClassMatching, ClassDistrib, ClassStatistic:
		return a.About().Meaning
	}
	return ""
}

// Width tells how wide the values of a are: `16 bits`, `6 of 8 bits`, `up to 20 octets`.
func (a Attr) Width() string {
	in := a.info()
	switch {
	case in.Size == 0:
		return ""
	case in.Class == ClassStatistic:
		return formWidths[a.Form()]
	case in.Class == ClassDistrib:
		return "up to 255 buckets"
	case in.Variable:
		return "up to " + strconv.Itoa(in.Size) + " octets"
	case in.Size > 8:
		return strconv.Itoa(in.Size) + " octets"
	}
	bits := strconv.Itoa(8 * in.Size)
	if n := a.Bits(); n < 8*in.Size {
		return strconv.Itoa(n) + " of " + bits + " bits"
	}
	return bits + " bits"
}

// formWidths tell how wide statistics are.
var formWidths = [...]string{
	FormStats: "5 numbers", FormRange: "3 numbers", FormFlags: "9 numbers", FormCount: "64 bits",
	FormPackets: "up to 64 packets", FormID: "64 bits", FormDigest: "20 octets", FormEdges: "2 bits",
}

// Use tells what a can be used for: rules may test it, save it, or store a value in it;
// all but MatchingStoD and Null can be read from flows.
func (a Attr) Use() string {
	switch a.info().Class {
	case ClassInteger, ClassAddress:
		return "test, save"
	case ClassComputed:
		return "store, test, save"
	case ClassMatching, ClassNull:
		return "test"
	case ClassVariable:
		return "rules"
	case ClassDistrib, ClassStatistic:
		return "save"
	}
	return "read"
}
