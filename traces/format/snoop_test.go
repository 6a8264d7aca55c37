package format_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"rtfm/traces"
)

// snoopFile returns a snoop file with any header.
func snoopFile(version, datalink uint32, records ...[]byte) []byte {
	return append(append([]byte("snoop\x00\x00\x00"), bigWords(version, datalink)...), bytes.Join(records, nil)...)
}

// bigWords returns big-endian numbers of 32 bits.
func bigWords(v ...uint32) (b []byte) {
	for _, v := range v {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func TestSnoop(t *testing.T) {
	data := []byte("abcdefgh")
	record := func(wire, drops uint32, pad int) []byte {
		head := bigWords(wire, uint32(len(data)), uint32(24+len(data)+pad), drops, 1, 2)
		return append(append(head, data...), make([]byte, pad)...)
	}
	rec := record(10, 0, 0)
	packet := traces.Packet{Time: 1_000_002_000, Data: data, Wire: 10, Link: traces.LinkEthernet, Interface: 1}
	of := func(link traces.LinkType, wire uint32) []traces.Packet {
		p := packet
		p.Link, p.Wire = link, wire
		return []traces.Packet{p}
	}
	one := traces.Stats{Records: 1, Cut: 1}
	lost := traces.Stats{Records: 4, Cut: 4, Lost: 9, PerInterface: []traces.InterfaceStats{{Number: 1, Lost: 9}}}
	cisco := append(bigWords(8, 8, 32, 0, 1, 2), 0x0f, 0, 8, 0, 'e', 'f', 'g', 'h')
	damage := func(name, err string, bad ...[]byte) vector {
		return vector{name: name, file: append(snoopFile(2, 4, rec), bytes.Join(bad, nil)...), want: []traces.Packet{packet}, stats: one,
			err: "f: snoop: record 2 at offset 0x30: " + err}
	}
	run(t, []vector{
		{name: "Ethernet", file: snoopFile(2, 4, rec), want: []traces.Packet{packet}, stats: one},
		{name: "IEEE 802.3", file: snoopFile(2, 0, rec), want: []traces.Packet{packet}, stats: one},
		{name: "token ring", file: snoopFile(2, 2, rec), want: of(6, 10), stats: one},
		{name: "FDDI", file: snoopFile(2, 8, rec), want: of(10, 10), stats: one},
		{name: "loopback", file: snoopFile(2, 14, rec), want: of(0, 10), stats: one},
		{name: "ATM", file: snoopFile(2, 18, rec), want: of(123, 6), stats: one},
		{name: "ipnet", file: snoopFile(2, 0x80000005, rec), want: of(226, 10), stats: one},
		{name: "PPP", file: snoopFile(2, 5, rec), want: of(50, 10), stats: one},
		{name: "Cisco HDLC", file: snoopFile(2, 5, cisco), stats: traces.Stats{Records: 1},
			want: []traces.Packet{{Time: packet.Time, Data: cisco[24:], Wire: 8, Link: traces.LinkCiscoHDLC, Interface: 1}}},
		{name: "padding", file: snoopFile(2, 4, record(10, 0, 3), record(10, 0, 24)), want: []traces.Packet{packet, packet}, stats: traces.Stats{Records: 2, Cut: 2}},
		{name: "drops, and another capture behind", file: snoopFile(2, 4, record(10, 5, 0), record(10, 7, 0), record(10, 1, 0), record(10, 3, 0)),
			want: []traces.Packet{packet, packet, packet, packet}, stats: lost},
		{name: "no packets", file: snoopFile(2, 4)},
		{name: "version 1", file: snoopFile(1, 4, rec), err: "f: snoop version 1: not a trace of a known format"},
		{name: "datalink type 7", file: snoopFile(2, 7, rec), err: "f: snoop datalink type 7: not a trace of a known format"},
		{name: "the file's header cut", file: snoopFile(2, 4)[:15], err: "f: truncated: 15 of 16 octets of the snoop header"},
		damage("a header cut", "truncated: 7 of 24 octets", rec[:7]),
		damage("a packet cut", "truncated: 31 of 32 octets", rec[:31]),
		damage("padding cut", "truncated: 33 of 35 octets", record(10, 0, 3)[:33]),
		damage("huge", "corrupt: captured length 262145 is more than 262144", bigWords(1, 262145, 262169, 0, 1, 2)),
		damage("record shorter than its packet", "corrupt: record length 31 is less than 24 and the captured length, 8", bigWords(8, 8, 31, 0, 1, 2), data),
		damage("record shorter than its header", "corrupt: record length 0 is less than 24 and the captured length, 0", bigWords(0, 0, 0, 0, 1, 2)),
		damage("record longer than any padding", "corrupt: record length 4294967295 is far more than 24 and the captured length, 8", bigWords(8, 8, 1<<32-1, 0, 1, 2), data),
		damage("garbage", "corrupt: captured length 1734829927 is more than 262144", bytes.Repeat([]byte("g"), 100)),
	})
}
