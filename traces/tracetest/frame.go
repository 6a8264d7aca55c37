// Package tracetest builds frames and traces for tests and benchmarks, the
// same ones every time.
//
// A Frame is written layer by layer, from the outside in; lengths, protocol
// numbers and checksums are filled in when it is turned into octets:
//
//	tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").VLAN(5).
//		IPv4("10.0.0.1", "10.0.0.2").TCP(1234, 80, tracetest.SYN).Payload(10).Bytes()
//
// PCAP, PCAPNG, ERF, Snoop, TSH and the functions of DAG's legacy formats write
// packets as whole files, Relink makes them those of other links, NG, Record
// and Cell build odd files piece by piece, and Cut and Flip damage them.
// Workloads are large traces to measure programs with.
// Arguments that make no sense panic: they are mistakes of the test.
package tracetest

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Frame is a packet that is being described. Its methods add a layer inside
// the last one and return the longer frame; the shorter one stays usable. The
// zero Frame has no layers, for packets that begin with IP or PPP.
type Frame struct {
	layers []layer
}

// layer puts a header before what it carries.
type layer func(in inner) inner

// inner is what a layer carries: its octets, and the numbers by which the
// various layers name it.
type inner struct {
	data  []byte
	ether uint16 // its Ethertype, which SNAP and Cisco HDLC use too
	ppp   uint16
	ip    uint8
	llc   bool // it is an LLC PDU: Ethernet has its length in the type field
	mpls  bool // it is an MPLS label, so this is not the bottom of the stack
	sum   *sum // the checksum that an IP header's addresses are part of
}

// sum is a transport header's checksum that is not computed yet.
type sum struct {
	proto uint8
	tail  int // octets from the header's begin to the end of the packet
	at    int // octets from the header's begin to the checksum
}

func (f Frame) with(l layer) Frame {
	return Frame{append(f.layers[:len(f.layers):len(f.layers)], l)}
}

// Bytes returns the frame's octets.
func (f Frame) Bytes() []byte {
	var in inner
	for i := len(f.layers) - 1; i >= 0; i-- {
		in = f.layers[i](in)
	}
	return in.data
}

// join returns a and b in a new slice.
func join(a []byte, b ...byte) []byte {
	return append(a[:len(a):len(a)], b...)
}

func be16(b []byte, v int) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }

// Payload adds n octets: 0, 1, 2 and so on.
func (f Frame) Payload(n int) Frame {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return f.Raw(0, b)
}

// Raw adds any octets, by the protocol number under which the layer outside
// knows them: an Ethertype, a PPP or IP protocol, or none.
func (f Frame) Raw(proto int, b []byte) Frame {
	return f.with(func(in inner) inner {
		return inner{data: join(b, in.data...), ether: uint16(proto), ppp: uint16(proto), ip: uint8(proto)}
	})
}

// Eth begins a frame with an Ethernet header.
func Eth(src, dst string) Frame { return Frame{}.Eth(src, dst) }

// Eth adds an Ethernet header. In front of LLC it is an IEEE 802.3 one.
func (f Frame) Eth(src, dst string) Frame {
	head := join(mac(dst), mac(src)...)
	return f.with(func(in inner) inner {
		return inner{data: join(etherType(head, in), in.data...)}
	})
}

func mac(s string) []byte {
	a, err := net.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return a
}

// etherType appends in's type to head, or its length when it is LLC.
func etherType(head []byte, in inner) []byte {
	head = join(head)
	if in.llc {
		return be16(head, len(in.data))
	}
	return be16(head, int(in.ether))
}

// VLAN adds an IEEE 802.1Q tag, given as its control information: the VLAN's
// number in the low 12 bits, the priority in the high 3.
func (f Frame) VLAN(tci int) Frame { return f.tag(0x8100, tci) }

// QinQ adds an IEEE 802.1ad service tag, given like VLAN's.
func (f Frame) QinQ(tci int) Frame { return f.tag(0x88a8, tci) }

func (f Frame) tag(ether uint16, tci int) Frame {
	return f.with(func(in inner) inner {
		return inner{data: join(etherType(be16(nil, tci), in), in.data...), ether: ether}
	})
}

