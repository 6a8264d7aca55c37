package stream

import (
	"math/bits"

	"rtfm/ruleset/attr"
)

// half is one of the halves that the measures of a flow have: those of single packets,
// and those of streams.
type half uint8

const (
	packetHalf half = iota
	streamHalf
)

// halfOf returns the half that a measure is in.
func halfOf(a attr.Attr) half {
	if a.Form() != attr.FormBuckets {
		if a.CountsPairs() || ofSequence(a) {
			return streamHalf
		}
		return packetHalf
	}
	if a > attr.FromPDURate || a.CountsPairs() {
		return streamHalf
	}
	return packetHalf
}

// addStatistic adds a statistic, and returns how many words it takes from this one on.
// Lists get theirs later.
func (p *plan) addStatistic(d *attr.Measure, word int) int {
	what, direction := toDestination(d.Attr)
	if at := p.sequence[direction].of(what); at != nil {
		*at, p.sequenced = word, true
		return 1
	}
	switch what {
	case attr.FlowID, attr.CommunityID, attr.Censored: // kept elsewhere
		return 0
	case attr.ToTurnaroundStats:
		kind, _, _ := d.Parameters()
		p.took[direction] = pairStatistic{true, attr.PairKind(kind), word}
		return attr.StatMax + 1
	case attr.FirstPackets, attr.FirstPayloads:
		p.listed |= 1 << len(p.lists)
		p.lists = append(p.lists, list{most: d.Packets(), payloads: what == attr.FirstPayloads})
	}
	p.tallied = true
	p.detailed = p.detailed || what != attr.ToSizeStats && what != attr.ToGapStats
	return 0
}

// pairStatistic is the statistic of the turnaround times of a kind of pairs.
type pairStatistic struct {
	wanted bool
	kind   attr.PairKind
	at     int // of its numbers among the words, with the complement of the least
}

func (s *pairStatistic) of(kind attr.PairKind) bool { return s.wanted && s.kind == kind }

// add adds a value.
func (s *pairStatistic) add(words []uint64, v uint64) {
	w := (*[attr.StatMax + 1]uint64)(words[s.at:])
	w[attr.StatCount]++
	w[attr.StatSum] += v
	high, low := bits.Mul64(v, v)
	var carry uint64
	w[attr.StatSquaresLow], carry = bits.Add64(w[attr.StatSquaresLow], low, 0)
	w[attr.StatSquaresHigh] += high + carry
	w[attr.StatMin], w[attr.StatMax] = max(w[attr.StatMin], ^v), max(w[attr.StatMax], v)
}

// placeLists gives lists their words from this one on, and returns the next.
func (p *plan) placeLists(word int) int {
	for i := range p.lists {
		p.lists[i].head = word
		word += listHead
	}
	for i := range p.lists {
		p.lists[i].at = word
		word += p.lists[i].most
	}
	return word
}

// appendStatistic appends the numbers of a statistic that has words from this one on,
// or is the list with this number.
func (c counted) appendStatistic(all []uint64, d *attr.Measure, word int) []uint64 {
	switch {
	case d.Attr.OfFlows():
		return append(all, make([]uint64, d.Counters())...)
	case halfOf(d.Attr) == packetHalf:
		return c.appendTallied(all, d, word)
	}
	w := c.store.wordsOf(c.flow)[word:]
	all = append(all, w[:d.Counters()]...)
	if d.Attr.Form() == attr.FormStats && w[attr.StatCount] > 0 {
		least := &all[len(all)-d.Counters()+attr.StatMin]
		*least = ^*least
	}
	return all
}
