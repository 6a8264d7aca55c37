package stream

import "rtfm/ruleset"

// Worker has an Engine do what it is told, in that order. What begins flows and
// counts packets is done when Flush is called or something is to be seen of it,
// so that fetches from memory overlap; from the call of Fork to that of what it
// returns another goroutine does what is flushed. Nothing that is seen depends
// on it. A Worker belongs to one goroutine.
type Worker struct {
	engine  *Engine
	changed func(row uint32, now int64)
	rows    []uint64 // a bit for each row of the flow table: its flow has distributions
	jobs    []job    // not yet begun
	// What the other goroutine has, if there is one: todo is nil if there is
	// none, and busy set while it is at work.
	todo    chan []job
	done    chan []job
	busy    bool
	spare   []job
	changes []change
}

// job begins a flow of a shape in this row, or counts a packet of it.
type job struct {
	shape     *ruleset.Shape
	packet    Packet
	now       int64
	row       uint32
	octets    uint32
	stream    uint32 // the one that is expected, 0 if none is known
	direction uint8
	only      bool // that is the only stream of the flow
}

// change is one of a flow's counters by the end of a stream.
type change struct {
	row uint32
	now int64
}

// NewWorker returns a Worker without flows. It calls changed, when it is called
// itself, if the end of a stream has changed the counters of the flow in a row.
func NewWorker(c Config, changed func(row uint32, now int64)) *Worker {
	w := &Worker{changed: changed}
	w.engine = New(c, func(row uint32, now int64) { w.changes = append(w.changes, change{row, now}) })
	return w
}

// Create begins a flow of shape s in this row of the flow table.
func (w *Worker) Create(row uint32, s *ruleset.Shape, now int64) {
	if len(s.Distributions) == 0 {
		return
	}
	for len(w.rows) <= int(row/64) {
		w.rows = append(w.rows, 0)
	}
	w.rows[row/64] |= 1 << (row % 64)
	w.jobs = append(w.jobs, job{shape: s, row: row, now: now})
}

// has tells whether the flow in this row has distributions.
func (w *Worker) has(row uint32) bool {
	return int(row/64) < len(w.rows) && w.rows[row/64]>>(row%64)&1 != 0
}

// Packet counts a packet of so many octets that the flow in this row has
// counted, in direction 0 if it goes from source to destination, else 1. Without
// p, which records of flows do not have, nothing is counted. Its Packets are to
// stay as they are until Flush was called twice, or once without Fork.
func (w *Worker) Packet(row uint32, direction int, p Packet, octets uint64, now int64) {
	if p.of != nil && w.has(row) {
		w.jobs = append(w.jobs, job{row: row, direction: uint8(direction), packet: p, octets: uint32(octets), now: now})
	}
}

// Flush has the packets counted that there are. Those of which it was told
// before the last call are counted when it returns.
func (w *Worker) Flush() {
	if w.todo == nil {
		w.sync()
		return
	}
	w.wait()
	if len(w.jobs) > 0 {
		w.todo <- w.jobs
		w.jobs, w.busy = w.spare[:0], true
	}
}

// wait waits for the other goroutine.
func (w *Worker) wait() {
	if w.busy {
		w.spare, w.busy = <-w.done, false
		w.tell()
	}
}

// sync does all that is to be done.
func (w *Worker) sync() {
	w.wait()
	if len(w.jobs) > 0 {
		w.engine.do(w.jobs)
		w.jobs = w.jobs[:0]
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

// Fork begins the other goroutine. The function that it returns ends it.
func (w *Worker) Fork() (join func()) {
	w.todo, w.done = make(chan []job), make(chan []job, 1)
	go func(todo <-chan []job, done chan<- []job) {
		for jobs := range todo {
			w.engine.do(jobs)
			done <- jobs
		}
	}(w.todo, w.done)
	return func() {
		w.sync()
		close(w.todo)
		w.todo = nil
	}
}

// Advance ends the streams that have timed out by time now; see Engine.
func (w *Worker) Advance(now int64) {
	w.sync()
	w.engine.Advance(now)
	w.tell()
}

// Finish ends all streams.
func (w *Worker) Finish(now int64) {
	w.sync()
	w.engine.Finish(now)
	w.tell()
}

// Release forgets the flow in this row, unless it has streams: then these end,
// for their counts to be read before, and it returns false.
func (w *Worker) Release(row uint32, now int64) bool {
	if !w.has(row) {
		return true
	}
	w.sync()
	released := w.engine.Release(row, now)
	if released {
		w.rows[row/64] &^= 1 << (row % 64)
	}
	w.tell()
	return released
}

// Counters returns the counters of the distributions of the flow in this row,
// as of time now, in the order of its shape's. They are valid until the next
// call.
func (w *Worker) Counters(row uint32, now int64) [][]uint64 {
	if !w.has(row) {
		return nil
	}
	w.sync()
	return w.engine.Counters(row, now)
}

// Stats returns what was counted so far.
func (w *Worker) Stats() Stats {
	w.sync()
	return w.engine.Stats()
}

// ahead is how many jobs are looked at together before they are done.
const ahead = 256

// do does jobs, one after the other.
func (e *Engine) do(jobs []job) {
	for len(jobs) > 0 {
		some := jobs[:min(ahead, len(jobs))]
		jobs = jobs[len(some):]
		e.expect(some)
		for i := range some {
			if j := &some[i]; j.shape != nil {
				e.Create(j.row, j.shape, j.now)
			} else {
				e.Packet(j.row, int(j.direction), j.packet, j.stream, uint64(j.octets), j.now)
			}
		}
	}
}

// expect finds the streams of jobs, as far as there are any, and fetches from
// memory what they will need, all together, so that the fetches overlap.
func (e *Engine) expect(jobs []job) {
	t := &e.streams
	if t.active == 0 {
		return
	}
	touched := uint64(0)
	for i := range jobs {
		j := &jobs[i]
		if j.shape != nil {
			continue
		}
		if int(j.row) < len(e.only) && e.only[j.row] != 0 {
			j.stream, j.only = e.only[j.row], true
			continue
		}
		// For now; if the packet is of no stream, it finds none.
		j.stream = t.hash(&j.packet.digest().key, j.row)
		touched += t.index[j.stream&t.mask]
	}
	for i := range jobs {
		j := &jobs[i]
		if j.shape != nil {
			continue
		}
		if !j.only {
			j.stream = t.first(j.stream)
		}
		if j.stream != 0 {
			s := t.at(j.stream)
			touched += s.rest + uint64(s.state)
		}
	}
	for i := range jobs {
		j := &jobs[i]
		if j.stream == 0 {
			continue
		}
		s := t.at(j.stream)
		for _, q := range s.queues {
			if q.first != 0 {
				touched += uint64(e.requests.at(q.first).next)
			}
		}
		if p, d := e.plans[s.plan], j.packet.digest(); d.form == formSegment && p.tcpData && p.flows.large() {
			touched += p.expectPair(s, d, j.now)
		}
	}
	e.touched = touched
}
