package meter

import (
	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
)

// screen asks Config.Filter of packets as they come. Each goroutine that decodes
// has its own. It remembers what it was told of usual packets if the filter sees
// no more of them than seeTuple does (BenchmarkFilter).
type screen struct {
	program *pme.Program
	view    *view
	known   []screened
	packet  match.Packet  // room for the one at hand
	flow    match.FlowKey // of the one at hand, of no use
}

// screened is a sight without its last word, and what is known of it.
type screened struct {
	sight  [len(tupleSight{}) - 1]uint64
	passes [2]answer // by direction
}

// answer is what a filter has said.
type answer uint32

const (
	notAsked answer = iota
	passed
	leftOut
)

// screenLen is how many sights a screen remembers, a power of two: what the caches
// near a processor hold beside the rest.
const screenLen = 1 << 11

// newScreen returns what asks the meter's filter on one goroutine, nil if there is
// none.
func (m *Meter) newScreen() *screen {
	if m.cfg.Filter == nil {
		return nil
	}
	return &screen{
		program: m.cfg.Filter.Start(0, new(match.Shapes)), view: newView(m.cfg.Filter.Visible()),
		known: make([]screened, screenLen),
	}
}

// passes reports whether the packet is to be metered.
func (s *screen) passes(p *match.Packet) bool {
	return s.program.Match(p, &p.Key, false, &s.flow) == pme.Success
}

// passesUsual is passes for a usual packet, whose ends u has, if the view is of
// tuples.
func (s *screen) passesUsual(u *packet.Usual) bool {
	var w tupleSight
	s.view.seeTuple(&u.Source, &u.Dest, u.PeerLen, packet.UsualAdjacentLen, &w)
	last := w[len(w)-1]
	k := &s.known[last>>32&(screenLen-1)]
	if sight := *(*[len(w) - 1]uint64)(w[:]); k.sight != sight {
		*k = screened{sight: sight}
	}
	a := &k.passes[last&sightReverse]
	if *a == notAsked {
		s.view.recall(w[:], &s.packet)
		if *a = leftOut; s.passes(&s.packet) {
			*a = passed
		}
	}
	return *a == passed
}

// leaveOut marks packet i of b, of which b.seen is filled in, as one that does not
// pass the filter.
func (b *batch) leaveOut(i int, memos []*memo) {
	b.seen[i].flags |= match.Filtered
	b.filtered++
	for j, m := range memos {
		m.view.blank(m.view.sight(b.known[j].sights, i))
	}
}
