package stream

import (
	"math/bits"

	"rtfm/ruleset/attr"
)

// statistic is a statistic of single packets, and the word at which its numbers
// begin.
type statistic struct {
	what attr.Attr // of packets to the destination, in either direction
	at   int
	most int // packets that it lists
}

// pairStatistic is the statistic of the turnaround times of a kind of pairs, and the
// word at which its numbers begin.
type pairStatistic struct {
	wanted bool
	kind   attr.PairKind
	at     int
}

func (s *pairStatistic) of(kind attr.PairKind) bool { return s.wanted && s.kind == kind }

// extraWords returns how many words a statistic needs behind its numbers: for the
// time of a packet before.
func extraWords(a attr.Attr) int {
	switch a {
	case attr.ToGapStats, attr.FromGapStats, attr.FirstPackets, attr.FirstPayloads:
		return 1
	}
	return 0
}

// addStatistic adds a statistic whose numbers begin at this word.
func (p *plan) addStatistic(d *attr.Measure, at int) {
	what, direction := d.Attr, 0
	if d.Attr.IsFrom() {
		what, direction = d.Attr-1, 1
	}
	s := statistic{what: what, at: at, most: d.Packets()}
	switch what {
	case attr.ToSizeStats, attr.ToGapStats:
		p.statistics[direction] = append(p.statistics[direction], s)
	case attr.ToPayloadStats, attr.ToWindowStats, attr.ToHopLimitRange, attr.ToIPIDRange, attr.ToTCPFlags, attr.ToZeroWindows, attr.ToResets:
		p.statistics[direction] = append(p.statistics[direction], s)
		p.detailed = true
	case attr.FirstPackets, attr.FirstPayloads:
		p.statistics[0], p.statistics[1] = append(p.statistics[0], s), append(p.statistics[1], s)
		p.detailed = true
	case attr.ToTurnaroundStats:
		kind, _, _ := d.Parameters()
		p.took[direction] = pairStatistic{true, attr.PairKind(kind), at}
	default:
		if word := p.sequence[direction].of(what); word != nil {
			*word, p.sequenced = at, true
		}
	}
	p.single = p.single || len(p.statistics[direction]) > 0
}

// statistic counts a packet in the statistics of single packets.
func (c counted) statistic(direction int, packet Packet, octets uint64, now int64) {
	words := c.store.wordsOf(c.flow)
	d := &noDetail
	if c.detailed {
		d = packet.detail()
	}
	for i := range c.statistics[direction] {
		s := &c.statistics[direction][i]
		w := words[s.at:]
		switch s.what {
		case attr.ToSizeStats:
			addStat(w, octets)
		case attr.ToGapStats:
			latest := &w[attr.StatMax+1] // plus 1, 0 for none
			if *latest != 0 {
				addStat(w, uint64(now)+1-*latest)
			}
			*latest = uint64(now) + 1
		case attr.FirstPackets:
			s.list(w, d, direction, octets, now)
		case attr.FirstPayloads:
			if d.known&knowsPayload != 0 && d.payload > 0 {
				s.list(w, d, direction, uint64(d.payload), now)
			}
		default:
			d.count(s.what, w)
		}
	}
}

var noDetail detail // of packets of which none is needed

// count counts a packet in a statistic that needs nothing but its detail.
func (d *detail) count(what attr.Attr, w []uint64) {
	switch {
	case what == attr.ToPayloadStats && d.known&knowsPayload != 0:
		addStat(w, uint64(d.payload))
	case what == attr.ToWindowStats && d.known&knowsWindow != 0:
		addStat(w, uint64(d.window))
	case what == attr.ToHopLimitRange && d.known&knowsHopLimit != 0:
		addRange(w, uint64(d.hopLimit))
	case what == attr.ToIPIDRange && d.known&knowsIPID != 0:
		addRange(w, uint64(d.ipID))
	case what == attr.ToTCPFlags && d.known&knowsFlags != 0:
		w[0] |= uint64(d.flags)
		for f := d.flags; f != 0; f &= f - 1 {
			w[1+bits.TrailingZeros8(f)]++
		}
	case what == attr.ToZeroWindows && d.known&knowsWindow != 0 && d.window == 0 && d.flags&(flagSYN|flagFIN|flagRST) == 0:
		w[0]++
	case what == attr.ToResets && d.known&knowsFlags != 0 && d.flags&flagRST != 0:
		w[0]++
	}
}

// list lists a packet if there is room for it.
func (s *statistic) list(w []uint64, d *detail, direction int, octets uint64, now int64) {
	n := w[0]
	if n == uint64(s.most) {
		return
	}
	before := &w[1+s.most]
	if n == 0 {
		*before = uint64(now)
	}
	w[1+n] = uint64(attr.NewListed(octets, d.flags, now-int64(*before), direction == 1))
	w[0]++
	*before = uint64(now)
}

// addStat adds a value to the numbers of a FormStats.
func addStat(words []uint64, v uint64) {
	w := (*[attr.StatMax + 1]uint64)(words)
	if w[attr.StatCount] == 0 || v < w[attr.StatMin] {
		w[attr.StatMin] = v
	}
	w[attr.StatMax] = max(w[attr.StatMax], v)
	w[attr.StatCount]++
	w[attr.StatSum] += v
	high, low := bits.Mul64(v, v)
	var carry uint64
	w[attr.StatSquaresLow], carry = bits.Add64(w[attr.StatSquaresLow], low, 0)
	w[attr.StatSquaresHigh] += high + carry
}

// addRange adds a value to the numbers of a FormRange.
func addRange(words []uint64, v uint64) {
	w := (*[attr.RangeMax + 1]uint64)(words)
	if w[attr.RangeCount] == 0 || v < w[attr.RangeMin] {
		w[attr.RangeMin] = v
	}
	w[attr.RangeMax] = max(w[attr.RangeMax], v)
	w[attr.RangeCount]++
}
