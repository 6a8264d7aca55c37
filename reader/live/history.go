package live

import (
	"context"
	"slices"
	"sync"
)

// Bounds of a History: an hour of seconds.
const (
	HistoryIntervals = 3600
	HistoryOctets    = 64 << 20
)

// State says how the meter is that a History tells of.
type State string

// The states.
const (
	Starting  State = "starting"
	Running   State = "running"
	Away      State = "away"      // it does not answer; Text tells why
	Restarted State = "restarted" // its counters began anew; the next Interval is Running again
	Ended     State = "ended"     // there will be no more intervals
)

// Status is a State and since when it is one.
type Status struct {
	State State
	Text  string // for people
	Since int64  // nanoseconds since 1970, by this machine's clock
}

// History keeps the latest intervals for viewers. Any goroutine may use it.
type History struct {
	mu        sync.Mutex
	intervals []*Interval // the oldest first
	octets    int
	number    uint64
	status    Status
	changed   chan struct{} // closed when there is news
	packs     bool
	toPack    []*Interval // at most mostToPack
	most      int
	mostSize  int
	// What is said of those that wait for a viewer, see Lossless.
	lossless bool
	taken    uint64
	released bool
	room     sync.Cond
}

// NewHistory returns a History with no intervals.
func NewHistory() *History {
	h := &History{status: Status{State: Starting}, changed: make(chan struct{}), most: HistoryIntervals, mostSize: HistoryOctets}
	h.room.L = &h.mu
	return h
}

// backlog is how many intervals wait for a viewer that must have all.
const backlog = 64

// mostToPack is how many intervals may wait to be packed: a source that can wait does.
const mostToPack = 4

// Lossless has Put wait for the one viewer there is, who calls Wait, until ctx is done.
// It is for sources that can wait: files and traces, not interfaces.
func (h *History) Lossless(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lossless = true
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.released = true
		h.room.Broadcast()
	})
}

// NewPackedHistory returns a History that keeps no more of intervals than their JSON,
// packed: many more of them have room. They have neither Sections nor Spreads.
func NewPackedHistory() *History {
	h := NewHistory()
	h.packs = true
	return h
}

// Put adds an Interval, which must not be changed from now on, and forgets the oldest
// ones beyond the bounds.
func (h *History) Put(i *Interval) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.lossless && !h.released && h.number-h.taken >= backlog || len(h.toPack) >= mostToPack {
		h.room.Wait()
	}
	if h.status.State != Running {
		h.status = Status{State: Running, Since: h.status.Since}
	}
	if !h.packs {
		i.octets = i.size()
		h.add(i)
		return
	}
	h.toPack = append(h.toPack, i)
	if len(h.toPack) == 1 {
		go h.pack()
	}
}

// pack adds what is to be packed, outside the goroutine of the meter.
func (h *History) pack() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.toPack) > 0 {
		i := h.toPack[0]
		h.mu.Unlock()
		i = i.pack()
		h.mu.Lock()
		h.toPack = slices.Delete(h.toPack, 0, 1)
		h.add(i)
		h.room.Broadcast()
	}
}

// add adds an Interval and forgets the oldest ones.
func (h *History) add(i *Interval) {
	h.number++
	i.Number = h.number
	h.intervals = append(h.intervals, i)
	h.octets += i.octets
	for len(h.intervals) > 1 && (len(h.intervals) > h.most || h.octets > h.mostSize) {
		h.octets -= h.intervals[0].octets
		h.intervals[0] = nil
		h.intervals = h.intervals[1:]
	}
	h.news()
}

// Note changes the text of the status.
func (h *History) Note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status.Text = text
	h.news()
}

// Tell changes the status.
func (h *History) Tell(s Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = s
	h.news()
}

// news wakes those who wait.
func (h *History) news() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// News is what is new in a History.
type News struct {
	Intervals []*Interval // the oldest first
	Status    Status
	// Missed is how many intervals behind the one that was asked for are forgotten.
	Missed uint64
}

// After returns what came behind the Interval with this number, 0 for all that is kept,
// at most so many of the latest ones if most is not 0. It does not wait.
func (h *History) After(number uint64, most int) News {
	n, _ := h.after(number, most)
	return n
}

// Look is After for all, and returns what is closed when there is more.
func (h *History) Look(number uint64) (News, <-chan struct{}) { return h.after(number, 0) }

// Next is Look for at most so many of the oldest ones: who takes a long time for them
// keeps no more than these in memory.
func (h *History) Next(number uint64, most int) (News, <-chan struct{}) {
	n, changed := h.after(number, 0)
	if len(n.Intervals) > most {
		n.Intervals = slices.Clone(n.Intervals[:most])
	}
	return n, changed
}

func (h *History) after(number uint64, most int) (News, chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := News{Status: h.status}
	kept := h.intervals
	if number > h.number {
		number = 0 // it is of another History
	}
	if len(kept) > 0 && kept[0].Number > number+1 && number > 0 {
		n.Missed = kept[0].Number - number - 1
	}
	for len(kept) > 0 && kept[0].Number <= number {
		kept = kept[1:]
	}
	if most > 0 && len(kept) > most {
		kept = kept[len(kept)-most:]
	}
	n.Intervals = append(n.Intervals, kept...)
	return n, h.changed
}

// Wait is After that waits until there is an interval behind that number, or the status
// is another than before.
func (h *History) Wait(ctx context.Context, number uint64, before Status) (News, error) {
	h.mu.Lock()
	h.taken = max(h.taken, number)
	h.room.Broadcast()
	h.mu.Unlock()
	for {
		n, changed := h.after(number, 0)
		if len(n.Intervals) > 0 || n.Status != before {
			return n, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return n, ctx.Err()
		}
	}
}
