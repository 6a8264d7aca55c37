package stream

import (
	"math"
	"slices"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// plan says how a half of the distributions and statistics of one shape's flows are
// built. A flow has the counters of its distributions in the shape's order, tallies if
// it has statistics of single packets, and 64-bit words: the numbers of other
// statistics, and what is remembered between packets.
type plan struct {
	shape    *match.Shape
	measures []int // those of the shape that are of this half, distributions first
	lengths  []int // of these, how many numbers they have
	words    []int // by measure of the shape: the first of its words, or its list

	store  *store         // that its flows are in
	sizes  [2][]histogram // by direction
	gaps   [2][]histogram
	rates  [2][]rate
	rated  bool   // there are rates
	first  int    // word: time of the flow's first packet, where rates begin
	latest [2]int // words: time of the latest packet in each direction plus 1, 0 for none
	flows  pool
	// Statistics: of single packets, with details of them, with lists, of which all
	// have their bits in listed; and of sequence numbers, by direction.
	tallied, detailed bool
	lists             []list
	listed            uint8
	sequence          [2]sequenceWords
	sequenced         bool

	// What streams are for; see Engine.
	kept        [forms]bool                    // the flow keeps streams of such packets
	whole       bool                           // there are distributions of whole streams
	turnarounds [attr.PairKinds][2][]histogram // by kind of pairs and direction of the request
	losses      [2]loss                        // by direction
	took        [2]pairStatistic               // by direction of the request
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
	// By kind of pairs and direction of the request, that its answer is wanted.
	answered [attr.PairKinds][2]bool
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

// counted is a flow whose distributions a plan builds.
type counted struct {
	*plan
	flow uint32 // in the store
}

// settleRate counts the rates of a flow's intervals that ended by time now.
func (c counted) settleRate(r *rate, now int64) {
	words := c.store.wordsOf(c.flow)
	ended := uint64(now-int64(words[c.first])) / (r.seconds * second)
	n := ended - words[r.ended]
	if n == 0 {
		return
	}
	c.count(&r.histogram, words[r.amount]/r.seconds, 1)
	if n > 1 {
		c.count(&r.histogram, 0, n-1)
	}
	words[r.ended], words[r.amount] = ended, 0
}

// count adds n values of v to a distribution.
func (c counted) count(h *histogram, v, n uint64) {
	c.store.count(c.flow, h.at+h.bucket(v), n)
}

// newPlan returns the plan for a half of the measures of flows of shape s, which are
// in this store.
func newPlan(s *match.Shape, in *store, which half) *plan {
	p := &plan{shape: s, store: in, words: make([]int, len(s.Measures))}
	at, words := 0, 0
	if slices.ContainsFunc(s.Measures, func(d attr.Measure) bool { return ofSequence(d.Attr) }) && which == streamHalf {
		words = 1 // the first of them nobody reads; see sequenceWords
	}
	var statistics []int
	for i := range s.Measures {
		d := &s.Measures[i]
		if halfOf(d.Attr) != which {
			continue
		}
		if d.Attr.Form() != attr.FormBuckets {
			if n := d.Counters(); n <= 8 && words%8+n > 8 {
				words = (words + 7) &^ 7 // its numbers stand in one cache line
			}
			if p.words[i] = words; d.Attr.Form() == attr.FormPackets {
				p.words[i] = len(p.lists)
			}
			words += p.addStatistic(d, words)
			statistics = append(statistics, i)
			continue
		}
		p.add(d, newHistogram(d, at))
		p.measures = append(p.measures, i)
		at += d.Counters()
	}
	p.measures = append(p.measures, statistics...)
	for _, i := range p.measures {
		p.lengths = append(p.lengths, s.Measures[i].Counters())
	}
	p.wantPairs()
	words = p.placeLists(words)
	word := func() int {
		words++
		return words - 1
	}
	p.rated = len(p.rates[0])+len(p.rates[1]) > 0
	if p.rated {
		p.first = word()
	}
	for direction := range 2 {
		if len(p.gaps[direction]) > 0 {
			p.latest[direction] = word()
		}
		for i := range p.rates[direction] {
			p.rates[direction][i].ended, p.rates[direction][i].amount = word(), word()
		}
	}
	if words >= 8 { // of one flow not in the cache lines of another
		words = (words + 7) &^ 7
	}
	p.flows = pool{counters: at, words: words}
	return p
}

// add adds a distribution.
func (p *plan) add(d *attr.Measure, h histogram) {
	p1, p2, _ := d.Parameters()
	kind := attr.PairKind(p1)
	direction := 0
	if d.Attr.IsFrom() {
		direction = 1
	}
	into := func(all *[2][]histogram) { all[direction] = append(all[direction], h) }
	p.whole = p.whole || d.Attr > attr.FromPDURate && !d.Attr.CountsPairs() || d.Attr == attr.ToLostPDUs || d.Attr == attr.FromLostPDUs
	p.sized = p.sized || d.Attr >= attr.ToFlowOctets && d.Attr <= attr.FromFlowPDUs
	p.tcpWhole = p.tcpWhole || d.Attr >= attr.ToTCPSize && d.Attr <= attr.FromTCPRate
	switch d.Attr {
	case attr.ToPacketSize, attr.FromPacketSize:
		into(&p.sizes)
	case attr.ToInterarrivalTime, attr.FromInterarrivalTime:
		into(&p.gaps)
	case attr.ToBitRate, attr.FromBitRate, attr.ToPDURate, attr.FromPDURate:
		bits := d.Attr <= attr.FromBitRate
		p.rates[direction] = append(p.rates[direction], rate{histogram: h, seconds: uint64(p1), bits: bits})
	case attr.FlowTime:
		p.times = append(p.times, h)
	case attr.ToFlowOctets, attr.FromFlowOctets:
		into(&p.octets)
	case attr.ToFlowPDUs, attr.FromFlowPDUs:
		into(&p.pdus)
	case attr.ToTCPSize, attr.FromTCPSize:
		into(&p.tcpSizes)
	case attr.ToTCPTime, attr.FromTCPTime:
		into(&p.tcpTimes)
	case attr.ToTCPRate, attr.FromTCPRate:
		into(&p.tcpRates)
	case attr.ToLostPDUs, attr.FromLostPDUs:
		p.losses[direction] = loss{h, true, kind, int64(p2) * 1_000_000}
	default: // the turnaround times
		into(&p.turnarounds[kind])
	}
}

// wantPairs finds which kinds of pairs are wanted, and for losses without a
// limit of their own the upper limit of the turnaround times that they go with.
func (p *plan) wantPairs() {
	var want [attr.PairKinds]bool
	for direction := range p.losses {
		for kind := range p.turnarounds {
			p.answered[kind][direction] = len(p.turnarounds[kind][direction]) > 0 || p.took[direction].of(attr.PairKind(kind))
			want[kind] = want[kind] || p.answered[kind][direction]
		}
		l := &p.losses[direction]
		if !l.wanted {
			continue
		}
		want[l.kind], p.answered[l.kind][direction] = true, true
		times := p.turnarounds[l.kind][direction]
		if n := len(times); l.limit == 0 && n > 0 {
			limits := times[n-1].limits
			l.limit = int64(min(limits[len(limits)-1], math.MaxInt64/1000)) * 1000
		}
		if l.limit == 0 {
			l.limit = DefaultTimeout
		}
	}
	p.plainPairs, p.echo, p.dhcp = want[attr.PairPlain], want[attr.PairEcho], want[attr.PairDHCP]
	p.tcpSyn, p.tcpData = want[attr.PairTCPSyn], want[attr.PairTCPData]
	for _, u := range udpParsers {
		if want[u.kind] {
			p.udp = append(p.udp, u)
		}
	}
	for f := formOther; f < forms; f++ {
		p.kept[f] = p.whole || p.plainPairs || f == formMessage && p.echo || f == formDatagram && len(p.udp) > 0 ||
			f >= formCut && (p.tcpSyn || p.tcpData || p.sequenced)
	}
}

// second is a second in nanoseconds.
const second = 1_000_000_000

// packet counts a packet of the flow in the distributions and statistics of single
// packets.
func (c counted) packet(direction int, packet Packet, octets uint64, now int64) {
	for i := range c.sizes[direction] {
		c.count(&c.sizes[direction][i], octets, 1)
	}
	if c.tallied {
		c.tally(direction, packet, octets, now)
	}
	if c.flows.words == 0 {
		return
	}
	words := c.store.wordsOf(c.flow)
	if gaps := c.gaps[direction]; len(gaps) > 0 {
		latest := &words[c.latest[direction]]
		if *latest != 0 {
			for i := range gaps {
				c.count(&gaps[i], (uint64(now)+1-*latest)/1000, 1)
			}
		}
		*latest = uint64(now) + 1
	}
	for i := range c.rates[direction] {
		r := &c.rates[direction][i]
		c.settleRate(r, now)
		if r.bits {
			words[r.amount] += 8 * octets
		} else {
			words[r.amount]++
		}
	}
}

// appendNumbers appends the numbers of the flow's measures of this half, as of time
// now, in the order of plan.measures.
func (c counted) appendNumbers(all []uint64, now int64) []uint64 {
	c.settle(now)
	all = c.store.appendCounters(all, c.flow)
	for _, i := range c.measures {
		if d := &c.shape.Measures[i]; d.Attr.Form() != attr.FormBuckets {
			all = c.appendStatistic(all, d, c.words[i])
		}
	}
	return all
}

// settle brings the distributions of rates up to time now.
func (c counted) settle(now int64) {
	for direction := range c.rates {
		for i := range c.rates[direction] {
			c.settleRate(&c.rates[direction][i], now)
		}
	}
}
