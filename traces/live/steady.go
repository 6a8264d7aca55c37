package live

import (
	"fmt"
	"sync"
	"time"

	"rtfm/traces"
)

// Steady returns a Source of the packets of src, which are captured now, by a clock
// that never goes back: when the machine's clock is set back, times go on from
// where they are, and stay ahead of the machine's by as much until that is set
// ahead again. A clock that is set ahead is believed.
//
// A packet of a time more than an hour ahead of that clock, as an adapter's own
// may be, counts at the time of the one before it, and is counted as an
// outlier. Notify, unless it is nil, is called when the machine's clock was set
// back, or ahead again, and for the first outlier. Closing the source closes src.
func Steady(src traces.Source, notify func(message string)) *Steadied {
	began := time.Now()
	s := &Steadied{Source: src, notify: notify, read: func() (int64, time.Duration) {
		now := time.Now()
		return now.UnixNano(), now.Sub(began) // by the monotonic clock
	}}
	s.wall, s.elapsed = s.read()
	return s
}

// Steadied is a Source whose clock never goes back.
type Steadied struct {
	traces.Source
	notify   func(message string)
	latest   int64 // the time of a packet
	outliers uint64

	mu      sync.Mutex
	read    func() (wall int64, elapsed time.Duration) // the machine's clocks
	wall    int64                                      // when read was called last
	elapsed time.Duration
	ahead   int64 // nanoseconds by which times are ahead of the machine's
}

// Steps of the machine's clock are more than smallStep; below that it is
// adjusted, and times that go back a little count at the latest.
const smallStep = time.Second

// Now returns the time in nanoseconds since the Unix epoch. It is safe for
// concurrent use.
func (s *Steadied) Now() int64 {
	now, _ := s.look()
	return now
}

// look returns the time, and by how much times are ahead of the machine's.
func (s *Steadied) look() (now, ahead int64) {
	s.mu.Lock()
	wall, elapsed := s.read()
	step := wall - s.wall - int64(elapsed-s.elapsed)
	s.wall, s.elapsed = wall, elapsed
	before := s.ahead
	switch {
	case step < -int64(smallStep):
		s.ahead -= step
	case step > int64(smallStep):
		s.ahead -= min(step, s.ahead)
	}
	ahead = s.ahead
	s.mu.Unlock()
	if ahead != before {
		s.tell(fmt.Sprintf("the machine's clock was set by %v: the meter's goes on, %v ahead of it", seconds(step), seconds(ahead)))
	}
	return wall + ahead, ahead
}

func seconds(ns int64) time.Duration { return time.Duration(ns).Round(time.Millisecond) }

func (s *Steadied) tell(message string) {
	if s.notify != nil {
		s.notify(message)
	}
}

// ReadBatch implements traces.Source.
func (s *Steadied) ReadBatch(b *traces.Batch) error {
	if err := s.Source.ReadBatch(b); err != nil {
		return err
	}
	now, ahead := s.look()
	limit := now + int64(smallStep)
	if ahead != 0 {
		for i := range b.Packets {
			switch t := &b.Packets[i].Time; {
			case *t > limit: // wrong anyway
			case *t+ahead > limit: // it was stamped before the clock was set back
				*t = now
			default:
				*t += ahead
			}
		}
		if b.Until != 0 {
			b.Until = min(b.Until+ahead, now)
		}
	}
	for i := range b.Packets {
		t := &b.Packets[i].Time
		b.Packets[i].Outlier = *t > now+traces.OutlierAhead
		if b.Packets[i].Outlier {
			if s.outliers++; s.outliers == 1 {
				s.tell(fmt.Sprintf("%s: a packet is of %s, more than an hour ahead of the machine's clock: it counts at the time before it, as such packets do",
					b.File, time.Unix(0, *t).UTC().Format(time.RFC3339Nano)))
			}
			if *t = s.latest; s.latest == 0 {
				*t = now
			}
		}
		s.latest = *t
	}
	return nil
}

// Stats implements traces.Source.
func (s *Steadied) Stats() traces.Stats {
	st := s.Source.Stats()
	st.Outliers = s.outliers
	return st
}
