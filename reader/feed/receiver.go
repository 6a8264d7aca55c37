package feed

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rtfm/traces/feed"
)

// Limits bound what a receiver keeps, whatever comes.
type Limits struct {
	Meters int // that are heard at a time
	Queue  int // octets of messages that wait to be read
	Buffer int // octets that each socket of UDP is asked to keep
}

// Receiver receives feeds and gives their records to its Sink, all in one goroutine.
type Receiver struct {
	Sink   Sink
	Limits Limits
	// UntilEnd has Run return when all meters that were heard are gone.
	UntilEnd bool
	// Tick, unless it is nil, is called every now and then, about so often, 0 for 100 ms,
	// and at the end.
	Tick  func()
	Every time.Duration
	// Warn, unless it is nil, is told what people should know.
	Warn func(message string)

	// Meters are those that were heard, also those that are gone, up to twice the limit:
	// Forgotten is how many there were before, and the sums of what they had.
	Meters    []*Meter
	Forgotten struct{ Meters, Records, Missing, Before, Damaged uint64 }
	// Refused are messages and connections that would have been of more meters than
	// there may be, Strange ones messages that cannot be read, of nobody.
	Refused, Strange uint64

	queue   *queue
	inputs  []*input
	origins map[source]*origin // of datagrams
	heard   int                // meters that are not gone
	begun   bool               // one was heard
	now     time.Time
	err     error // of the sink
	readers sync.WaitGroup
	// conns are the streams at a time, refusedConns those beyond the limit.
	conns, refusedConns atomic.Int64
}

// source is where datagrams come from.
type source struct {
	in   *input
	from netip.AddrPort
}

// origin is where the messages of meters come from: an address, a connection, a file.
type origin struct {
	name    string
	input   int
	ordered bool
	isFile  bool
	domains map[uint32]*domain
}

// domain is a meter with what reads its messages. It is a feed.Handler.
type domain struct {
	r      *Receiver
	origin *origin
	meter  *Meter
	reader feed.Reader
	at     time.Time // of its latest message
	waits  time.Time // since when messages wait for others; zero if none do
}

// What is asked how often, and after which silence a meter that sends datagrams is
// gone: one without flows earlier.
const (
	tick      = 100 * time.Millisecond
	silence   = 30 * time.Second
	emptiness = 5 * time.Second
)

// Run receives until ctx is done, until all files have ended if nothing else was opened,
// or as UntilEnd says. The error is that of the Sink, or of a file that cannot be read.
func (r *Receiver) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r.queue, r.origins = newQueue(r.Limits.Queue), make(map[source]*origin)
	live := false
	for _, in := range r.inputs {
		live = live || in.listens()
		r.readers.Add(1)
		go r.read(ctx, in)
	}
	over := make(chan struct{})
	go func() {
		r.readers.Wait()
		close(over)
	}()
	t := time.NewTicker(cmp.Or(r.Every, tick))
	defer t.Stop()
	for r.err == nil {
		select {
		case <-r.queue.ready:
			r.now = time.Now()
			r.readAll(r.queue.take())
			continue
		case <-t.C:
		case <-over:
			r.queue.close()
			r.now = time.Now()
			r.readAll(r.queue.take())
			r.end()
			return r.err
		}
		r.now = time.Now()
		r.look()
		if r.Tick != nil {
			r.Tick()
		}
		if r.UntilEnd && r.begun && r.heard == 0 && live {
			stop()
		}
	}
	stop()
	r.queue.close()
	<-over
	r.end()
	return r.err
}

// readAll reads the messages of a batch.
func (r *Receiver) readAll(all *batch) {
	rest := all.octets
	for i := range all.events {
		e := &all.events[i]
		if r.err != nil {
			return
		}
		if e.n < 0 {
			r.ended(e.conn, e.err)
			continue
		}
		o := e.conn
		if o == nil {
			o = r.origin(e)
		}
		if o != nil {
			r.message(o, rest[:e.n])
		}
		rest = rest[e.n:]
	}
}

// origin returns where a datagram is from, nil if it is of no feed.
func (r *Receiver) origin(e *event) *origin {
	o := r.origins[source{e.in, e.from}]
	if o == nil {
		o = &origin{name: netip.AddrPortFrom(e.from.Addr().Unmap(), e.from.Port()).String(), input: e.in.number}
		if len(r.origins) >= r.Limits.Meters {
			r.Refused++
			return nil
		}
		r.origins[source{e.in, e.from}] = o
	}
	return o
}

// message reads a message.
func (r *Receiver) message(o *origin, b []byte) {
	number, ok := feed.Domain(b)
	if !ok {
		r.Strange++
		return
	}
	d := o.domains[number]
	if d == nil {
		if r.heard >= r.Limits.Meters {
			r.Refused++
			return
		}
		d = &domain{r: r, origin: o, reader: feed.Reader{Ordered: o.ordered}}
		if o.domains == nil {
			o.domains = make(map[uint32]*domain)
		}
		o.domains[number] = d
		d.meet(number)
	}
	d.at, d.meter.Heard = r.now, r.now
	d.fail(d.reader.Message(b, d))
	d.count()
	if !d.reader.Waits() {
		d.waits = time.Time{}
	} else if d.waits.IsZero() {
		d.waits = r.now
	}
}

