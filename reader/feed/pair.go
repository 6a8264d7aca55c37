package feed

import (
	"fmt"
	"math/bits"
	"time"

	"rtfm/traces/feed"
)

// Pair is a Sink that makes one stream of the feeds of two meters which see the same
// packets: each packet that either has told of, once, and no packet twice.
//
// # Which packets are the same
//
// Two records are of one packet if their flow is, their digest and octets, and if their
// times, less the skew of the meters' clocks, are no further apart than tolerance. Flows
// are the same if their rulesets' names and their keys are, also from the other direction:
// a meter that begins in the middle of one may see an answer first. Each record of one
// meter stands for one of the other, so a packet that is sent twice is told twice.
//
// The skew is the median of the latest pairs. Until there are enough of them times do not
// matter. Times of the second meter are told as the first one's clock has them.
//
// # When they are told
//
// One meter leads, at first the first: its records are told when they come. Those of the
// other wait for the leader's, and are told if it does not come within Hold. If the leader
// has been silent for so long the other one leads, from then on until it is silent itself.
// Records that come later are known for Memory; older ones are left out and counted, since
// the other meter's may have been told.
//
// # Proof
//
// A flow ends when it has ended at both meters. Its END tells of the packets that were told
// and of those that are missing at least: what a meter has counted and its records lack,
// and no record of the other meter's alone can have been.
//
// The zero value is not of use, but for the exported fields.
type Pair struct {
	Sink Sink // takes the one stream
	// Hold is how long a record waits for the other meter's, Memory how long it is known
	// after that it was told of. 0 stands for 200 ms and 5 s.
	Hold, Memory time.Duration
	// MaxFlows is how many flows of each meter are known at a time. Of others packets are
	// told, but neither NEW nor END. What flows are named by has 512 octets for each.
	MaxFlows int

	// Counts are of what has been done.
	Counts PairCounts

	out    Meter       // of the one stream
	packet feed.Packet // room for the one that is told
	heard  map[*Meter]*paired
	flows  flowsOfPair
	links  [2]int // flows of the meters of each side
	table  pairTable
	skew   skew
	lead   int
	latest [2]int64 // arrival of each side's latest packet
	now    int64
	first  bool // flows have no more than their first packets
}

// PairCounts is what a Pair has done.
type PairCounts struct {
	// Told are the packets of the one stream, Both those of them that both meters have
	// told of. Only are those of one meter only, by the meter.
	Told, Both uint64
	Only       [2]uint64
	// Late ones came so late that nobody knows any longer whether they were told.
	Late [2]uint64
	// Changes is how often the other meter has taken the lead.
	Changes uint64
	// Unnamed are packets of flows of whose beginning neither meter has told.
	Unnamed uint64
	// Skew is by how much the second meter's clock is ahead, as the latest pairs have it,
	// Spread how far most of them are from that; Skewed is false if nothing is known yet.
	Skew, Spread time.Duration
	Skewed       bool
}

// paired is a meter that is heard.
type paired struct {
	side  int
	flows map[uint64]*pairedFlow
}

const (
	pairHold   = 200 * time.Millisecond
	pairMemory = 5 * time.Second
	// mostPaired is how many records are known at most: of a million packets a second,
	// those of a second.
	mostPaired = 1 << 20
)

// NewPair returns a pair whose stream goes to out.
func NewPair(out Sink) *Pair {
	p := &Pair{Sink: out, Hold: pairHold, Memory: pairMemory, MaxFlows: 1 << 20, heard: make(map[*Meter]*paired), flows: newFlowsOfPair()}
	p.out.Name, p.out.Form.Digest = "pair", true
	p.table.most = mostPaired
	p.table.forget = p.forget
	p.table.chains = [2]map[uint64]chain{{}, {}}
	return p
}

