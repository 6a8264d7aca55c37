package format_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// hpcapRecord returns a record of a RAW file, whose numbers stand in any way.
func hpcapRecord(big, wireFirst bool, sec, nsec uint32, wire int, data []byte) []byte {
	first, second := uint16(len(data)), uint16(wire)
	if wireFirst {
		first, second = second, first
	}
	var e binary.AppendByteOrder = binary.LittleEndian
	if big {
		e = binary.BigEndian
	}
	b := e.AppendUint16(e.AppendUint16(e.AppendUint32(e.AppendUint32(nil, sec), nsec), first), second)
	return append(b, data...)
}

// hpcapFile returns a RAW file without padding.
func hpcapFile(big, wireFirst bool, packets ...traces.Packet) (b []byte) {
	for _, p := range packets {
		b = append(b, hpcapRecord(big, wireFirst, uint32(p.Time/1e9), uint32(p.Time%1e9), int(p.Wire), p.Data)...)
	}
	return b
}

// TestHPCAPExample reads the example that HPCAP's manual describes: of
// 7 February 2014, 60 octets.
func TestHPCAPExample(t *testing.T) {
	head := []byte{0xd4, 0x05, 0xf4, 0x52, 0x15, 0xcd, 0x5b, 0x07, 0x3c, 0, 0x3c, 0}
	data := bytes.Repeat([]byte{7}, 60)
	runNamed(t, "hpcap", []vector{{name: "example", file: append(head, data...), stats: traces.Stats{Records: 1},
		want: []traces.Packet{{Time: 1391723988_123456789, Data: data, Wire: 60, Link: traces.LinkEthernet, Interface: 1}}}})
}