// meet makes the meter that is heard from now on.
func (d *domain) meet(number uint32) {
	name := d.origin.name
	if number != 0 {
		name = fmt.Sprintf("%s,domain=%d", name, number)
	}
	d.meter = &Meter{Name: name, Domain: number, Input: d.origin.input, Heard: d.r.now, before: d.reader.Counts}
	d.r.heard++
	d.r.begun = true
	d.r.remember(d.meter)
}

// remember adds a meter to those that were heard. Of too many, the first that are gone are forgotten.
func (r *Receiver) remember(m *Meter) {
	if most := 2 * r.Limits.Meters; len(r.Meters) >= most {
		at := max(slices.IndexFunc(r.Meters, func(m *Meter) bool { return m.Gone }), 0)
		f, old := &r.Forgotten, r.Meters[at]
		f.Meters++
		f.Records += old.Records
		f.Missing += old.Missing
		f.Before += old.Before
		f.Damaged += old.Damaged
		r.Meters = slices.Delete(r.Meters, at, at+1)
	}
	r.Meters = append(r.Meters, m)
}

// count counts what was read.
func (d *domain) count() {
	n, b := &d.reader.Counts, &d.meter.before
	d.meter.Messages, d.meter.Late = n.Messages-b.Messages, n.Late-b.Late
	d.meter.Records = n.Records + n.Unknown - b.Records - b.Unknown
}

// gone says that nothing more comes from a domain.
func (d *domain) gone() {
	d.fail(d.reader.Flush(d))
	d.count()
	d.r.keep(d.r.Sink.Gone(d.meter))
	d.meter.Gone = true
	d.r.heard--
}

// fail notes a message that is damaged.
func (d *domain) fail(err error) {
	if err != nil {
		d.meter.Damaged++
		d.meter.Fault = cmp.Or(d.meter.Fault, err)
	}
}

// Fail ends Run with this error. It may be called by the Sink and by Tick.
func (r *Receiver) Fail(err error) { r.keep(err) }

// keep keeps the first error of the sink.
func (r *Receiver) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

// ended says that a stream or a file has ended.
func (r *Receiver) ended(o *origin, err error) {
	for _, d := range o.domains {
		d.fail(err)
		d.gone()
	}
	switch {
	case len(o.domains) > 0 || err == nil:
	case o.isFile:
		r.keep(fmt.Errorf("%s: no feed: %w", o.name, err))
	default:
		r.Strange++
		r.warn(o.name + ": " + err.Error())
	}
	o.domains = nil
}

func (r *Receiver) warn(message string) {
	if r.Warn != nil {
		r.Warn(message)
	}
}

// look finds meters that are silent, and messages that wait for others in vain.
func (r *Receiver) look() {
	for at, o := range r.origins {
		for number, d := range o.domains {
			quiet := r.now.Sub(d.at)
			if !d.waits.IsZero() && r.now.Sub(d.waits) >= tick {
				d.fail(d.reader.Flush(d))
				d.waits = time.Time{}
				d.count()
			}
			if quiet >= silence || quiet >= emptiness && d.meter.Stats.Flows == 0 {
				d.gone()
				delete(o.domains, number)
			}
		}
		if len(o.domains) == 0 {
			delete(r.origins, at)
		}
	}
}

// end says that no more comes from those who were heard to the end.
func (r *Receiver) end() {
	for _, o := range r.origins {
		for _, d := range o.domains {
			d.fail(d.reader.Flush(d))
			d.count()
		}
	}
	r.Refused += uint64(r.refusedConns.Swap(0))
	if r.Tick != nil {
		r.Tick()
	}
}

// Begin implements feed.Handler.
func (d *domain) Begin(before uint32) {
	if d.meter.begun { // the meter has begun anew
		d.r.keep(d.r.Sink.Gone(d.meter))
		d.meter.Gone = true
		d.r.heard--
		d.meet(d.meter.Domain)
	}
	d.meter.begun, d.meter.Before = true, uint64(before)
}

// Shape implements feed.Handler.
func (d *domain) Shape(*feed.Shape) {}

// New implements feed.Handler.
func (d *domain) New(n *feed.New) {
	d.meter.Form = d.reader.Form()
	d.r.keep(d.r.Sink.New(d.meter, n))
}

// Packet implements feed.Handler.
func (d *domain) Packet(p *feed.Packet) {
	n, b := &d.reader.Counts, &d.meter.before
	d.meter.Number = d.meter.Before + d.meter.Missing + n.Records + n.Unknown - b.Records - b.Unknown - 1
	d.meter.Form = d.reader.Form()
	if err := d.r.Sink.Packet(d.meter, p); err != nil {
		d.r.keep(err)
	}
}

// End implements feed.Handler.
func (d *domain) End(e *feed.End) { d.r.keep(d.r.Sink.End(d.meter, e)) }

// Stats implements feed.Handler.
func (d *domain) Stats(s *feed.Stats) {
	d.meter.Stats = *s
	d.r.keep(d.r.Sink.Stats(d.meter, s))
}

// Missing implements feed.Handler.
func (d *domain) Missing(records uint32) {
	d.meter.Missing += uint64(records)
	d.r.keep(d.r.Sink.Missing(d.meter, uint64(records)))
}
