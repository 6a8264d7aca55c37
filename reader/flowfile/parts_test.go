package flowfile

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// TestParts: the flows of a collection are the same in any parts as in none, on
// any number of processors, of each of which a part is held at most.
func TestParts(t *testing.T) {
	flows := testFlows()
	format := DefaultFormat([]attr.Attr{attr.SourcePeerAddress, attr.FlowKind})
	r := rand.New(rand.NewPCG(7, 7))
	for _, processors := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(processors)
		for range 30 {
			json := r.IntN(2) == 0
			lens := make([]int, r.IntN(60)) // most of them short
			for i := range lens {
				lens[i] = r.IntN(4)
				if r.IntN(8) == 0 {
					lens[i] = r.IntN(2000)
				}
			}
			deltas := func(f *match.Flow, n int) *record.Counters {
				if !json {
					return nil
				}
				return &record.Counters{ToPDUs: uint64(n), Measures: record.CountersOf(f).Measures}
			}
			var want, got bytes.Buffer
			w := NewWriter(&want, testHeader(), epoch, format, Options{JSON: json})
			w.Begin(epoch)
			for i, n := range lens {
				for j := range n {
					f := flows[(i+j)%len(flows)]
					w.Flow(f, deltas(f, j))
				}
			}
			if err := w.End(record.Summary{}); err != nil {
				t.Fatal(err)
			}
			var held atomic.Int32
			w = NewWriter(&got, testHeader(), epoch, format, Options{JSON: json})
			w.Begin(epoch)
			w.Parts(len(lens), func(part int, put func(*match.Flow, *record.Counters)) {
				if n := held.Add(1); int(n) > processors {
					t.Errorf("%d parts at a time with %d processors", n, processors)
				}
				for j := range lens[part] {
					f := flows[(part+j)%len(flows)]
					put(f, deltas(f, j))
				}
				held.Add(-1)
			})
			if err := w.End(record.Summary{}); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Fatalf("%d processors, parts of %v flows:\n%s\nwant\n%s", processors, lens, got.Bytes(), want.Bytes())
			}
		}
		runtime.GOMAXPROCS(before)
	}
}

// TestPartsError: an error of the underlying writer ends neither Parts nor a part
// of it, and is that of End.
func TestPartsError(t *testing.T) {
	f := testFlows()[0]
	w := NewWriter(&failing{after: 1}, testHeader(), epoch, DefaultFormat([]attr.Attr{attr.SourcePeerAddress}), Options{})
	w.Begin(epoch)
	goroutines := runtime.NumGoroutine()
	var put atomic.Int32
	w.Parts(50, func(part int, one func(*match.Flow, *record.Counters)) {
		for range 2000 {
			one(f, nil)
		}
		put.Add(1)
	})
	if err := w.End(record.Summary{}); !errors.Is(err, errFull) {
		t.Errorf("End: %v", err)
	}
	if put.Load() != 50 {
		t.Errorf("%d parts were put", put.Load())
	}
	// A goroutine that has done its work may not be gone yet.
	for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), goroutines)
		}
	}
}

// BenchmarkParts formats a million flows in parts of two thousand.
func BenchmarkParts(b *testing.B) {
	f := testFlows()[0]
	w := NewWriter(io.Discard, testHeader(), epoch, DefaultFormat([]attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress}), Options{})
	for b.Loop() {
		w.Parts(500, func(_ int, put func(*match.Flow, *record.Counters)) {
			for range 2000 {
				put(f, nil)
			}
		})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/flow")
}