// meter returns what is known of a meter, and takes its time for the present one.
func (p *Pair) meter(m *Meter) (*paired, error) {
	if now := m.Heard.UnixNano(); now > p.now {
		p.now = now
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	h := p.heard[m]
	if h == nil {
		if m.Input > 1 {
			return nil, fmt.Errorf("%s: a pair has two meters, and this one is of a third place", m.Name)
		}
		h = &paired{side: m.Input, flows: make(map[uint64]*pairedFlow)}
		p.heard[m] = h
	}
	return h, nil
}

// check returns what is wrong with a meter's form for a pair.
func check(m *Meter) error {
	switch {
	case m.Form.Narrow:
		return fmt.Errorf("%s: a pair needs identifiers of 64 bits: --feed-id 64", m.Name)
	case !m.Form.Digest:
		return fmt.Errorf("%s: a pair needs digests of packets: --feed-digest", m.Name)
	}
	return nil
}

// Packet implements Sink.
func (p *Pair) Packet(m *Meter, packet *feed.Packet) error {
	h, err := p.meter(m)
	if err != nil {
		return err
	}
	if err := check(m); err != nil {
		return err
	}
	l := p.flow(h, packet.Flow)
	l.received.add(packet, l.flipped)
	p.latest[h.side], l.flow.quiet = p.now, p.now
	e := pairEntry{flow: l.flow, packet: *packet, at: p.now, side: uint8(h.side)}
	e.packet.Backward = packet.Backward != l.flipped
	e.key = l.flow.packetKey(packet)
	other := p.table.match(&e, &p.skew)
	switch {
	case other == nil && p.isLate(&e):
		p.Counts.Late[h.side]++
		return nil
	case other == nil:
		e.state = isHeld
		if h.side == p.lead {
			if err := p.tell(&e); err != nil {
				return err
			}
		} else {
			l.flow.held++
		}
		return p.table.add(&e)
	}
	p.Counts.Both++
	if other.state == isHeld {
		other.state = isGone
		l.flow.held--
		return p.pass(&e)
	}
	other.state = isGone
	other.flow.only[other.side].remove(&other.packet)
	p.Counts.Only[other.side]--
	return nil
}

// tell tells of a record that only one meter has told of so far.
func (p *Pair) tell(e *pairEntry) error {
	e.state = isTold
	e.flow.only[e.side].add(&e.packet, false)
	p.Counts.Only[e.side]++
	return p.pass(e)
}

// pass gives a packet to the Sink.
func (p *Pair) pass(e *pairEntry) error {
	f := e.flow
	if err := p.tellNew(f); err != nil {
		return err
	}
	if !f.named {
		p.Counts.Unnamed++
	}
	f.told.add(&e.packet, false)
	t := p.skew.correct(e.packet.Time, int(e.side))
	f.begun, f.last = min(f.begun, t), max(f.last, t)
	p.Counts.Told++
	p.packet = e.packet
	p.packet.Flow, p.packet.Time = f.Flow, t
	p.out.Number = p.Counts.Told - 1
	return p.Sink.Packet(&p.out, &p.packet)
}

// isLate reports whether the other meter's record of the same packet may have been
// forgotten.
func (p *Pair) isLate(e *pairEntry) bool {
	horizon := p.table.horizon[1-e.side]
	return p.skew.known && horizon != 0 && p.skew.correct(e.packet.Time, int(e.side))-p.skew.correct(horizon, int(1-e.side)) <= p.skew.tolerance
}

// Tick says what time it is. It is to be called often: what waits is told no earlier.
func (p *Pair) Tick(now time.Time) error {
	p.now = max(p.now, now.UnixNano())
	return p.advance()
}

// advance tells of what has waited long enough, and forgets what is old.
func (p *Pair) advance() error {
	for e := p.table.waiting(p.now - int64(p.Hold)); e != nil; e = p.table.waiting(p.now - int64(p.Hold)) {
		if e.state != isHeld {
			continue
		}
		e.flow.held--
		if err := p.tell(e); err != nil {
			return err
		}
		if int(e.side) != p.lead && p.now-p.latest[p.lead] >= int64(p.Hold) {
			if err := p.change(); err != nil {
				return err
			}
		}
	}
	if err := p.table.forgetBefore(p.now - int64(p.Memory)); err != nil {
		return err
	}
	return p.endFlows()
}

// change has the other meter lead: nothing of it waits any longer.
func (p *Pair) change() error {
	p.lead = 1 - p.lead
	p.Counts.Changes++
	return p.tellWaiting()
}

// tellWaiting tells of all that waits.
func (p *Pair) tellWaiting() error {
	for e := p.table.waiting(p.now); e != nil; e = p.table.waiting(p.now) {
		if e.state != isHeld {
			continue
		}
		e.flow.held--
		if err := p.tell(e); err != nil {
			return err
		}
	}
	return nil
}

// forget tells of a record if it waits, before it is forgotten.
func (p *Pair) forget(e *pairEntry) error {
	if e.state != isHeld {
		return nil
	}
	e.flow.held--
	return p.tell(e)
}

// Stats implements Sink. What meters tell of themselves is not that of the one stream.
func (p *Pair) Stats(m *Meter, s *feed.Stats) error {
	p.first = p.first || s.First > 0
	_, err := p.meter(m)
	return err
}

// Missing implements Sink. What is missing of one meter need not be missing: ENDs tell.
func (p *Pair) Missing(m *Meter, _ uint64) error {
	_, err := p.meter(m)
	return err
}

// Gone implements Sink.
func (p *Pair) Gone(m *Meter) error {
	h, err := p.meter(m)
	if err != nil {
		return err
	}
	for id, l := range h.flows {
		p.leave(h, id, l)
	}
	delete(p.heard, m)
	return p.endFlows()
}

// Close tells of all that waits, and that the meters are gone if they are.
func (p *Pair) Close() error {
	if err := p.tellWaiting(); err != nil {
		return err
	}
	p.now += int64(endWait)
	if err := p.endFlows(); err != nil {
		return err
	}
	if len(p.heard) > 0 {
		return nil
	}
	return p.Sink.Gone(&p.out)
}

// Count returns the counts, with the skew as it is.
func (p *Pair) Count() PairCounts {
	c := p.Counts
	c.Skew, c.Spread, c.Skewed = time.Duration(p.skew.median), time.Duration(p.skew.spread), p.skew.known
	return c
}

// packetKey returns a hash of what identifies a packet in its flow.
func (f *pairFlow) packetKey(p *feed.Packet) uint64 {
	high, low := bits.Mul64(f.hash^uint64(p.Digest)<<32^uint64(p.Octets), 0x9e3779b97f4a7c15^f.hash<<1)
	return high ^ low
}
