package live

import (
	"runtime"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// taken returns how much memory is in use.
func taken() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryIsFlat makes 10,000 collections: once the history is full no more memory is
// in use.
func TestMemoryIsFlat(t *testing.T) {
	for _, h := range []*History{NewHistory(), NewPackedHistory()} {
		first, all := 1000, 10_000
		if h.packs { // which takes longer
			first, all = 300, 2000
		}
		h.most = first / 2
		sink := NewSink(Options{}, h.Put)
		c := flows(3)
		run := func(n int) uint64 {
			for range n {
				c.c.From, c.c.To = c.c.To, c.c.To+1e9
				if _, err := record.Copy(sink, c); err != nil {
					t.Fatal(err)
				}
			}
			for h.After(0, 1).Intervals[0].To != c.c.To {
				runtime.Gosched() // the last ones are being packed
			}
			return taken()
		}
		before := run(first)
		if after := run(all - first); after > before+before/20 {
			t.Errorf("packed %v: %d octets after %d collections, %d after %d", h.packs, before, first, after, all)
		}
		runtime.KeepAlive(h)
	}
}

// endless is a collection of a million flows, each the next time another one.
type endless struct {
	collection
	n    int
	peak uint64
}

func (e *endless) Flows(put func(*match.Flow, *record.Counters) error) error {
	f := *e.flows[0]
	before := taken()
	for i := range e.n {
		f.Index, f.ToOctets = uint32(i+1), uint64(i%1000+1)
		all := record.CountersOf(&f)
		if err := put(&f, &all); err != nil {
			return err
		}
	}
	e.peak = max(taken(), before) - before
	return nil
}

// TestMillionFlows: a million in one interval cost what five hundred do, and their sums
// are exact.
func TestMillionFlows(t *testing.T) {
	const n = 1_000_000
	h := NewHistory()
	e := &endless{collection: *flows(1), n: n}
	if _, err := record.Copy(NewSink(Options{}, h.Put), e); err != nil {
		t.Fatal(err)
	}
	s := h.After(0, 0).Intervals[0].Section(2)
	if sum, total := sumOf(t, s, "Octets"); sum != n/1000*500500 || total != sum {
		t.Errorf("%d octets, total %d", sum, total)
	}
	if s.Flows() != n || len(s.Table.Rows) != MostRows {
		t.Errorf("%d flows, %d rows", s.Flows(), len(s.Table.Rows))
	}
	if e.peak > 2<<20 {
		t.Errorf("%d octets are kept of %d flows", e.peak, n)
	}
}
