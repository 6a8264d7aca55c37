package format_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// fuzz reads any octets as a trace of the given name, which may begin with a
// format, checks what holds for all traces, and writes the packets again.
func fuzz(f *testing.F, name string, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		src, err := format.NewReader(bytes.NewReader(b), name)
		var e *format.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			return
		}
		defer src.Close()
		batch := traces.NewBatch(3)
		var packets uint64
		for err = src.ReadBatch(batch); err == nil; err = src.ReadBatch(batch) {
			if n := len(batch.Packets); n == 0 || n > 3 {
				t.Fatalf("a batch of %d packets", n)
			}
			for _, p := range batch.Packets {
				if p.Time < 0 || p.Interface == 0 {
					t.Fatalf("packet %+v", p)
				}
				packets++
			}
		}
		st := src.Stats()
		if err != io.EOF && (!errors.As(err, &e) || e.Record != int64(st.Records)+1) {
			t.Fatalf("error %v after %d records", err, st.Records)
		}
		if st.Records-st.Skipped != packets || st.Cut > packets || st.Bytes != uint64(len(b)) && err == io.EOF {
			t.Fatalf("%d packets, %+v", packets, st)
		}
		all, _ := readAll(t, bytes.NewReader(b))
		for _, format := range []string{"pcap", "pcapng", "erf"} {
			reread(t, "f", format, format+":trace", all) // strange ones do not look like it
		}
	})
}

func FuzzPcap(f *testing.F) {
	ps := tracetest.Mix(3)
	fuzz(f, "f",
		tracetest.PCAP(tracetest.PCAPOptions{}, ps...),
		tracetest.PCAP(tracetest.PCAPOptions{Big: true, Nano: true}, ps...),
		pcapFile(0xa1b2c3d4, 2, 3, 0x24000001, words(1, 2, 10, 8), []byte("abcdefgh")),
		pcapFile(0xa1b2cd34, 2, 4, 123, words(1, 2, 8, 10, 0, 0), []byte("abcdefgh")))
}

func FuzzPcapng(f *testing.F) {
	g := new(tracetest.NG).Section(true)
	g.Interface(1, 60, g.Resolution(0x94), g.Offset(-5), g.Option(13, 4)).Interface(123, 0)
	g.Packet(0, 1<<50, []byte("abcdefghi"), 20).OldPacket(1, 2, 3, []byte("abc"), 4).Simple([]byte("abcd"), 4).Dropped(1, 6)
	fuzz(f, "f", g.Section(false).Bytes(), tracetest.PCAPNG(false, tracetest.Mix(3)...))
}

func FuzzERF(f *testing.F) {
	ext := tracetest.Record{Type: 2, Wire: 60, Ext: [][8]byte{{1}, {2}}, Body: make([]byte, 22)}.Bytes()
	cell := tracetest.Record{Type: 3, Wire: 52, Body: make([]byte, 52)}.Bytes()
	meta := tracetest.Record{Type: 27, Wire: 8, Body: make([]byte, 8)}.Bytes()
	fuzz(f, "f", tracetest.ERF(tracetest.Mix(5)...), bytes.Join([][]byte{ext, cell, meta, ext, cell}, nil))
}

func FuzzSnoop(f *testing.F) {
	ps := tracetest.Mix(3)
	fuzz(f, "f", tracetest.Snoop(ps...), tracetest.Snoop(tracetest.Relink(traces.LinkPPPHDLC, ps...)...))
}

func FuzzTSH(f *testing.F) {
	file := tracetest.TSH(tracetest.Relink(traces.LinkIPv4, tracetest.Mix(5)...)...)
	fuzz(f, "tsh:f", file, tracetest.Flip(file, 8, 8))
}

func FuzzHPCAP(f *testing.F) {
	file := hpcapFile(false, false, tracetest.Mix(6)...)
	fuzz(f, "hpcap:f", file, file[100:], append(make([]byte, 12), hpcapFile(true, true, tracetest.Mix(3)...)...))
}

func FuzzLegacyEthernet(f *testing.F) {
	fuzz(f, "legacy-ethernet:f", tracetest.LegacyEthernet(tracetest.Mix(5)...))
}

func FuzzLegacyPOS(f *testing.F) {
	fuzz(f, "legacy-pos:f", tracetest.LegacyPOS(tracetest.Relink(traces.LinkPPPHDLC, tracetest.Mix(5)...)...))
}

func FuzzLegacyATM(f *testing.F) {
	ps := tracetest.Mix(8)
	fuzz(f, "legacy-atm:f", tracetest.LegacyATM(true, tracetest.Relink(traces.LinkATM, ps...)...), tracetest.LegacyATM(false, tracetest.Relink(traces.LinkIPv4, ps...)...))
}

// FuzzGuess has no format named.
func FuzzGuess(f *testing.F) {
	for _, trace := range allFormats(tracetest.Mix(5)) {
		f.Add(trace.file)
	}
	fuzz(f, "f")
}

// FuzzCompressed has a seed for bzip2 in testdata.
func FuzzCompressed(f *testing.F) {
	trace := tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(3)...)
	fuzz(f, "f", compressors["gzip"](f, trace), compressors["xz"](f, trace), compressors["zstd"](f, trace))
}
