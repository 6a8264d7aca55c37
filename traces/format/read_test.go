package format_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// readAll reads a trace to its end and returns copies of its packets and what
// ended it.
func readAll(t testing.TB, r io.Reader) (ps []traces.Packet, err error) {
	src, err := format.NewReader(r, "trace")
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return tracetest.ReadAll(t, src)
}

// formatted is packets as a file of some format.
type formatted struct {
	file  []byte
	want  []traces.Packet // what it gives of them
	magic int             // octets that tell the format; 0 if several records have to
}

// allFormats returns the packets, of Ethernet and interface 1, in every format,
// which need not keep all of them.
func allFormats(ps []traces.Packet) map[string]formatted {
	ip, ppp, atm := tracetest.Relink(traces.LinkIPv4, ps...), tracetest.Relink(traces.LinkPPPHDLC, ps...), tracetest.Relink(traces.LinkATM, ps...)
	return map[string]formatted{
		"pcap, little-endian":   {tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, ps...), ps, 4},
		"pcap, big-endian":      {tracetest.PCAP(tracetest.PCAPOptions{Nano: true, Big: true}, ps...), ps, 4},
		"pcap, modified":        {tracetest.PCAP(tracetest.PCAPOptions{Modified: true}, ps...), shortened(ps, 1000, 1<<16), 4},
		"pcap, modified, big":   {tracetest.PCAP(tracetest.PCAPOptions{Modified: true, Big: true}, ps...), shortened(ps, 1000, 1<<16), 4},
		"pcapng, little-endian": {tracetest.PCAPNG(false, ps...), ps, 4},
		"pcapng, big-endian":    {tracetest.PCAPNG(true, ps...), ps, 4},
		"snoop":                 {tracetest.Snoop(ps...), shortened(ps, 1000, 1<<16), 8},
		"erf":                   {tracetest.ERF(ps...), ps, 0},
		"tsh":                   {tracetest.TSH(ip...), shortened(ip, 1000, 36), 0},
		"hpcap":                 {hpcapFile(false, false, ps...), ps, 0},
		"hpcap, big-endian":     {hpcapFile(true, false, ps...), ps, 0},
		"legacy-ethernet":       {tracetest.LegacyEthernet(ps...), shortened(ps, 1, 54), 0},
		"legacy-pos":            {tracetest.LegacyPOS(ppp...), shortened(ppp, 1, 48), 0},
		"legacy-atm":            {tracetest.LegacyATM(false, atm...), firstCells(atm), 0},
	}
}

// firstCells returns the packets as their first cells show them.
func firstCells(ps []traces.Packet) []traces.Packet {
	ps = slices.Clone(ps)
	for i := range ps {
		ps[i].Data = tracetest.Cells(1, ps[i])[0][4:]
		ps[i].Wire = 53
	}
	return ps
}

// shortened returns the packets with times of whole units of nanoseconds, and
// at most so many octets captured of each.
func shortened(ps []traces.Packet, unit int64, octets int) []traces.Packet {
	ps = slices.Clone(ps)
	for i := range ps {
		ps[i].Time -= ps[i].Time % unit
		ps[i].Data = ps[i].Data[:min(len(ps[i].Data), octets)]
	}
	return ps
}

// TestFormatsAgree reads the same packets in every format, whole and cut,
// through readers of every temper.
func TestFormatsAgree(t *testing.T) {
	ps := tracetest.Mix(3000)
	for i := range ps {
		if p := &ps[i]; i%3 == 0 {
			p.Data = p.Data[:min(len(p.Data), 70+i%50)]
		}
	}
	for name, trace := range allFormats(ps) {
		cut := uint64(0)
		for _, p := range trace.want {
			if len(p.Data) < int(p.Wire) {
				cut++
			}
		}
		for temper, r := range map[string]io.Reader{
			"at once":      bytes.NewReader(trace.file),
			"octets":       iotest.OneByteReader(bytes.NewReader(trace.file)),
			"data and EOF": iotest.DataErrReader(bytes.NewReader(trace.file)),
		} {
			src, err := format.NewReader(r, "trace")
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got, err := tracetest.ReadAll(t, src)
			if err != io.EOF {
				t.Errorf("%s: %v", name, err)
			}
			tracetest.Same(t, name+", "+temper, got, trace.want)
			st := src.Stats()
			if st.Cut != cut || st.Records-st.Skipped != uint64(len(trace.want)) || st.Bytes != uint64(len(trace.file)) || st.Lost != 0 {
				t.Errorf("%s: %+v, want %d cut, %d packets, %d octets", name, st, cut, len(trace.want), len(trace.file))
			}
			if err := src.ReadBatch(traces.NewBatch(1)); err != io.EOF {
				t.Errorf("%s: %v after the end", name, err)
			}
		}
	}
}

