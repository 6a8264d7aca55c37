package format

import (
	"encoding/binary"

	"rtfm/traces"
)

// The layout of ERF records, from Endace's document on Extensible Record
// Format types (EDM 11-01): a time stamp of 64 bits, 32 of them after the
// point, in little-endian order, then type, flags, record length, loss counter
// or colour, and wire length, big-endian.
const (
	erfHeader    = 16
	erfExtension = 8    // octets of an extension header
	erfMore      = 0x80 // in the type: an extension header follows
)

// The flags that are read: the interface, of which later cards have a third
// bit.
const (
	erfPort     = 0x03
	erfPortHigh = 0x40
)

// erfKind is what there is to know of a record type. All zero, it is a type
// that holds no packet.
type erfKind struct {
	name string // as the document has it, without TYPE_
	sub  uint8  // octets between the headers and the packet that wlen leaves out
	skip uint8  // octets at the packet's begin that are not presented
	link erfLink
	// colour is set when the field for lost packets holds a colour or a hash.
	colour bool
}

// erfLink says how the packet of a record begins.
type erfLink uint8

const (
	erfNone     erfLink = iota // there is no packet
	erfEthernet                // a frame with its check sequence
	erfHDLC                    // PPP, Cisco HDLC or frame relay, as it looks
	erfATM                     // the first cell of a packet, or a later one
	erfAAL5                    // LLC, PPP or IP
	erfIPv4
	erfIPv6
	erfIB
	erfOther // nothing that has a link type: the whole record is presented
)

// erfKinds are the record types by number.
var erfKinds = [...]erfKind{
	1:  {name: "HDLC_POS", link: erfHDLC},
	2:  {name: "ETH", sub: 2, link: erfEthernet},
	3:  {name: "ATM", link: erfATM},
	4:  {name: "AAL5", skip: 4, link: erfAAL5},
	5:  {name: "MC_HDLC", sub: 4, link: erfHDLC},
	6:  {name: "MC_RAW", sub: 4, link: erfOther},
	7:  {name: "MC_ATM", sub: 4, link: erfATM},
	8:  {name: "MC_RAW_CHANNEL", sub: 4, link: erfOther},
	9:  {name: "MC_AAL5", sub: 4, skip: 4, link: erfAAL5},
	10: {name: "COLOR_HDLC_POS", link: erfHDLC, colour: true},
	11: {name: "COLOR_ETH", sub: 2, link: erfEthernet, colour: true},
	12: {name: "MC_AAL2", sub: 4, link: erfOther},
	13: {name: "IP_COUNTER"},
	14: {name: "TCP_FLOW_COUNTER"},
	15: {name: "DSM_COLOR_HDLC_POS", link: erfHDLC, colour: true},
	16: {name: "DSM_COLOR_ETH", sub: 2, link: erfEthernet, colour: true},
	17: {name: "COLOR_MC_HDLC_POS", sub: 4, link: erfHDLC, colour: true},
	18: {name: "AAL2", sub: 4, link: erfOther},
	19: {name: "COLOR_HASH_POS", link: erfHDLC, colour: true},
	20: {name: "COLOR_HASH_ETH", sub: 2, link: erfEthernet, colour: true},
	21: {name: "INFINIBAND", link: erfIB},
	22: {name: "IPV4", link: erfIPv4},
	23: {name: "IPV6", link: erfIPv6},
	24: {name: "RAW_LINK", link: erfOther},
	25: {name: "INFINIBAND_LINK", link: erfOther},
	27: {name: "META"},
	28: {name: "OPA_SNC", link: erfOther},
	29: {name: "OPA_9B", link: erfOther},
	48: {name: "PAD"},
}

// erfKindOf returns what there is to know of the record with the given type
// octet; its name is empty when there is no such type.
func erfKindOf(t byte) (k erfKind) {
	if t &^= erfMore; int(t) < len(erfKinds) {
		k = erfKinds[t]
	}
	return k
}

// erf reads the records of an ERF file.
type erf struct {
	cells aal5
}

func (*erf) name() string { return "erf" }

func (e *erf) again() { e.cells.again() }

// maxERFScan is how many records a scan looks at, so that what their cells change
// takes little memory to undo.
const maxERFScan = 4096

// openERF begins with the first record; there is no header.
func openERF(*input) (format, error) { return new(erf), nil }

// erfBody returns where in a whole record the packet, or what is instead of it,
// begins: after the header, the extension headers and what belongs to the
// type.
func erfBody(rec []byte, k erfKind) (int, error) {
	pos := erfHeader
	for more := rec[8]; more&erfMore != 0; pos += erfExtension {
		if len(rec) < pos+erfExtension {
			return 0, corrupt("length %d is less than its headers", len(rec))
		}
		more = rec[pos]
	}
	pos += int(k.sub)
	if len(rec) < pos {
		return 0, corrupt("length %d is less than its headers, %d", len(rec), pos)
	}
	return pos, nil
}

