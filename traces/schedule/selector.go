package schedule

import (
	"math"

	"rtfm/traces"
)

// Config is what a Selector selects. The zero value is everything.
type Config struct {
	Schedule *Schedule // nil for all time
	Sample   Sample
	// FlowID returns the FlowID of a packet, for samples of flows.
	FlowID func(p *traces.Packet) uint64
}

// Selector tells which packets are to be looked at, of packets that come in about the order
// of time, and counts them. It is not safe for concurrent use.
type Selector struct {
	schedule *Schedule
	sampler  *sampler
	flowID   func(p *traces.Packet) uint64
	window   Window // the latest one, in whose stratum the latest packet is
	late     Window // the one of the stratum that a late packet was in
	taken    Window // the one that the packet taken last is in
	counts   Counts
	begun    bool
	first    int64 // time of the first packet
	last     int64 // of the latest
	in       sums  // of the window
	packets  estimator
	octets   estimator
}

// Counts are what became of packets.
type Counts struct {
	Selected   uint64
	NotSampled uint64 // outside of the windows, or not in the sample
	outside    uint64 // of the windows
}

// sums are what was selected of a window.
type sums struct{ packets, octets uint64 }

// NewSelector returns a Selector that has seen nothing yet.
func NewSelector(c Config) *Selector {
	return &Selector{schedule: c.Schedule, sampler: newSampler(c.Sample), flowID: c.FlowID}
}

// Take reports whether a packet is selected.
func (s *Selector) Take(p *traces.Packet) bool {
	if s.schedule != nil && !s.timely(p.Time) {
		s.counts.NotSampled++
		s.counts.outside++
		return false
	}
	if s.sampler != nil {
		var id uint64
		if s.sampler.Kind == Flow {
			id = s.flowID(p)
		}
		if !s.sampler.take(id) {
			s.counts.NotSampled++
			return false
		}
	}
	s.counts.Selected++
	if s.taken.Number == s.window.Number {
		s.in.packets++
		s.in.octets += uint64(p.Wire)
	}
	return true
}

// timely reports whether a time is in a window.
func (s *Selector) timely(t int64) bool {
	if t < s.window.Begins || t >= s.window.Ends {
		if t < s.window.Begins && s.begun { // which is late
			if t < s.late.Begins || t >= s.late.Ends {
				s.late = s.schedule.At(t)
			}
			if t < s.late.From || t >= s.late.To {
				return false
			}
			s.taken = s.late
			return true
		}
		s.pass(t)
	}
	s.last = max(s.last, t)
	if t < s.window.From || t >= s.window.To {
		return false
	}
	s.taken = s.window
	return true
}

// pass goes on to the stratum that a time is in.
func (s *Selector) pass(t int64) {
	if !s.begun {
		s.begun, s.first, s.last = true, t, t
		s.window = s.schedule.At(t)
		return
	}
	next := s.schedule.At(t)
	s.end(math.MaxInt64)
	// Of what has no packets at all a few windows have all that estimates need to know.
	const few = 4
	for w := s.window; w.Number+1 < next.Number; {
		if w = s.schedule.At(w.Ends); w.Number-s.window.Number > few {
			s.skip(w, next)
			break
		}
		s.packets.add(0, float64(w.Ends-w.Begins))
		s.octets.add(0, float64(w.Ends-w.Begins))
	}
	s.window = next
}

// skip counts the strata from that of w on to the one before next, which are empty.
func (s *Selector) skip(w, next Window) {
	n := float64(next.Number - w.Number)
	length := float64(next.Begins-w.Begins) / n
	s.packets.addEmpty(n, length)
	s.octets.addEmpty(n, length)
}

// end counts the window for the estimates, unless packets of it may be missing because the
// first packet came in it, or the last, at a time.
func (s *Selector) end(last int64) {
	w, in := s.window, s.in
	s.in = sums{}
	whole := s.counts.outside == 0 // what was cut by the same schedule
	if !whole && (w.From < s.first || w.To > last) {
		return
	}
	begins, ends := w.Begins, w.Ends
	if !whole {
		begins, ends = max(begins, s.first), min(ends, last)
	}
	times := 1.0
	if s.sampler != nil {
		times = float64(s.sampler.Of)
	}
	length := float64(s.schedule.Length)
	s.packets.add(times*float64(in.packets)/length, float64(ends-begins))
	s.octets.add(times*float64(in.octets)/length, float64(ends-begins))
}

// Counts returns what became of packets so far.
func (s *Selector) Counts() Counts { return s.counts }

// Window returns the window that the packet is in which was taken last.
func (s *Selector) Window() Window { return s.taken }

// Estimates returns what all packets in the strata would have counted whose windows were
// seen whole, false if there are none.
func (s *Selector) Estimates() (packets, octets Estimate, ok bool) {
	if s.schedule == nil || !s.begun {
		return Estimate{}, Estimate{}, false
	}
	now := *s
	now.end(later(s.last, 1))
	length := float64(s.schedule.Length)
	return now.packets.estimate(length), now.octets.estimate(length), now.packets.windows > 0
}
