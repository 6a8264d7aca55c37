package stream

import (
	"math/bits"
	"slices"

	"rtfm/ruleset/attr"
)

// statistic is a statistic that a flow has, and the words at which it stands: those
// that most packets change, side by side with those of others for the sake of caches,
// and those that few do.
type statistic struct {
	what     attr.Attr // of packets to the destination, in either direction
	at, cold int
	most     int // packets that it lists
}

// layout says how a statistic stands in how many words; see shape.
//
//	small    n, sum, low half of the squares' sum, extremes; cold: its high half
//	wide     n, sum, low half of the squares' sum, complement of the least value,
//	         greatest value, time before; cold: its high half
//	extremes n, extremes
//	flags    n of PSH, n of ACK; cold: n of each, but for those
//	rare     cold: n
//	list     n; cold: time of the latest one, the packets
//
// Extremes are the complement of the least value in the high half, and the greatest in
// the low half, so that those of no value are 0.
type layout uint8

const (
	nothing layout = iota
	small
	wide
	extremes
	flags
	rare
	list
)

// layoutOf are the layouts of statistics, to the destination.
func layoutOf(what attr.Attr) layout {
	switch what {
	case attr.ToSizeStats, attr.ToPayloadStats, attr.ToWindowStats:
		return small
	case attr.ToGapStats, attr.ToTurnaroundStats:
		return wide
	case attr.ToHopLimitRange, attr.ToIPIDRange:
		return extremes
	case attr.ToTCPFlags:
		return flags
	case attr.FirstPackets, attr.FirstPayloads:
		return list
	case attr.FlowID, attr.CommunityID: // kept elsewhere
		return nothing
	}
	return rare
}

// words returns how many words a layout takes, of both kinds.
func (l layout) words(most int) (hot, cold int) {
	switch l {
	case nothing:
		return 0, 0
	case small:
		return 4, 1
	case wide:
		return 6, 1
	case extremes:
		return 2, 0
	case flags:
		return 2, 8
	case list:
		return 1, 1 + most
	}
	return 0, 1
}

// toDestination returns what a measures, as if of packets to the destination, and
// the direction that it is of.
func toDestination(a attr.Attr) (what attr.Attr, direction int) {
	if a.IsFrom() {
		return a - 1, 1
	}
	return a, 0
}

// wordRange is some of a flow's words.
type wordRange struct{ from, to int }

// placeStatistics gives those of these measures that are statistics their words,
// from this one on, and returns the next: first what packets to the destination
// change, then what those of both directions do, then that of the other direction.
func (p *plan) placeStatistics(all []attr.Measure, words int) int {
	var order [4][]*statistic
	p.numbers = make([]statistic, len(all))
	for i := range all {
		d := &all[i]
		if d.Attr.Form() == attr.FormBuckets {
			continue
		}
		s := &p.numbers[i]
		what, direction := toDestination(d.Attr)
		s.what, s.most = what, d.Packets()
		rank := 2 * direction
		switch {
		case layoutOf(what) == list:
			rank = 1
		case what == attr.ToTurnaroundStats: // few packets have any
			rank = 3
		}
		order[rank] = append(order[rank], s)
	}
	for rank, some := range order {
		before := words
		for _, s := range some {
			hot, _ := layoutOf(s.what).words(s.most)
			s.at, words = words, words+hot
		}
		switch rank {
		case 0:
			p.changed[0].from = before
		case 1:
			p.changed[0].to, p.changed[1].from = words, before
		case 2:
			p.changed[1].to = words
		}
	}
	for _, s := range slices.Concat(order[:]...) {
		_, cold := layoutOf(s.what).words(s.most)
		s.cold, words = words, words+cold
	}
	return words
}

// addStatistic adds a statistic that stands there.
func (p *plan) addStatistic(d *attr.Measure, s statistic) {
	what, direction := toDestination(d.Attr)
	s.what = what
	if word := p.sequence[direction].of(what); word != nil {
		*word, p.sequenced = s.cold, true
		return
	}
	switch what {
	case attr.FlowID, attr.CommunityID: // kept elsewhere
		return
	case attr.ToTurnaroundStats:
		kind, _, _ := d.Parameters()
		p.took[direction] = pairStatistic{true, attr.PairKind(kind), s}
		return
	case attr.FirstPackets, attr.FirstPayloads:
		p.statistics[1] = append(p.statistics[1], s)
	}
	p.statistics[direction] = append(p.statistics[direction], s)
	p.single = true
	p.detailed = p.detailed || what != attr.ToSizeStats && what != attr.ToGapStats
}

// pairStatistic is the statistic of the turnaround times of a kind of pairs.
type pairStatistic struct {
	wanted bool
	kind   attr.PairKind
	statistic
}

func (s *pairStatistic) of(kind attr.PairKind) bool { return s.wanted && s.kind == kind }