func TestHPCAP(t *testing.T) {
	ps := tracetest.Mix(6)
	for i := range ps {
		if i > 0 {
			ps[i].Data = ps[i].Data[:min(60, len(ps[i].Data))]
		}
	}
	cut := uint64(0)
	for _, p := range ps {
		if len(p.Data) < int(p.Wire) {
			cut++
		}
	}
	file := hpcapFile(false, false, ps...)
	stats := traces.Stats{Records: 6, Cut: cut}
	skipped := func(n uint64) traces.Stats { return traces.Stats{Records: 6 + n, Skipped: n, Cut: cut} }
	padding := func(n, present int) []byte {
		head := binary.LittleEndian.AppendUint16(make([]byte, 8), uint16(n))
		return append(binary.LittleEndian.AppendUint16(head, uint16(n)), bytes.Repeat([]byte{0xee}, present)...)
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	first := 12 + len(ps[0].Data)
	bad := func(sec, nsec uint32, captured, wire uint16) []byte {
		b := hpcapRecord(false, false, sec, nsec, int(wire), make([]byte, 20))
		binary.LittleEndian.PutUint16(b[8:], captured)
		return b
	}
	run(t, []vector{
		{name: "plain", file: file, want: ps, stats: stats},
		{name: "big-endian", file: hpcapFile(true, false, ps...), want: ps, stats: stats},
		{name: "wire length first", file: hpcapFile(false, true, ps...), want: ps, stats: stats},
		{name: "both", file: hpcapFile(true, true, ps...), want: ps, stats: stats},
		{name: "padding", file: join(file, padding(300, 300)), want: ps, stats: skipped(1)},
		{name: "no octets of padding", file: join(file, padding(0, 0)), want: ps, stats: skipped(1)},
		{name: "padding cut", file: join(file, padding(300, 17)), want: ps, stats: skipped(1)},
		{name: "padding first", file: join(padding(99, 99), file), want: ps, stats: skipped(1)},
		{name: "padding in the middle", file: join(file[:first], padding(1000, 1000), file[first:]), want: ps, stats: skipped(1)},
		{name: "two files", file: join(file, padding(5, 5), file, padding(5, 5)), want: slices.Concat(ps, ps),
			stats: traces.Stats{Records: 14, Skipped: 2, Cut: 2 * cut}},
		{name: "last record cut", file: join(file, file[:30]), want: ps, stats: stats,
			err: "f: hpcap: record 7 at offset 0x216: truncated: 30 of 186 octets"},
		{name: "last header cut", file: join(file, file[:11]), want: ps, stats: stats,
			err: "f: hpcap: record 7 at offset 0x216: truncated: 11 of 12 octets"},
		{name: "nanoseconds", file: join(file, bad(1, 1e9, 20, 20)), want: ps, stats: stats,
			err: "f: hpcap: record 7 at offset 0x216: corrupt: 1000000000 nanoseconds past a second"},
		{name: "more captured than there was", file: join(file, bad(1, 1, 21, 20)), want: ps, stats: stats,
			err: "f: hpcap: record 7 at offset 0x216: corrupt: captured length 21 is more than the wire length, 20"},
		{name: "garbage", file: join(file, bytes.Repeat([]byte("g"), 1000)), want: ps, stats: stats,
			err: "f: hpcap: record 7 at offset 0x216: corrupt: 1734829927 nanoseconds past a second"},
		{name: "two hours between them", file: hpcapFile(false, false, slices.Concat(ps[:2], []traces.Packet{{Time: ps[0].Time + 7200e9, Data: ps[0].Data, Wire: 100}}, ps)...),
			err: "f: begins with 72 83 7b 3a 00 00 00 00: not a trace of a known format"},
		{name: "zeros", file: make([]byte, 4096), err: "f: begins with 00 00 00 00 00 00 00 00: not a trace of a known format"},
	})
	// Padding that is not there at once, beyond what is looked at first.
	long := bytes.Repeat(join(file, padding(500, 500)), 200)
	slow, err := readAll(t, iotest.OneByteReader(bytes.NewReader(long)))
	if err != io.EOF {
		t.Error(err)
	}
	tracetest.Same(t, "octet by octet", slow, slices.Repeat(ps, 200))
	runNamed(t, "hpcap", []vector{
		{name: "one packet", file: file[:first], want: ps[:1], stats: traces.Stats{Records: 1}},
		{name: "begun in the middle of a packet", file: file[40:], want: ps[1:], stats: traces.Stats{Records: 6, Skipped: 1, Cut: cut}},
		{name: "damage before the fourth", file: join(file[:first], bad(1, 1e9, 20, 20), file), want: ps[:1], stats: traces.Stats{Records: 1},
			err: "hpcap:f: hpcap: record 2 at offset 0xba: corrupt: 1000000000 nanoseconds past a second"},
		{name: "nothing but padding", file: padding(88, 88), stats: traces.Stats{Records: 1, Skipped: 1}},
		{name: "empty", err: "hpcap:f: empty: not a trace of a known format"},
	})
}

// TestWriteHPCAP writes what RAW files hold and what they do not.
func TestWriteHPCAP(t *testing.T) {
	ps := tracetest.Mix(100)
	ps[0].Time, ps[1].Interface = 0, 2
	ps[2].Wire, ps[2].Data = 70_000, make([]byte, 70_000)
	var out bytes.Buffer
	w, err := format.NewWriter(&out, "out", "hpcap", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ps {
		if err := w.Write(&ps[i]); err != nil {
			t.Fatal(err)
		}
	}
	w.Lost(1, 3)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(ps)
	want[0].Time, want[1].Interface = 1, 1
	want[2].Wire, want[2].Data = 65535, make([]byte, 65524)
	if out.Len()%4096 != 0 {
		t.Errorf("%d octets are no whole pages", out.Len())
	}
	src, err := format.NewReader(&out, "hpcap:out")
	if err != nil {
		t.Fatal(err)
	}
	got, err := tracetest.ReadAll(t, src)
	if st := src.Stats(); err != io.EOF || st.Skipped != 1 {
		t.Errorf("%+v, error %v", st, err)
	}
	tracetest.Same(t, "written", got, want)
	notes := strings.Join(w.Notes(), "\n")
	for _, note := range []string{"all packets are of interface 1", "1 packets of that time are a nanosecond later", "1 packets were cut", "3 packets were lost"} {
		if !strings.Contains(notes, note) {
			t.Errorf("no %q among the notes\n%s", note, notes)
		}
	}
	for _, p := range []traces.Packet{{Link: traces.LinkIPv4}, {Link: traces.LinkEthernet, Time: (math.MaxUint32 + 1) * 1e9}} {
		if err := w.Write(&p); err == nil {
			t.Errorf("%+v was written", p)
		}
	}
}
