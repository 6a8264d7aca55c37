package format_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"rtfm/traces/format"

	"github.com/klauspost/compress/zstd"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// repeat reads as head and then n times block.
func repeat(head, block []byte, n int) io.Reader {
	many := bytes.Repeat(block, 1<<16/len(block)+1)
	readers := []io.Reader{bytes.NewReader(head)}
	for left := n * len(block); left > 0; left -= len(many) {
		readers = append(readers, bytes.NewReader(many[:min(left, len(many))]))
	}
	return io.MultiReader(readers...)
}

// TestBombs reads traces that say little at great length, as a few octets become
// much when they are decompressed. What is kept of them is bounded, and what goes
// beyond that is damage with its place.
func TestBombs(t *testing.T) {
	const many = 2_000_000
	section := new(tracetest.NG).Section(false).Bytes()
	block := func(add func(g *tracetest.NG)) []byte {
		g := new(tracetest.NG)
		add(g)
		return g.Bytes()
	}
	iface := block(func(g *tracetest.NG) { g.Interface(1, 0) })
	named := block(func(g *tracetest.NG) { g.Interface(1, 0, g.Option(2, bytes.Repeat([]byte("n"), 65000)...)) })
	sections := block(func(g *tracetest.NG) { g.Section(false).Interface(1, 0).Dropped(0, 1) })
	other := block(func(g *tracetest.NG) { g.Block(4, make([]byte, 1000)) })
	padding := make([]byte, 12)
	for _, c := range []struct {
		name   string
		trace  io.Reader
		err    string // the end of
		octets uint64 // that may be allocated
	}{
		{"interfaces", repeat(section, iface, many), "pcapng: record 65538 at offset 0x14001c: corrupt: more than 65536 interfaces in a section", 40 << 20},
		{"names", repeat(section, named, 4096), "", 40 << 20},
		{"sections with interfaces that lost packets", repeat(nil, sections, 1_100_000), "corrupt: more than 1048576 interfaces in all sections", 400 << 20},
		{"names of hosts", repeat(section, other, many/100), "", 4 << 20},
		{"ERF that holds no packets", repeat(nil, tracetest.Record{Type: tracetest.ERFMeta, Wire: 8, Body: make([]byte, 8)}.Bytes(), many), "", 4 << 20},
		{"ATM circuits", circuits(many), "", 40 << 20},
		{"padding of hpcap", repeat(hpcapFile(false, false, tracetest.Mix(6)...), padding, many), "", 4 << 20},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := passOver(c.trace)
		runtime.ReadMemStats(&after)
		if c.err == "" && err != io.EOF || c.err != "" && (!errors.Is(err, format.ErrCorrupt) || !strings.HasSuffix(err.Error(), c.err)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > c.octets {
			t.Errorf("%s: %d octets were allocated, want %d at most", c.name, n, c.octets)
		}
	}
}

// TestCompressedBomb reads one of those compressed.
func TestCompressedBomb(t *testing.T) {
	var z bytes.Buffer
	w, err := zstd.NewWriter(&z, zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	section, iface := new(tracetest.NG).Section(false).Bytes(), new(tracetest.NG).Interface(1, 0).Bytes()
	if _, err := io.Copy(w, repeat(section, iface, 2_000_000)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if z.Len() > 20_000 {
		t.Fatalf("the bomb has %d octets", z.Len())
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = passOver(&z)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, format.ErrCorrupt) {
		t.Errorf("error %v", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 60<<20 {
		t.Errorf("%d octets were allocated", n)
	}
}

// circuits reads as an ERF file of cells, each of a circuit of its own.
func circuits(n int) io.Reader {
	cell := tracetest.Record{Type: 3, Wire: 52, Body: make([]byte, 52)}.Bytes()
	r, w := io.Pipe()
	go func() {
		buf := make([]byte, 0, 64<<10)
		for i := range n {
			// Path and channel are the highest 28 bits of the cell's header.
			copy(cell[16:], []byte{byte(i >> 20), byte(i >> 12), byte(i >> 4), byte(i << 4)})
			if buf = append(buf, cell...); len(buf) > 60<<10 || i == n-1 {
				w.Write(buf)
				buf = buf[:0]
			}
		}
		w.Close()
	}()
	return r
}

// passOver reads a trace to its end, and returns how it ended.
func passOver(r io.Reader) error {
	src, err := format.NewReader(r, "f")
	if err != nil {
		return err
	}
	defer src.Close()
	var b traces.Batch
	for err == nil {
		err = src.ReadBatch(&b)
	}
	return err
}
