package store

import (
	"fmt"
	"testing"

	"rtfm/traces"
	"rtfm/traces/format"
)

// BenchmarkPut has packets put into chunks that nobody writes: what whoever captures
// pays for a store, a packet an op.
func BenchmarkPut(b *testing.B) {
	for _, octets := range []int{60, 1514} {
		b.Run(fmt.Sprint(octets), func(b *testing.B) {
			w := &Writer{free: make(chan *chunk, 8), full: make(chan *chunk, 8), fresh: make([]byte, 8*chunkSize), begin: true, section: new(format.Section)}
			w.cfg.FileSize, w.cfg.Format = 1<<30, "pcapng"
			go func() {
				for c := range w.full {
					w.free <- c
				}
			}()
			defer close(w.full)
			w.cfg.Wait = true
			p := traces.Packet{Data: make([]byte, octets), Wire: uint32(octets), Link: traces.LinkEthernet, Interface: 1}
			b.SetBytes(int64(octets))
			b.ReportAllocs()
			for b.Loop() {
				p.Time += 1000
				w.put(&p)
			}
		})
	}
}
