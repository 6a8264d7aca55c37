package netflow

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/meter/packet"
	"rtfm/traces"
)

// bytes of numbers in network order, each of the width that its type has.
func octets(values ...any) (b []byte) {
	for _, v := range values {
		switch v := v.(type) {
		case int: // most fields have two octets
			b = binary.BigEndian.AppendUint16(b, uint16(v))
		case []byte:
			b = append(b, v...)
		case string:
			a := netip.MustParseAddr(v)
			b = append(b, a.AsSlice()...)
		default:
			var err error
			if b, err = binary.Append(b, binary.BigEndian, v); err != nil {
				panic(err)
			}
		}
	}
	return b
}

// set returns a set with its header.
func set(id int, body ...any) []byte {
	b := octets(body...)
	return octets(id, 4+len(b), b)
}

// v9Datagram returns a datagram of NetFlow 9, ipfixMessage one of IPFIX.
func v9Datagram(uptime, sequence, source uint32, sets ...[]byte) []byte {
	b := octets(9, len(sets), uptime, uint32(1_700_000_000), sequence, source)
	for _, s := range sets {
		b = append(b, s...)
	}
	return b
}

func ipfixMessage(sequence, domain uint32, sets ...[]byte) []byte {
	b := octets(10, 0, uint32(1_700_000_000), sequence, domain)
	for _, s := range sets {
		b = append(b, s...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// v5Datagram returns a datagram of NetFlow 5 with so many records, of which
// the ports and counters are n and up.
func v5Datagram(uptime, sequence uint32, sampling, n, count int) []byte {
	b := octets(5, count, uptime, uint32(1_700_000_000), uint32(0), sequence, []byte{1, 2}, sampling)
	for i := range count {
		b = append(b, octets("192.0.2.1", "198.51.100.2", "203.0.113.3", 3, 4, uint32(n+i), uint32(100*(n+i)),
			uint32(1), uint32(2), 5000+n+i, 53, []byte{0, 0x12, 17, 46 << 2}, 64500, 64501, []byte{24, 16}, 0)...)
	}
	return b
}

// decoded returns the flows of a decoder as text, one a line.
func decoded(d *Decoder) string {
	var all []string
	var b traces.Batch
	b.Packets = make([]traces.Packet, 0, 1000)
	d.Take(&b)
	for i := range b.Packets {
		from, r := &b.Packets[i], &b.Records[i]
		var p match.Packet
		packet.Decode(&p, from.Link, from.Data, from.Wire)
		value := func(a attr.Attr) string {
			in := a.Info()
			size := in.Size
			if in.Variable {
				size = int(p.PeerLen)
				if a.IsAdjacent() {
					return attr.MakeValue(p.Key[in.Offset : in.Offset+6]...).Hex()
				}
			}
			if a.IsPeer() && size > 0 {
				addr, _ := netip.AddrFromSlice(p.Key[in.Offset : in.Offset+size])
				return addr.String()
			}
			return fmt.Sprint(number(p.Key[in.Offset : in.Offset+size]))
		}
		s := fmt.Sprintf("%s %s:%s>%s:%s p%s tos%d %d/%d", value(attr.SourcePeerType), value(attr.SourcePeerAddress), value(attr.SourceTransAddress),
			value(attr.DestPeerAddress), value(attr.DestTransAddress), value(attr.SourceTransType),
			number(p.Key[attr.DSCodePoint.Info().Offset:][:1])<<2|number(p.Key[attr.ECNCodeBits.Info().Offset:][:1]), r.PDUs, r.Octets)
		if from.Link == traces.LinkEthernet {
			s += fmt.Sprintf(" %s>%s vlan%s pri%s", value(attr.SourceAdjacentAddress), value(attr.DestAdjacentAddress), value(attr.VLANid), value(attr.Priority))
		}
		if r.Input|r.Output != 0 {
			s += fmt.Sprintf(" if%d>%d", r.Input, r.Output)
		}
		if r.SourceASN|r.DestASN != 0 {
			s += fmt.Sprintf(" as%d>%d", r.SourceASN, r.DestASN)
		}
		if r.SourcePrefix|r.DestPrefix != 0 {
			s += fmt.Sprintf(" /%d>%d", r.SourcePrefix, r.DestPrefix)
		}
		if r.Meter != [4]byte{10, 0, 0, 1} {
			s += fmt.Sprintf(" meter%d", r.Meter)
		}
		if p.Flags&(match.Cut|match.Malformed|match.UnknownLink) != 0 {
			s += fmt.Sprintf(" flags%#x", p.Flags)
		}
		all = append(all, s)
	}
	return strings.Join(all, "\n")
}

var exporter = netip.MustParseAddrPort("10.0.0.1:3000")

// TestDecode decodes datagrams one after the other, in which the order of
// templates, options and records matters.
func TestDecode(t *testing.T) {
	v4Template := set(0, 256, 7, 8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 2, 4, 1, 4)
	v4Record := octets("192.0.2.1", "192.0.2.2", 1024, 80, []byte{6}, uint32(3), uint32(300))
	v4 := "1 192.0.2.1:1024>192.0.2.2:80 p6 tos0 3/300"
	mac := func(n byte) []byte { return []byte{2, 0, 0, 0, 0, n} }
	for _, tt := range []struct {
		name      string
		datagrams [][]byte
		want      string
		stats     Stats
	}{
		{"v5", [][]byte{v5Datagram(1000, 7, 0, 1, 2)},
			"1 192.0.2.1:5001>198.51.100.2:53 p17 tos184 1/100 if3>4 as64500>64501 /24>16\n" +
				"1 192.0.2.1:5002>198.51.100.2:53 p17 tos184 2/200 if3>4 as64500>64501 /24>16", Stats{Records: 2}},
		{"v5 sampled", [][]byte{v5Datagram(1000, 7, 1<<14|100, 1, 1)},
			"1 192.0.2.1:5001>198.51.100.2:53 p17 tos184 100/10000 if3>4 as64500>64501 /24>16", Stats{Records: 1}},
		{"v9", [][]byte{v9Datagram(1, 1, 5, v4Template, set(256, v4Record, v4Record, []byte{0, 0, 0}))}, v4 + "\n" + v4, Stats{Records: 2}},
		{"v9, template late", [][]byte{v9Datagram(1, 1, 5, set(256, v4Record)), v9Datagram(1, 2, 5, v4Template), v9Datagram(1, 3, 5, set(256, v4Record))},
			v4, Stats{Records: 1, Unread: 1}},
		{"v9, template of another source", [][]byte{v9Datagram(1, 1, 5, v4Template), v9Datagram(1, 1, 6, set(256, v4Record))}, "", Stats{Unread: 1}},
		{"v9, exporter started anew", [][]byte{v9Datagram(100_000, 1, 5, v4Template), v9Datagram(10, 1, 5, set(256, v4Record))}, v4, Stats{Records: 1}},
		{"v9, template replaced", [][]byte{v9Datagram(1, 1, 5, v4Template),
			v9Datagram(1, 2, 5, set(0, 256, 3, 27, 16, 2, 1, 4, 1), set(256, "2001:db8::1", []byte{9, 58}))},
			"2 2001:db8::1:0>:::0 p58 tos0 9/0", Stats{Records: 1}},
		{"v9, sampling by options", [][]byte{v9Datagram(1, 1, 5, set(1, 300, 4, 8, 1, 4, 34, 4, 35, 1), v4Template),
			v9Datagram(1, 2, 5, set(300, uint32(0), uint32(50), []byte{2, 0}), set(256, v4Record))},
			"1 192.0.2.1:1024>192.0.2.2:80 p6 tos0 150/15000", Stats{Records: 1}},
		{"v9, samplers", [][]byte{v9Datagram(1, 1, 5, set(1, 300, 4, 8, 1, 4, 48, 1, 50, 2), set(0, 257, 3, 48, 1, 2, 1, 1, 2)),
			v9Datagram(1, 2, 5, set(300, uint32(0), []byte{1}, 10, uint32(0), []byte{2}, 20),
				set(257, []byte{1, 1}, 40, []byte{2, 1}, 40, []byte{3, 1}, 40))},
			"1 0.0.0.0:0>0.0.0.0:0 p0 tos0 10/400\n1 0.0.0.0:0>0.0.0.0:0 p0 tos0 20/800\n1 0.0.0.0:0>0.0.0.0:0 p0 tos0 1/40", Stats{Records: 3}},
		{"v9, link layer", [][]byte{v9Datagram(1, 1, 5, set(0, 256, 7, 56, 6, 80, 6, 58, 2, 244, 1, 8, 4, 12, 4, 2, 1), set(0, 257, 4, 81, 6, 57, 6, 256, 2, 2, 1)),
			v9Datagram(1, 2, 5, set(256, mac(1), mac(2), 100, []byte{5}, "192.0.2.1", "192.0.2.2", []byte{4}), set(257, mac(3), mac(4), 0x0806, []byte{5}))},
			"1 192.0.2.1:0>192.0.2.2:0 p0 tos0 4/0 02-00-00-00-00-01>02-00-00-00-00-02 vlan100 pri5\n" +
				"0 0:0>0:0 p0 tos0 5/0 02-00-00-00-00-03>02-00-00-00-00-04 vlan0 pri0", Stats{Records: 2}},
		{"v9, interfaces, systems and prefixes", [][]byte{v9Datagram(1, 1, 5, set(0, 256, 9, 8, 4, 10, 4, 14, 4, 16, 4, 17, 4, 9, 1, 13, 1, 2, 8, 130, 4),
			set(256, "192.0.2.1", uint32(70000), uint32(2), uint32(4_200_000_000), uint32(65), []byte{24, 25}, uint64(1)<<40, "10.9.8.7"))},
			"1 192.0.2.1:0>0.0.0.0:0 p0 tos0 1099511627776/0 if70000>2 as4200000000>65 /24>25 meter[10 9 8 7]", Stats{Records: 1}},
		{"v9, no counters", [][]byte{v9Datagram(1, 1, 5, set(0, 256, 2, 8, 4, 1, 1), set(256, "192.0.2.1", []byte{1}, "192.0.2.1", []byte{0}))}, "", Stats{Records: 2, Uncounted: 2}},
		{"v9, sets that lie", [][]byte{v9Datagram(1, 1, 5, v4Template, octets(256, 50, v4Record)), v9Datagram(1, 2, 5, v4Template, octets(256, 3, v4Record))}, "", Stats{Malformed: 2}},
		{"v9, template that lies", [][]byte{v9Datagram(1, 1, 5, octets(0, 16, 256, 7, 8, 4, 12, 4))}, "", Stats{Malformed: 1}},
		{"v9, record of nothing", [][]byte{v9Datagram(1, 1, 5, set(0, 256, 1, 8, 0), set(256, v4Record))}, "", Stats{Malformed: 1, Unread: 1}},
		{"ipfix", [][]byte{ipfixMessage(1, 5, set(2, v4Template[4:]), set(256, v4Record))}, v4, Stats{Records: 1}},
		{"ipfix, variable lengths, enterprises", [][]byte{ipfixMessage(1, 5,
			set(2, 256, 5, 82, 0xffff, 0x8000|8, 4, uint32(9), 8, 4, 12, 4, 2, 2),
			set(256, []byte{3}, []byte("abc"), "9.9.9.9", "192.0.2.1", "192.0.2.2", 7, []byte{255, 0, 4}, []byte("abcd"), "9.9.9.9", "192.0.2.3", "192.0.2.4", 8, []byte{0}))},
			"1 192.0.2.1:0>192.0.2.2:0 p0 tos0 7/0\n1 192.0.2.3:0>192.0.2.4:0 p0 tos0 8/0", Stats{Records: 2}},
		{"ipfix, both directions", [][]byte{ipfixMessage(1, 5,
			set(2, 256, 11, 8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 10, 1, 14, 1, 2, 1, 1, 2, 0x8000|2, 1, uint32(29305), 0x8000|1, 2, uint32(29305)),
			set(256, "192.0.2.1", "192.0.2.2", 1024, 80, []byte{6, 1, 2, 3}, 300, []byte{4}, 400))},
			"1 192.0.2.1:1024>192.0.2.2:80 p6 tos0 3/300 if1>2\n1 192.0.2.2:80>192.0.2.1:1024 p6 tos0 4/400 if2>1", Stats{Records: 1}},
		{"ipfix, ICMP in both directions", [][]byte{ipfixMessage(1, 5,
			set(2, 256, 8, 8, 4, 12, 4, 4, 1, 5, 1, 32, 2, 2, 1, 0x8000|32, 2, uint32(29305), 0x8000|2, 1, uint32(29305)),
			set(2, 257, 3, 2, 1, 0x8000|2, 1, uint32(29305), 0x8000|5, 1, uint32(29305)),
			set(256, "192.0.2.1", "192.0.2.2", []byte{1, 4}, 8<<8, []byte{3}, 0, []byte{2}), set(257, []byte{1, 2, 8}))},
			"1 192.0.2.1:8>192.0.2.2:0 p1 tos4 3/0\n1 192.0.2.2:0>192.0.2.1:0 p1 tos4 2/0\n" +
				"1 0.0.0.0:0>0.0.0.0:0 p0 tos0 1/0\n1 0.0.0.0:0>0.0.0.0:0 p0 tos8 2/0", Stats{Records: 2}},
		{"ipfix, initiator and responder", [][]byte{ipfixMessage(1, 5, set(2, 256, 6, 8, 4, 12, 4, 231, 2, 232, 2, 298, 1, 299, 1),
			set(256, "192.0.2.1", "192.0.2.2", 300, 400, []byte{0, 4}))},
			"1 192.0.2.2:0>192.0.2.1:0 p0 tos0 4/400", Stats{Records: 1}},
		{"ipfix, totals", [][]byte{ipfixMessage(1, 5, set(2, 256, 2, 85, 8, 86, 8), set(256, uint64(1)<<33, uint64(2)))},
			"1 0.0.0.0:0>0.0.0.0:0 p0 tos0 2/8589934592", Stats{Records: 1}},
		{"ipfix, ICMP", [][]byte{ipfixMessage(1, 5, set(2, 256, 5, 27, 16, 28, 16, 4, 1, 178, 1, 2, 1), set(2, 257, 4, 8, 4, 4, 1, 32, 2, 2, 1), set(2, 258, 4, 8, 4, 4, 1, 11, 2, 2, 1),
			set(256, "2001:db8::1", "2001:db8::2", []byte{58, 129, 1}), set(257, "192.0.2.1", []byte{1}, 3<<8|1, []byte{1}), set(258, "192.0.2.1", []byte{1}, 8<<8, []byte{1}))},
			"2 2001:db8::1:129>2001:db8::2:0 p58 tos0 1/0\n1 192.0.2.1:3>0.0.0.0:1 p1 tos0 1/0\n1 192.0.2.1:8>0.0.0.0:0 p1 tos0 1/0", Stats{Records: 3}},
		{"ipfix, both versions", [][]byte{ipfixMessage(1, 5, set(2, 256, 6, 8, 4, 12, 4, 27, 16, 28, 16, 60, 1, 2, 1), set(2, 257, 3, 8, 4, 27, 16, 2, 1),
			set(256, "192.0.2.1", "192.0.2.2", "::", "::", []byte{4, 1}, "0.0.0.0", "0.0.0.0", "::1", "::2", []byte{6, 1}),
			set(257, "192.0.2.1", "::", []byte{1}, "0.0.0.0", "::1", []byte{1}))},
			"1 192.0.2.1:0>192.0.2.2:0 p0 tos0 1/0\n2 ::1:0>::2:0 p0 tos0 1/0\n1 192.0.2.1:0>0.0.0.0:0 p0 tos0 1/0\n2 ::1:0>:::0 p0 tos0 1/0", Stats{Records: 4}},
		{"ipfix, extension header for protocol", [][]byte{ipfixMessage(1, 5, set(2, 256, 4, 27, 16, 28, 16, 4, 1, 2, 1), set(256, "::1", "::2", []byte{44, 1}, "::1", "::2", []byte{50, 1}))},
			"2 ::1:0>::2:0 p44 tos0 1/0\n2 ::1:0>::2:0 p50 tos0 1/0", Stats{Records: 2}},
		{"ipfix, template withdrawn", [][]byte{ipfixMessage(1, 5, set(2, v4Template[4:])), ipfixMessage(1, 5, set(2, 256, 0)), ipfixMessage(1, 5, set(256, v4Record))}, "", Stats{Unread: 1}},
		{"ipfix, all withdrawn", [][]byte{ipfixMessage(1, 5, set(2, v4Template[4:])), ipfixMessage(1, 5, set(2, 2, 0)), ipfixMessage(1, 5, set(256, v4Record))}, "", Stats{Unread: 1}},
		{"ipfix, options withdrawn", [][]byte{ipfixMessage(1, 5, set(2, v4Template[4:])), ipfixMessage(1, 5, set(3, 3, 0)), ipfixMessage(1, 5, set(256, v4Record))}, v4, Stats{Records: 1}},
		{"ipfix, sampling by selector", [][]byte{ipfixMessage(1, 5, set(3, 300, 3, 1, 302, 8, 305, 4, 306, 4), set(2, 256, 3, 302, 8, 2, 1, 1, 2)),
			ipfixMessage(1, 5, set(300, uint64(7), uint32(1), uint32(999)), set(256, uint64(7), []byte{2}, 80))},
			"1 0.0.0.0:0>0.0.0.0:0 p0 tos0 2000/80000", Stats{Records: 1}},
		{"no export datagrams", [][]byte{nil, {5}, octets(9), octets(10, 4), octets(5, 1), octets(5, 0, make([]byte, 80)), v5Datagram(1, 1, 0, 1, 2)[:100],
			octets(9, 256, make([]byte, 30)), ipfixMessage(1, 1, v4Template)[:20]}, "", Stats{}},
	} {
		var d Decoder
		accepted := uint64(0)
		for i, b := range tt.datagrams {
			if d.Decode(exporter, int64(i), b) {
				accepted++
			}
			if tt.stats != (Stats{}) && i < len(tt.datagrams)-1 && d.Left() > 0 {
				t.Errorf("%s: flows of datagram %d", tt.name, i)
			}
		}
		if got := decoded(&d); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
		if tt.stats != (Stats{}) {
			tt.stats.Datagrams = uint64(len(tt.datagrams))
		}
		tt.stats.Lost = d.stats.Lost
		if d.stats != tt.stats {
			t.Errorf("%s: %+v, want %+v", tt.name, d.stats, tt.stats)
		}
	}
}

// TestSequence counts what is missing between datagrams.
func TestSequence(t *testing.T) {
	template, template9 := set(2, 256, 1, 2, 1), set(0, 256, 1, 2, 1)
	records := func(n int) []byte { return set(256, make([]byte, n)) }
	v5 := func(pairs ...uint32) (all [][]byte) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, v5Datagram(1000, pairs[i], 0, 1, int(pairs[i+1])))
		}
		return all
	}
	ipfix := func(pairs ...uint32) [][]byte {
		all := [][]byte{ipfixMessage(pairs[0], 5, template)}
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, ipfixMessage(pairs[i], 5, records(int(pairs[i+1]))))
		}
		return all
	}
	for _, tt := range []struct {
		name      string
		datagrams [][]byte
		lost      uint64
	}{
		{"v5, nothing lost", v5(100, 3, 103, 2, 105, 1), 0},
		{"v5, around", v5(1<<32-3, 3, 0, 2, 2, 1), 0},
		{"v5, lost", v5(100, 3, 113, 2, 116, 1), 11},
		{"v5, late", v5(100, 3, 105, 2, 103, 2, 107, 1), 0},
		{"v5, started anew", v5(1_000_000, 3, 0, 2, 2, 1, 4, 1), 1},
		{"ipfix, nothing lost", ipfix(0, 4, 4, 2, 6, 7), 0},
		{"ipfix, lost", ipfix(0, 4, 4, 2, 16, 7, 24, 1), 11},
		{"ipfix, numbers that count the message", append([][]byte{ipfixMessage(0, 5, template)}, ipfix(4, 4, 6, 2, 13, 7, 15, 2, 25, 3)[1:]...), 7},
		{"v9 counts datagrams", [][]byte{v9Datagram(1, 5, 1, template9), v9Datagram(1, 8, 1, template9), v9Datagram(1, 9, 1, template9), v9Datagram(1, 2, 2, template9)}, 2},
		{"ipfix, not all readable", [][]byte{ipfixMessage(0, 5, template), ipfixMessage(0, 5, set(300, make([]byte, 9))), ipfixMessage(900, 5, records(2)), ipfixMessage(903, 5)}, 1},
	} {
		var d Decoder
		told := 0
		d.Notify = func(message string) {
			if strings.Contains(message, "sequence number") {
				told++
			}
		}
		for _, b := range tt.datagrams {
			if !d.Decode(exporter, 0, b) {
				t.Fatalf("%s: no datagram", tt.name)
			}
		}
		if d.Stats().Lost != tt.lost {
			t.Errorf("%s: %d lost, want %d", tt.name, d.Stats().Lost, tt.lost)
		}
		if wantTold := strings.Contains(tt.name, "late") || tt.lost > 0; (told == 1) != wantTold {
			t.Errorf("%s: told %d times", tt.name, told)
		}
	}
}

