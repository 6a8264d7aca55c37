package format_test

import (
	"bytes"
	"testing"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

func TestTSH(t *testing.T) {
	const unknown = "f: begins with 3a 7b 83 72 01 00 00 00: not a trace of a known format"
	v4 := tracetest.Frame{}.IPv4("10.0.0.1", "10.0.0.2")
	packets := tracetest.Packets(v4.TCP(1, 2, tracetest.ACK).Payload(100), v4.UDP(3, 4).Payload(2), v4.UDP(5, 6).Payload(8), v4.ICMP(8, 0))
	for i := range packets {
		packets[i].Link = traces.LinkIPv4
	}
	file := tracetest.TSH(packets...)
	want := shortened(packets, 1000, 36)
	stats := traces.Stats{Records: 4, Cut: 1}
	record := func(change func(rec []byte)) []byte {
		rec := bytes.Clone(file[:44])
		change(rec)
		return rec
	}
	with := func(change func(p *traces.Packet)) []traces.Packet {
		p := want[0]
		change(&p)
		return []traces.Packet{p}
	}
	// Options that were left out come back as zeros.
	optioned := record(func(rec []byte) { rec[8] = 0x47 })
	whole := bytes.Join([][]byte{optioned[8:28], make([]byte, 8), optioned[28:]}, nil)

	run(t, []vector{
		{name: "plain", file: file, want: want, stats: stats},
		{name: "cut", file: append(file[:176:176], file[:43]...), want: want, stats: stats, err: "f: tsh: record 5 at offset 0xb0: truncated: 43 of 44 octets"},
		{name: "microseconds", file: append(file[:176:176], record(func(rec []byte) { copy(rec[5:], "\x0f\x42\x40") })...), want: want, stats: stats,
			err: "f: tsh: record 5 at offset 0xb0: corrupt: 1000000 microseconds past a second"},
		{name: "IPv6", file: append(file[:176:176], record(func(rec []byte) { rec[8] = 0x60 })...), want: want, stats: stats,
			err: "f: tsh: record 5 at offset 0xb0: corrupt: IP version 6, want 4"},
		{name: "three packets are too few to guess", file: file[:132], err: unknown},
		{name: "a day between them", file: append(file[:132:132], record(func(rec []byte) { rec[1] += 2 })...), err: unknown},
		{name: "the wrong order", file: append(file[:132:132], record(func(rec []byte) { rec[1]-- })...), err: unknown},
	})
	runNamed(t, "tsh", []vector{
		{name: "an octet missing", file: bytes.Join([][]byte{file[:87], file[88:], file}, nil), want: want[:2], stats: traces.Stats{Records: 2, Cut: 1},
			err: "tsh:f: tsh: record 3 at offset 0x58: corrupt: IP version 0, want 4"},
		{name: "one packet", file: file[:44], want: want[:1], stats: traces.Stats{Records: 1, Cut: 1}},
		{name: "interface 7", file: record(func(rec []byte) { rec[4] = 7 }), want: with(func(p *traces.Packet) { p.Interface = 7 }), stats: traces.Stats{Records: 1, Cut: 1}},
		{name: "no interface", file: record(func(rec []byte) { rec[4] = 0 }), want: want[:1], stats: traces.Stats{Records: 1, Cut: 1}},
		{name: "options", file: optioned, want: with(func(p *traces.Packet) { p.Data = whole }), stats: traces.Stats{Records: 1, Cut: 1}},
		{name: "no length", file: record(func(rec []byte) { rec[10], rec[11] = 0, 0 }), stats: traces.Stats{Records: 1},
			want: with(func(p *traces.Packet) { p.Data, p.Wire = append(append(file[8:10:10], 0, 0), file[12:44]...), 36 })},
		{name: "empty", err: "tsh:f: empty: not a trace of a known format"},
		{name: "garbage", file: []byte("this is no trace at all, but it is long enough"), err: "tsh:f: tsh: record 1 at offset 0x0: corrupt: 6910752 microseconds past a second"},
	})
}
