package format_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestShortened makes a file shorter when some of it has been read, to each of
// several lengths: within a record, between two, and to nothing. That is always
// told, whether the file is mapped or read.
func TestShortened(t *testing.T) {
	trace, name := large(t)
	const record = 16 // octets of a record's header, before so many captured ones
	between := 24     // the end of the last record in the first 1.5 MiB
	for {
		n := int(trace[between+8]) | int(trace[between+9])<<8
		if between+record+n > 3<<19 {
			break
		}
		between += record + n
	}
	for _, mapped := range []bool{false, true} {
		for _, size := range []int{0, 24, between, between + 5, between + record} {
			for _, first := range []int{1, 512, 3000} {
				if err := os.WriteFile(name, trace, 0o600); err != nil {
					t.Fatal(err)
				}
				src, err := format.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				b := &traces.Batch{MayMap: mapped}
				told := false
				for n, cut := 0, false; err == nil; n += len(b.Packets) {
					if n >= first && !cut {
						cut = true
						if err := os.Truncate(name, int64(size)); err != nil {
							t.Fatal(err)
						}
					}
					err = src.ReadBatch(b)
					if b.Mapping != nil && b.Mapping.Guard(func() {}) != nil {
						told = true
					}
				}
				var damage *format.Error
				if !errors.As(err, &damage) || !told && !errors.Is(err, format.ErrShortened) {
					t.Errorf("mapped %t, to %d octets after %d packets: ended with %v", mapped, size, first, err)
				}
				src.Close()
			}
		}
	}
}

// TestShortenedNot: a file that was read whole before it became shorter was not
// shortened while it was read, and neither was one that has grown, or is read from
// its middle on.
func TestShortenedNot(t *testing.T) {
	trace := tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(200)...)
	name := filepath.Join(t.TempDir(), "f.pcap")
	if err := os.WriteFile(name, append([]byte("before"), trace...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(6, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	src, err := format.NewReader(f, "f")
	if err != nil {
		t.Fatal(err)
	}
	var b traces.Batch
	if err := src.ReadBatch(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 10); err != nil { // all is in the buffer
		t.Fatal(err)
	}
	if err := src.ReadBatch(&b); err != io.EOF {
		t.Error(err)
	}
}

// TestRereadState makes mapped files shorter just behind what changes the state of
// their format: what remains is read once more as if the file had been so short.
func TestRereadState(t *testing.T) {
	frame := make([]byte, 60)
	ng := new(tracetest.NG).Section(false).Interface(1, 0)
	for i := range 15_000 {
		ng.Packet(0, uint64(i), frame, 60)
	}
	// What follows, 340 octets, ends with a page, so that behind it there is not
	// even a zero.
	ng.Block(4, make([]byte, 2*4096-(len(ng.Bytes())+12+340)%4096))
	ng.OldPacket(0, 3, 7, frame, 60)
	ng.Dropped(0, 5).Interface(101, 0).Interface(1, 0).Simple(frame, 60).Packet(1, 9, frame, 60)
	end := len(ng.Bytes())
	if end%4096 != 0 {
		t.Fatalf("the state changes %d octets behind the end of a page", end%4096)
	}
	ng.Section(true).Interface(1, 0).Packet(0, 20, frame, 60)
	next := len(ng.Bytes())
	for i := range 30_000 {
		ng.Packet(0, uint64(i), frame, 60)
	}

	var cells []byte
	cell := func(header, first byte) {
		body := append([]byte{0, 0, header, first}, make([]byte, 48)...)
		cells = append(cells, tracetest.Record{Time: int64(len(cells)) * 1000, Type: 3, Wire: 52, Body: body}.Bytes()...)
	}
	for i := range 30_000 {
		cell(byte(i%200), byte(0x10|i/200%3%2<<1))
	}
	padded := hpcapFile(false, false, tracetest.Mix(12_000)...)
	pad := len(padded)
	padded = append(padded, make([]byte, 12)...)
	padded[pad+8], padded[pad+9], padded[pad+10], padded[pad+11] = 0, 0x40, 0, 0x40
	padded = append(padded, make([]byte, 0x4000)...)
	padded = append(padded, hpcapFile(false, false, tracetest.Mix(9000)...)...)

	for _, c := range []struct {
		name  string
		trace []byte
		sizes []int
	}{
		{"f.pcapng", ng.Bytes(), []int{end, next, end + 28, end - 92}},
		{"erf:f.erf", cells, []int{14 * 17 * 4096, 15_000 * 68}},
		{"hpcap:f.raw", padded, []int{pad + 12, pad + 5000}},
	} {
		for _, size := range c.sizes {
			want, wantStats := readMapped(t, c.name, c.trace[:size], -1)
			got, stats := readMapped(t, c.name, c.trace, size)
			if stats.Records != wantStats.Records || stats.Skipped != wantStats.Skipped || stats.Lost != wantStats.Lost {
				t.Errorf("%s to %d octets: %+v, want %+v", c.name, size, stats, wantStats)
			}
			tracetest.Same(t, c.name, got, want)
		}
	}
}

// readMapped reads a trace that is mapped, with batches of the largest capacity,
// and returns the packets whose Data are there. Before the batch that reaches
// beyond size octets the file is cut there, unless size is negative.
func readMapped(t *testing.T, name string, trace []byte, size int) (packets []traces.Packet, st traces.Stats) {
	form, path := format.SplitName(name)
	path = filepath.Join(t.TempDir(), path)
	if err := os.WriteFile(path, trace, 0o600); err != nil {
		t.Fatal(err)
	}
	if form != "" {
		name = form + ":" + path
	} else {
		name = path
	}
	src, err := format.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	b := traces.NewBatch(700)
	b.MayMap = true
	const ahead = 300_000 // more than the records that a batch scans
	for cut := size < 0; err == nil; {
		if at := int(src.Stats().Bytes); !cut && at > size-ahead {
			cut = true
			if err := os.Truncate(path, int64(size)); err != nil {
				t.Fatal(err)
			}
		}
		if err = src.ReadBatch(b); err != nil {
			break
		}
		for _, p := range b.Packets {
			p.Data = nil // may be gone
			packets = append(packets, p)
		}
	}
	if size < 0 && err != io.EOF || size >= 0 && !errors.Is(err, format.ErrShortened) {
		t.Errorf("%s cut at %d: %v", name, size, err)
	}
	return packets, src.Stats()
}
