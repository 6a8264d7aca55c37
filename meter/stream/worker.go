package stream

import (
	"math"
	"slices"

	"rtfm/ruleset/match"
)

// Worker has an Engine do what it is told, in order. Beginning flows, counting
// packets and ending streams in time is put off until Flush is called or a
// result is asked for, so that fetches from memory overlap. From the call of
// Fork to the call of the function that it returns, another goroutine does what
// is flushed of streams. No result depends on that. A Worker belongs to one goroutine.
type Worker struct {
	engine  *Engine
	changed func(row uint32, now int64)
	rows    []rows64 // of the flow table
	forms   []Forms  // by shape ID, 0 until a flow has it
	jobs    *jobs    // not yet begun
	// What the other goroutine has, if there is one: todo is nil if there is
	// none, and busy set while it is at work.
	todo    chan *jobs
	done    chan *jobs
	busy    bool
	spare   *jobs
	changes []change
}

// rows64 is what is known of the flows in 64 rows, a bit for each.
type rows64 struct {
	has    uint64 // it has measures
	counts uint64 // some are of streams, of packets such as it has
}

// jobs are packets to count, and what is to be done between them.
type jobs struct {
	list    []job
	between []step
	packets []*Packets // those that jobs are of
}

// job counts a packet of the flow in this row.
type job struct {
	now    int64
	row    uint32
	octets uint32
	of     uint32 // index in jobs.packets
	packet uint32 // its number there twice, plus the direction
}

// step is to be done before the packet with this number in jobs.list: a flow
// of a shape is to be begun, or without one the engine to Advance.
type step struct {
	before int
	now    int64
	shape  *match.Shape
	row    uint32
	single bool
}

// change is one of a flow's counters by the end of a stream.
type change struct {
	row uint32
	now int64
}

// NewWorker returns a Worker without flows. From within its methods it calls
// changed if the end of a stream has changed the counters of the flow in a row.
func NewWorker(c Config, changed func(row uint32, now int64)) *Worker {
	w := &Worker{changed: changed, jobs: new(jobs), spare: new(jobs)}
	w.engine = New(c, func(row uint32, now int64) { w.changes = append(w.changes, change{row, now}) })
	return w
}

// Create begins a flow of shape s in this row of the flow table, whose first
// packet this is; see Engine.Create.
func (w *Worker) Create(row uint32, s *match.Shape, first Packet, single bool, now int64) {
	if !s.Measured() {
		return
	}
	for len(w.rows) <= int(row/64) {
		w.rows = append(w.rows, rows64{})
	}
	r := &w.rows[row/64]
	r.has |= 1 << (row % 64)
	w.engine.singles.begin(row, s, now)
	f := w.formsOf(s)
	if !f.streams() {
		return
	}
	if !single || first.of == nil || f.counts(first.digest().form) {
		r.counts |= 1 << (row % 64)
	}
	w.jobs.between = append(w.jobs.between, step{len(w.jobs.list), now, s, row, single})
}

// formsOf returns the forms that flows of shape s want.
func (w *Worker) formsOf(s *match.Shape) Forms {
	for len(w.forms) <= s.ID {
		w.forms = append(w.forms, 0)
	}
	if w.forms[s.ID] == 0 {
		w.forms[s.ID] = FormsOf(s.Measures)
	}
	return w.forms[s.ID]
}

// has reports whether the flow in this row has measures.
func (w *Worker) has(row uint32) bool {
	return int(row/64) < len(w.rows) && w.rows[row/64].has>>(row%64)&1 != 0
}

// counts reports whether some are of streams, of packets such as it has.
func (w *Worker) counts(row uint32) bool {
	return int(row/64) < len(w.rows) && w.rows[row/64].counts>>(row%64)&1 != 0
}

