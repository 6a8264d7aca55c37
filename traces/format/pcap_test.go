package format_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// pcapFile returns a little-endian pcap file with any header.
func pcapFile(magic uint32, major, minor uint16, link uint32, records ...[]byte) []byte {
	e := binary.LittleEndian
	b := e.AppendUint16(e.AppendUint16(e.AppendUint32(nil, magic), major), minor)
	for _, v := range []uint32{0, 0, 65535, link} {
		b = e.AppendUint32(b, v)
	}
	return append(b, bytes.Join(records, nil)...)
}

// words returns little-endian numbers of 32 bits.
func words(v ...uint32) (b []byte) {
	for _, v := range v {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// vector is a file and what it must give.
type vector struct {
	name  string
	file  []byte
	want  []traces.Packet
	err   string // of the end; empty for an orderly one
	stats traces.Stats
}

// run reads the vectors' files. Of the stats Bytes is not compared.
func run(t *testing.T, vectors []vector) {
	t.Helper()
	runAs(t, "f", vectors)
}

// runNamed does the same with files whose format is named.
func runNamed(t *testing.T, format string, vectors []vector) {
	t.Helper()
	runAs(t, format+":f", vectors)
}

func runAs(t *testing.T, name string, vectors []vector) {
	t.Helper()
	for _, v := range vectors {
		src, err := format.NewReader(bytes.NewReader(v.file), name)
		var got []traces.Packet
		var st traces.Stats
		if err == nil {
			got, err = tracetest.ReadAll(t, src)
			st = src.Stats()
			st.Bytes = 0
		}
		if want := v.err; err == io.EOF && want != "" || err != io.EOF && err.Error() != want {
			t.Errorf("%s: error %q, want %q", v.name, err, want)
		}
		tracetest.Same(t, v.name, got, v.want)
		for i := range min(len(got), len(v.want)) {
			if got[i].FCS != v.want[i].FCS {
				t.Errorf("%s: FCS %d, want %d", v.name, got[i].FCS, v.want[i].FCS)
			}
		}
		if !reflect.DeepEqual(st, v.stats) {
			t.Errorf("%s: %+v, want %+v", v.name, st, v.stats)
		}
	}
}

func TestPcap(t *testing.T) {
	data := []byte("abcdefgh")
	rec := append(words(1, 2, 8, 10), data...)
	packet := traces.Packet{Time: 1_000_002_000, Data: data, Wire: 10, Link: 1, Interface: 1}
	with := func(change func(p *traces.Packet)) []traces.Packet {
		p := packet
		change(&p)
		return []traces.Packet{p}
	}
	one := traces.Stats{Records: 1, Cut: 1}
	run(t, []vector{
		{name: "plain", file: pcapFile(0xa1b2c3d4, 2, 4, 1, rec), want: []traces.Packet{packet}, stats: one},
		{name: "no packets", file: pcapFile(0xa1b2c3d4, 2, 4, 1)},
		{name: "reserved bits in the link type", file: pcapFile(0xa1b2c3d4, 2, 4, 0x33ff0001, rec), want: []traces.Packet{packet}, stats: one},
		{name: "frame check sequence", file: pcapFile(0xa1b2c3d4, 2, 4, 0x24000001, rec, words(1, 2, 8, 8), data), stats: traces.Stats{Records: 2, Cut: 1},
			want: append(with(func(p *traces.Packet) { p.Wire, p.FCS, p.Data = 6, 4, data[:6] }),
				with(func(p *traces.Packet) { p.Wire, p.FCS, p.Data = 4, 4, data[:4] })...)},
		{name: "SunATM", file: pcapFile(0xa1b2c3d4, 2, 4, 123, rec), want: with(func(p *traces.Packet) { p.Link, p.Wire = 123, 6 }), stats: one},
		{name: "direction", file: pcapFile(0xa1b2c3d4, 2, 4, 204, rec), want: with(func(p *traces.Packet) { p.Link, p.Wire = 204, 9 }), stats: one},
		{name: "version 2.2", file: pcapFile(0xa1b2c3d4, 2, 2, 1, words(1, 2, 10, 8), data), want: []traces.Packet{packet}, stats: one},
		{name: "version 2.3", file: pcapFile(0xa1b2c3d4, 2, 3, 1, words(1, 2, 10, 8), data, rec), want: []traces.Packet{packet, packet}, stats: traces.Stats{Records: 2, Cut: 2}},
		{name: "version 543.0", file: pcapFile(0xa1b2c3d4, 543, 0, 1, words(1, 2, 10, 8), data), want: []traces.Packet{packet}, stats: one},
		{name: "Kuznetzov's", file: pcapFile(0xa1b2cd34, 2, 4, 1, words(1, 2, 8, 10, 3, 0x800), data), want: []traces.Packet{packet}, stats: one},
		{name: "captured more than the wire had", file: pcapFile(0xa1b2c3d4, 2, 4, 1, words(1, 2, 8, 3), data), want: with(func(p *traces.Packet) { p.Wire = 3 }), stats: traces.Stats{Records: 1}},
		{name: "times at their limits", file: pcapFile(0xa1b23c4d, 2, 4, 1, words(1<<32-1, 1<<32-1, 0, 0)), stats: traces.Stats{Records: 1},
			want: []traces.Packet{{Time: (1<<32-1)*1e9 + 1<<32 - 1, Link: 1, Interface: 1}}},
		{name: "version 3.0", file: pcapFile(0xa1b2c3d4, 3, 0, 1, rec), err: "f: version 3.0: not a trace of a known format"},
		{name: "huge", file: pcapFile(0xa1b2c3d4, 2, 4, 1, rec, words(1, 2, 262145, 8), data), want: []traces.Packet{packet}, stats: one,
			err: "f: pcap: record 2 at offset 0x30: corrupt: captured length 262145 is more than 262144"},
		{name: "a header cut", file: pcapFile(0xa1b2c3d4, 2, 4, 1, rec, words(1, 2)), want: []traces.Packet{packet}, stats: one,
			err: "f: pcap: record 2 at offset 0x30: truncated: 8 of 16 octets"},
		{name: "a packet cut", file: pcapFile(0xa1b2c3d4, 2, 4, 1, rec, rec[:20]), want: []traces.Packet{packet}, stats: one,
			err: "f: pcap: record 2 at offset 0x30: truncated: 20 of 24 octets"},
		{name: "the file's header cut", file: pcapFile(0xa1b2c3d4, 2, 4, 1)[:20], err: "f: truncated: 20 of 24 octets of the pcap header"},
		{name: "empty", err: "f: empty: not a trace of a known format"},
		{name: "text", file: []byte("snooping around"), err: "f: begins with 73 6e 6f 6f 70 69 6e 67: not a trace of a known format"},
	})
}

// TestErrorStays checks that damage is told as often as it is asked for.
func TestErrorStays(t *testing.T) {
	src, err := format.NewReader(bytes.NewReader(pcapFile(0xa1b2c3d4, 2, 4, 1, words(1))), "f")
	if err != nil {
		t.Fatal(err)
	}
	b := traces.NewBatch(1)
	for range 3 {
		var e *format.Error
		if err := src.ReadBatch(b); !errors.As(err, &e) || e.Record != 1 || e.Offset != 24 || e.File != "f" || e.Format != "pcap" {
			t.Errorf("error %#v", err)
		}
	}
}

func TestOpen(t *testing.T) {
	if _, err := format.Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := format.Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
	var e *format.Error
	name := write(t, []byte("no trace"))
	if _, err := format.Open(name); !errors.As(err, &e) || e.File != name || !errors.Is(err, format.ErrFormat) {
		t.Errorf("a text: %v", err)
	}
}

// TestSequenceOpenFiles reads files that are gone when their turn comes.
func TestSequenceOpenFiles(t *testing.T) {
	one, two := tracetest.Mix(20), tracetest.Mix(30)
	a := write(t, tracetest.PCAP(tracetest.PCAPOptions{}, one...))
	b := write(t, tracetest.PCAPNG(true, two...))
	src := format.OpenSequence([]string{a, b}, nil)
	if err := src.OpenFiles(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{a, b} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	batch := traces.NewBatch(7)
	var err error
	for err = src.ReadBatch(batch); err == nil; err = src.ReadBatch(batch) {
		n += len(batch.Packets)
	}
	if n != 50 || err != io.EOF {
		t.Errorf("%d packets, %v", n, err)
	}
	if err := format.OpenSequence([]string{a}, nil).OpenFiles(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestSequenceOrder: a trace that begins before the end of the one before it is an
// error, unless that is wanted.
func TestSequenceOrder(t *testing.T) {
	at := func(times ...int64) string {
		packets := tracetest.Mix(len(times))
		for i, ns := range times {
			packets[i].Time = ns
		}
		return write(t, tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...))
	}
	read := func(src traces.Source) (n int, errs []error) {
		batch := traces.NewBatch(7)
		for {
			err := src.ReadBatch(batch)
			if err == io.EOF {
				return n, errs
			}
			if err != nil {
				errs = append(errs, err)
			}
			n += len(batch.Packets)
		}
	}
	const s = int64(1e9)
	first, near, early, late := at(100*s, 200*s), at(199*s, 300*s), at(150*s, 400*s), at(500*s)
	if n, errs := read(format.OpenSequence([]string{first, near, late}, nil)); n != 5 || len(errs) > 0 {
		t.Errorf("in order: %d packets, %v", n, errs)
	}
	n, errs := read(format.OpenSequence([]string{first, early, late}, nil))
	var order *format.OrderError
	if n != 2 || len(errs) != 1 || !errors.As(errs[0], &order) || *order != (format.OrderError{File: early, Before: first, Begins: 150 * s, Ends: 200 * s}) {
		t.Errorf("out of order: %d packets, %v", n, errs)
	}
	src := format.OpenSequence([]string{first, early, late}, nil)
	src.Unordered()
	if n, errs := read(src); n != 5 || len(errs) > 0 {
		t.Errorf("in any order: %d packets, %v", n, errs)
	}
}

// TestSequence reads good, damaged and missing files one after another.
func TestSequence(t *testing.T) {
	one, two := tracetest.Mix(20), tracetest.Mix(30)
	a := write(t, tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, one...))
	whole := tracetest.PCAPNG(true, two...)
	b := write(t, whole[:len(whole)-1])
	none := filepath.Join(t.TempDir(), "none")
	src := format.OpenSequence([]string{a, b, none, a}, nil)
	var names []string
	for i, c := range []struct {
		want []traces.Packet
		err  error
	}{{append(one[:20:20], two[:29]...), format.ErrTruncated}, {nil, os.ErrNotExist}, {one, io.EOF}, {nil, io.EOF}} {
		var got []traces.Packet
		var err error
		batch := traces.NewBatch(7)
		batch.Packets = batch.Packets[:3]
		for err = src.ReadBatch(batch); err == nil; err = src.ReadBatch(batch) {
			for _, p := range batch.Packets {
				p.Data = bytes.Clone(p.Data)
				got = append(got, p)
			}
			if len(names) == 0 || names[len(names)-1] != batch.File {
				names = append(names, batch.File)
			}
		}
		if !errors.Is(err, c.err) || len(batch.Packets) != 0 {
			t.Errorf("%d: error %v, want %v; %d packets beside it", i, err, c.err, len(batch.Packets))
		}
		tracetest.Same(t, "sequence", got, c.want)
	}
	if got, want := strings.Join(names, " "), strings.Join([]string{a, b, a}, " "); got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	// A section, an interface and 29 packets are in the second file.
	if st := src.Stats(); st.Records != 20+31+20 || st.Skipped != 2 {
		t.Errorf("%+v", st)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
}

func TestLinkTypeString(t *testing.T) {
	for l, want := range map[traces.LinkType]string{
		0: "NULL", 1: "ETHERNET", 9: "PPP", 50: "PPP_HDLC", 77: "LINKTYPE(77)", 101: "RAW", 104: "C_HDLC", 107: "FRELAY",
		113: "LINUX_SLL", 197: "ERF", 228: "IPV4", 276: "LINUX_SLL2", 301: "DECT_NR", 302: "LINKTYPE(302)", 1<<32 - 1: "LINKTYPE(4294967295)",
	} {
		if l.String() != want {
			t.Errorf("%d is %s, want %s", uint32(l), l, want)
		}
	}
}
