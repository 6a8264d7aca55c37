package acceptance

import (
	"cmp"
	"slices"
)

// A wantSequences is what the sequence numbers of one direction must be counted
// as.
type wantSequences struct {
	retransmittedPDUs, retransmittedOctets, outOfOrder, gaps, missing uint64
}

// A wantStream is a TCP connection, or what goes on between its ends until they
// are silent for long. Its parts are as docs/STATISTICS.md tells, by the plainest
// means: octets are kept as sets of intervals.
type wantStream struct {
	first, last int64
	packets     int64
	ends        [2]wantEnd
}

// A wantEnd is what one end of a stream has sent. What is at the sequence number n
// stands at a number that is n modulo 2^32, and does not wrap.
type wantEnd struct {
	saw, fin, data, known bool
	edge                  uint32 // the number behind all data, from the first segment on
	lowest, next          int64  // the first number that was seen, and the one behind the last
	seen, holes           []interval
	told                  uint32 // the highest number of any segment, those that take none too
}

// An interval is of numbers from, to the one before to.
type interval struct{ from, to int64 }

// The idle times of streams by default, in nanoseconds and average intervals.
const (
	streamTimeout    = 5_000_000_000
	streamMultiplier = 20
)

// follow counts a segment in the stream that it belongs to.
func (f *wantFlow) follow(p *sharkPacket, side int) {
	s := f.stream
	if s != nil && (s.over(p.time) || s.anotherBegins(p.segment, side)) {
		s.end(f)
		s = nil
	}
	if s == nil {
		s = &wantStream{first: p.time}
		f.stream = s
	}
	s.last = p.time
	s.packets++
	s.ends[side].saw = true
	p.verdict = s.ends[side].segment(p.segment, &f.sides[side].sequences)
	if p.segment.flags&rst != 0 {
		s.ends[0].fin, s.ends[1].fin = true, true
	}
}

// over reports whether the stream was idle for too long at that time.
func (s *wantStream) over(now int64) bool {
	limit := int64(streamTimeout)
	if !s.closing() {
		limit = max(limit, (s.last-s.first)/s.packets*streamMultiplier)
	}
	return now-s.last > limit
}

// closing reports whether all ends that were seen have sent FIN, or one RST.
func (s *wantStream) closing() bool {
	any := false
	for _, e := range s.ends {
		if e.saw && !e.fin {
			return false
		}
		any = any || e.fin
	}
	return any
}

// anotherBegins reports whether a segment is a SYN that begins another connection,
// and not that of this one once more.
func (s *wantStream) anotherBegins(g *sharkSegment, side int) bool {
	if g.flags&(syn|16|rst) != syn {
		return false
	}
	e := &s.ends[side]
	return s.closing() || s.ends[0].data || s.ends[1].data || e.known && e.edge != g.seq+1
}

// A verdict is what the numbers of a segment show.
type verdict struct {
	old, fills, gap bool // octets that were seen, or are in a hole; it begins behind all that was seen
	began           bool // it is the first to take a number
	told            bool // one before it had this number, or a higher one
}

// segment counts a segment.
func (e *wantEnd) segment(g *sharkSegment, w *wantSequences) (v verdict) {
	synTaken, finTaken := int64(g.flags>>1&1), int64(g.flags&fin)
	e.fin = e.fin || g.flags&fin != 0
	if g.flags&rst != 0 {
		return v // its numbers may be anything, what it carries is no data of the stream
	}
	start := g.seq + uint32(synTaken)
	v.told = e.known && int32(e.told-g.seq) >= 0
	if !e.known {
		e.known, e.edge, e.told = true, start, g.seq
	}
	e.told += uint32(max(int32(g.seq-e.told), 0))
	if g.octets > 0 {
		e.data = true
		e.edge += uint32(max(int32(start+g.octets-e.edge), 0))
	}
	taken := synTaken + int64(g.octets) + finTaken
	if taken == 0 {
		return v
	}
	if e.seen == nil {
		v.began = true
		e.next = 1<<40 | int64(g.seq)
		e.lowest = e.next
	}
	from := e.next + int64(int32(g.seq-uint32(e.next)))
	all, data := interval{from, from + taken}, interval{from + synTaken, from + synTaken + int64(g.octets)}
	if old := overlap(e.seen, data); old > 0 {
		v.old = true
		w.retransmittedPDUs++
		w.retransmittedOctets += uint64(old)
	}
	if overlap(e.holes, data) > 0 {
		v.fills = true
		w.outOfOrder++
	}
	if from > e.next {
		v.gap = true
		w.gaps++
	}
	// A hole is what was not seen between what was.
	e.holes = without(e.holes, all)
	for _, hole := range []interval{{e.next, all.from}, {all.to, e.lowest}} {
		if hole.from < hole.to {
			e.holes = joined(append(e.holes, hole))
		}
	}
	e.seen = joined(append(e.seen, all))
	e.lowest, e.next = min(e.lowest, all.from), max(e.next, all.to)
	for len(e.holes) > mostHoles || len(e.holes) > 0 && e.next-e.holes[0].from > 1<<31 {
		w.missing += uint64(e.holes[0].to - e.holes[0].from) // and from now on it counts as seen
		e.seen, e.holes = joined(append(e.seen, e.holes[0])), e.holes[1:]
	}
	return v
}

// mostHoles is how many holes are kept of an end.
const mostHoles = 64

// end counts what the stream's holes are missing.
func (s *wantStream) end(f *wantFlow) {
	for side := range s.ends {
		for _, h := range s.ends[side].holes {
			f.sides[side].sequences.missing += uint64(h.to - h.from)
		}
	}
	f.stream = nil
}

// overlap is how many octets of i are in a set.
func overlap(set []interval, i interval) (n int64) {
	for _, s := range set {
		n += max(0, min(s.to, i.to)-max(s.from, i.from))
	}
	return n
}

// without returns a set without the octets of i.
func without(set []interval, i interval) (rest []interval) {
	for _, s := range set {
		for _, part := range []interval{{s.from, min(s.to, i.from)}, {max(s.from, i.to), s.to}} {
			if part.from < part.to {
				rest = append(rest, part)
			}
		}
	}
	return rest
}

// joined returns a set in order, its intervals that touch made one.
func joined(set []interval) []interval {
	slices.SortFunc(set, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	out := set[:1]
	for _, s := range set[1:] {
		if last := &out[len(out)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}
