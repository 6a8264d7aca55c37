package stream

import (
	"math/bits"

	"rtfm/ruleset/attr"
)

// statistic is a statistic of single packets, and the word at which its numbers
// begin.
type statistic struct {
	what attr.Attr // of packets to the destination, for either direction
	at   int
	most int // packets that it lists
}

// Words that a statistic needs behind its numbers: the time of the latest packet
// plus 1, 0 for none.
func extraWords(a attr.Attr) int {
	if a == attr.ToGapStats || a == attr.FromGapStats {
		return 1
	}
	return 0
}

// addStatistic adds a statistic whose numbers begin at this word.
func (p *plan) addStatistic(d *attr.Measure, at int) {
	direction := 0
	what := d.Attr
	if d.Attr.IsFrom() {
		direction = 1
		what--
	}
	switch what {
	case attr.ToSizeStats, attr.ToGapStats:
		p.statistics[direction] = append(p.statistics[direction], statistic{what: what, at: at})
		p.single = true
	}
}

// statistic counts a packet in the statistics of single packets.
func (c counted) statistic(direction int, octets uint64, now int64) {
	words := c.store.wordsOf(c.flow)
	for i := range c.statistics[direction] {
		s := &c.statistics[direction][i]
		w := words[s.at:]
		switch s.what {
		case attr.ToSizeStats:
			addStat(w, octets)
		case attr.ToGapStats:
			latest := &w[attr.StatMax+1]
			if *latest != 0 {
				addStat(w, uint64(now)+1-*latest)
			}
			*latest = uint64(now) + 1
		}
	}
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
