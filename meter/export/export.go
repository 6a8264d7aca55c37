package export

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"rtfm/traces/feed"
)

// Config says where messages go, and how.
type Config struct {
	To feed.URL
	// File is written if To is a file.
	File io.Writer
	// Queue is how many octets of messages may wait, MTU the most that one has.
	Queue, MTU int
	// Waits has who sends wait for room in the queue: nothing is dropped unless the
	// receiver stays away for longer than Patience.
	Waits bool
	// Patience is how long a receiver may be away before a feed that waits is given
	// up, and before the end of any.
	Patience time.Duration
	// Stall is how long a receiver that is connected may take nothing before it is taken
	// for dead, and connected to anew; 0 stands for 30 s.
	Stall time.Duration
	// Warn, if it is not nil, is told what people should know. It is called by
	// another goroutine.
	Warn func(message string)
	// Failed, if it is not nil, is called once if nothing can be sent any more.
	Failed func(error)
}

// Counts is what has become of messages.
type Counts struct {
	// Messages were given away, with so many data records and octets.
	Messages, Records, Octets uint64
	// Dropped ones found the queue full, or the receiver away at the end. Of these
	// messages Unsent ones had room, and could not be sent.
	DroppedMessages, DroppedRecords, Unsent uint64
	// Refused is how often a host has told that nobody receives datagrams there.
	Refused uint64
	// Connections were made.
	Connections uint64
}

// Add adds m's counts to n.
func (n *Counts) Add(m Counts) {
	n.Messages += m.Messages
	n.Records += m.Records
	n.Octets += m.Octets
	n.DroppedMessages += m.DroppedMessages
	n.DroppedRecords += m.DroppedRecords
	n.Unsent += m.Unsent
	n.Refused += m.Refused
	n.Connections += m.Connections
}

// Exporter sends messages. Send, Remember and Anew belong to the goroutine of the
// meter, or whoever has it.
type Exporter struct {
	cfg    Config
	full   chan message
	free   chan []byte
	made   int  // buffers
	waits  bool // Config.Waits, and whenever the meter has ended
	most   int
	outlet outlet
	done   chan struct{} // closed when the last message was sent
	over   chan struct{} // closed when nothing can be sent any more
	ending chan struct{} // closed by finish when the meter has ended
	finish sync.Once
	anew   atomic.Bool
	next   atomic.Pointer[io.Writer] // file to write instead
	open   atomic.Bool

	trouble atomic.Pointer[string]

	messages, records, octets, droppedMessages, droppedRecords, unsent, refused, connections atomic.Uint64

	err   error // why nothing can be sent, once over is closed
	mu    sync.Mutex
	known []message // what must be told to whoever comes

	// Of the goroutine that sends.
	batch   []message
	dropped uint64 // messages of which was warned
	retold  uint64 // and for which flows were told again
	warnAt  time.Time
	anewAt  time.Time
}

// message is one with so many data records.
type message struct {
	octets  []byte
	records int
}

const (
	mostBatch = 64 // messages that are sent together
	leastRoom = 16 // messages that a queue has room for
	mostKnown = 1 << 14
)

// New returns an exporter that has begun to send.
func New(cfg Config) *Exporter {
	room := max(cfg.Queue/cfg.MTU, leastRoom)
	e := &Exporter{
		cfg: cfg, full: make(chan message, room), most: room + mostBatch + 2, waits: cfg.Waits,
		done: make(chan struct{}), over: make(chan struct{}), ending: make(chan struct{}),
	}
	e.free = make(chan []byte, e.most)
	e.outlet = e.newOutlet()
	go e.run()
	return e
}

// Send takes a message with so many data records, and returns room for another one. It
// is a feed.Writer's Send.
func (e *Exporter) Send(b []byte, records int) []byte {
	m := message{b, records}
	select {
	case e.full <- m:
	default:
		if !e.waits || !e.wait(m) {
			e.drop(m)
			return b
		}
	}
	select {
	case b = <-e.free:
		return b
	default:
	}
	if e.made++; e.made > e.most {
		return <-e.free // of those that are being sent
	}
	return make([]byte, 0, e.cfg.MTU)
}

// wait waits for room for a message, false if there will be none.
func (e *Exporter) wait(m message) bool {
	select {
	case <-e.over:
		return false
	default:
	}
	select {
	case e.full <- m:
		return true
	case <-e.over:
		return false
	}
}

func (e *Exporter) drop(m message) {
	e.droppedMessages.Add(1)
	e.droppedRecords.Add(uint64(m.records))
}

// Remember keeps a message with so many data records that whoever comes must know. It
// is a feed.Writer's Remember.
func (e *Exporter) Remember(b []byte, records int) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.known) > mostKnown { // the first one has the templates of all feeds
		e.known = append(e.known[:1], e.known[2:]...)
	}
	e.known = append(e.known, message{append([]byte(nil), b...), records})
	return b
}

// Anew reports whether somebody has come, since it was called last, who does not know
// which flows there are, or records were dropped.
func (e *Exporter) Anew() bool { return e.anew.Load() && e.anew.Swap(false) }

// Into has messages be written into another file from the next one on, which begins as
// any file does.
func (e *Exporter) Into(file io.Writer) { e.next.Store(&file) }

// Dropped returns how many messages, and records in them, were dropped so far.
func (e *Exporter) Dropped() (messages, records uint64) {
	return e.droppedMessages.Load(), e.droppedRecords.Load()
}

