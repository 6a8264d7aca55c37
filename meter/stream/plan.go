package stream

import (
	"math"

	"rtfm/meter/huge"
	"rtfm/ruleset"
)

// plan says how the distributions of one shape's flows are built. A flow is a
// run of 64-bit words: the counters of its distributions in the shape's order,
// and behind them what must be remembered between packets.
type plan struct {
	shape  *ruleset.Shape
	sizes  [2][]histogram // by direction
	gaps   [2][]histogram
	rates  [2][]rate
	first  int    // word: time of the flow's first packet, where rates begin
	latest [2]int // words: time of the latest packet in each direction plus 1, 0 for none
	flows  store

	// What streams are for; see Engine.
	single      bool // there are distributions of single packets
	streams     bool // the flow keeps streams
	turnarounds []turnaround
	losses      [2]loss // by direction
	times       []histogram
	octets      [2][]histogram
	pdus        [2][]histogram
	tcpSizes    [2][]histogram
	tcpTimes    [2][]histogram
	tcpRates    [2][]histogram
	sized       bool // octets and packets of streams are wanted
	tcpWhole    bool // sizes, times or rates of what TCP streams send are wanted
	// The kinds of pairs that are wanted.
	plainPairs, echo, tcpSyn, tcpData, dhcp bool
	udp                                     []parser
}

// rate is a distribution of the rates of intervals, which follow each other
// from the flow's first packet on without a gap.
type rate struct {
	histogram
	seconds uint64 // of an interval
	bits    bool   // count bits, not PDUs
	// Words: how many intervals have ended, and what was counted in the present
	// one.
	ended, amount int
}

// settle counts the rates of the intervals that ended by time now.
func (r *rate) settle(words []uint64, first, now int64) {
	ended := uint64(now-first) / (r.seconds * second)
	n := ended - words[r.ended]
	if n == 0 {
		return
	}
	r.add(words, words[r.amount]/r.seconds, 1)
	if n > 1 {
		r.add(words, 0, n-1)
	}
	words[r.ended], words[r.amount] = ended, 0
}

// newPlan returns the plan for flows of shape s, which has distributions.
func newPlan(s *ruleset.Shape) *plan {
	p := &plan{shape: s}
	at := 0
	for i := range s.Distributions {
		d := &s.Distributions[i]
		p.add(d, newHistogram(d, at))
		at += d.Counters()
	}
	p.wantPairs()
	word := func() int {
		at++
		return at - 1
	}
	p.first = word()
	for direction := range 2 {
		p.latest[direction] = word()
		for i := range p.rates[direction] {
			p.rates[direction][i].ended, p.rates[direction][i].amount = word(), word()
		}
	}
	p.flows.words = at
	return p
}

// add adds a distribution.
func (p *plan) add(d *ruleset.Distribution, h histogram) {
	p1, p2, _ := d.Parameters()
	kind := ruleset.PairKind(p1)
	direction := 0
	if d.Attr.IsFrom() {
		direction = 1
	}
	into := func(all *[2][]histogram) { all[direction] = append(all[direction], h) }
	p.streams = p.streams || d.Attr > ruleset.FromPDURate || d.Attr.CountsPairs()
	p.single = p.single || d.Attr <= ruleset.FromPDURate && !d.Attr.CountsPairs()
	p.sized = p.sized || d.Attr >= ruleset.ToFlowOctets && d.Attr <= ruleset.FromFlowPDUs
	p.tcpWhole = p.tcpWhole || d.Attr >= ruleset.ToTCPSize && d.Attr <= ruleset.FromTCPRate
	switch d.Attr {
	case ruleset.ToPacketSize, ruleset.FromPacketSize:
		into(&p.sizes)
	case ruleset.ToInterarrivalTime, ruleset.FromInterarrivalTime:
		into(&p.gaps)
	case ruleset.ToBitRate, ruleset.FromBitRate, ruleset.ToPDURate, ruleset.FromPDURate:
		bits := d.Attr <= ruleset.FromBitRate
		p.rates[direction] = append(p.rates[direction], rate{histogram: h, seconds: uint64(p1), bits: bits})
	case ruleset.FlowTime:
		p.times = append(p.times, h)
	case ruleset.ToFlowOctets, ruleset.FromFlowOctets:
		into(&p.octets)
	case ruleset.ToFlowPDUs, ruleset.FromFlowPDUs:
		into(&p.pdus)
	case ruleset.ToTCPSize, ruleset.FromTCPSize:
		into(&p.tcpSizes)
	case ruleset.ToTCPTime, ruleset.FromTCPTime:
		into(&p.tcpTimes)
	case ruleset.ToTCPRate, ruleset.FromTCPRate:
		into(&p.tcpRates)
	case ruleset.ToLostPDUs, ruleset.FromLostPDUs:
		p.losses[direction] = loss{h, true, kind, int64(p2) * 1_000_000}
	default: // the turnaround times
		p.turnarounds = append(p.turnarounds, turnaround{h, kind, uint8(direction)})
	}
}

