package tracetest

import (
	"encoding/binary"
	"time"

	"rtfm/traces"
)

// Start is when the packets of Packets begin, in nanoseconds since the epoch.
var Start = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC).UnixNano()

// Packets makes packets of frames: Ethernet, a millisecond apart from Start on,
// of interface 1, captured whole.
func Packets(frames ...Frame) []traces.Packet {
	ps := make([]traces.Packet, len(frames))
	for i, f := range frames {
		b := f.Bytes()
		ps[i] = traces.Packet{
			Time:      Start + int64(i)*int64(time.Millisecond),
			Data:      b,
			Wire:      uint32(len(b)),
			Link:      traces.LinkEthernet,
			Interface: 1,
		}
	}
	return ps
}

// PCAPOptions is what a pcap file may have one way or the other. The zero
// value makes a file of microseconds, little-endian.
type PCAPOptions struct {
	Big      bool
	Nano     bool
	Modified bool // Kuznetzov's, with longer headers of records; not with Nano
}

// PCAP returns a pcap file. Its link type is that of the first packet,
// Ethernet when there are none.
func PCAP(o PCAPOptions, packets ...traces.Packet) []byte {
	e, magic, unit := order(o.Big), uint32(0xa1b2c3d4), int64(1000)
	if o.Nano {
		magic, unit = 0xa1b23c4d, 1
	}
	var more []byte // of a record's header: interface, protocol, kind of packet
	if o.Modified {
		magic, more = 0xa1b2cd34, []byte{0, 0, 0, 2, 8, 0, 0, 0}
	}
	link := traces.LinkEthernet
	if len(packets) > 0 {
		link = packets[0].Link
	}
	b := e.AppendUint32(nil, magic)
	b = e.AppendUint16(e.AppendUint16(b, 2), 4)
	for _, v := range []uint32{0, 0, 262144, uint32(link)} {
		b = e.AppendUint32(b, v)
	}
	for _, p := range packets {
		for _, v := range []uint32{uint32(p.Time / 1e9), uint32(p.Time % 1e9 / unit), uint32(len(p.Data)), p.Wire} {
			b = e.AppendUint32(b, v)
		}
		b = append(append(b, more...), p.Data...)
	}
	return b
}

// order returns the byte order of the given kind.
func order(big bool) interface {
	binary.ByteOrder
	binary.AppendByteOrder
} {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Record is one ERF record.
type Record struct {
	Time  int64 // nanoseconds since the epoch
	Type  uint8 // without the bit for extension headers
	Flags uint8
	Lost  uint16 // or colour
	Wire  uint16
	Ext   [][8]byte // extension headers; the bits for further ones are set by Bytes
	Body  []byte    // what follows the headers
}

// The ERF record types that most packets have.
const (
	ERFHDLC = 1
	ERFEth  = 2
	ERFAAL5 = 4
	ERFIPv4 = 22
	ERFIPv6 = 23
	ERFMeta = 27
)

// erfStamp returns a time as seconds with 32 bits after the point.
func erfStamp(ns int64) uint64 { return uint64(ns/1e9)<<32 | (uint64(ns%1e9)<<32+5e8)/1e9 }

// Bytes returns the record's octets. Its length is not rounded up.
func (r Record) Bytes() []byte {
	b := binary.LittleEndian.AppendUint64(nil, erfStamp(r.Time))
	kind := r.Type
	if len(r.Ext) > 0 {
		kind |= 0x80
	}
	b = append(b, kind, r.Flags)
	for _, v := range []uint16{uint16(16 + 8*len(r.Ext) + len(r.Body)), r.Lost, r.Wire} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	for i, x := range r.Ext {
		if x[0] &= 0x7f; i < len(r.Ext)-1 {
			x[0] |= 0x80
		}
		b = append(b, x[:]...)
	}
	return append(b, r.Body...)
}

// ERF returns an ERF file of packets that are Ethernet, PPP or Cisco HDLC,
// AAL5, IPv4 or IPv6. Wire lengths of Ethernet get four octets more for the
// frame check sequence, which is not among the captured octets.
func ERF(packets ...traces.Packet) []byte {
	var b []byte
	for _, p := range packets {
		r := Record{Time: p.Time, Flags: 4 | uint8(p.Interface-1)&3, Wire: uint16(p.Wire), Body: p.Data}
		switch p.Link {
		case traces.LinkEthernet:
			r.Type, r.Wire, r.Body = ERFEth, r.Wire+4, join([]byte{0, 0}, p.Data...)
		case traces.LinkPPPHDLC, traces.LinkCiscoHDLC:
			r.Type = ERFHDLC
		case traces.LinkATM:
			r.Type, r.Wire, r.Body = ERFAAL5, r.Wire+4, join([]byte{0, 0, 0, 0}, p.Data...)
		case traces.LinkIPv4:
			r.Type = ERFIPv4
		case traces.LinkIPv6:
			r.Type = ERFIPv6
		default:
			panic("tracetest: ERF of " + p.Link.String())
		}
		b = append(b, r.Bytes()...)
	}
	return b
}

// Cut returns the first n octets of b.
func Cut(b []byte, n int) []byte { return append([]byte(nil), b[:n]...) }

// Flip returns b with the bits of mask turned over in octet i.
func Flip(b []byte, i int, mask byte) []byte {
	b = append([]byte(nil), b...)
	b[i] ^= mask
	return b
}
