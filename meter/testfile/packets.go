package testfile

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/spell"
	"rtfm/traces/tracetest"
)

// gap is the time between packets that do not say otherwise.
const gap = time.Millisecond

// maxRepeat and maxTime bound how long tests take, and when their packets are.
const (
	maxRepeat = 10_000_000
	maxTime   = 10 * 365 * 24 * time.Hour
)

// packets is a packet, and that it comes several times.
type packets struct {
	at, every int64 // ns since the test began, and between them
	n         uint64
	data      []byte
	iface     uint32
}

// described is a packet in the making.
type described struct {
	proto    uint64 // of IP
	ether    uint64 // the Ethertype if it is no IP packet, else 0
	src, dst netip.AddrPort
	code     uint64 // of ICMP, whose type is src's port
	swapped  bool
	flags    uint8
	seq, ack uint64
	octets   uint64 // 0 for no more than its headers
	payload  []byte
	mac      [2]string
	vlan     uint64
	priority uint64
	tagged   bool
	dscp     uint64
	ecn      uint64
	ttl      uint64
	iface    uint64
	repeat   uint64
	every    time.Duration
	at       int64
}

// line goes through the words of a packet.
type line struct {
	*parser
	words []word
	end   int // column behind the last
	d     *described
}

// next returns the next word, which is empty at the end of the line.
func (l *line) next() word {
	if len(l.words) == 0 {
		return word{"", l.end}
	}
	w := l.words[0]
	l.words = l.words[1:]
	l.end = w.col + len(w.text)
	return w
}

// packets reads a line of packets.
func (p *parser) packets(words []word) {
	d := described{ttl: 64, iface: 1, repeat: 1, every: gap, at: p.clock + int64(gap), mac: [2]string{"02:00:00:00:00:01", "02:00:00:00:00:02"}}
	l := line{p, words, 0, &d}
	before := len(p.faults)
	if l.protocol() {
		l.options()
	}
	if len(p.faults) > before {
		return
	}
	frame, fault := d.frame()
	if d.at > int64(maxTime) || d.repeat > 1 && int64(d.every) > int64(maxTime)/int64(d.repeat) {
		fault = "packets are ten years after the first at most"
	}
	if fault != "" {
		p.fault(words[0].col, "%s", fault)
		return
	}
	p.clock = d.at + int64(d.repeat-1)*int64(d.every)
	p.test.packets = append(p.test.packets, packets{at: d.at, every: int64(d.every), n: d.repeat, data: frame, iface: uint32(d.iface)})
}

// The protocols that have ports, or type and code.
const (
	icmp   = 1
	tcp    = 6
	udp    = 17
	icmpv6 = 58
)

// protocol reads what the packet is, and its addresses.
func (l *line) protocol() bool {
	w := l.next()
	switch name := strings.ToLower(w.text); name {
	case "arp":
		l.d.ether = 0x0806
		return true
	case "ether":
		t := l.next()
		n, err := strconv.ParseUint(t.text, 0, 16)
		if err != nil || n < 0x600 {
			l.fault(t.col, "expected an Ethertype such as 0x88cc behind ether")
			return false
		}
		l.d.ether = n
		return true
	case "proto":
		ok := false
		if l.d.proto, ok = l.number(l.next(), "a protocol's number behind proto", 0, 255); !ok {
			return false
		}
	default:
		v, ok := attr.ValueName(attr.SourceTransType, name)
		if !ok {
			known := append(attr.ValueNames(attr.SourceTransType), "flows", "trace", "arp", "ether", "proto")
			l.fault(w.col, "%s: expected a protocol such as tcp, TRACE or FLOWS", spell.Unknown("protocol", w.text, known))
			return false
		}
		l.d.proto = v.Uint()
	}
	return l.ends()
}

// ends reads source and destination.
func (l *line) ends() bool {
	a, arrow, b := l.next(), l.next(), l.next()
	if arrow.text != ">" && arrow.text != "<" {
		l.fault(arrow.col, "expected > or < between two addresses")
		return false
	}
	l.d.swapped = arrow.text == "<"
	var ok1, ok2 bool
	l.d.src, ok1 = l.address(a)
	l.d.dst, ok2 = l.address(b)
	if !ok1 || !ok2 {
		return false
	}
	if l.d.src.Addr().Is4() != l.d.dst.Addr().Is4() {
		l.fault(a.col, "one address is of IPv4, the other of IPv6")
		return false
	}
	if l.d.proto == icmp && !l.d.src.Addr().Is4() || l.d.proto == icmpv6 && l.d.src.Addr().Is4() {
		l.fault(a.col, "icmp has addresses of IPv4, icmpv6 those of IPv6")
		return false
	}
	if l.d.proto == icmp || l.d.proto == icmpv6 {
		return l.kind()
	}
	return true
}

