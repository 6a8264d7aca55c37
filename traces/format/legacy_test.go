package format_test

import (
	"bytes"
	"io"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// changed returns b with an octet set to v.
func changed(b []byte, at int, v byte) []byte {
	b = bytes.Clone(b)
	b[at] = v
	return b
}

func TestLegacyEthernet(t *testing.T) {
	ps := tracetest.Packets(
		tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").TCP(1, 2, tracetest.SYN).Payload(6),
		tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv6("2001:db8::1", "2001:db8::2").UDP(1, 2).Payload(900),
		tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").VLAN(7).IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Payload(20),
		tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").LLC(0x42, 0x42, 3).Payload(40))
	for i := range ps {
		ps[i].FCS = 4
	}
	file := tracetest.LegacyEthernet(ps...)
	const unknown = "f: begins with 00 00 00 00 72 83 7b 3a: not a trace of a known format"
	stats := traces.Stats{Records: 4, Cut: 4}
	want := shortened(ps, 1, 54)
	runt := []traces.Packet{{Time: ps[0].Time, Data: []byte{}, FCS: 3, Link: traces.LinkEthernet, Interface: 1}}
	run(t, []vector{
		{name: "plain", file: file, want: want, stats: stats},
		{name: "cut", file: append(file[:256:256], file[:63]...), want: want, stats: stats, err: "f: legacy-ethernet: record 5 at offset 0x100: truncated: 63 of 64 octets"},
		{name: "a hole", file: append(file[:256:256], make([]byte, 640)...), want: want, stats: stats, err: "f: legacy-ethernet: record 5 at offset 0x100: corrupt: wire length 0"},
		{name: "three records are too few to guess", file: file[:192], err: unknown},
		{name: "no length of a frame", file: changed(file, 9, 0x30), err: unknown},
		{name: "no type that is in use", file: changed(file, 10+13, 1), err: unknown},
		{name: "no IPv4 behind its type", file: changed(file, 10+14, 0x55), err: unknown},
		{name: "the wrong order", file: changed(file, 64+7, 0x39), err: unknown},
		{name: "a day between them", file: changed(file, 64+6, 0x7d), err: unknown},
		{name: "empty", err: "f: empty: not a trace of a known format"},
	})
	runNamed(t, "legacyeth", []vector{
		{name: "one packet", file: file[:64], want: want[:1], stats: traces.Stats{Records: 1, Cut: 1}},
		{name: "a runt", file: changed(changed(file[:64], 9, 0), 8, 3), want: runt, stats: traces.Stats{Records: 1}},
		{name: "empty", err: "legacyeth:f: empty: not a trace of a known format"},
	})
}

func TestLegacyPOS(t *testing.T) {
	ps := append(tracetest.Relink(traces.LinkPPPHDLC, tracetest.Mix(2)...), tracetest.Relink(traces.LinkCiscoHDLC, tracetest.Mix(2)...)...)
	file := tracetest.LegacyPOS(ps...)
	want := shortened(ps, 1, 48)
	stats := traces.Stats{Records: 4, Cut: 2}
	run(t, []vector{
		{name: "plain", file: file, want: want, stats: stats},
		{name: "cut", file: append(file[:256:256], 1), want: want, stats: stats, err: "f: legacy-pos: record 5 at offset 0x100: truncated: 1 of 64 octets"},
		{name: "an octet too many", file: append(append(file[:256:256], 0), file...), want: want, stats: stats,
			err: "f: legacy-pos: record 5 at offset 0x100: corrupt: record length 973078528, want 64"},
		{name: "garbage", file: append(file[:256:256], bytes.Repeat([]byte("g"), 64)...), want: want, stats: stats,
			err: "f: legacy-pos: record 5 at offset 0x100: corrupt: record length 1734829927, want 64"},
		{name: "absurd length", file: append(file[:256:256], changed(file[:64], 12, 1)...), want: want, stats: stats,
			err: "f: legacy-pos: record 5 at offset 0x100: corrupt: wire length 16777380"},
		{name: "no length", file: append(file[:256:256], changed(file[:64], 15, 0)...), want: want, stats: stats,
			err: "f: legacy-pos: record 5 at offset 0x100: corrupt: wire length 0"},
	})
	runNamed(t, "legacy-pos", []vector{
		{name: "one packet", file: file[:64], want: want[:1], stats: traces.Stats{Records: 1, Cut: 1}},
	})
}

// TestLegacyATM reads the cells of AAL5 frames with LLC, IP and PPP: all cells,
// or the first of each frame.
func TestLegacyATM(t *testing.T) {
	mix := tracetest.Mix(60)
	ppp := tracetest.Relink(traces.LinkPPPHDLC, mix...)
	for i := range ppp { // without address and control
		ppp[i].Data, ppp[i].Wire = ppp[i].Data[2:], ppp[i].Wire-2
	}
	for name, ps := range map[string][]traces.Packet{
		"LLC": tracetest.Relink(traces.LinkATM, mix...), "IPv4": tracetest.Relink(traces.LinkIPv4, mix...),
		"IPv6": tracetest.Relink(traces.LinkIPv6, mix...), "PPP": ppp,
	} {
		for _, all := range []bool{true, false} {
			file := tracetest.LegacyATM(all, ps...)
			src, err := format.NewReader(bytes.NewReader(file), "legacy-atm:f")
			if err != nil {
				t.Fatal(err)
			}
			got, err := tracetest.ReadAll(t, src)
			if err != io.EOF {
				t.Errorf("%s: %v", name, err)
			}
			tracetest.Same(t, name, got, firstCells(ps))
			if st := src.Stats(); int(st.Skipped) != len(file)/64-len(ps) || all == (st.Skipped == 0) {
				t.Errorf("%s: %+v of %d packets", name, st, len(ps))
			}
		}
	}
}

// TestCells reads cells one by one.
func TestCells(t *testing.T) {
	llc := tracetest.Relink(traces.LinkATM, tracetest.Mix(1)...)[0].Data[:48]
	ip := llc[8:]
	v4 := tracetest.Frame{}.IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Payload(10).Bytes()
	other := bytes.Repeat([]byte{0x5a}, 48)
	cell := tracetest.Cell
	maintenance := cell(40, false, llc)
	maintenance[3] |= 4 << 1
	for _, c := range []struct {
		name  string
		cells [][]byte
		want  string // of each cell: a letter of its packet's link type, or '-'
	}{
		{"first cells only", [][]byte{cell(40, false, llc), cell(40, false, llc), cell(40, true, llc)}, "lll"},
		{"all cells", [][]byte{cell(40, false, llc), cell(40, false, other), cell(40, true, other), cell(40, true, llc)}, "l--l"},
		{"a last cell that looks like a first", [][]byte{cell(40, false, llc), cell(40, true, llc)}, "ll"},
		{"a frame of something else", [][]byte{cell(40, true, llc), cell(40, false, other), cell(40, true, other), cell(40, true, other)}, "ll-l"},
		{"begun in the middle", [][]byte{cell(40, false, other), cell(40, true, other), cell(40, true, llc)}, "--l"},
		{"two channels", [][]byte{cell(40, false, llc), cell(41, false, llc), cell(40, false, other), cell(41, true, other), cell(40, true, other), cell(41, true, other)}, "ll---l"},
		{"maintenance", [][]byte{cell(40, false, llc), maintenance, cell(3, true, llc), cell(4, true, llc), cell(40, true, other)}, "l----"},
		{"idle", [][]byte{cell(0, true, llc), cell(0, true, make([]byte, 48))}, "--"},
		{"IPv4", [][]byte{cell(40, true, v4), cell(40, false, v4), cell(40, true, v4)}, "444"},
		{"IPv4 with a wrong checksum, where one must begin", [][]byte{cell(40, true, v4), cell(40, true, changed(v4, 10, 1))}, "44"},
		{"and where none need", [][]byte{cell(40, false, v4), cell(40, true, changed(v4, 10, 1))}, "4-"},
		{"IPv6", [][]byte{cell(40, true, ip), cell(40, false, ip), cell(40, true, ip)}, "666"},
		{"PPP", [][]byte{cell(40, true, append([]byte{0, 0x21}, v4...)), cell(40, false, append([]byte{0, 0x57}, ip...)), cell(40, true, other), cell(40, true, []byte{0xc0, 0x21, 9})}, "pp-p"},
	} {
		var file []byte
		for i, cell := range c.cells {
			rec := make([]byte, 12)
			rec[4] = byte(i)
			file = append(append(file, rec...), cell...)
		}
		src, err := format.NewReader(bytes.NewReader(file), "legacyatm:f")
		if err != nil {
			t.Fatal(err)
		}
		got, err := tracetest.ReadAll(t, src)
		if err != io.EOF {
			t.Errorf("%s: %v", c.name, err)
		}
		at := bytes.Repeat([]byte{'-'}, len(c.cells))
		for _, p := range got {
			at[p.Time/1e9] = map[traces.LinkType]byte{traces.LinkATM: 'l', traces.LinkIPv4: '4', traces.LinkIPv6: '6', traces.LinkPPPHDLC: 'p'}[p.Link]
			if p.Wire != 53 || len(p.Data) != 48 {
				t.Errorf("%s: packet %+v", c.name, p)
			}
		}
		if string(at) != c.want {
			t.Errorf("%s: %s, want %s", c.name, at, c.want)
		}
	}
}