// LLC adds an IEEE 802.2 header with a control field of one octet.
func (f Frame) LLC(dsap, ssap, control byte) Frame {
	return f.with(func(in inner) inner {
		return inner{data: join([]byte{dsap, ssap, control}, in.data...), llc: true}
	})
}

// SNAP adds LLC and SNAP headers with the organisation code of Ethertypes.
func (f Frame) SNAP() Frame {
	return f.with(func(in inner) inner {
		head := be16([]byte{0xaa, 0xaa, 3, 0, 0, 0}, int(in.ether))
		return inner{data: join(head, in.data...), llc: true}
	})
}

// MPLS adds a label stack entry with a time to live of 64.
func (f Frame) MPLS(label int) Frame {
	return f.with(func(in inner) inner {
		entry := uint32(label)<<12 | 64
		if !in.mpls {
			entry |= 1 << 8
		}
		head := binary.BigEndian.AppendUint32(nil, entry)
		return inner{data: join(head, in.data...), ether: 0x8847, ppp: 0x0281, mpls: true}
	})
}

// PPPoE adds the header of a PPPoE session and a PPP protocol number (RFC
// 2516).
func (f Frame) PPPoE(session int) Frame {
	return f.with(func(in inner) inner {
		head := be16(be16(be16([]byte{0x11, 0}, session), len(in.data)+2), int(in.ppp))
		return inner{data: join(head, in.data...), ether: 0x8864}
	})
}

// PPP adds the address, control and protocol fields of PPP in HDLC-like
// framing (RFC 1662).
func (f Frame) PPP() Frame {
	return f.with(func(in inner) inner {
		return inner{data: join(be16([]byte{0xff, 0x03}, int(in.ppp)), in.data...)}
	})
}

// CiscoHDLC adds a Cisco HDLC header.
func (f Frame) CiscoHDLC() Frame {
	return f.with(func(in inner) inner {
		return inner{data: join(be16([]byte{0x0f, 0}, int(in.ether)), in.data...)}
	})
}

// IP holds what an IP header may have beside its addresses.
type IP struct {
	TOS     uint8  // type of service, or traffic class
	TTL     uint8  // time to live, or hop limit; 0 stands for 64
	ID      uint16 // identification (IPv4)
	Options []byte // options, a multiple of four octets (IPv4)
	Offset  int    // of a fragment, in octets, a multiple of eight (IPv4)
	More    bool   // more fragments follow (IPv4)
}

// IPv4 adds an IPv4 header.
func (f Frame) IPv4(src, dst string, with ...IP) Frame {
	o := first(with)
	a, b := netip.MustParseAddr(src).As4(), netip.MustParseAddr(dst).As4()
	if len(o.Options)%4 != 0 || o.Offset%8 != 0 {
		panic("tracetest: IPv4 options or fragment offset")
	}
	return f.with(func(in inner) inner {
		size := 20 + len(o.Options)
		fragment := o.Offset / 8
		if o.More {
			fragment |= 0x2000
		}
		h := be16([]byte{0x40 | byte(size/4), o.TOS}, size+len(in.data))
		h = be16(be16(h, int(o.ID)), fragment)
		h = append(h, o.TTL, in.ip, 0, 0)
		h = append(append(append(h, a[:]...), b[:]...), o.Options...)
		binary.BigEndian.PutUint16(h[10:], checksum(h, 0))
		if o.Offset == 0 {
			in.finish(a[:], b[:])
		}
		return inner{data: join(h, in.data...), ether: 0x0800, ppp: 0x0021, ip: 4}
	})
}

// IPv6 adds an IPv6 header; of with only TOS and TTL count.
func (f Frame) IPv6(src, dst string, with ...IP) Frame {
	o := first(with)
	a, b := netip.MustParseAddr(src).As16(), netip.MustParseAddr(dst).As16()
	return f.with(func(in inner) inner {
		h := binary.BigEndian.AppendUint32(nil, 6<<28|uint32(o.TOS)<<20)
		h = append(be16(h, len(in.data)), in.ip, o.TTL)
		h = append(append(h, a[:]...), b[:]...)
		in.finish(a[:], b[:])
		return inner{data: join(h, in.data...), ether: 0x86dd, ppp: 0x0057, ip: 41}
	})
}

