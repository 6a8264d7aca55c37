package acceptance

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// sharkFields are what tshark is asked for about each frame, all occurrences of
// each.
var sharkFields = []string{
	"frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols",
	"ip.src", "ip.dst", "ip.proto", "ip.len", "ip.hdr_len", "ip.id", "ip.ttl", "ip.frag_offset",
	"ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.plen", "ipv6.hlim", "ipv6.fraghdr.offset", "ipv6.fraghdr.nxt",
	"ipv6.hopopts.nxt", "ipv6.routing.nxt", "ipv6.dstopts.nxt", "ah.next_header",
	"tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.flags", "tcp.window_size_value", "tcp.stream",
	"udp.srcport", "udp.dstport", "udp.length",
	"tcp.analysis.retransmission", "tcp.analysis.fast_retransmission", "tcp.analysis.spurious_retransmission",
	"tcp.analysis.out_of_order", "tcp.analysis.lost_segment", "tcp.analysis.keep_alive",
	"tcp.analysis.zero_window", "tcp.analysis.zero_window_probe", "tcp.analysis.window_full", "tcp.analysis.reused_ports",
	"dns.time", "icmp.resptime",
	"tcp.hdr_len", "mip6.proto", "mip6.hlen",
	"ipv6.hopopts.len_oct", "ipv6.routing.len_oct", "ipv6.dstopts.len_oct", "ah.length", "snmp.time",
}

// An extension is what tshark calls the fields of an extension header of IPv6: what
// follows, and a number that tells the header's length.
type extension struct {
	next, length string
	octets       func(n uint64) uint64
}

// extensions are those headers by their names among frame.protocols.
var extensions = map[string]extension{
	"ipv6.hopopts": {"ipv6.hopopts.nxt", "ipv6.hopopts.len_oct", asItIs},
	"ipv6.routing": {"ipv6.routing.nxt", "ipv6.routing.len_oct", asItIs},
	"ipv6.dstopts": {"ipv6.dstopts.nxt", "ipv6.dstopts.len_oct", asItIs},
	"ipv6.fraghdr": {"ipv6.fraghdr.nxt", "ipv6.fraghdr.nxt", func(uint64) uint64 { return 8 }},
	"ah":           {"ah.next_header", "ah.length", func(n uint64) uint64 { return 4 * (n + 2) }},
	"mipv6":        {"mip6.proto", "mip6.hlen", func(n uint64) uint64 { return 8 * (n + 1) }},
}

func asItIs(n uint64) uint64 { return n }

// A sharkPacket is what tshark says of a frame with IP, of its outermost IP
// header and what this carries.
type sharkPacket struct {
	frame        int
	time         int64 // nanoseconds; the latest so far if it is earlier
	octets       uint64
	source, dest endpoint // without ports in later fragments
	protocol     uint8
	version      int
	id, hops     uint64
	payload      int64 // octets behind the header of TCP or UDP; -1 if that does not count
	segment      *sharkSegment
	alone        bool   // there is no other TCP header in the frame
	stream       string // as tshark numbers those of TCP, in tunnels too
	noted        map[string]bool
	pairs        map[string]string // dns.time and so on
	verdict      verdict
}

// A sharkSegment is a TCP header.
type sharkSegment struct {
	seq, ack uint32
	octets   uint32
	flags    uint8
	window   uint64
}

// sharkPackets asks tshark for the packets of a trace, and the time at its end. Of each
// frame fcs octets are no part.
func sharkPackets(tshark, trace string, fcs uint64) (packets []sharkPacket, end int64, err error) {
	args := []string{"-n", "-r", trace}
	for _, off := range []string{"ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams", "tcp.relative_sequence_numbers"} {
		args = append(args, "-o", off+":FALSE")
	}
	args = append(args, "-T", "fields")
	for _, f := range sharkFields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) { // it may have failed at the trace's end
		return nil, 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	latest := int64(0)
	for n := 1; lines.Scan(); n++ {
		line := newSharkLine(lines.Text())
		t, err := parseTime(cmp.Or(line.first("frame.time_epoch"), "0")) // it may have none
		if err != nil {
			return nil, 0, fmt.Errorf("frame %d: %w", n, err)
		}
		latest = max(latest, t)
		p, ok := line.packet()
		if !ok {
			continue
		}
		p.frame, p.time, p.octets = n, latest, line.number("frame.len")-fcs
		if line.err != nil {
			return nil, 0, fmt.Errorf("frame %d: %w", n, line.err)
		}
		packets = append(packets, p)
	}
	return packets, latest, lines.Err()
}

// A sharkLine is what tshark prints of a frame.
type sharkLine struct {
	values map[string][]string
	err    error // the first
}

func newSharkLine(text string) *sharkLine {
	l := &sharkLine{values: map[string][]string{}}
	for i, v := range strings.Split(text, "\t") {
		if v != "" && i < len(sharkFields) {
			l.values[sharkFields[i]] = strings.Split(v, ",")
		}
	}
	return l
}

