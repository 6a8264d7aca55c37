package control

import (
	"math"
	"math/rand/v2"

	"rtfm/mib"
	"rtfm/traces"
)

// maxPorts is how many interfaces have a row in the table; packets of others
// are all metered.
const maxPorts = 1000

// ports are the interfaces that packets come from, and the sampling there.
type ports struct {
	rows  *mib.Rows[mib.Interface]
	ports map[uint32]*port
	last  *port // of the packet before
	// Of the batch at hand: the interface of each packet that was read, how
	// many were when those that are metered were, and how many are counted.
	read    []*port
	upTo    []int
	counted int
	noted   *traces.InterfaceStats // the first that was noted last
	notes   int                    // how many were
	// sampledOut are the packets passed over since the start, of records their
	// PDUs; of the batch at hand also those before each packet that is metered,
	// and all of them.
	sampledOut, out uint64
	outBefore       []uint64
}

type port struct {
	row    *mib.Interface
	number uint32
	name   string // if the source has told it
	// What was last notified of lost packets, and at which Uptime.
	lostTold, lostAt uint64
	rate             int   // that pass was drawn for
	pass             int64 // packets to pass over before the next one that counts
	random           *rand.Rand
}

func (ps *ports) init(rows *mib.Rows[mib.Interface]) {
	ps.rows, ps.ports = rows, make(map[uint32]*port)
	ps.last = &port{row: new(mib.Interface)} // of none: no interface has number 0
}

// port returns the interface with this number.
func (ps *ports) port(number uint32) *port {
	if p := ps.ports[number]; p != nil {
		return p
	}
	p := &port{row: &mib.Interface{SampleRate: 1}, number: number, rate: 1}
	if len(ps.ports) < maxPorts && number > 0 && number <= math.MaxInt32 {
		// The seed makes a trace give the same sample each time.
		p.random = rand.New(rand.NewPCG(uint64(number), 2722))
		ps.ports[number] = p
		ps.rows.Put(int(number), p.row)
	}
	return p
}

// admit takes the packets out of the batch that are passed over.
func (ps *ports) admit(b *traces.Batch) {
	ps.read, ps.upTo, ps.counted = ps.read[:0], ps.upTo[:0], 0
	ps.outBefore, ps.out = ps.outBefore[:0], 0
	start, kept := ps.sampledOut, 0
	for i := range b.Packets {
		number := b.Packets[i].Interface
		p := ps.last
		if p.number != number {
			p = ps.port(number)
			ps.last = p
		}
		ps.read = append(ps.read, p)
		if p.row.SampleRate != 1 && !p.sampled() {
			pdus := uint64(1)
			if len(b.Records) > 0 {
				pdus = b.Records[i].PDUs
			}
			ps.out += pdus
			continue
		}
		if kept != i {
			b.Packets[kept] = b.Packets[i]
			if len(b.Records) > 0 {
				b.Records[kept] = b.Records[i]
			}
		}
		kept++
		ps.upTo = append(ps.upTo, len(ps.read))
		ps.outBefore = append(ps.outBefore, start+ps.out)
	}
	ps.out += start
	b.Packets = b.Packets[:kept]
	b.Records = b.Records[:min(kept, len(b.Records))]
}

// countTo counts packets that were read up to the one before the i-th of those that
// are metered, and all if there are no more of these. It need not be called for each
// packet, but before others look.
func (ps *ports) countTo(i int) {
	n := len(ps.read)
	switch {
	case i == len(ps.upTo):
		ps.sampledOut = ps.out
	case i > 0:
		n, ps.sampledOut = ps.upTo[i-1], ps.outBefore[i-1]
	default:
		return
	}
	for ; ps.counted < n; ps.counted++ {
		ps.read[ps.counted].row.Packets++
	}
}

// sampled reports whether the next packet counts: each does with probability
// 1/N, whatever came before, so that the gaps between them have a geometric
// distribution (RFC 2330 section 11.1.3).
func (p *port) sampled() bool {
	n := p.row.SampleRate
	if n == 0 {
		return false
	}
	if p.rate != n {
		p.rate = n
		p.draw()
	}
	if p.pass > 0 {
		p.pass--
		return false
	}
	p.draw()
	return true
}

func (p *port) draw() {
	u := 1 - p.random.Float64() // above 0
	p.pass = int64(math.Log(u) / math.Log1p(-1/float64(p.rate)))
}

// note takes over what the source tells of its interfaces. One that has come
// back under another number is sampled as before.
//
// What a source has told is not changed: the same again need not be looked at.
func (ps *ports) note(interfaces []traces.InterfaceStats) {
	if len(interfaces) == 0 || ps.noted == &interfaces[0] && ps.notes == len(interfaces) {
		return
	}
	ps.noted, ps.notes = &interfaces[0], len(interfaces)
	for i := range interfaces {
		from := &interfaces[i]
		p := ps.ports[from.Number]
		if p == nil {
			if len(ps.ports) == maxPorts {
				continue // it gets no row
			}
			p = ps.port(from.Number)
		}
		if p.name != from.Name {
			p.name, p.row.Name = from.Name, from.Name
			for _, before := range interfaces[:i] {
				if before.Name == from.Name {
					p.row.SampleRate = ps.port(before.Number).row.SampleRate
				}
			}
		}
		p.row.Lost = from.Lost
	}
}

// lostEvery is how often, in centiseconds, lost packets of an interface are told
// of at most.
const lostEvery = 60 * ticksPerSecond

// tellLost calls tell with the interfaces whose lost packets are to be told of
// at the given Uptime.
func (ps *ports) tellLost(up uint64, tell func(number int, lost uint64)) {
	for number, row := range ps.rows.All {
		p := ps.ports[uint32(number)]
		if row.Lost > p.lostTold && (p.lostTold == 0 || up >= p.lostAt+lostEvery) {
			p.lostTold, p.lostAt = row.Lost, up
			tell(number, row.Lost)
		}
	}
}
