package traces

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// chains walks all buckets and returns how many packets they hold and the length
// of the longest. No packet is in two, or in one that its hash does not name.
func (m *memory) chains(t *testing.T, r *ring) (packets, longest int) {
	t.Helper()
	seen := make(map[int32]bool)
	for bucket, i := range m.buckets {
		length, before := 0, int32(0)
		for m.has(r, i, uint64(bucket), before) {
			if seen[i] {
				t.Fatalf("the packet at %d in bucket %d was in one before", i, bucket)
			}
			seen[i] = true
			i, before = m.entries[i].older, r.age(i)
			length++
		}
		longest = max(longest, length)
	}
	return len(seen), longest
}

// TestDedupChains wants each record in reach and few to be looked at: of packets
// of all kinds, of packets that differ only in what is no part of their octets, and
// of packets that are all the same, of which only the latest is looked at.
func TestDedupChains(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, next := range map[string]func(i int, p *Packet){
		"random":  func(i int, p *Packet) { binary.BigEndian.PutUint32(p.Data, r.Uint32N(50_000)) },
		"lengths": func(i int, p *Packet) { p.Wire = uint32(i % 60_000) },
		"same":    func(i int, p *Packet) {},
		// Lengths, and link types, whose lower halves are alike.
		"long":  func(i int, p *Packet) { p.Wire = uint32(i%60_000) << 16 },
		"links": func(i int, p *Packet) { p.Link = LinkType(i%60_000) << 16 },
		"both":  func(i int, p *Packet) { p.Wire, p.Link = uint32(i%250), LinkType(i/250%250) },
	} {
		d := newDedup(nil, DedupConfig{Switched: true})
		p := Packet{Data: make([]byte, 10)}
		for i := range 3*DedupRecords + 5 {
			next(i, &p)
			d.lookAt([]Packet{p})
			d.seen(&p)
			if i == 999 {
				if n, _ := d.switched.chains(t, &d.ring); n != 1000 {
					t.Errorf("%s: %d records of 1000 in reach", name, n)
				}
			}
		}
		n, longest := d.switched.chains(t, &d.ring)
		if n != DedupRecords {
			t.Errorf("%s: %d records of %d in reach", name, n, DedupRecords)
		}
		// Random ones are rarely more than 8.
		if name != "same" && longest > 14 {
			t.Errorf("%s: up to %d records in a bucket", name, longest)
		}
	}
}
