package format_test

import (
	"bytes"
	"testing"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

func TestPcapng(t *testing.T) {
	data := []byte("abcdefghi")
	ng := func() *tracetest.NG { return new(tracetest.NG).Section(false) }
	packet := func(time int64, wire uint32, link traces.LinkType, iface uint32) traces.Packet {
		return traces.Packet{Time: time, Data: data, Wire: wire, Link: link, Interface: iface}
	}
	const sec = 1_000_000_000

	good := func() *tracetest.NG { return ng().Interface(1, 0).Packet(0, 1, data, 9) }

	sections := ng()
	sections.Interface(1, 0).Interface(101, 0, sections.Resolution(9)).Packet(1, 5*sec+7, data, 9).Packet(0, 6, data, 20)
	sections.Section(true).Interface(113, 0, sections.Resolution(3)).Packet(0, 1500, data, 9)
	sections.Section(false).Interface(0, 0).OldPacket(0, 3, 4, data, 9).OldPacket(0, 0xffff, 5, data, 9)

	simple := ng().Interface(1, 5).Packet(0, 8, data, 9).Simple(data[:5], 9).Simple(data[:3], 3)

	drops := ng().Interface(1, 0).Interface(1, 0).Dropped(0, 5).Packet(0, 1, data, 9).Dropped(0, 7).Dropped(1, 1).Dropped(0, 6)

	others := ng().Block(0xbad, data[:8]).Block(10, nil).Interface(1, 0).Block(4, data[:4]).Block(0x80000001, nil).Packet(0, 1, data, 9)

	fcs := ng()
	fcs.Interface(1, 0, fcs.Option(13, 4)).Interface(1, 0, fcs.Option(13, 32)).Packet(0, 1, data, 9).Packet(1, 1, data, 20)

	options := ng()
	options.Interface(1, 0, options.Option(2, 'e', 't', 'h', '0', '1'), options.Resolution(0), options.Offset(-2), options.Option(0, 1), options.Resolution(9))
	options.Packet(0, 9, data, 9)

	minor := good().Bytes()
	minor[14] = 2 // the section's version is 1.2

	usbpcap := bytes.Repeat(data, 40000)

	first := []traces.Packet{packet(1000, 9, 1, 1)}
	// The section has 28 octets, the interface 20, a packet 44: 0x5c in all.
	damage := func(name string, file []byte, err string) vector {
		return vector{name: name, file: file, want: first, err: "f: pcapng: record 4 at offset 0x5c: corrupt: " + err,
			stats: traces.Stats{Records: 3, Skipped: 2}}
	}
	badEnd := good().Simple(data, 9).Bytes()
	badEnd[len(badEnd)-1]++

	run(t, []vector{
		{name: "sections", file: sections.Bytes(), stats: traces.Stats{Records: 12, Skipped: 7, Cut: 1, Lost: 3, PerInterface: []traces.InterfaceStats{{Number: 4, Lost: 3}}},
			want: []traces.Packet{packet(5*sec+7, 9, 101, 2), packet(6000, 20, 1, 1), packet(1500*sec/1000, 9, 113, 3), packet(4000, 9, 0, 4), packet(5000, 9, 0, 4)}},
		{name: "simple packets", file: simple.Bytes(), stats: traces.Stats{Records: 5, Skipped: 2, Cut: 1},
			want: []traces.Packet{packet(8000, 9, 1, 1), {Time: 8000, Data: data[:5], Wire: 9, Link: 1, Interface: 1}, {Time: 8000, Data: data[:3], Wire: 3, Link: 1, Interface: 1}}},
		{name: "drops", file: drops.Bytes(), want: first, stats: traces.Stats{Records: 8, Skipped: 7, Lost: 8, PerInterface: []traces.InterfaceStats{{Number: 1, Lost: 7}, {Number: 2, Lost: 1}}}},
		{name: "other blocks", file: others.Bytes(), want: first, stats: traces.Stats{Records: 7, Skipped: 6}},
		{name: "frame check sequences", file: fcs.Bytes(), stats: traces.Stats{Records: 5, Skipped: 3, Cut: 1},
			want: []traces.Packet{{Time: 1000, Data: data[:5], Wire: 5, FCS: 4, Link: 1, Interface: 1}, {Time: 1000, Data: data, Wire: 16, FCS: 4, Link: 1, Interface: 2}}},
		{name: "options", file: options.Bytes(), want: []traces.Packet{packet(7*sec, 9, 1, 1)}, stats: traces.Stats{Records: 3, Skipped: 2}},
		{name: "version 1.2", file: minor, want: first, stats: traces.Stats{Records: 3, Skipped: 2}},
		{name: "USB transfers may be long", file: ng().Interface(249, 0).Packet(0, 1, usbpcap, 360000).Bytes(), stats: traces.Stats{Records: 3, Skipped: 2},
			want: []traces.Packet{{Time: 1000, Data: usbpcap, Wire: 360000, Link: 249, Interface: 1}}},
		{name: "no packets", file: ng().Bytes(), stats: traces.Stats{Records: 1, Skipped: 1}},
		{name: "only the magic number", file: ng().Bytes()[:4], err: "f: pcapng: record 1 at offset 0x0: truncated: 4 of 12 octets"},

		damage("too long", good().Packet(0, 1, usbpcap, 9).Bytes(), "captured length 360000 is more than 262144"),
		damage("unknown interface", good().Packet(1, 1, data, 9).Bytes(), "packet of interface 1 of 1"),
		damage("unknown interface of statistics", good().Dropped(2, 1).Bytes(), "statistics of interface 2 of 1"),
		{name: "no interface in this section", file: good().Section(true).Packet(0, 1, data, 9).Bytes(), want: first, stats: traces.Stats{Records: 4, Skipped: 3},
			err: "f: pcapng: record 5 at offset 0x78: corrupt: packet of interface 0 of 0"},
		damage("short packet", good().Block(6, make([]byte, 16)).Bytes(), "packet block of 28 octets"),
		damage("short simple packet", good().Block(3, nil).Bytes(), "packet block of 12 octets"),
		damage("simple packet longer than its block", good().Simple(data, 13).Bytes(), "captured length 13 in a block that has room for 12"),
		damage("short interface", good().Block(1, make([]byte, 4)).Bytes(), "interface description of 16 octets"),
		damage("short statistics", good().Block(5, make([]byte, 8)).Bytes(), "interface statistics of 20 octets"),
		damage("option too long", good().Interface(1, 0, []byte{9, 0, 9, 0}).Bytes(), "option 9 has 4 octets of 9"),
		damage("length not a multiple of four", append(good().Bytes(), words(6, 14, 0, 0)...), "block length 14"),
		damage("length too short", append(good().Bytes(), words(6, 8, 0, 0)...), "block length 8"),
		damage("length too long", append(good().Bytes(), words(6, 0xfffffff0, 0, 0)...), "block length 4294967280"),
		damage("lengths disagree", badEnd, "block length 28 is 16777244 at its end"),
		damage("byte order", append(good().Bytes(), words(0x0a0d0d0a, 28, 0x11223344)...), "byte-order magic 44 33 22 11"),
		damage("version", append(good().Bytes(), words(0x0a0d0d0a, 28, 0x1a2b3c4d, 2, 0, 0, 28)...), "version 2.0"),
		damage("minor version", append(good().Bytes(), words(0x0a0d0d0a, 28, 0x1a2b3c4d, 1<<16|1, 0, 0, 28)...), "version 1.1"),
		damage("short section", append(good().Bytes(), words(0x0a0d0d0a, 16, 0x1a2b3c4d, 16)...), "section header of 16 octets"),
	})
}
