package stream

import "math"

// wheel says when streams are to be looked at. Time goes on in ticks; a stream
// is in the list of the slot for the tick in which it ends if nothing more is
// seen of it. Packets do not move it: when its tick has come it is looked at,
// and put off. One that is due in more ticks than there are slots is looked at
// once a turn.
type wheel struct {
	slots [wheelSlots]uint32 // first stream of each list
	start int64              // time of tick 0
	tick  int64              // the last one that was done
}

const (
	wheelSlots = 1024
	// Tick is how often streams are looked at, in nanoseconds of packet time.
	Tick = 100_000_000
)

// due returns the time at which stream s ends if nothing more is seen of it.
func (e *Engine) due(s stream) int64 {
	return later(s.last, s.idleLimit(e.timeout, e.multiplier))
}

// schedule puts stream i, which is due at that time, in the list of its slot.
func (e *Engine) schedule(i uint32, due int64) {
	s := e.streams.at(i)
	w := &e.wheel
	ticks := (due-w.start)/Tick + 1 - w.tick
	s.slot = uint16((w.tick + min(max(ticks, 1), wheelSlots-1)) % wheelSlots)
	first := &w.slots[s.slot]
	s.due = links{next: *first}
	if *first != 0 {
		e.streams.at(*first).due.before = i
	}
	*first = i
}

// unschedule takes stream s out of the list of its slot.
func (e *Engine) unschedule(s stream) {
	if s.due.before != 0 {
		e.streams.at(s.due.before).due.next = s.due.next
	} else {
		e.wheel.slots[s.slot] = s.due.next
	}
	if s.due.next != 0 {
		e.streams.at(s.due.next).due.before = s.due.before
	}
}

// Advance ends the streams that have timed out by time now. Call it whenever a
// Tick has passed; what streams count does not depend on it, since a packet
// that comes too late for its stream begins another.
func (e *Engine) Advance(now int64) { e.AdvanceSome(now, math.MaxInt) }

// AdvanceSome is Advance that looks at so many streams at most. It returns false
// when there are no more to look at; until then it is to be called again. The
// streams end in the same order, and the same becomes of them, in any pieces.
func (e *Engine) AdvanceSome(now int64, most int) (more bool) {
	if !e.started {
		return false
	}
	w := &e.wheel
	to := (now - w.start) / Tick
	w.tick = max(w.tick, to-wheelSlots+1)
	for ; ; w.tick++ {
		// None that is put off comes into this slot: it is a turn ahead.
		for i := w.slots[w.tick%wheelSlots]; i != 0; i = w.slots[w.tick%wheelSlots] {
			if most--; most < 0 {
				return true
			}
			e.streams.steps++
			s := e.streams.at(i)
			e.unschedule(s)
			if due := e.due(s); due < now {
				s.due = links{}
				s.slot = wheelSlots
				e.end(i, due, now)
			} else {
				e.schedule(i, due)
			}
		}
		if w.tick >= to {
			return false
		}
	}
}