// address reads an address, with its port if there are any.
func (l *line) address(w word) (netip.AddrPort, bool) {
	if l.d.proto != tcp && l.d.proto != udp {
		a, err := netip.ParseAddr(w.text)
		if err != nil || a.Zone() != "" {
			l.fault(w.col, "expected an address, found %q", w.text)
		}
		return netip.AddrPortFrom(a, 0), err == nil
	}
	host, service, err := net.SplitHostPort(w.text)
	a, err2 := netip.ParseAddr(host)
	if err != nil || err2 != nil || a.Zone() != "" || strings.Contains(w.text, "[") != a.Is6() {
		l.fault(w.col, "expected an address and a port such as 10.0.0.1:80 or [2001:db8::1]:80, found %q", w.text)
		return netip.AddrPort{}, false
	}
	n, ok := l.named(word{service, w.col + len(w.text) - len(service)}, "port", attr.DestTransAddress, 0xffff)
	return netip.AddrPortFrom(a, uint16(n)), ok
}

// kind reads type and code of ICMP.
func (l *line) kind() bool {
	n, ok := l.named(l.next(), "type of ICMP such as echo-request", attr.SourceTransAddress, 255)
	l.d.src = netip.AddrPortFrom(l.d.src.Addr(), uint16(n))
	if ok && len(l.words) > 0 && l.words[0].text == "code" {
		l.next()
		l.d.code, ok = l.named(l.next(), "code of ICMP", attr.DestTransAddress, 255)
	}
	return ok
}

// named reads a number up to last, or a name that values of an attribute have.
func (l *line) named(w word, what string, a attr.Attr, last uint64) (uint64, bool) {
	if n, err := strconv.ParseUint(w.text, 10, 64); err == nil && n <= last {
		return n, true
	}
	if v, ok := attr.ValueName(a, w.text); ok && v.Uint() <= last {
		return v.Uint(), true
	}
	if w.text == "" || w.text[0] >= '0' && w.text[0] <= '9' {
		l.fault(w.col, "expected a %s, or a number up to %d", what, last)
		return 0, false
	}
	l.fault(w.col, "%s", spell.Unknown(what, w.text, attr.ValueNames(a)))
	return 0, false
}

// number reads a number from first to last.
func (p *parser) number(w word, what string, first, last uint64) (uint64, bool) {
	n, err := strconv.ParseUint(w.text, 10, 64)
	if err != nil || n < first || n > last {
		p.fault(w.col, "expected %s, from %d to %d", what, first, last)
		return 0, false
	}
	return n, true
}

// duration reads a time such as 20ms.
func (l *line) duration(what string) (time.Duration, bool) {
	w := l.next()
	d, err := time.ParseDuration(w.text)
	if err != nil || d < 0 || d > maxTime {
		l.fault(w.col, "expected a time such as 1.5s or 20ms behind %s", what)
		return 0, false
	}
	return d, true
}

// tcpFlags are the names of TCP's flags, and their bits.
var tcpFlags = map[string]uint8{"fin": tracetest.FIN, "syn": tracetest.SYN, "rst": tracetest.RST, "psh": tracetest.PSH, "ack": tracetest.ACK}

// options are the words that may follow, each with a number behind it.
var options = map[string]struct {
	to          func(*described) *uint64
	first, last uint64
}{
	"x":         {func(d *described) *uint64 { return &d.repeat }, 1, maxRepeat},
	"seq":       {func(d *described) *uint64 { return &d.seq }, 0, 1<<32 - 1},
	"ack":       {func(d *described) *uint64 { return &d.ack }, 0, 1<<32 - 1},
	"vlan":      {func(d *described) *uint64 { d.tagged = true; return &d.vlan }, 0, 4095},
	"priority":  {func(d *described) *uint64 { d.tagged = true; return &d.priority }, 0, 7},
	"ecn":       {func(d *described) *uint64 { return &d.ecn }, 0, 3},
	"ttl":       {func(d *described) *uint64 { return &d.ttl }, 1, 255},
	"interface": {func(d *described) *uint64 { return &d.iface }, 1, 0xffff},
}

