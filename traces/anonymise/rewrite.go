package anonymise

import (
	"net/netip"

	"rtfm/traces"
)

// Config says how packets are rewritten.
type Config struct {
	Scheme Scheme
	Key    Key
	// Keep are the prefixes whose addresses stay as they are.
	Keep []netip.Prefix
	// KeepPayload keeps what stands behind the headers of TCP, UDP and the like.
	KeepPayload bool
	// Parts appends where in a packet link addresses, IP datagrams, within each other if
	// one carries another, and the like begin, in the order of their octets.
	Parts func(p *traces.Packet, parts []Part) []Part
}

// Counts is what a Rewriter has done.
type Counts struct {
	Packets uint64
	// Unknown are packets of which nothing was left, since their link type is not
	// understood.
	Unknown uint64
	// Cut are packets that end where something begins that is not understood: a protocol
	// or a message whose form is not known here, or damage. Payload is not counted.
	Cut uint64
}

// Rewriter rewrites packets, one at a time. It is not safe for concurrent use.
type Rewriter struct {
	addresses *Addresses
	stations  *stations
	payload   bool
	parts     func(p *traces.Packet, parts []Part) []Part
	room      []byte // for rewritten packets
	used      int    // of room
	counts    Counts

	// Of the packet at hand.
	list  []Part
	data  []byte // as it becomes
	sums  []sum  // checksums that cover where the rewriter is, the outermost first
	cut   bool   // something is not understood
	inner int    // where the packet begins that the datagram at hand carries, 0 if nowhere
	// quoting is set in a packet that an ICMP error quotes.
	quoting bool
}

// NewRewriter returns a Rewriter.
func NewRewriter(cfg *Config) (*Rewriter, error) {
	addresses, err := NewAddresses(cfg.Scheme, &cfg.Key, cfg.Keep)
	if err != nil {
		return nil, err
	}
	return &Rewriter{addresses: addresses, stations: newStations(&cfg.Key), payload: cfg.KeepPayload, parts: cfg.Parts}, nil
}

// Counts returns what was done so far.
func (r *Rewriter) Counts() Counts { return r.counts }

// Reset lets go of what packets were rewritten to before: their Data may be overwritten.
func (r *Rewriter) Reset() { r.used = 0 }

// Rewrite rewrites a packet: its Data are others then, valid until Reset is called and a
// further packet rewritten. What they were stays as it was.
func (r *Rewriter) Rewrite(p *traces.Packet) {
	r.counts.Packets++
	r.list = r.parts(p, r.list[:0])
	r.data = r.copy(p.Data)
	r.sums, r.cut = r.sums[:0], false
	end := r.all()
	if len(r.list) == 0 && len(p.Data) > 0 {
		r.counts.Unknown++
	} else if r.cut && end < len(p.Data) {
		r.counts.Cut++
	}
	p.Data = r.data[:end:end]
	r.used += end
}

// copy returns a copy of a packet's octets in the room for them.
func (r *Rewriter) copy(data []byte) []byte {
	if r.used+len(data) > len(r.room) {
		// What is in the old room stays there as long as it is needed.
		r.room, r.used = make([]byte, max(2*len(r.room), len(data), 64<<10)), 0
	}
	to := r.room[r.used : r.used+len(data)]
	copy(to, data)
	return to
}

// all rewrites the parts of a packet and returns how many octets are kept.
func (r *Rewriter) all() (end int) {
	for i := range r.list {
		part := &r.list[i]
		if part.At >= len(r.data) {
			return len(r.data)
		}
		r.inner = 0
		if i+1 < len(r.list) {
			r.inner = r.list[i+1].At
		}
		carries := r.inner != 0
		switch part.Kind {
		case Station, RingStation, Blank:
			if part.End > len(r.data) {
				return part.At
			}
			r.link(part)
			end = part.End
		case IPv4:
			end = r.ipv4(part.At, part.End)
		case IPv6:
			end = r.ipv6(part.At, part.End)
		case ARP:
			return r.arp(part.At)
		case Rest:
			if i == 0 || r.payload || r.list[i-1].Kind != IPv4 && r.list[i-1].Kind != IPv6 {
				r.cut = true // else it would not stay anyway
			}
			return min(part.At, len(r.data))
		}
		if carries && r.inner == 0 {
			return end // the tunnel cannot be followed
		}
	}
	return end
}

// rest returns at, where the packet is to end since what follows is not understood.
func (r *Rewriter) rest(at int) int {
	r.cut = true
	return min(at, len(r.data))
}

// link rewrites a part that is no datagram.
func (r *Rewriter) link(part *Part) {
	var room [maxPart]byte
	n := part.End - part.At
	if n > maxPart {
		clear(r.data[part.At:part.End]) // a blank of a link header, under no checksum
		return
	}
	b := room[:n]
	switch part.Kind {
	case Station:
		copy(b, r.data[part.At:])
		r.station(b)
	case RingStation:
		copy(b, r.data[part.At:])
		r.stations.replaceRing(b)
	}
	r.put(len(r.sums), part.At, b)
}

// maxPart is the length of the longest part that checksums may cover.
const maxPart = 64

// station replaces a link address; one that is too long becomes zeros.
func (r *Rewriter) station(b []byte) {
	if len(b) > maxStation {
		clear(b)
		return
	}
	r.stations.replace(b)
}

// arp rewrites a packet of ARP (RFC 826) and returns where it ends.
func (r *Rewriter) arp(at int) (end int) {
	const fixed = 8
	if at+fixed > len(r.data) {
		return at
	}
	d := r.data[at:]
	hardware, protocol := int(d[4]), int(d[5])
	if be16(d[2:]) != 0x0800 || protocol != 4 {
		return r.rest(at + fixed)
	}
	at += fixed
	for range 2 { // sender, target
		if at+hardware > len(r.data) {
			return at
		}
		r.link(&Part{Station, at, at + hardware})
		if at += hardware; at+protocol > len(r.data) {
			return at
		}
		r.address4(at)
		at += protocol
	}
	return at
}