// scan implements format.
func (e *erf) scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error) {
	e.cells.begin()
	for n := 0; n < maxERFScan && len(b.Packets) < cap(b.Packets); n++ {
		rest := win[used:]
		if len(rest) < erfHeader {
			return used, erfHeader, nil
		}
		size := int(binary.BigEndian.Uint16(rest[10:]))
		if size < erfHeader {
			return used, 0, corrupt("length %d is less than its header, %d", size, erfHeader)
		}
		if len(rest) < size {
			return used, size, nil
		}
		rec := rest[:size:size]
		k := erfKindOf(rec[8])
		if k.link == erfNone {
			st.Skipped++
		} else {
			body, err := erfBody(rec, k)
			if err != nil {
				return used, 0, err
			}
			n := len(b.Packets)
			b.Packets = b.Packets[:n+1]
			if !e.packet(&b.Packets[n], rec, body, k, st) {
				b.Packets = b.Packets[:n]
				st.Skipped++
			} else if size-body < int(b.Packets[n].Wire) {
				st.Cut++
			}
		}
		st.Records++
		used += size
	}
	return used, 0, nil
}

// packet makes p the packet of a record, whose packet begins at body. It
// returns false when there is none: the record is a later cell of one.
func (e *erf) packet(p *traces.Packet, rec []byte, body int, k erfKind, st *traces.Stats) bool {
	p.Wire = uint32(binary.BigEndian.Uint16(rec[14:]))
	p.FCS = 0
	if k.link == erfEthernet {
		p.FCS = uint8(min(4, p.Wire))
		p.Wire -= uint32(p.FCS)
	}
	// The record's length is rounded up, and the check sequence may be there.
	data := rec[body:]
	data = data[:min(len(data), int(p.Wire))]
	p.Time = erfTime(binary.LittleEndian.Uint64(rec))
	p.Data = data[min(len(data), int(k.skip)):]
	p.Interface = uint32(rec[9]&erfPort|rec[9]&erfPortHigh>>4) + 1
	if !k.colour {
		st.Lose(p.Interface, uint64(binary.BigEndian.Uint16(rec[12:])))
	}
	switch k.link {
	case erfEthernet:
		p.Link = traces.LinkEthernet
	case erfHDLC:
		p.Link = hdlcLink(p.Data)
	case erfAAL5:
		p.Link, _ = aal5Link(p.Data)
	case erfATM:
		return e.cells.packet(p, p.Data)
	case erfIPv4:
		p.Link = traces.LinkIPv4
	case erfIPv6:
		p.Link = traces.LinkIPv6
	case erfIB:
		p.Link = traces.LinkInfiniBand
	case erfOther:
		p.Link, p.Data = traces.LinkERF, rec
	}
	return true
}

// erfTime turns an ERF time stamp, seconds with 32 bits after the point, into
// nanoseconds, rounded.
func erfTime(ts uint64) int64 {
	return int64(ts>>32)*1e9 + int64((ts&(1<<32-1)*1e9+1<<31)>>32)
}

// hdlcLink tells what kind of frame data is, which HDLC does not say itself:
// by the address and control octets of PPP (RFC 1662 section 3.1) and Cisco
// HDLC, else by the address extension bits of frame relay (RFC 2427 section
// 3). What remains is taken for PPP that leaves those octets out.
func hdlcLink(data []byte) traces.LinkType {
	switch {
	case len(data) < 2, data[0] == 0xff && data[1] == 0x03:
		return traces.LinkPPPHDLC
	case (data[0] == 0x0f || data[0] == 0x8f) && data[1] == 0:
		return traces.LinkCiscoHDLC
	case data[0]&1 == 0 && data[1]&1 == 1:
		return traces.LinkFrameRelay
	}
	return traces.LinkPPPHDLC
}

// beginsSNAP reports whether data begins with the LLC header of SNAP or of an
// ISO protocol (RFC 2684 section 5), as the first cell of a frame does.
func beginsSNAP(data []byte) bool {
	return len(data) >= 3 && data[0] == data[1] && (data[0] == 0xaa || data[0] == 0xfe) && data[2] == 3
}

// isERF reports whether head looks like the beginning of an ERF file: its first
// records must be sound, all of them if they are few. If the last of few is not
// whole, its time must be such as may follow.
func isERF(head []byte) bool {
	n, before := 0, int64(0)
	for n < sure && len(head) >= erfHeader {
		k := erfKindOf(head[8])
		size, wire := int(binary.BigEndian.Uint16(head[10:])), int(binary.BigEndian.Uint16(head[14:]))
		if k.name == "" || size < erfHeader {
			return false
		}
		sec := int64(binary.LittleEndian.Uint32(head[4:]))
		if len(head) < size {
			return n > 0 && follows(sec, before)
		}
		body, err := erfBody(head[:size], k)
		// A record never holds much more than there was on the wire.
		if err != nil || k.link != erfNone && size-body > wire+2*erfExtension {
			return false
		}
		before = sec
		head = head[size:]
		n++
	}
	return n > 0
}