// Packet counts a packet with this many octets that the flow in this row has
// counted, in direction 0 if it goes from source to destination, else 1.
// Without p, which flow records do not have, nothing is counted. Its Packets
// must stay unchanged until Flush was called twice, or once without Fork.
func (w *Worker) Packet(row uint32, direction int, p Packet, octets uint64, now int64) {
	if p.of == nil {
		return
	}
	w.engine.singles.packet(row, direction, p, octets, now)
	if !w.counts(row) {
		return
	}
	j := w.jobs
	if n := len(j.packets); n == 0 || j.packets[n-1] != p.of {
		j.packets = append(j.packets, p.of)
	}
	if len(j.list) == cap(j.list) {
		j.list = slices.Grow(j.list, 1)
	}
	j.list = j.list[:len(j.list)+1]
	// Field by field: to copy a whole one is to wait for its fields.
	b := &j.list[len(j.list)-1]
	b.now, b.row, b.octets = now, row, uint32(octets)
	b.of, b.packet = uint32(len(j.packets)-1), uint32(p.number)<<1|uint32(direction&1)
}

// none reports whether there is nothing to do.
func (j *jobs) none() bool { return len(j.list) == 0 && len(j.between) == 0 }

// clear makes j empty.
func (j *jobs) clear() { j.list, j.between, j.packets = j.list[:0], j.between[:0], j.packets[:0] }

// Flush begins to count the packets so far. Those from before the previous call
// are counted when it returns.
func (w *Worker) Flush() {
	w.engine.singles.settle()
	if w.todo == nil {
		w.Sync()
		return
	}
	w.wait()
	if !w.jobs.none() {
		w.todo <- w.jobs
		w.jobs, w.busy = w.spare, true
	}
}

// wait waits for the other goroutine.
func (w *Worker) wait() {
	if w.busy {
		w.spare, w.busy = <-w.done, false
		w.spare.clear()
		w.tell()
	}
}

// Sync does all work that is left, and reports the changes.
func (w *Worker) Sync() {
	w.engine.singles.settle()
	w.wait()
	if !w.jobs.none() {
		w.engine.do(w.jobs)
		w.jobs.clear()
		w.tell()
	}
}

// tell tells of changes.
func (w *Worker) tell() {
	for _, c := range w.changes {
		w.changed(c.row, c.now)
	}
	w.changes = w.changes[:0]
}

// Fork starts the other goroutine. The function that it returns ends it.
func (w *Worker) Fork() (join func()) {
	w.todo, w.done = make(chan *jobs), make(chan *jobs, 1)
	go func(todo <-chan *jobs, done chan<- *jobs) {
		for jobs := range todo {
			w.engine.do(jobs)
			done <- jobs
		}
	}(w.todo, w.done)
	return func() {
		w.Sync()
		close(w.todo)
		w.todo = nil
	}
}

// Advance ends the streams that have timed out by time now; see Engine. It
// takes effect with Sync, or when a method returns something of the flow.
func (w *Worker) Advance(now int64) {
	w.jobs.between = append(w.jobs.between, step{before: len(w.jobs.list), now: now})
}

// AdvanceSome is Advance that is done at once, for so many streams at most; see
// Engine.
func (w *Worker) AdvanceSome(now int64, most int) (more bool) {
	w.Sync()
	defer w.tell()
	return w.engine.AdvanceSome(now, most)
}

// FinishSome ends so many streams at most; see Engine.
func (w *Worker) FinishSome(now int64, most int) (more bool) {
	w.Sync()
	defer w.tell()
	return w.engine.FinishSome(now, most)
}

// Finish ends all streams.
func (w *Worker) Finish(now int64) { w.FinishSome(now, math.MaxInt) }

// Release forgets the flow in this row, unless it has streams: then it ends
// these, no more than *most, so that their counts can be read first, and returns
// false; see Engine.
func (w *Worker) Release(row uint32, now int64, most *int) bool {
	if !w.has(row) {
		return true
	}
	w.Sync()
	released := w.engine.Release(row, now, most)
	if released {
		r := &w.rows[row/64]
		r.has &^= 1 << (row % 64)
		r.counts &^= 1 << (row % 64)
	}
	w.tell()
	return released
}

// Counters returns the counters of the distributions of the flow in this row,
// as of time now, in the order of its shape's distributions. They are valid
// until the next call.
func (w *Worker) Counters(row uint32, now int64) [][]uint64 {
	if !w.has(row) {
		return nil
	}
	w.Sync()
	return w.engine.Counters(row, now)
}

// Stats returns what was counted so far.
func (w *Worker) Stats() Stats {
	w.Sync()
	return w.engine.Stats()
}