// TestMicroseconds checks that a pcap file of microseconds gives them, in both
// byte orders.
func TestMicroseconds(t *testing.T) {
	want := tracetest.Mix(10)
	for i := range want {
		want[i].Time -= want[i].Time % 1000
	}
	for _, big := range []bool{false, true} {
		got, err := readAll(t, bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{Big: big}, want...)))
		if err != io.EOF {
			t.Error(err)
		}
		tracetest.Same(t, "microseconds", got, want)
	}
}

// TestEveryCut cuts a trace of every format at every octet: the packets before
// the cut are read, and then the error tells where the damage is.
func TestEveryCut(t *testing.T) {
	for name, trace := range allFormats(tracetest.Mix(8)) {
		ends, at := 0, 0 // orderly ends, and packets at the last one
		for n := range trace.file {
			got, err := readAll(t, bytes.NewReader(trace.file[:n]))
			if err == io.EOF {
				ends++
				if len(got) < at {
					t.Errorf("%s cut at %d: %d packets", name, n, len(got))
				}
				at = len(got)
				continue
			}
			var e *format.Error
			if !errors.As(err, &e) {
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
			switch {
			case errors.Is(err, format.ErrFormat):
				// Too little to tell: nothing, half a magic number, or less
				// than some records.
				if len(got) != 0 || at > 0 || trace.magic > 0 && n >= trace.magic {
					t.Errorf("%s cut at %d: %v", name, n, err)
				}
			case errors.Is(err, format.ErrTruncated):
				// After a format was guessed, this may be the first cut to do so.
				if len(got) < at || at > 0 && len(got) > at || e.Offset > int64(n) {
					t.Errorf("%s cut at %d: %d packets, want %d; %v", name, n, len(got), at, err)
				}
			default:
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
			tracetest.Same(t, name, got, trace.want[:len(got)])
		}
		if at != len(trace.want)-1 {
			t.Errorf("%s: no cut leaves all packets but the last", name)
		}
	}
}

// TestFailingReader checks that a failure to read is neither taken for the end
// nor for damage, in any format, compressed or not.
func TestFailingReader(t *testing.T) {
	broken := errors.New("broken")
	for name, trace := range allFormats(tracetest.Mix(100)) {
		for kind, b := range map[string][]byte{"plain": trace.file, "gzip": compressors["gzip"](t, trace.file)} {
			r := io.MultiReader(bytes.NewReader(b[:len(b)-30]), iotest.ErrReader(broken))
			_, err := readAll(t, r)
			if !errors.Is(err, broken) || errors.Is(err, format.ErrTruncated) || errors.Is(err, format.ErrCorrupt) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
}

// TestNoAllocation checks that reading allocates nothing once a source is open.
func TestNoAllocation(t *testing.T) {
	for name, trace := range allFormats(tracetest.Mix(20000)) {
		src, err := format.NewReader(bytes.NewReader(trace.file), "trace")
		if err != nil {
			t.Fatal(err)
		}
		b := traces.NewBatch(100)
		n := testing.AllocsPerRun(150, func() {
			if err := src.ReadBatch(b); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations a batch", name, n)
		}
	}
}

// TestZeroBatch checks that the zero Batch is ready for use.
func TestZeroBatch(t *testing.T) {
	src, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(5)...)), "name")
	if err != nil {
		t.Fatal(err)
	}
	var b traces.Batch
	if err := src.ReadBatch(&b); err != nil || len(b.Packets) != 5 || b.File != "name" {
		t.Errorf("%d packets of %q, error %v", len(b.Packets), b.File, err)
	}
}
