package meter

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
}

type port struct {
	row    *mib.Interface
	number uint32
	rate   int   // that pass was drawn for
	pass   int64 // packets to pass over before the next one that counts
	random *rand.Rand
}

func (ps *ports) init(rows *mib.Rows[mib.Interface]) {
	ps.rows, ps.ports = rows, make(map[uint32]*port)
	ps.last = ps.port(1)
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

// admit counts the packets and takes those out of the batch that are passed
// over.
func (ps *ports) admit(b *traces.Batch) {
	kept := 0
	for i := range b.Packets {
		number := b.Packets[i].Interface
		p := ps.last
		if p.number != number {
			p = ps.port(number)
			ps.last = p
		}
		p.row.Packets++
		if p.row.SampleRate != 1 && !p.sampled() {
			continue
		}
		if kept != i {
			b.Packets[kept] = b.Packets[i]
			if len(b.Records) > 0 {
				b.Records[kept] = b.Records[i]
			}
		}
		kept++
	}
	b.Packets = b.Packets[:kept]
	b.Records = b.Records[:min(kept, len(b.Records))]
}

// sampled tells whether the next packet counts: each does with probability
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

// lost notes the number of packets that were lost. Sources tell only the sum;
// the first interface gets it.
func (ps *ports) lost(n uint64) {
	if _, row := ps.rows.From(0); row != nil {
		row.Lost = n
	}
}
