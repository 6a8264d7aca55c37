package meter

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"rtfm/meter/stream"
	"rtfm/traces"
)

// feed returns a function that gives one batch after the other, valid until
// its next call, or nil when ctx is done, and one that ends the feed. A meter
// without an attendant, whose tasks do not change, is fed by a feeder; nothing
// that is seen depends on it.
func (m *Meter) feed(ctx context.Context, src traces.Source) (next func() *batch, stop func()) {
	if m.attendant == nil && runtime.GOMAXPROCS(0) > 1 {
		f := m.newFeeder(src)
		join := func() {}
		if f.worker != nil {
			join = f.worker.Fork()
		}
		go f.readAhead()
		return func() *batch { return f.next(ctx) }, func() { join(); f.stop(ctx); m.waited += f.waited }
	}
	in, b := m.newInput(), new(batch)
	m.input = in
	return func() *batch {
		if m.streams != nil {
			m.streams.Flush()
		}
		m.batch = nil // a task that starts meanwhile has nothing to see
		if m.attendant == nil {
			began := time.Now()
			in.read(b, src)
			m.waited += time.Since(began)
		} else { // which may give each packet by itself, and whom nobody asks
			in.read(b, src)
		}
		in.prepare(b, m.memos, m.streamed)
		return b
	}, func() {}
}

// Batches are read ahead in groups, so that it matters little what it costs to
// hand one over. The goroutine that reads ahead has one that is being metered,
// one that waits, and one that it reads; the one that meters may have two. Where
// there are streams, they may be looking at one more.
const (
	groupLen    = 32
	aheadGroups = 3
	ownGroups   = 2
)

// group is batches that are read together.
type group struct {
	number  int  // in the order in which they are read
	own     bool // belongs to the goroutine that meters
	batches [groupLen]batch
	n       int // batches in use
	// strange[i] reports that memo i missed too often to be worth prefetching.
	// Where flows are short it learns of them too late, and what one processor has
	// written is expensive for the other to read.
	strange []bool
}

// feeder reads and decodes on two processors what one meters. A goroutine of its
// own reads groups of batches ahead. Where a trace is mapped into memory, the
// goroutine that meters decodes groups too when it has nothing else to do; what
// only one can read stays with the one, since octets are expensive to hand from
// processor to processor. It meters the groups in the order in which they were
// read, whoever did it.
type feeder struct {
	reading sync.Mutex // held to read from src
	src     traces.Source
	numbers int  // of groups given
	ended   bool // the end of src has been read
	shared  atomic.Bool

	memos   []*memo
	streams stream.Forms

	// Of the goroutine that reads ahead.
	ahead      *decoder
	free, full chan *group
	done       chan struct{}

	// Of the one that meters.
	own   *decoder
	spare []*group
	queue []*group // its groups that are not metered yet
	at    *group   // being metered
	given int      // batches of that
	// waited is how long nothing was there to be metered or decoded.
	waited time.Duration
	// Of streams, nil if there are none, and the group at which they may still be
	// looking.
	worker *stream.Worker
	before *group
}

// decoder is what a goroutine needs to read groups.
type decoder struct{ inputs [groupLen]*input }

func (m *Meter) newDecoder() *decoder {
	d := new(decoder)
	for i := range d.inputs {
		d.inputs[i] = m.newInput()
		d.inputs[i].raw.MayMap = true
		d.inputs[i].screen = d.inputs[0].screen
	}
	return d
}

func (m *Meter) newFeeder(src traces.Source) *feeder {
	f := &feeder{
		src: src, memos: m.memos, streams: m.streamed,
		ahead: m.newDecoder(), own: m.newDecoder(), at: new(group),
		done: make(chan struct{}),
	}
	ahead, own := aheadGroups, ownGroups
	if m.streamed != 0 {
		f.worker = m.streams
		ahead, own = ahead+1, own+1
	}
	f.free, f.full = make(chan *group, ahead), make(chan *group, ahead)
	for _, memo := range f.memos {
		memo.shared = true
	}
	for range ahead {
		f.free <- new(group)
	}
	for range own {
		f.spare = append(f.spare, &group{own: true})
	}
	f.at.number = -1
	return f
}

// readAhead fills groups until the source ends or the feed does.
func (f *feeder) readAhead() {
	defer close(f.done)
	for g := range f.free {
		f.reading.Lock()
		if !f.fill(g, f.ahead) {
			return
		}
		f.full <- g
	}
}

