package tracetest

import "rtfm/traces"

// NG is a pcapng file that is being built. Each section begins with Section,
// which says in which byte order the blocks after it are.
type NG struct {
	b   []byte
	big bool
}

// Bytes returns the file so far.
func (g *NG) Bytes() []byte { return g.b }

// Section begins a section.
func (g *NG) Section(big bool) *NG {
	g.big = big
	e := order(big)
	body := e.AppendUint32(nil, 0x1a2b3c4d)
	body = e.AppendUint16(e.AppendUint16(body, 1), 0)
	return g.Block(0x0a0d0d0a, e.AppendUint64(body, 1<<64-1))
}

// Interface adds an interface to the section. The options are codes and
// values, see Option.
func (g *NG) Interface(link traces.LinkType, snap uint32, options ...[]byte) *NG {
	e := order(g.big)
	body := e.AppendUint16(e.AppendUint16(nil, uint16(link)), 0)
	return g.Block(1, g.close(e.AppendUint32(body, snap), options))
}

// Option returns an option of a block in the section.
func (g *NG) Option(code uint16, value ...byte) []byte {
	e := order(g.big)
	return pad(append(e.AppendUint16(e.AppendUint16(nil, code), uint16(len(value))), value...))
}

// Resolution returns an interface's option for its unit of time, as pcapng
// writes it: n for 10 to the -n seconds, n with the high bit set for 2 to the
// -n.
func (g *NG) Resolution(n uint8) []byte { return g.Option(9, n) }

// Offset returns an interface's option for the second that its times count
// from.
func (g *NG) Offset(seconds int64) []byte {
	return g.Option(14, order(g.big).AppendUint64(nil, uint64(seconds))...)
}

// Packet adds an Enhanced Packet Block, its time in the interface's units.
func (g *NG) Packet(iface uint32, units uint64, data []byte, wire uint32) *NG {
	e := order(g.big)
	var body []byte
	for _, v := range []uint32{iface, uint32(units >> 32), uint32(units), uint32(len(data)), wire} {
		body = e.AppendUint32(body, v)
	}
	return g.Block(6, pad(append(body, data...)))
}

// OldPacket adds an obsolete Packet Block; lost is the number of packets that
// were dropped before it.
func (g *NG) OldPacket(iface, lost uint16, units uint64, data []byte, wire uint32) *NG {
	e := order(g.big)
	body := e.AppendUint16(e.AppendUint16(nil, iface), lost)
	for _, v := range []uint32{uint32(units >> 32), uint32(units), uint32(len(data)), wire} {
		body = e.AppendUint32(body, v)
	}
	return g.Block(2, pad(append(body, data...)))
}

// Simple adds a Simple Packet Block.
func (g *NG) Simple(data []byte, wire uint32) *NG {
	return g.Block(3, pad(append(order(g.big).AppendUint32(nil, wire), data...)))
}

// Dropped adds an Interface Statistics Block that tells how many packets have
// been dropped since the capture began.
func (g *NG) Dropped(iface uint32, n uint64) *NG {
	e := order(g.big)
	body := e.AppendUint64(e.AppendUint32(nil, iface), 0)
	return g.Block(5, g.close(body, [][]byte{g.Option(5, e.AppendUint64(nil, n)...)}))
}

// Block adds a block of any type; its body is a multiple of four octets long.
func (g *NG) Block(kind uint32, body []byte) *NG {
	e := order(g.big)
	size := uint32(12 + len(body))
	g.b = append(e.AppendUint32(e.AppendUint32(g.b, kind), size), body...)
	g.b = e.AppendUint32(g.b, size)
	return g
}

// close appends options, and what ends them, to a block's body.
func (g *NG) close(body []byte, options [][]byte) []byte {
	for _, o := range options {
		body = append(body, o...)
	}
	if len(options) > 0 {
		body = append(body, g.Option(0)...)
	}
	return body
}

// pad appends zeros until b's length is a multiple of four.
func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// PCAPNG returns a pcapng file of one section, with nanoseconds. It has as many
// interfaces as the packets name, each with the link type of its first packet,
// Ethernet when it has none.
func PCAPNG(big bool, packets ...traces.Packet) []byte {
	var links []traces.LinkType
	for i := len(packets) - 1; i >= 0; i-- {
		for uint32(len(links)) < packets[i].Interface {
			links = append(links, traces.LinkEthernet)
		}
		links[packets[i].Interface-1] = packets[i].Link
	}
	g := new(NG).Section(big)
	for _, l := range links {
		g.Interface(l, 0, g.Resolution(9))
	}
	for _, p := range packets {
		g.Packet(p.Interface-1, uint64(p.Time), p.Data, p.Wire)
	}
	return g.Bytes()
}
