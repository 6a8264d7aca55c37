package store

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"rtfm/traces"
	"rtfm/traces/format"
)

// BenchmarkFlows has the flows found of a file of 200 chunks of 10,000 packets, of so many
// flows in any order: what whoever writes pays for a digest until the file ends.
func BenchmarkFlows(b *testing.B) {
	const packets = 10_000
	r := rand.New(rand.NewPCG(23, 24))
	for _, flows := range []uint32{100, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(flows), func(b *testing.B) {
			cfg := &Config{Key: keyOf, Tuple: func(p *traces.Packet) (Tuple, bool) {
				return Tuple{binary.LittleEndian.Uint64(p.Data), 17}, true
			}}
			p := traces.Packet{Data: make([]byte, 60), Wire: 60, Link: traces.LinkEthernet, Interface: 1}
			var section format.Section
			section.Add(&p)
			var chunks [20][]byte
			for i := range chunks {
				for range packets {
					binary.LittleEndian.PutUint64(p.Data, uint64(r.Uint32N(flows))<<32|10)
					chunks[i], _ = section.AppendPacket(chunks[i], &p)
				}
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				f := newFlows(cfg)
				for i := range 200 {
					f.add("pcapng", section.Head(), chunks[i%len(chunks)], 1<<40)
				}
				n += 200 * packets
				if len(f.pairs) == 0 || f.chunks[100].any {
					b.Fatal("no flows")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/packet")
		})
	}
}