// first returns the first value of a field, "" if there is none.
func (l *sharkLine) first(field string) string {
	if v := l.values[field]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// number returns the first value of a field as a number, decimal or hexadecimal.
func (l *sharkLine) number(field string) uint64 {
	n, err := strconv.ParseUint(l.first(field), 0, 64)
	if err != nil {
		l.err = cmp.Or(l.err, fmt.Errorf("%s: %w", field, err))
	}
	return n
}

// address returns the first value of a field as an address.
func (l *sharkLine) address(field string) endpoint {
	a, err := netip.ParseAddr(l.first(field))
	l.err = cmp.Or(l.err, err)
	return endpoint{addr: a}
}

// packet returns what the line says of an IP packet; false if it is none.
func (l *sharkLine) packet() (p sharkPacket, ok bool) {
	layers := strings.Split(l.first("frame.protocols"), ":")
	outermost := slices.IndexFunc(layers, func(s string) bool { return s == "ip" || s == "ipv6" })
	if outermost < 0 || l.first(layers[outermost]+".src") == "" || l.first(layers[outermost]+".dst") == "" {
		return p, false
	}
	tcps := 0
	for _, layer := range layers {
		if layer == "tcp" {
			tcps++
		}
	}
	p.alone, p.stream = tcps == 1, l.first("tcp.stream")
	later, rest := false, int64(-1) // octets behind the IP headers
	layers, version := layers[outermost+1:], layers[outermost]
	p.source, p.dest = l.address(version+".src"), l.address(version+".dst")
	if version == "ip" {
		p.version, p.protocol = 4, uint8(l.number("ip.proto"))
		p.id, p.hops = l.number("ip.id"), l.number("ip.ttl")
		later = l.number("ip.frag_offset") != 0
		rest = int64(l.number("ip.len")) - int64(l.number("ip.hdr_len"))
	} else {
		p.version, p.hops = 6, l.number("ipv6.hlim")
		layers, rest, later = l.extensions(&p, layers)
	}
	p.payload = -1
	if later || len(layers) == 0 {
		return p, true
	}
	switch {
	case p.protocol == 6 && layers[0] == "tcp" && l.first("tcp.srcport") != "":
		l.segment(&p, rest)
	case (p.protocol == 17 || p.protocol == 136) && strings.HasPrefix(layers[0], "udp") && l.first("udp.srcport") != "":
		p.source.port, p.dest.port = uint16(l.number("udp.srcport")), uint16(l.number("udp.dstport"))
		if rest <= 0 { // not told, with segmentation offload
			rest = int64(l.number("udp.length"))
		}
		p.payload = max(rest-8, -1)
	}
	p.pairs = map[string]string{}
	for _, f := range []string{"dns.time", "icmp.resptime", "snmp.time"} {
		p.pairs[f] = l.first(f)
	}
	return p, true
}

// extensions finds the protocol behind the extension headers of IPv6, the layers
// from it on, the octets of these, and whether the packet is a later fragment.
func (l *sharkLine) extensions(p *sharkPacket, layers []string) (behind []string, rest int64, later bool) {
	p.protocol, rest = uint8(l.number("ipv6.nxt")), int64(l.number("ipv6.plen"))
	seen := map[string]int{}
	value := func(field string, i int) uint64 {
		if i >= len(l.values[field]) {
			return 0
		}
		n, err := strconv.ParseUint(l.values[field][i], 0, 64)
		l.err = cmp.Or(l.err, err)
		return n
	}
	for ; len(layers) > 0 && !later; layers = layers[1:] {
		e, ok := extensions[layers[0]]
		i := seen[layers[0]]
		if !ok || i >= len(l.values[e.next]) {
			break
		}
		seen[layers[0]]++
		p.protocol = uint8(value(e.next, i))
		if rest > 0 {
			rest = max(1, rest-int64(e.octets(value(e.length, i))))
		}
		later = layers[0] == "ipv6.fraghdr" && value("ipv6.fraghdr.offset", i) != 0
	}
	return layers, rest, later
}

// segment reads a TCP header, which with its data has so many octets by the lengths of
// IP. What tshark says of the data's length is no more than the frame has.
func (l *sharkLine) segment(p *sharkPacket, octets int64) {
	p.source.port, p.dest.port = uint16(l.number("tcp.srcport")), uint16(l.number("tcp.dstport"))
	if l.first("tcp.flags") == "" || l.first("tcp.len") == "" {
		return // cut before
	}
	s := &sharkSegment{
		seq: uint32(l.number("tcp.seq_raw")), ack: uint32(l.number("tcp.ack_raw")), octets: uint32(l.number("tcp.len")),
		flags: uint8(l.number("tcp.flags")), window: l.number("tcp.window_size_value"),
	}
	if octets > 0 {
		s.octets = uint32(max(octets-int64(l.number("tcp.hdr_len")), 0))
	}
	p.segment, p.payload = s, int64(s.octets)
	p.noted = map[string]bool{}
	for _, f := range sharkFields {
		if note, ok := strings.CutPrefix(f, "tcp.analysis."); ok && l.first(f) != "" {
			p.noted[note] = true
		}
	}
}
