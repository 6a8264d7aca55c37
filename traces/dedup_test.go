package traces_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// given is a source of packets.
type given struct{ rest []traces.Packet }

func (g *given) ReadBatch(b *traces.Batch) error {
	n := min(len(g.rest), cap(b.Packets))
	b.Packets = append(b.Packets[:0], g.rest[:n]...)
	if n == 0 {
		return io.EOF
	}
	g.rest = g.rest[n:]
	return nil
}

func (g *given) Stats() traces.Stats { return traces.Stats{Records: 7} }
func (g *given) Close() error        { return nil }

// duplicates returns which of the packets Dedup marks, and checks that it drops
// and counts the same ones.
func duplicates(t testing.TB, packets []traces.Packet) (marked []bool) {
	t.Helper()
	for _, drop := range []bool{false, true} {
		src := traces.Dedup(&given{packets}, traces.DedupConfig{Switched: true, Drop: drop})
		got, err := tracetest.ReadAll(t, src)
		if err != io.EOF {
			t.Fatal(err)
		}
		if !drop {
			if len(got) != len(packets) {
				t.Fatalf("%d packets, want %d", len(got), len(packets))
			}
			for i := range got {
				marked = append(marked, got[i].Duplicate != traces.NoDuplicate)
			}
			continue
		}
		var want []traces.Packet
		for i, p := range packets {
			if !marked[i] {
				want = append(want, p)
			}
		}
		tracetest.Same(t, "what is left", got, want)
		if st := src.Stats(); st.Duplicates.Total() != uint64(len(packets)-len(want)) || st.Records != 7 {
			t.Errorf("%+v, want %d duplicates of %d", st, len(packets)-len(want), len(packets))
		}
	}
	return marked
}

func TestDedup(t *testing.T) {
	const ms = 1_000_000
	long := make([]byte, 200)
	for i := range long {
		long[i] = byte(i)
	}
	changed := func(at int) []byte {
		b := bytes.Clone(long)
		b[at]++
		return b
	}
	packet := func(at int64, data []byte) traces.Packet {
		return traces.Packet{Time: 1e9 + at, Data: data, Wire: 200, Link: 1, Interface: 1}
	}
	with := func(p traces.Packet, change func(*traces.Packet)) traces.Packet {
		change(&p)
		return p
	}
	first := packet(0, long)
	for _, tc := range []struct {
		name  string
		later []traces.Packet
		want  []bool
	}{
		{"at once", []traces.Packet{packet(0, long)}, []bool{true}},
		{"at the window's end", []traces.Packet{packet(200*ms, long)}, []bool{true}},
		{"behind it", []traces.Packet{packet(200*ms+1, long)}, []bool{false}},
		{"of the one before, not of the first", []traces.Packet{packet(150*ms, long), packet(300*ms, long), packet(600*ms, long)}, []bool{true, true, false}},
		{"back in time", []traces.Packet{packet(-200*ms, long), packet(-401*ms, long)}, []bool{true, false}},
		{"other interface", []traces.Packet{with(first, func(p *traces.Packet) { p.Interface = 2 })}, []bool{true}},
		{"other length", []traces.Packet{with(first, func(p *traces.Packet) { p.Wire = 201 })}, []bool{false}},
		{"other link type", []traces.Packet{with(first, func(p *traces.Packet) { p.Link = 113 })}, []bool{false}},
		{"last octet compared", []traces.Packet{packet(0, changed(69)), packet(0, changed(0))}, []bool{false, false}},
		{"first octet not compared", []traces.Packet{packet(0, changed(70))}, []bool{true}},
		{"cut short", []traces.Packet{packet(0, long[:69]), packet(0, long[:69]), packet(0, long[:70]), packet(0, nil), packet(0, nil)}, []bool{false, true, true, false, true}},
	} {
		if got := duplicates(t, append([]traces.Packet{first}, tc.later...))[1:]; !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// TestDedupRemembers sends a packet again when so many others have come that it
// is just remembered, and when one more has.
func TestDedupRemembers(t *testing.T) {
	for others, want := range map[int]bool{traces.DedupRecords - 1: true, traces.DedupRecords: false} {
		packets := []traces.Packet{{Time: 5, Data: []byte("first")}}
		for i := range others {
			packets = append(packets, traces.Packet{Time: 5, Data: fmt.Appendf(nil, "%d", i)})
		}
		packets = append(packets, packets[0])
		marked := duplicates(t, packets)
		if got := marked[len(marked)-1]; got != want || slices.Contains(marked[:len(marked)-1], true) {
			t.Errorf("behind %d others: %v, want %v", others, got, want)
		}
	}
}

// TestDedupIsExact compares with a filter that looks at all packets before, on
// traffic with few different packets, among them many of one bucket.
func TestDedupIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var packets []traces.Packet
	now := int64(0)
	for range 70_000 {
		now += r.Int64N(20_000_000) - 5_000_000
		packets = append(packets, traces.Packet{
			Time: max(now, 0), Data: []byte{byte(r.IntN(30))}, Wire: uint32(r.IntN(3)), Link: traces.LinkType(r.IntN(2)),
		})
	}
	latest := make(map[string]int64)
	for i, marked := range duplicates(t, packets) {
		p := &packets[i]
		key := fmt.Sprint(p.Data, p.Wire, p.Link)
		before, ok := latest[key]
		if want := ok && max(before, p.Time)-min(before, p.Time) <= traces.DedupWindow; marked != want {
			t.Fatalf("packet %d: %v, want %v", i, marked, want)
		}
		latest[key] = p.Time
	}
}

// TestDedupAllocates wants nothing allocated for packets.
func TestDedupAllocates(t *testing.T) {
	packets := tracetest.Mix(100)
	g := &given{}
	src := traces.Dedup(g, traces.DedupConfig{Switched: true, Routed: true})
	b := traces.NewBatch(100)
	if n := testing.AllocsPerRun(1000, func() {
		g.rest = packets
		if err := src.ReadBatch(b); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for 100 packets", n)
	}
}

func BenchmarkDedup(b *testing.B) {
	packets := tracetest.Mix(50_000)
	for name, cfg := range map[string]traces.DedupConfig{
		"switched": {Switched: true}, "routed": {Routed: true}, "all": {Switched: true, Routed: true},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				src := traces.Dedup(&given{packets}, cfg)
				batch := traces.NewBatch(256)
				for src.ReadBatch(batch) == nil {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(packets)), "ns/packet")
		})
	}
}