func first(with []IP) (o IP) {
	if len(with) > 0 {
		o = with[0]
	}
	if o.TTL == 0 {
		o.TTL = 64
	}
	return o
}

// The numbers of the IPv6 extension headers that Ext adds.
const (
	HopByHop     = 0
	Routing      = 43
	Auth         = 51
	Destination  = 60
	ipv6Fragment = 44
)

// Ext adds an IPv6 extension header of the given number, whose body is padded
// to a whole number of eight octets.
func (f Frame) Ext(number uint8, body ...byte) Frame {
	return f.with(func(in inner) inner {
		h := join([]byte{in.ip, 0}, body...)
		for len(h)%8 != 0 {
			h = append(h, 0)
		}
		if h[1] = byte(len(h)/8 - 1); number == Auth { // RFC 4302 section 2.2
			h[1] = byte(len(h)/4 - 2)
		}
		return inner{data: join(h, in.data...), ip: number, sum: in.sum}
	})
}

// Fragment6 adds an IPv6 fragment header; offset is in octets, a multiple of
// eight.
func (f Frame) Fragment6(offset int, more bool, id uint32) Frame {
	if offset%8 != 0 {
		panic("tracetest: IPv6 fragment offset")
	}
	return f.with(func(in inner) inner {
		field := offset
		if more {
			field |= 1
		}
		h := binary.BigEndian.AppendUint32(be16([]byte{in.ip, 0}, field), id)
		out := inner{data: join(h, in.data...), ip: ipv6Fragment}
		if offset == 0 {
			out.sum = in.sum
		}
		return out
	})
}

// The flags of a TCP header.
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// TCP adds a TCP header; seqAck are the sequence and acknowledgement numbers,
// zero when left out.
func (f Frame) TCP(src, dst int, flags uint8, seqAck ...uint32) Frame {
	n := append(seqAck[:len(seqAck):len(seqAck)], 0, 0)
	return f.with(func(in inner) inner {
		h := be16(be16(nil, src), dst)
		h = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(h, n[0]), n[1])
		h = append(h, 5<<4, flags, 0x20, 0, 0, 0, 0, 0)
		return in.under(h, 6, 16)
	})
}

// UDP adds a UDP header.
func (f Frame) UDP(src, dst int) Frame {
	return f.with(func(in inner) inner {
		h := be16(be16(be16(nil, src), dst), 8+len(in.data))
		return in.under(append(h, 0, 0), 17, 6)
	})
}

// ICMP adds an ICMP header of eight octets, with four of identifier and
// sequence number that are zero.
func (f Frame) ICMP(kind, code byte) Frame {
	return f.with(func(in inner) inner {
		b := join([]byte{kind, code, 0, 0, 0, 0, 0, 0}, in.data...)
		binary.BigEndian.PutUint16(b[2:], checksum(b, 0))
		return inner{data: b, ip: 1}
	})
}

// ICMPv6 adds the same as ICMP, for IPv6.
func (f Frame) ICMPv6(kind, code byte) Frame {
	return f.with(func(in inner) inner {
		return in.under([]byte{kind, code, 0, 0, 0, 0, 0, 0}, 58, 2)
	})
}

// under puts a transport header before in, whose checksum stands at an offset
// in it and covers a pseudo header.
func (in inner) under(head []byte, proto uint8, at int) inner {
	b := join(head, in.data...)
	return inner{data: b, ip: proto, sum: &sum{proto: proto, tail: len(b), at: at}}
}

// finish computes the checksum that in's transport header has, between two
// addresses.
func (in inner) finish(src, dst []byte) {
	if in.sum == nil {
		return
	}
	b := in.data[len(in.data)-in.sum.tail:]
	c := checksum(b, partial(src, partial(dst, uint32(in.sum.proto)+uint32(len(b)))))
	if c == 0 && in.sum.proto == 17 {
		c = 0xffff // RFC 768: zero means that there is none
	}
	binary.BigEndian.PutUint16(b[in.sum.at:], c)
}

// partial adds b's 16-bit words to an Internet checksum in the making.
func partial(b []byte, sum uint32) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

// checksum returns the Internet checksum (RFC 1071) of b and what sum holds.
func checksum(b []byte, sum uint32) uint16 {
	for sum = partial(b, sum); sum > 0xffff; {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
