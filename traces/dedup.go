package traces

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// What makes a packet a duplicate, as HPCAP's filter for mirror ports has it
// (V. Moreno, thesis, UAM 2015, section 4.4).
const (
	// DedupOctets is the number of octets of two packets that are compared at
	// most.
	DedupOctets = 70
	// DedupWindow is how far apart in time they may be, in nanoseconds.
	DedupWindow = 200_000_000
	// DedupRecords is the number of packets that are remembered.
	DedupRecords = 32768
)

// Dedup returns a Source that finds packets of src which have come before, as
// at a mirror port that copies what enters and what leaves a switch. Packets
// are alike if they have the same length on the wire and the same first
// DedupOctets octets, as far as they were captured, whatever their interfaces.
// A packet is a duplicate if, of the DedupRecords packets before it, the latest
// one like it is no further away in time than DedupWindow.
//
// Duplicates are marked and counted, and left out if drop is set. Flow records
// are not packets and pass unchanged. Closing the source closes src.
func Dedup(src Source, drop bool) Source {
	d := &dedup{Source: src, drop: drop, seed: maphash.MakeSeed(), records: make([]dedupRecord, DedupRecords)}
	for i := range d.buckets {
		d.buckets[i] = none
	}
	return d
}

// dedup keeps the packets before in a ring, the oldest of which makes room for
// the next one, and finds them by a hash of what is compared. The packets of a
// bucket are chained, the latest first, so the oldest is at the end of its chain.
type dedup struct {
	Source
	drop    bool
	seed    maphash.Seed
	hashed  [8 + DedupOctets]byte // room for what is hashed of a packet
	count   uint64                // duplicates found
	at      int32                 // the record that is next to be overwritten
	used    int32                 // records in use
	records []dedupRecord
	buckets [2 * DedupRecords]int32 // by hash: the latest record, or none
}

type dedupRecord struct {
	time         int64
	hash         uint64
	newer, older int32 // in the chain, or none
	wire         uint32
	link         LinkType
	captured     uint8
	data         [DedupOctets]byte
}

const none = -1

// ReadBatch implements Source.
func (d *dedup) ReadBatch(b *Batch) error {
	b.MayMap = false // the packets are looked at here, without a guard
	for {
		if err := d.Source.ReadBatch(b); err != nil || len(b.Records) > 0 {
			return err
		}
		kept := 0
		for i := range b.Packets {
			p := &b.Packets[i]
			if p.Duplicate = d.seen(p); p.Duplicate {
				d.count++
				if d.drop {
					continue
				}
			}
			if kept != i {
				b.Packets[kept] = *p
			}
			kept++
		}
		b.Packets = b.Packets[:kept]
		if kept > 0 || b.Until != 0 {
			return nil
		}
	}
}

// Stats implements Source.
func (d *dedup) Stats() Stats {
	s := d.Source.Stats()
	s.Duplicates = d.count
	return s
}

// seen reports whether the packet is a duplicate, and remembers it.
func (d *dedup) seen(p *Packet) bool {
	data := p.Data[:min(len(p.Data), DedupOctets)]
	// Packets that differ in nothing but the lower half of their length are in
	// different buckets; all else that makes them alike is hashed together. Were it
	// added after that, packets could be made that share a bucket whatever the seed.
	binary.LittleEndian.PutUint64(d.hashed[:], uint64(p.Wire>>16)<<32|uint64(p.Link))
	n := copy(d.hashed[8:], data)
	hash := maphash.Bytes(d.seed, d.hashed[:8+n]) ^ uint64(p.Wire&0xffff)*0x9e3779b97f4a7c15
	bucket := &d.buckets[hash%uint64(len(d.buckets))]
	found := false
	for i := *bucket; i != none; i = d.records[i].older {
		r := &d.records[i]
		if r.hash == hash && r.wire == p.Wire && r.link == p.Link && bytes.Equal(r.data[:r.captured], data) {
			found = max(p.Time, r.time)-min(p.Time, r.time) <= DedupWindow
			break
		}
	}
	r := &d.records[d.at]
	if d.used == DedupRecords {
		d.forget(r)
	} else {
		d.used++
	}
	*r = dedupRecord{time: p.Time, hash: hash, newer: none, older: *bucket, wire: p.Wire, link: p.Link, captured: uint8(len(data))}
	copy(r.data[:], data)
	if r.older != none {
		d.records[r.older].newer = d.at
	}
	*bucket = d.at
	d.at = (d.at + 1) % DedupRecords
	return found
}

// forget takes the oldest record, the last of its chain, out.
func (d *dedup) forget(r *dedupRecord) {
	if r.newer != none {
		d.records[r.newer].older = none
	} else {
		d.buckets[r.hash%uint64(len(d.buckets))] = none
	}
}
