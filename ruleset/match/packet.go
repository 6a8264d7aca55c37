package match

import "rtfm/ruleset/attr"

// Packet is one packet as the meter sees it: its match key, and what is
// counted and queued of it. Decoders fill it, package pme reads it.
type Packet struct {
	Key  attr.Key
	Time int64 // nanoseconds since 1970-01-01 00:00:00 UTC

	// FrameOctets is the length of the frame on the wire without frame check
	// sequence, IPOctets that of the outermost IP datagram by its header, or
	// FrameOctets when the packet is none.
	FrameOctets, IPOctets uint32

	// PeerLen and AdjacentLen are the lengths of the packet's peer and
	// adjacent addresses in octets, 0 when it has none.
	PeerLen, AdjacentLen uint8
	Flags                PacketFlags

	// IPHeader is how many octets of the IP header without options or extension
	// headers were captured, 20 or 40 if all of it, and IPID the identification of
	// an IPv4 datagram if it was. A header that was compressed counts as whole.
	IPHeader uint8
	IPID     uint16

	// Transport is where the transport header (of the protocol that
	// SourceTransType names) begins in Data; it is meaningful when HasTransport is set.
	// Of a Fragment it is where what tells it apart begins: IPv4's payload, IPv6's
	// fragment header.
	Transport uint16
	// TransportOctets is the length of transport header and payload by the IP
	// header; meaningful when HasTransport is set.
	TransportOctets uint32
	// Data holds the captured octets from the link header on; valid until
	// the next batch is read.
	Data []byte
}

// PacketFlags tell what the decoder found.
type PacketFlags uint8

// Flags of a packet.
const (
	// HasTransport: the packet's first fragment, its transport header captured
	// at least in part.
	HasTransport PacketFlags = 1 << iota
	// Fragment: an IP fragment other than the first.
	Fragment
	// Cut: headers that would have given attribute values were not captured.
	Cut
	// Malformed: a header contradicts itself; values behind it are missing.
	Malformed
	// UnknownLink: the link type is one this meter does not decode.
	UnknownLink
	// IsIP: the packet is an IPv4 or IPv6 datagram, or fragment of one.
	IsIP
	// Outlier: the time of the packet is another than it was captured with. The
	// decoder does not know of it.
	Outlier
	// Filtered: the packet does not pass the meter's filter, of which the decoder
	// does not know either.
	Filtered
)