// TestBounds floods a decoder with exporters and templates: what it keeps must
// have bounds, and exporters that are active stay.
func TestBounds(t *testing.T) {
	var d Decoder
	template := set(2, 256, 1, 2, 1)
	mine := func(sets ...[]byte) {
		if !d.Decode(exporter, 0, ipfixMessage(0, 1, sets...)) {
			t.Fatal("no datagram")
		}
	}
	mine(template)
	for i := range uint32(2 * maxDomains) {
		d.Decode(netip.MustParseAddrPort("10.0.0.2:1"), 0, ipfixMessage(0, i, template))
		if i%100 == 0 {
			mine()
		}
	}
	if len(d.domains) != maxOwnDomains+1 || d.stats.Forgotten != 2*maxDomains-maxOwnDomains {
		t.Errorf("%d domains, %d forgotten", len(d.domains), d.stats.Forgotten)
	}
	many := octets(2, 0)
	for id := 256; len(many) < 60_000; id++ {
		many = append(many, octets(id, 2, 2, 1, 1, 1)...)
	}
	binary.BigEndian.PutUint16(many[2:], uint16(len(many)))
	for i := range uint32(100) {
		d.Decode(netip.MustParseAddrPort("10.0.0.3:1"), 0, ipfixMessage(0, i, many))
		mine()
	}
	if d.size > maxSize {
		t.Errorf("templates of size %d, where %d is the most", d.size, maxSize)
	}
	var sum int
	for i := range uint32(2 * maxDomains) {
		d.Decode(netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), 9), 0, ipfixMessage(0, 1, template))
		if i%100 == 0 {
			mine()
		}
	}
	if len(d.domains) != maxDomains || len(d.exporters) != d.order.Len() || len(d.exporters) > maxDomains {
		t.Errorf("%d domains of %d exporters, %d in order", len(d.domains), len(d.exporters), d.order.Len())
	}
	sum = 0
	for _, dm := range d.domains {
		for _, t := range dm.templates {
			sum += t.size()
		}
	}
	if sum != d.size {
		t.Errorf("templates of size %d, counted as %d", sum, d.size)
	}
	mine(set(256, []byte{7}))
	if d.Left() != 1 || d.stats.Unread != 0 {
		t.Errorf("%d flows, %+v: an active exporter was forgotten", d.Left(), d.stats)
	}
	// One exporter alone with more than all may have.
	var one Decoder
	for i := range 65535 - 256 {
		one.Decode(exporter, 0, ipfixMessage(0, 1, set(2, 256+i, 2, 2, 1, 1, 1)))
	}
	if one.size > maxOwnSize || one.stats.Malformed == 0 {
		t.Errorf("templates of size %d; %+v", one.size, one.stats)
	}
}

