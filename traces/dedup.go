package traces

import "fmt"

// Duplicate says what copy of an earlier packet one is.
type Duplicate uint8

// The classes of copies. Their numbers are values of the attribute Duplicate.
const (
	// NoDuplicate is a packet that has not come before, as far as was looked for.
	NoDuplicate Duplicate = 0
	// Switched is one that came before as it is: a mirror port copied what entered
	// the switch and what left it.
	Switched Duplicate = 1
	// Routed is one that a router has passed on since it came before.
	Routed Duplicate = 2

	duplicateClasses = 3
)

// String returns the name of the class, as programs have it.
func (d Duplicate) String() string {
	return [duplicateClasses]string{"none", "switched", "routed"}[d]
}

// How far back Dedup looks unless it is told, as HPCAP's filter for mirror ports
// does (V. Moreno, thesis, UAM 2015, section 4.4), and how far at most.
const (
	// DedupWindow is how far apart in time two packets may be, in nanoseconds.
	DedupWindow = 200_000_000
	// DedupRecords is the number of packets that are remembered, MaxDedupRecords
	// the most: 120 MB of them, or 280 MB if those routed are looked for.
	DedupRecords    = 32768
	MaxDedupRecords = 1 << 20
)

// DedupConfig is what Dedup looks for.
type DedupConfig struct {
	Switched, Routed bool // the classes
	// Drop leaves duplicates out. They are marked else.
	Drop bool
	// Window is how far apart in time packets may be, in nanoseconds, and Records
	// how many are remembered, MaxDedupRecords at most; 0 stands for DedupWindow
	// and DedupRecords.
	Window  int64
	Records int
}

// Dedup returns a Source that finds packets of src which have come before, of two
// classes.
//
// Switched: packets are alike if they have the same length on the wire and the same
// first 70 octets, as far as they were captured, whatever their interfaces. A packet
// is a duplicate if, of the packets that are remembered, the latest one like it is
// no further away in time than the window.
//
// Routed: Ethernet packets of IP are alike if they have the same addresses, protocol,
// length, in IPv4 identification and fragment offset, and of IP's payload the same first
// 64 octets, as far as they were captured; of TCP's first segments, whose options a
// router may change, the first 16. A packet is a duplicate if, of those remembered
// that were no duplicates themselves, one of the latest eight like it is no further away
// in time than the window, has a higher hop limit, and both other stations.
//
// What is both is switched. Duplicates are marked and counted, and left out if that
// is configured. Flow records are not packets and pass unchanged. Of packets in a
// file that becomes shorter there is an error instead. Closing the source closes src.
func Dedup(src Source, cfg DedupConfig) Source { return newDedup(src, cfg) }

func newDedup(src Source, cfg DedupConfig) *dedup {
	if cfg.Window == 0 {
		cfg.Window = DedupWindow
	}
	if cfg.Records == 0 {
		cfg.Records = DedupRecords
	}
	cfg.Records = min(cfg.Records, MaxDedupRecords)
	d := &dedup{Source: src, cfg: cfg, ring: ring{most: int32(cfg.Records), size: int32(cfg.Records) + dedupChunk}}
	d.packets = make([]remembered, d.size)
	if cfg.Switched {
		d.switched = newMemory(&d.ring, sameKeyLen)
	}
	if cfg.Routed {
		d.routed = newMemory(&d.ring, routedKeyLen)
	}
	return d
}

// dedup keeps the packets before in a ring, and finds them by a hash of what makes
// them alike.
type dedup struct {
	Source
	cfg DedupConfig
	ring
	packets          []remembered
	switched, routed *memory // nil if that class is not looked for
	counts           duplicateCounts
}

// remembered is what is known of a packet beside what makes it alike.
type remembered struct {
	time     int64
	seenOn   uint32 // the interface where the first of a packet and its copies was seen
	canRoute bool   // it may be a routed copy, or have one
	hopLimit uint8
	stations [12]byte // link addresses, dest and source
}

// ReadBatch implements Source.
func (d *dedup) ReadBatch(b *Batch) error {
	for {
		if err := d.Source.ReadBatch(b); err != nil || len(b.Records) > 0 {
			return err
		}
		kept := 0
		for from := 0; from < len(b.Packets); from += dedupChunk {
			chunk := b.Packets[from:min(from+dedupChunk, len(b.Packets))]
			if err := d.look(b.Mapping, chunk); err != nil {
				err = fmt.Errorf("%s: %d packets are not counted: %w", b.File, len(b.Packets), err)
				b.Packets, b.Mapping = b.Packets[:0], nil
				return err
			}
			for i := range chunk {
				p := &chunk[i]
				p.Duplicate = d.seen(p)
				if p.Duplicate != NoDuplicate && d.cfg.Drop {
					continue
				}
				if kept != from+i {
					b.Packets[kept] = *p
				}
				kept++
			}
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
	s.Duplicates = d.counts.snapshot()
	return s
}

// look takes what is needed of packets' octets to where they will be in the ring.
// If the file in which they lie fails, nothing was remembered.
func (d *dedup) look(in Mapping, packets []Packet) error {
	if in == nil {
		d.lookAt(packets)
		return nil
	}
	return in.Guard(func() { d.lookAt(packets) })
}

func (d *dedup) lookAt(packets []Packet) {
	for i := range packets {
		p, at := &packets[i], d.ahead(int32(i))
		if d.switched != nil {
			d.switched.set(at, appendSameKey(d.switched.room(at), p))
		}
		if d.routed != nil {
			d.routed.set(at, d.packets[at].appendRoutedKey(d.routed.room(at), p))
		}
	}
}

// seen returns what copy a packet is, the next of those that were looked at, and
// remembers it.
func (d *dedup) seen(p *Packet) Duplicate {
	r := &d.packets[d.at]
	r.time, r.seenOn = p.Time, p.Interface
	class := NoDuplicate
	if m := d.switched; m != nil {
		if i := m.find(&d.ring); i != none && d.near(r, i) {
			class, r.seenOn = Switched, d.packets[i].seenOn
		}
		m.add(&d.ring)
	}
	if m := d.routed; m != nil && r.canRoute && class == NoDuplicate {
		if i := d.findPassedOn(r); i != none {
			class, r.seenOn = Routed, d.packets[i].seenOn
		} else {
			m.add(&d.ring)
		}
	}
	if class != NoDuplicate {
		d.counts.add(class, r.seenOn, p.Interface)
	}
	d.next()
	return class
}

// findPassedOn returns the place of the packet that a router has passed on as r, the next
// one, or none.
func (d *dedup) findPassedOn(r *remembered) int32 {
	i := d.routed.find(&d.ring)
	for looks := 1; i != none; looks++ {
		if before := &d.packets[i]; d.near(r, i) && r.isPassedOn(before) {
			return i
		}
		if looks == routedLooks {
			return none
		}
		i = d.routed.findBefore(&d.ring, i)
	}
	return none
}

// near reports whether packet i is no further away from r in time than the window.
func (d *dedup) near(r *remembered, i int32) bool {
	t := d.packets[i].time
	return max(r.time, t)-min(r.time, t) <= d.cfg.Window
}

// isPassedOn reports whether r may be what a router has made of the packet before, which
// is like it.
func (r *remembered) isPassedOn(before *remembered) bool {
	return r.hopLimit < before.hopLimit &&
		[6]byte(r.stations[:6]) != [6]byte(before.stations[:6]) && [6]byte(r.stations[6:]) != [6]byte(before.stations[6:])
}
