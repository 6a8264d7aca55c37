package format_test

import (
	"bytes"
	"io"
	"runtime"
	"testing"
	"time"

	"rtfm/traces/format"

	"github.com/klauspost/compress/gzip"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestAheadIsPlain reads compressed traces, whole, cut and damaged, with one
// processor, where the decompressor works when it is read from, and with several,
// where it works ahead: packets and errors are the same.
func TestAheadIsPlain(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	n := 10_000
	if testing.Short() {
		n = 5000 // more than the buffers hold
	}
	trace := tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, tracetest.Mix(n)...)
	for kind, compress := range compressors {
		t.Run(kind, func(t *testing.T) {
			z := compress(t, trace)
			files := [][]byte{z, append(z[:len(z):len(z)], z...), tracetest.Flip(z, len(z)/2, 0x55)}
			for _, n := range []int{7, 20, len(z) / 3, len(z) / 2, len(z) - 1} {
				files = append(files, tracetest.Cut(z, n))
			}
			for i, file := range files {
				runtime.GOMAXPROCS(1)
				want, wantErr := readAll(t, bytes.NewReader(file))
				runtime.GOMAXPROCS(4)
				got, err := readAll(t, bytes.NewReader(file))
				tracetest.Same(t, "ahead", got, want)
				if err.Error() != wantErr.Error() {
					t.Errorf("file %d: error %q, want %q", i, err, wantErr)
				}
			}
		})
	}
}

// TestAheadDoesNotWait reads what has come of a stream that goes on, and closes
// it while there is nothing more to read.
func TestAheadDoesNotWait(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	want := tracetest.Mix(100)
	r, w := io.Pipe()
	defer w.Close()
	go func() {
		z := gzip.NewWriter(w)
		z.Write(tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, want...))
		z.Flush()
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		src, err := format.NewReader(r, "trace")
		if err != nil {
			t.Error(err)
			return
		}
		b := traces.NewBatch(len(want))
		for n := 0; n < len(want); n += len(b.Packets) {
			if err := src.ReadBatch(b); err != nil {
				t.Error(err)
				return
			}
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("still waiting")
	}
}
