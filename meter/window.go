package meter

import (
	"math"

	"rtfm/meter/flow"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces/schedule"
)

// window is that of a schedule which a collection is of; zero without one.
type window struct{ from, to, idle int64 }

// window returns the window of the collection under way.
func (m *Meter) window() window {
	if m.cfg.Schedule == nil {
		return window{}
	}
	return window{m.next.from, m.next.to, int64(m.cfg.InactivityTimeout)}
}

// Values of the attribute Censored.
const (
	censoredStart = 1
	censoredEnd   = 2
)

// censor tells of a flow whether packets outside of the window may be of it: they are, if
// they come less than the inactivity timeout before its first packet or after its last.
func (w window) censor(f *match.Flow) {
	if f.Shape == nil || !f.Shape.Identified() {
		return
	}
	for i := range f.Shape.Measures {
		if f.Shape.Measures[i].Attr != attr.Censored {
			continue
		}
		var edges uint64
		if w.to != 0 && f.FirstTime-w.from < w.idle {
			edges |= censoredStart
		}
		if w.to != 0 && w.to-f.LastTime < w.idle {
			edges |= censoredEnd
		}
		f.Counters[i][0] = edges
	}
}

// nextWindow has a window be the next interval.
func (m *Meter) nextWindow(w schedule.Window) {
	m.next.from, m.next.end, m.next.window = w.From, w.To, w.Number
}

// clear takes all flows out of the table, whose streams have ended.
func (m *Meter) clear() {
	var limits flow.Limits
	for i := range limits {
		limits[i] = math.MaxInt64
	}
	m.mayEnd = math.MaxInt
	m.table.Recover(math.MaxInt, &limits, m.release)
}