// IsFull reports whether the queue is more than half full.
func (e *Exporter) IsFull() bool { return len(e.full) > cap(e.full)/2 }

// Room waits, if who sends is to wait for room in the queue, until that is no more than
// half full. Whoever sends may do so before, where it keeps nobody else waiting.
func (e *Exporter) Room() {
	for e.cfg.Waits && e.IsFull() {
		select {
		case <-e.over:
			return
		case <-time.After(rest):
		}
	}
}

// Open reports whether messages can be sent at present, as far as is known.
func (e *Exporter) Open() bool { return e.open.Load() }

// Trouble returns the latest warning, "" if there was none.
func (e *Exporter) Trouble() string {
	if p := e.trouble.Load(); p != nil {
		return *p
	}
	return ""
}

// Counts returns what has become of the messages so far.
func (e *Exporter) Counts() Counts {
	return Counts{
		Messages: e.messages.Load(), Records: e.records.Load(), Octets: e.octets.Load(),
		DroppedMessages: e.droppedMessages.Load(), DroppedRecords: e.droppedRecords.Load(),
		Unsent: e.unsent.Load(), Refused: e.refused.Load(), Connections: e.connections.Load(),
	}
}

// Ending returns a channel that is closed when Finish or Close is called.
func (e *Exporter) Ending() <-chan struct{} { return e.ending }

// Finish says that no more packets come: nobody is late any more if what is still to be
// told, of all flows at once, waits for room in the queue. It belongs to the goroutine of
// the meter.
func (e *Exporter) Finish() {
	e.waits = true
	e.finish.Do(func() { close(e.ending) })
}

// Close sends what waits, for as long as Patience if the receiver is away, and returns
// why not all could be sent. Nothing may be sent any more.
func (e *Exporter) Close() error {
	e.finish.Do(func() { close(e.ending) })
	close(e.full)
	<-e.done
	e.outlet.close()
	return e.err
}

// run sends messages until there are no more.
func (e *Exporter) run() {
	defer close(e.done)
	e.outlet.open()
	for e.gather() {
		if err := e.outlet.deliver(); err != nil {
			e.fail(err)
			e.discard(len(e.batch))
			continue
		}
		e.lookAtDropped()
	}
}

// fail says that nothing can be sent, as far as is known.
func (e *Exporter) fail(err error) {
	if e.err != nil {
		return
	}
	e.err = err
	text := err.Error()
	e.trouble.Store(&text)
	close(e.over)
	if e.cfg.Failed != nil {
		e.cfg.Failed(err)
	}
}

// rest is how long nobody looks at a queue that was found empty: whoever sends does not
// have to wake the goroutine for each message then.
const rest = time.Millisecond

// gather waits for messages, and takes those that are there; false at the end.
func (e *Exporter) gather() bool {
	e.batch = e.batch[:0]
	if e.take(); len(e.batch) > 0 {
		return true
	}
	time.Sleep(rest)
	if e.take(); len(e.batch) > 0 {
		return true
	}
	m, ok := <-e.full
	if !ok {
		return false
	}
	e.batch = append(e.batch, m)
	e.take()
	return true
}

// take takes the messages that are there.
func (e *Exporter) take() {
	for len(e.batch) < mostBatch {
		select {
		case m, ok := <-e.full:
			if !ok {
				return
			}
			e.batch = append(e.batch, m)
		default:
			return
		}
	}
}

// sent counts the first n messages of the batch, and lets go of them.
func (e *Exporter) sent(n int) {
	for _, m := range e.batch[:n] {
		e.messages.Add(1)
		e.records.Add(uint64(m.records))
		e.octets.Add(uint64(len(m.octets)))
	}
	e.letGo(n)
}

// discard drops the first n messages of the batch, which cannot be sent: of why was
// warned.
func (e *Exporter) discard(n int) {
	for _, m := range e.batch[:n] {
		e.drop(m)
	}
	e.dropped += uint64(n)
	e.unsent.Add(uint64(n))
	e.letGo(n)
}

func (e *Exporter) letGo(n int) {
	for _, m := range e.batch[:n] {
		e.free <- m.octets[:0]
	}
	e.batch = e.batch[:copy(e.batch, e.batch[n:])]
}

// Between two warnings of messages that were dropped, and between two tellings of flows
// for that reason, at least so long passes.
const (
	warnEvery = 10 * time.Second
	anewEvery = time.Second
)

// lookAtDropped tells of messages that were dropped. When the queue has room again flows
// are told again, since they may have been in them.
func (e *Exporter) lookAtDropped() {
	n := e.droppedMessages.Load()
	if n == e.retold {
		return
	}
	now := time.Now()
	if n > e.dropped && now.After(e.warnAt) {
		e.warn(fmt.Sprintf("%d messages of the feed were dropped: the queue was full", n-e.dropped))
		e.dropped, e.warnAt = n, now.Add(warnEvery)
	}
	if len(e.full) <= cap(e.full)/2 && now.After(e.anewAt) {
		e.retold, e.anewAt = n, now.Add(anewEvery)
		e.anew.Store(true)
	}
}

func (e *Exporter) warn(message string) {
	e.trouble.Store(&message)
	e.tell(message)
}

// tell tells people of something that is no trouble.
func (e *Exporter) tell(message string) {
	if e.cfg.Warn != nil {
		e.cfg.Warn(message)
	}
}
