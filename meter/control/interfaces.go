package control

import (
	"math"
	"math/rand/v2"

	"rtfm/mib"
	"rtfm/traces"
)

// maxInterfaces is how many interfaces have a row in the table; packets of others
// are all metered.
const maxInterfaces = 1000

// interfaces are the interfaces that packets come from, and the sampling there.
type interfaces struct {
	rows  *mib.Rows[mib.Interface]
	known map[uint32]*sampler
	last  *sampler // of the packet before
	// Of the batch at hand: the interface of each packet that was read, how
	// many were when those that are metered were, and how many are counted.
	read    []*sampler
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

// sampler is an interface, and which of its packets are metered.
type sampler struct {
	row    *mib.Interface
	number uint32
	name   string // if the source has told it
	// What was last notified of lost packets, and at which Uptime.
	lostTold, lostAt uint64
	rate             int   // that pass was drawn for
	pass             int64 // packets to pass over before the next one that counts
	random           *rand.Rand
}

func (in *interfaces) init(rows *mib.Rows[mib.Interface]) {
	in.rows, in.known = rows, make(map[uint32]*sampler)
	in.last = &sampler{row: new(mib.Interface)} // of none: no interface has number 0
}

// at returns the interface with this number.
func (in *interfaces) at(number uint32) *sampler {
	if p := in.known[number]; p != nil {
		return p
	}
	p := &sampler{row: &mib.Interface{SampleRate: 1}, number: number, rate: 1}
	if len(in.known) < maxInterfaces && number > 0 && number <= math.MaxInt32 {
		// The seed makes a trace give the same sample each time.
		p.random = rand.New(rand.NewPCG(uint64(number), 2722))
		in.known[number] = p
		in.rows.Put(int(number), p.row)
	}
	return p
}

// admit takes the packets out of the batch that are passed over.
func (in *interfaces) admit(b *traces.Batch) {
	in.read, in.upTo, in.counted = in.read[:0], in.upTo[:0], 0
	in.outBefore, in.out = in.outBefore[:0], 0
	start, kept := in.sampledOut, 0
	for i := range b.Packets {
		number := b.Packets[i].Interface
		p := in.last
		if p.number != number {
			p = in.at(number)
			in.last = p
		}
		in.read = append(in.read, p)
		if p.row.SampleRate != 1 && !p.sampled() {
			pdus := uint64(1)
			if len(b.Records) > 0 {
				pdus = b.Records[i].PDUs
			}
			in.out += pdus
			continue
		}
		if kept != i {
			b.Packets[kept] = b.Packets[i]
			if len(b.Records) > 0 {
				b.Records[kept] = b.Records[i]
			}
		}
		kept++
		in.upTo = append(in.upTo, len(in.read))
		in.outBefore = append(in.outBefore, start+in.out)
	}
	in.out += start
	b.Packets = b.Packets[:kept]
	b.Records = b.Records[:min(kept, len(b.Records))]
}

// countTo counts packets that were read up to the one before the i-th of those that
// are metered, and all if there are no more of these. It need not be called for each
// packet, but before others look.
func (in *interfaces) countTo(i int) {
	n := len(in.read)
	switch {
	case i == len(in.upTo):
		in.sampledOut = in.out
	case i > 0:
		n, in.sampledOut = in.upTo[i-1], in.outBefore[i-1]
	default:
		return
	}
	for ; in.counted < n; in.counted++ {
		in.read[in.counted].row.Packets++
	}
}

// sampled reports whether the next packet counts: each does with probability
// 1/N, whatever came before, so that the gaps between them have a geometric
// distribution (RFC 2330 section 11.1.3).
func (p *sampler) sampled() bool {
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

func (p *sampler) draw() {
	u := 1 - p.random.Float64() // above 0
	p.pass = int64(math.Log(u) / math.Log1p(-1/float64(p.rate)))
}

// note takes over what the source tells of its interfaces. One that has come
// back under another number is sampled as before.
//
// What a source has told is not changed: the same again need not be looked at.
func (in *interfaces) note(interfaces []traces.InterfaceStats) {
	if len(interfaces) == 0 || in.noted == &interfaces[0] && in.notes == len(interfaces) {
		return
	}
	in.noted, in.notes = &interfaces[0], len(interfaces)
	for i := range interfaces {
		from := &interfaces[i]
		p := in.known[from.Number]
		if p == nil {
			if len(in.known) == maxInterfaces {
				continue // it gets no row
			}
			p = in.at(from.Number)
		}
		if p.name != from.Name {
			p.name, p.row.Name = from.Name, from.Name
			for _, before := range interfaces[:i] {
				if before.Name == from.Name {
					p.row.SampleRate = in.at(before.Number).row.SampleRate
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
func (in *interfaces) tellLost(up uint64, tell func(number int, lost uint64)) {
	for number, row := range in.rows.All {
		p := in.known[uint32(number)]
		if row.Lost > p.lostTold && (p.lostTold == 0 || up >= p.lostAt+lostEvery) {
			p.lostTold, p.lostAt = row.Lost, up
			tell(number, row.Lost)
		}
	}
}