// options reads what may follow the addresses.
func (l *line) options() {
	before := len(l.faults)
	for len(l.words) > 0 && len(l.faults) == before {
		w := l.next()
		switch name := strings.ToLower(w.text); {
		case name[0] == '[' && l.d.proto == tcp && l.d.ether == 0:
			l.flags(w)
		case name[0] >= '0' && name[0] <= '9':
			if l.d.octets, _ = l.number(w, "a number of octets", 1, 0xffff); !strings.EqualFold(l.next().text, "octets") {
				l.fault(w.col, "expected OCTETS behind the number %s", w.text)
			}
		case name == "at" || name == "after":
			if t, ok := l.duration(name); ok && name == "at" {
				l.d.at = int64(t)
			} else if ok {
				l.d.at = l.clock + int64(t)
			}
		case name == "every":
			l.d.every, _ = l.duration(name)
		case name == "dscp":
			l.d.dscp, _ = l.named(l.next(), "code point such as ef", attr.DSCodePoint, 63)
		case name == "mac":
			l.macs()
		case name == "payload":
			w := l.next()
			var err error
			if l.d.payload, err = hex.DecodeString(w.text); err != nil || w.text == "" {
				l.fault(w.col, "expected octets in hexadecimal behind payload")
			}
		default:
			o, known := options[name]
			if !known {
				words := append(slices.Collect(maps.Keys(options)), "at", "after", "every", "dscp", "mac", "payload")
				l.fault(w.col, "expected [flags], N octets, x N, at TIME and the like, found %s%s", w.text, hint(name, words...))
				return
			}
			*o.to(l.d), _ = l.number(l.next(), "a number behind "+name, o.first, o.last)
		}
	}
}

// flags reads flags of TCP, of which w is the first.
func (l *line) flags(w word) {
	for first := true; ; first = false {
		name := strings.ToLower(w.text)
		if first {
			name = name[1:]
		}
		name, last := strings.CutSuffix(name, "]")
		for _, one := range strings.FieldsFunc(name, func(r rune) bool { return r == ',' }) {
			bit, known := tcpFlags[one]
			if !known {
				l.fault(w.col, "expected flags of TCP such as [syn ack], found %s", w.text)
				return
			}
			l.d.flags |= bit
		}
		if last {
			return
		}
		if w = l.next(); w.text == "" {
			l.fault(w.col, "expected ] behind the flags of TCP")
			return
		}
	}
}

// macs reads source and destination of Ethernet.
func (l *line) macs() {
	for i := range l.d.mac {
		w := l.next()
		if w.text == ">" && i == 1 {
			w = l.next()
		}
		a, err := net.ParseMAC(w.text)
		if err != nil || len(a) != 6 {
			l.fault(w.col, "expected a MAC address such as 02:00:00:00:00:01")
			return
		}
		l.d.mac[i] = a.String()
	}
}

// frame builds the packet, or says why there is none.
func (d *described) frame() (frame []byte, fault string) {
	build := func(payload []byte) []byte {
		src, dst := d.src, d.dst
		mac := d.mac
		if d.swapped {
			mac[0], mac[1] = mac[1], mac[0]
			if src, dst = dst, src; d.proto == icmp || d.proto == icmpv6 {
				src, dst = netip.AddrPortFrom(src.Addr(), d.src.Port()), netip.AddrPortFrom(dst.Addr(), 0)
			}
		}
		f := tracetest.Eth(mac[0], mac[1])
		if d.tagged {
			f = f.VLAN(int(d.priority<<13 | d.vlan))
		}
		if d.ether != 0 {
			return f.Raw(int(d.ether), payload).Bytes()
		}
		ip := tracetest.IP{TOS: uint8(d.dscp<<2 | d.ecn), TTL: uint8(d.ttl)}
		if src.Addr().Is4() {
			f = f.IPv4(src.Addr().String(), dst.Addr().String(), ip)
		} else {
			f = f.IPv6(src.Addr().String(), dst.Addr().String(), ip)
		}
		switch d.proto {
		case tcp:
			f = f.TCP(int(src.Port()), int(dst.Port()), d.flags, uint32(d.seq), uint32(d.ack))
		case udp:
			f = f.UDP(int(src.Port()), int(dst.Port()))
		case icmp:
			f = f.ICMP(byte(src.Port()), byte(d.code))
		case icmpv6:
			f = f.ICMPv6(byte(src.Port()), byte(d.code))
		}
		return f.Raw(int(d.proto), payload).Bytes()
	}
	frame = build(d.payload)
	if d.octets == 0 {
		return frame, ""
	}
	if int(d.octets) < len(frame) {
		return nil, fmt.Sprintf("headers and payload have %d octets, more than %d", len(frame), d.octets)
	}
	return build(append(d.payload[:len(d.payload):len(d.payload)], make([]byte, int(d.octets)-len(frame))...)), ""
}