// TestDecodeDoesNotAllocate decodes records with no more memory than there was.
func TestDecodeDoesNotAllocate(t *testing.T) {
	var d Decoder
	d.Decode(exporter, 0, ipfixMessage(0, 1, set(2, 256, 4, 8, 4, 12, 4, 2, 1, 1, 1)))
	data := ipfixMessage(0, 1, set(256, make([]byte, 1000)))
	for i := 20; i < len(data); i++ {
		data[i] = 1
	}
	b := traces.NewBatch(1000)
	if n := testing.AllocsPerRun(100, func() {
		d.Decode(exporter, 0, data)
		b.Packets, b.Records = b.Packets[:0], b.Records[:0]
		d.Take(b)
	}); n != 0 || len(b.Records) != 100 {
		t.Errorf("%v allocations for %d records", n, len(b.Records))
	}
}

// FuzzDecoder decodes any two datagrams, and checks what holds for all.
func FuzzDecoder(f *testing.F) {
	template := set(2, 256, 6, 8, 4, 12, 4, 82, 0xffff, 4, 1, 2, 1, 1, 2)
	f.Add(ipfixMessage(1, 2, template, set(3, 300, 2, 1, 302, 2, 34, 2)), ipfixMessage(1, 2, set(256, make([]byte, 40)), set(300, 1, 2)))
	f.Add(v9Datagram(1, 2, 3, set(0, 256, 3, 27, 16, 60, 1, 2, 1), set(1, 300, 4, 4, 1, 4, 34, 4)), v9Datagram(1, 3, 3, set(256, make([]byte, 36)), set(300, 1, 2, 3, 4)))
	f.Add(v5Datagram(1, 2, 3, 4, 5), v5Datagram(6, 7, 8, 9, 10))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var d Decoder
		n := 0
		for i, datagram := range [][]byte{first, second, first} {
			d.Decode(exporter, int64(i), datagram)
			for d.Left() > 0 {
				b := traces.NewBatch(7)
				d.Take(b)
				if len(b.Packets) == 0 || len(b.Packets) != len(b.Records) {
					t.Fatalf("%d packets, %d records", len(b.Packets), len(b.Records))
				}
				for i := range b.Packets {
					k := &b.Packets[i]
					if b.Records[i].PDUs == 0 || len(k.Data) > maxHeaders || int(k.Wire) != len(k.Data) {
						t.Fatalf("%+v, %+v", k, b.Records[i])
					}
					var p match.Packet
					packet.Decode(&p, k.Link, k.Data, k.Wire)
					if p.Flags&(match.Cut|match.Malformed|match.UnknownLink) != 0 {
						t.Fatalf("% x is not what a decoder wants: flags %#x", k.Data, p.Flags)
					}
				}
				n += len(b.Packets)
			}
		}
		if uint64(n) > 2*d.stats.Records || d.size > maxSize {
			t.Fatalf("%d packets, %+v, size %d", n, d.stats, d.size)
		}
	})
}

// BenchmarkDecoder decodes full datagrams of NetFlow 9 with the fields that
// routers usually have; an operation is a record.
func BenchmarkDecoder(b *testing.B) {
	var d Decoder
	d.Decode(exporter, 0, v9Datagram(1, 1, 1, set(0, 256, 18, 8, 4, 12, 4, 15, 4, 10, 4, 14, 4, 2, 4, 1, 4, 22, 4, 21, 4, 7, 2, 11, 2, 6, 1, 4, 1, 5, 1, 16, 4, 17, 4, 9, 1, 13, 1)))
	records := make([]byte, 26*53)
	for i := range records {
		records[i] = 6 // TCP
	}
	datagram := v9Datagram(1, 2, 1, set(256, records))
	batch := traces.NewBatch(256)
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(batch.Records) {
		d.Decode(exporter, 0, datagram)
		batch.Packets, batch.Records = batch.Packets[:0], batch.Records[:0]
		d.Take(batch)
	}
}
