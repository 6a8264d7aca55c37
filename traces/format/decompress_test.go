package format_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"rtfm/traces/format"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"rtfm/traces/tracetest"
)

// compressors are the four compressions that Open knows. They may skip the
// test.
var compressors = map[string]func(t testing.TB, b []byte) []byte{
	"gzip": func(t testing.TB, b []byte) []byte {
		return packed(t, b, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	},
	"zstd": func(t testing.TB, b []byte) []byte {
		return packed(t, b, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	},
	"xz": func(t testing.TB, b []byte) []byte {
		// Blocks of 100 kB, so that there are several.
		return packed(t, b, func(w io.Writer) (io.WriteCloser, error) {
			return xz.WriterConfig{BlockSize: 100_000}.NewWriter(w)
		})
	},
	// Go has no bzip2 compressor.
	"bzip2": func(t testing.TB, b []byte) []byte {
		c := exec.Command(tracetest.Require(t, "bzip2"), "-c")
		c.Stdin = bytes.NewReader(b)
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	},
}

func packed(t testing.TB, b []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	var out bytes.Buffer
	w, err := open(&out)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCompressed reads every format under every compression, once whole and
// once from two files that were compressed apart and put together.
func TestCompressed(t *testing.T) {
	ps := tracetest.Mix(800)
	if testing.Short() {
		ps = ps[:100]
	}
	for kind, compress := range compressors {
		t.Run(kind, func(t *testing.T) {
			for format, trace := range allFormats(ps) {
				half := len(trace.file) / 2
				two := append(compress(t, trace.file[:half]), compress(t, trace.file[half:])...)
				for _, z := range [][]byte{compress(t, trace.file), two} {
					got, err := readAll(t, bytes.NewReader(z))
					if err != io.EOF {
						t.Errorf("%s: %v", format, err)
					}
					tracetest.Same(t, format, got, trace.want)
				}
			}
		})
	}
}

// TestCompressedDamage cuts and flips compressed traces: what stood before the
// damage is read, and the error is of the right kind.
func TestCompressedDamage(t *testing.T) {
	want := tracetest.Mix(3000)
	trace := tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, want...)
	for kind, compress := range compressors {
		t.Run(kind, func(t *testing.T) {
			z := compress(t, trace)
			for _, n := range []int{1, 5, 7, 20, len(z) / 3, len(z) / 2, len(z) - 1} {
				got, err := readAll(t, bytes.NewReader(tracetest.Cut(z, n)))
				var e *format.Error
				if !errors.As(err, &e) || !errors.Is(err, format.ErrTruncated) && !errors.Is(err, format.ErrFormat) {
					t.Errorf("cut at %d of %d: %v", n, len(z), err)
				}
				if len(got) > len(want) || n > 20 && !errors.Is(err, format.ErrTruncated) {
					t.Errorf("cut at %d of %d: %d packets, error %v", n, len(z), len(got), err)
				}
				if strings.Count(err.Error(), kind) > 1 {
					t.Errorf("cut at %d of %d: %q names the compression twice", n, len(z), err)
				}
				tracetest.Same(t, "cut", got, want[:min(len(got), len(want))])
			}
			// bzip2 gives out a block before it knows that it is sound.
			_, err := readAll(t, bytes.NewReader(tracetest.Flip(z, len(z)/2, 0x55)))
			if !errors.Is(err, format.ErrCorrupt) && !(kind == "bzip2" && errors.Is(err, format.ErrFormat)) {
				t.Errorf("flipped: %v", err)
			}
		})
	}
	// Half of a gzip or xz file still gives about half of the packets.
	for _, kind := range []string{"gzip", "xz"} {
		z := compressors[kind](t, trace)
		got, err := readAll(t, bytes.NewReader(tracetest.Cut(z, len(z)/2)))
		if len(got) < 500 {
			t.Errorf("half of a %s file gives %d packets, error %v", kind, len(got), err)
		}
		if s := err.Error(); !strings.Contains(s, "pcap: record ") || !strings.Contains(s, kind+": ") {
			t.Errorf("error %q names no record or no compression", s)
		}
	}
}

// TestHostileDictionaries opens compressed data that asks for far too much
// memory, at its beginning or later.
func TestHostileDictionaries(t *testing.T) {
	random := make([]byte, 300_000)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	trace := tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(2000)...)
	first := compressors["xz"](t, trace)
	second := append(append([]byte(nil), first...), 0, 0, 0, 0, 0, 0, 0, 0)
	second = append(second, compressors["xz"](t, random)...)

	for _, c := range []struct {
		name  string
		trace []byte
	}{
		{"first block", hugeDictionaries(t, first, 1)},
		{"second block", hugeDictionaries(t, first, 2)},
		{"second stream", hugeDictionaries(t, second, 8)},
		// Zstd frames (RFC 8878 section 3.1.1.1) with windows of 2^28 and 2^41.
		{"zstd window", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0x01, 0x00, 0x00}},
		{"zstd window, the largest", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 31 << 3, 0x01, 0x00, 0x00}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readAll(t, bytes.NewReader(c.trace))
		runtime.ReadMemStats(&after)
		if !errors.Is(err, format.ErrCorrupt) {
			t.Errorf("%s: error %v", c.name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 400<<20 {
			t.Errorf("%s: %d octets were allocated", c.name, n)
		}
	}
}

// hugeDictionaries returns z with the nth block's dictionary made 3 GiB.
// Blocks are found by their header's beginning as the library writes it, its
// size and flags, and the octets of the LZMA2 filter.
func hugeDictionaries(t *testing.T, z []byte, nth int) []byte {
	z = append([]byte(nil), z...)
	for i := 0; i+12 <= len(z); i += 4 {
		h := z[i:]
		size := 4 * (int(h[0]) + 1)
		if size > 64 || len(h) < size || crc32.ChecksumIEEE(h[:size-4]) != binary.LittleEndian.Uint32(h[size-4:]) {
			continue
		}
		at := bytes.Index(h[:size-4], []byte{0x21, 0x01})
		if at < 0 {
			continue
		}
		if nth--; nth > 0 {
			continue
		}
		h[at+2] = 39
		binary.LittleEndian.PutUint32(h[size-4:], crc32.ChecksumIEEE(h[:size-4]))
		return z
	}
	t.Fatalf("no such xz block, %d too few", nth)
	return nil
}
