package anonymise

// Kind is what stands in a part of a packet.
type Kind uint8

// The kinds of parts.
const (
	// Station is a link address.
	Station Kind = iota
	// RingStation is a MAC address as token ring and FDDI send it, the first bit leftmost.
	RingStation
	// Blank may tell of people, and nothing that a meter asks for: it becomes zeros.
	Blank
	// IPv4 and IPv6 are IP datagrams. End is that of the frame they are in, by its
	// lengths, which may be behind what was captured.
	IPv4
	IPv6
	// ARP is a packet of ARP or RARP.
	ARP
	// Rest is what is not understood, up to the packet's end.
	Rest
)

// Part is a part of a packet: from octet At to before octet End.
type Part struct {
	Kind    Kind
	At, End int
}
