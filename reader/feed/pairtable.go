package feed

import (
	"slices"

	"rtfm/traces/feed"
)

// pairTable is the records that may still be matched, in the order in which they came.
// By their keys those of each side are in chains, in the same order, so that what is
// matched or forgotten is always the first of its chain.
type pairTable struct {
	ring   []pairEntry // its length is a power of 2
	from   uint64      // of the first record that is known, counted since the beginning
	held   uint64      // of the first one that may wait
	to     uint64
	chains [2]map[uint64]chain
	// horizon is, by side, the latest time of a record that was forgotten unmatched, by
	// that side's clock.
	horizon [2]int64
	most    uint64 // records
	forget  func(*pairEntry) error
}

type chain struct{ first, last uint64 }

// pairEntry is a record that is not matched.
type pairEntry struct {
	flow    *pairFlow
	packet  feed.Packet // with the side's time, and the direction of the flow
	key     uint64
	next    uint64 // in its chain, 0 if it is the last
	at      int64  // when it came
	side    uint8
	state   uint8
	chained bool
}

const (
	isGone uint8 = iota // it was matched
	isHeld
	isTold
)

func (t *pairTable) at(i uint64) *pairEntry { return &t.ring[i&uint64(len(t.ring)-1)] }

// add adds a record behind the others.
func (t *pairTable) add(e *pairEntry) error {
	if t.from == 0 {
		t.from, t.held, t.to = 1, 1, 1
	}
	if t.to-t.from == t.most {
		if err := t.forgetFirst(); err != nil {
			return err
		}
	}
	if t.to-t.from == uint64(len(t.ring)) {
		t.grow()
	}
	e.chained, e.next = true, 0
	chains := t.chains[e.side]
	if c, ok := chains[e.key]; ok {
		t.at(c.last).next = t.to
		chains[e.key] = chain{c.first, t.to}
	} else {
		chains[e.key] = chain{t.to, t.to}
	}
	*t.at(t.to) = *e
	t.to++
	return nil
}

func (t *pairTable) grow() {
	before := *t
	t.ring = make([]pairEntry, max(1024, 2*len(t.ring)))
	for i := t.from; i < t.to; i++ {
		*t.at(i) = *before.at(i)
	}
}

// unchain takes the first record of its chain out of that.
func (t *pairTable) unchain(e *pairEntry) {
	e.chained = false
	if e.next == 0 {
		delete(t.chains[e.side], e.key)
		return
	}
	c := t.chains[e.side][e.key]
	t.chains[e.side][e.key] = chain{e.next, c.last}
}

// match returns the record of the other side that is of the same packet, nil if there is
// none, and no longer has it in a chain. Those that are too old to be of any packet that
// comes are left out of theirs.
func (t *pairTable) match(e *pairEntry, s *skew) *pairEntry {
	for {
		c, ok := t.chains[1-e.side][e.key]
		if !ok {
			return nil
		}
		other := t.at(c.first)
		later := s.apart(&other.packet, &e.packet, e.side)
		if s.known && later < -s.tolerance {
			s.miss()
			return nil
		}
		t.unchain(other)
		if s.known && later > s.tolerance {
			s.miss()
			continue
		}
		if e.side == 1 {
			s.add(e.packet.Time - other.packet.Time)
		} else {
			s.add(other.packet.Time - e.packet.Time)
		}
		return other
	}
}

// waiting returns the next record that has come before a time and may still wait, nil if
// there is none.
func (t *pairTable) waiting(before int64) *pairEntry {
	if t.held == t.to || t.at(t.held).at > before {
		return nil
	}
	t.held++
	return t.at(t.held - 1)
}

// forgetBefore forgets the records that have come before a time.
func (t *pairTable) forgetBefore(before int64) error {
	for t.from < t.to && t.at(t.from).at <= before {
		if err := t.forgetFirst(); err != nil {
			return err
		}
	}
	return nil
}

func (t *pairTable) forgetFirst() error {
	e := t.at(t.from)
	t.from++
	t.held = max(t.held, t.from)
	if e.state == isGone {
		*e = pairEntry{}
		return nil
	}
	if e.chained {
		t.unchain(e)
	}
	t.horizon[e.side] = max(t.horizon[e.side], e.packet.Time)
	err := t.forget(e)
	*e = pairEntry{}
	return err
}

// skew is how far apart two clocks are.
type skew struct {
	known     bool
	median    int64 // of the second clock's time less the first one's, in ns
	spread    int64 // half of the pairs are no further than that from the median
	tolerance int64
	pairs     [skewPairs]int64
	n         int // of pairs since the beginning
	missed    int // since the latest match
}

const (
	skewPairs    = 256
	skewEnough   = 64 // pairs
	skewMissed   = 64 // that nothing but another skew explains
	leastApart   = 20e6
	spreadsApart = 16
)

// correct returns a time of a side's clock as the first one has it.
func (s *skew) correct(t int64, side int) int64 {
	if side == 1 && s.known {
		return t - s.median
	}
	return t
}

// apart returns how much later a packet of a side is than one of the other side.
func (s *skew) apart(other, p *feed.Packet, side uint8) int64 {
	return s.correct(p.Time, int(side)) - s.correct(other.Time, 1-int(side))
}

// add adds by how much the second clock's time of a packet was later.
func (s *skew) add(apart int64) {
	s.missed = 0
	s.pairs[s.n%skewPairs] = apart
	s.n++
	if s.n%skewEnough == 0 {
		s.measure()
	}
}

func (s *skew) measure() {
	all := s.pairs
	some := all[:min(s.n, skewPairs)]
	slices.Sort(some)
	s.median = some[len(some)/2]
	for i := range some {
		some[i] = max(some[i]-s.median, s.median-some[i])
	}
	slices.Sort(some)
	s.spread = some[len(some)/2]
	s.tolerance = max(leastApart, spreadsApart*s.spread)
	s.known = true
}

// miss says that records were alike but for their times. If there are many and nothing
// matches, a clock was set.
func (s *skew) miss() {
	if s.missed++; s.missed >= skewMissed {
		*s = skew{}
	}
}