// fill reads the next group and decodes it; false if there is none. It lets go
// of f.reading, which must be held, as soon as it has read.
func (f *feeder) fill(g *group, d *decoder) bool {
	if f.ended {
		f.reading.Unlock()
		return false
	}
	g.number, g.n = f.numbers, 0
	f.numbers++
	g.strange = room(g.strange, len(f.memos))
	clear(g.strange)
	mapped := false
	for more := true; more && g.n < groupLen; g.n++ {
		b, in := &g.batches[g.n], d.inputs[g.n]
		in.read(b, f.src)
		f.ended = b.err == io.EOF || b.err == ErrPause
		mapped = in.raw.Mapping != nil
		// A batch that is not full: it may take time until there is more.
		more = !f.ended && (mapped || len(in.raw.Packets) == batchLen)
		if !mapped {
			in.prepare(b, f.memos, f.streams)
			b.lookUp(f.memos, g.strange)
		}
	}
	f.shared.Store(mapped && !f.ended)
	f.reading.Unlock()
	for i := 0; i < g.n; {
		i = f.prepareMapped(g, d, i)
	}
	return true
}

// prepareMapped prepares the batches of a group from the i-th on that are of one
// mapped file, or passes over one that is not; it returns how far it came. If the
// file has become shorter since they were read there is that error instead of
// their packets.
func (f *feeder) prepareMapped(g *group, d *decoder, i int) int {
	m, to := d.inputs[i].raw.Mapping, i+1
	if m == nil {
		return to
	}
	for to < g.n && d.inputs[to].raw.Mapping == m {
		to++
	}
	err := m.Guard(func() {
		for j := i; j < to; j++ {
			d.inputs[j].prepare(&g.batches[j], f.memos, f.streams)
			g.batches[j].lookUp(f.memos, g.strange)
		}
	})
	if err == nil {
		return to
	}
	lost := 0
	for j := i; j < to; j++ {
		lost += len(d.inputs[j].raw.Packets)
		g.batches[j].seen = g.batches[j].seen[:0]
	}
	if g.batches[i].err == nil {
		g.batches[i].err = fmt.Errorf("%s: %d packets are not counted: %w", g.batches[i].file, lost, err)
	}
	return to
}

// next returns the next batch, nil when ctx is done.
func (f *feeder) next(ctx context.Context) *batch {
	if f.given == f.at.n {
		g := f.nextGroup(ctx)
		if g == nil {
			return nil
		}
		f.at, f.given = g, 0
	}
	f.given++
	return &f.at.batches[f.given-1]
}

// giveBack lets a group be filled again.
func (f *feeder) giveBack(g *group) {
	switch {
	case g == nil || g.n == 0: // none was metered yet
	case g.own:
		f.spare = append(f.spare, g)
	default:
		f.free <- g
	}
}

// nextGroup gives back the group at hand, or with streams the one before, and
// returns the next.
func (f *feeder) nextGroup(ctx context.Context) *group {
	number := f.at.number + 1
	if f.worker != nil {
		f.worker.Flush()
		f.giveBack(f.before)
		f.before = f.at
	} else {
		f.giveBack(f.at)
	}
	for {
		if len(f.queue) > 0 && f.queue[0].number == number {
			g := f.queue[0]
			f.queue = append(f.queue[:0], f.queue[1:]...)
			return g
		}
		select {
		case g := <-f.full:
			return g
		default:
		}
		if !f.fillOwn() {
			break
		}
	}
	began := time.Now()
	defer func() { f.waited += time.Since(began) }()
	select {
	case g := <-f.full:
		return g
	case <-ctx.Done():
		return nil
	}
}

// fillOwn fills a group of the goroutine that meters, false if it should not.
func (f *feeder) fillOwn() bool {
	if len(f.spare) == 0 || !f.shared.Load() || !f.reading.TryLock() {
		return false
	}
	g := f.spare[len(f.spare)-1]
	if !f.fill(g, f.own) {
		return false
	}
	f.spare = f.spare[:len(f.spare)-1]
	f.queue = append(f.queue, g)
	return true
}

// stop ends the feed.
func (f *feeder) stop(ctx context.Context) {
	close(f.free)
	select {
	case <-f.done:
	case <-ctx.Done(): // the source may have nothing to read, for ever
	}
}