// wantPairs finds which kinds of pairs are wanted, and for losses without a
// limit of their own the upper limit of the turnaround times that they go with.
func (p *plan) wantPairs() {
	want := map[ruleset.PairKind]bool{}
	for i := range p.turnarounds {
		want[p.turnarounds[i].kind] = true
	}
	for direction := range p.losses {
		l := &p.losses[direction]
		if !l.wanted {
			continue
		}
		want[l.kind] = true
		for i := len(p.turnarounds) - 1; i >= 0 && l.limit == 0; i-- {
			if t := &p.turnarounds[i]; t.kind == l.kind && int(t.direction) == direction {
				l.limit = int64(min(t.limits[len(t.limits)-1], math.MaxInt64/1000)) * 1000
			}
		}
		if l.limit == 0 {
			l.limit = DefaultTimeout
		}
	}
	p.plainPairs, p.echo, p.dhcp = want[ruleset.PairPlain], want[ruleset.PairEcho], want[ruleset.PairDHCP]
	p.tcpSyn, p.tcpData = want[ruleset.PairTCPSyn], want[ruleset.PairTCPData]
	for _, u := range udpParsers {
		if want[u.kind] {
			p.udp = append(p.udp, u)
		}
	}
}

// second is a second in nanoseconds.
const second = 1_000_000_000

// packet counts a packet of the flow in the distributions of single packets.
func (p *plan) packet(words []uint64, direction int, octets uint64, now int64) {
	if !p.single {
		return
	}
	for i := range p.sizes[direction] {
		p.sizes[direction][i].add(words, octets, 1)
	}
	if gaps := p.gaps[direction]; len(gaps) > 0 {
		latest := &words[p.latest[direction]]
		if *latest != 0 {
			for i := range gaps {
				gaps[i].add(words, (uint64(now)+1-*latest)/1000, 1)
			}
		}
		*latest = uint64(now) + 1
	}
	for i := range p.rates[direction] {
		r := &p.rates[direction][i]
		r.settle(words, int64(words[p.first]), now)
		if r.bits {
			words[r.amount] += 8 * octets
		} else {
			words[r.amount]++
		}
	}
}

// settle brings the distributions of rates up to time now.
func (p *plan) settle(words []uint64, now int64) {
	for direction := range p.rates {
		for i := range p.rates[direction] {
			p.rates[direction][i].settle(words, int64(words[p.first]), now)
		}
	}
}

// store holds runs of words of one length.
type store struct {
	words  int
	blocks [][]uint64 // blockLen runs each
	slab   huge.Slab[uint64]
	used   uint32
	free   []uint32
}

const blockLen = 64

func (s *store) at(i uint32) []uint64 {
	from := int(i%blockLen) * s.words
	return s.blocks[i/blockLen][from : from+s.words]
}

// large tells whether the runs are more than the caches near a processor hold.
func (s *store) large() bool { return len(s.blocks)*blockLen*s.words > 1<<17 }

// add returns the number of a run of zeros.
func (s *store) add() uint32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		clear(s.at(i))
		return i
	}
	if int(s.used) == len(s.blocks)*blockLen {
		s.blocks = append(s.blocks, s.slab.Take(blockLen*s.words))
	}
	s.used++
	return s.used - 1
}

// remove takes run i back. When none is in use, all memory is given back.
func (s *store) remove(i uint32) {
	if s.free = append(s.free, i); len(s.free) == int(s.used) {
		*s = store{words: s.words}
	}
}