// statistic counts a packet in the statistics of single packets.
func (c counted) statistic(direction int, packet Packet, octets uint64, now int64) {
	words := c.store.wordsOf(c.flow)
	d := &noDetail
	if c.detailed {
		d = packet.detail()
	}
	for i := range c.statistics[direction] {
		s := &c.statistics[direction][i]
		switch w := words[s.at:]; s.what {
		case attr.ToSizeStats:
			s.addSmall(words, uint32(octets))
		case attr.ToGapStats:
			if latest := w[wideBefore]; latest != 0 { // plus 1, 0 for none
				s.addWide(words, uint64(now)+1-latest)
			}
			w[wideBefore] = uint64(now) + 1
		case attr.ToPayloadStats:
			if d.known&knowsPayload != 0 {
				s.addSmall(words, d.payload)
			}
		case attr.ToWindowStats:
			if d.known&knowsWindow != 0 {
				s.addSmall(words, uint32(d.window))
			}
		case attr.ToHopLimitRange:
			if d.known&knowsHopLimit != 0 {
				w[0]++
				widen(&w[1], uint32(d.hopLimit))
			}
		case attr.ToIPIDRange:
			if d.known&knowsIPID != 0 {
				w[0]++
				widen(&w[1], uint32(d.ipID))
			}
		case attr.ToTCPFlags:
			w[0] += uint64(d.flags >> 3 & 1)
			w[1] += uint64(d.flags >> 4 & 1)
			for f := d.flags &^ (flagPSH | flagACK); f != 0; f &= f - 1 {
				words[s.cold+bits.TrailingZeros8(f)]++
			}
		case attr.ToZeroWindows:
			if d.known&knowsWindow != 0 && d.window == 0 && d.flags&(flagSYN|flagFIN|flagRST) == 0 {
				words[s.cold]++
			}
		case attr.ToResets:
			if d.flags&flagRST != 0 {
				words[s.cold]++
			}
		case attr.FirstPackets:
			if w[0] < uint64(s.most) {
				s.list(words, d, direction, octets, now)
			}
		case attr.FirstPayloads:
			if w[0] < uint64(s.most) && d.payload > 0 {
				s.list(words, d, direction, uint64(d.payload), now)
			}
		}
	}
}

var noDetail detail // of packets of which none is needed

// addSmall adds a value to a small statistic.
func (s *statistic) addSmall(words []uint64, v uint32) {
	w := (*[4]uint64)(words[s.at:])
	w[0]++
	w[1] += uint64(v)
	var carry uint64
	if w[2], carry = bits.Add64(w[2], uint64(v)*uint64(v), 0); carry != 0 {
		words[s.cold]++
	}
	widen(&w[3], v)
}

// widen makes extremes hold a value.
func widen(extremes *uint64, v uint32) {
	e := *extremes
	*extremes = uint64(max(uint32(e>>32), ^v))<<32 | uint64(max(uint32(e), v))
}

// wideBefore is the place of the time before in a wide statistic.
const wideBefore = 5

// addWide adds a value to a wide statistic.
func (s *statistic) addWide(words []uint64, v uint64) {
	w := (*[6]uint64)(words[s.at:])
	w[0]++
	w[1] += v
	high, low := bits.Mul64(v, v)
	var carry uint64
	w[2], carry = bits.Add64(w[2], low, 0)
	if high += carry; high != 0 {
		words[s.cold] += high
	}
	w[3], w[4] = max(w[3], ^v), max(w[4], v)
}

// list lists a packet, for which there is room.
func (s *statistic) list(words []uint64, d *detail, direction int, octets uint64, now int64) {
	n, w := &words[s.at], words[s.cold:]
	if *n == 0 {
		w[0] = uint64(now)
	}
	*n++
	w[*n] = uint64(attr.NewListed(octets, d.flags, now-int64(w[0]), direction == 1))
	w[0] = uint64(now)
}

// appendNumbers appends the numbers of a measure's statistic, which stands there.
func (s *statistic) appendNumbers(all []uint64, d *attr.Measure, words []uint64) []uint64 {
	w := words[s.at:]
	switch layoutOf(s.what) {
	case nothing:
		return append(all, make([]uint64, d.Counters())...)
	case small:
		least, most := ends(w[0], w[3])
		return append(all, w[0], w[1], w[2], words[s.cold], least, most)
	case wide:
		least := ^w[3]
		if w[0] == 0 {
			least = 0
		}
		return append(all, w[0], w[1], w[2], words[s.cold], least, w[4])
	case extremes:
		least, most := ends(w[0], w[1])
		return append(all, w[0], least, most)
	case flags:
		first := len(all)
		all = append(append(all, 0), words[s.cold:s.cold+8]...)
		all[first+1+3], all[first+1+4] = w[0], w[1]
		for i, n := range all[first+1:] {
			if n > 0 {
				all[first] |= 1 << i
			}
		}
		return all
	case list:
		return append(append(all, w[0]), words[s.cold+1:s.cold+1+s.most]...)
	}
	return append(all, words[s.cold])
}

// ends returns the least and the greatest of n values that have these extremes.
func ends(n, extremes uint64) (least, most uint64) {
	if n == 0 {
		return 0, 0
	}
	return uint64(^uint32(extremes >> 32)), uint64(uint32(extremes))
}
