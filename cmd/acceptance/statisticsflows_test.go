package acceptance

import (
	"fmt"
	"math/big"
)

// A wantFlow is what a flow's statistics must be: by attribute, without To or
// From, in the flow's own directions.
type wantFlow struct {
	source endpoint
	sides  [2]wantSide // To, From
	first  []wantListed
	firstP []wantListed // with payload only

	last, lastP int64 // times of the packets listed last
	stream      *wantStream
	cut         bool // some header was cut before what is compared
}

// A wantSide is what the packets in one direction must be counted as.
type wantSide struct {
	size, gap, payload, window wantStats
	hops, ids                  wantStats // of which the range is compared
	seen                       uint8
	flags                      [8]uint64
	zeroWindows, resets        uint64
	sequences                  wantSequences
	last                       int64 // time of the latest packet
}

// A wantStats is the plain form of what is to be known of values.
type wantStats struct {
	n, sum, ssq big.Int
	min, max    uint64
}

func (s *wantStats) add(v uint64) {
	if s.n.Sign() == 0 || v < s.min {
		s.min = v
	}
	s.max = max(s.max, v)
	b := new(big.Int).SetUint64(v)
	s.n.Add(&s.n, big.NewInt(1))
	s.sum.Add(&s.sum, b)
	s.ssq.Add(&s.ssq, b.Mul(b, b))
}

// String is n:sum:ssq:min:max, as in flow data.
func (s *wantStats) String() string {
	return fmt.Sprintf("%v:%v:%v:%d:%d", &s.n, &s.sum, &s.ssq, s.min, s.max)
}

// A wantListed is one of a flow's first packets.
type wantListed struct {
	octets    uint64
	direction int // 1 or -1
	gap       uint64
	flags     uint8
}

// listed is how many packets the rules list, longestGap the most microseconds that
// may be between two of them.
const (
	listed     = 30
	longestGap = 1<<39 - 1
)

// wantFlows adds up the packets of a trace to flows, in the order of their first
// packets.
func wantFlows(packets []sharkPacket) (names []string, flows map[string]*wantFlow) {
	flows = map[string]*wantFlow{}
	names = eachFlow(packets, func(name string, p *sharkPacket) {
		f := flows[name]
		if f == nil {
			f = &wantFlow{source: p.source}
			flows[name] = f
		}
		f.add(p)
	})
	for _, f := range flows {
		if f.stream != nil {
			f.stream.end(f)
		}
	}
	return names, flows
}

// eachFlow calls add with each packet and the name of its flow, which has packets of both
// directions, and returns the names in the order of the flows' first packets.
func eachFlow(packets []sharkPacket, add func(name string, p *sharkPacket)) (names []string) {
	known := map[string]bool{}
	for i := range packets {
		p := &packets[i]
		name := flowName(p.protocol, p.source, p.dest)
		if reverse := flowName(p.protocol, p.dest, p.source); !known[name] && known[reverse] {
			name = reverse
		}
		if !known[name] {
			known[name] = true
			names = append(names, name)
		}
		add(name, p)
	}
	return names
}

// flowName is the name of a flow of packets from source to dest.
func flowName(protocol uint8, source, dest endpoint) string {
	if !withPorts(protocol) {
		source.port, dest.port = 0, 0
	}
	return fmt.Sprintf("%d %v %d > %v %d", protocol, source.addr, source.port, dest.addr, dest.port)
}

// add counts a packet.
func (f *wantFlow) add(p *sharkPacket) {
	direction := 0
	if p.source != f.source {
		direction = 1
	}
	side := &f.sides[direction]
	if side.size.n.Sign() > 0 {
		side.gap.add(uint64(p.time - side.last))
	}
	side.last = p.time
	side.size.add(p.octets)
	side.hops.add(p.hops)
	if p.version == 4 {
		side.ids.add(p.id)
	}
	if p.payload >= 0 {
		side.payload.add(uint64(p.payload))
	}
	flags := uint8(0)
	if p.segment != nil {
		flags = p.segment.flags
		side.segment(p.segment)
		f.follow(p, direction)
	} else if p.protocol == 6 && (p.source.port != 0 || p.dest.port != 0) {
		f.cut = true
	}
	list := func(to *[]wantListed, last *int64, octets uint64) {
		if len(*to) == listed {
			return
		}
		l := wantListed{octets: min(octets, 65535), direction: 1 - 2*direction, flags: flags}
		if len(*to) > 0 {
			l.gap = min(uint64(p.time-*last)/1000, longestGap)
		}
		*to, *last = append(*to, l), p.time
	}
	list(&f.first, &f.last, p.octets)
	if p.payload > 0 {
		list(&f.firstP, &f.lastP, uint64(p.payload))
	}
}

// segment counts what a TCP header tells by itself.
func (w *wantSide) segment(s *sharkSegment) {
	w.window.add(s.window)
	w.seen |= s.flags
	for i := range w.flags {
		w.flags[i] += uint64(s.flags >> i & 1)
	}
	if s.window == 0 && s.flags&(fin|syn|rst) == 0 {
		w.zeroWindows++
	}
	if s.flags&rst != 0 {
		w.resets++
	}
}
