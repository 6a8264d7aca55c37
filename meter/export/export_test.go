package export

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rtfm/traces/feed"
)

// teller writes numbered STATS through an exporter, as a meter does.
type teller struct {
	*Exporter
	w feed.Writer
	n uint64
}

func newTeller(c Config) *teller {
	c.MTU = feed.LeastMTU
	t := &teller{Exporter: New(c)}
	t.w = feed.Writer{MTU: c.MTU, Send: t.Send, Remember: t.Remember}
	t.w.Templates(0)
	t.w.Shape(&feed.Shape{RuleSet: 2, Name: "some"}, 0)
	return t
}

// tell tells of so many STATS.
func (t *teller) tell(n int) {
	for range n {
		t.n++
		t.w.Stats(&feed.Stats{Packets: t.n}, 0)
	}
	t.w.Flush()
}

// heard is what has come of numbered STATS. It is a feed.Handler.
type heard struct {
	t       *testing.T
	numbers []uint64
	begun   int
	before  uint32
	missing uint64
}

func (h *heard) Begin(before uint32)        { h.begun++; h.before = before }
func (h *heard) Shape(*feed.Shape)          {}
func (h *heard) New(*feed.New)              {}
func (h *heard) Packet(*feed.Packet)        {}
func (h *heard) End(*feed.End)              {}
func (h *heard) Stats(s *feed.Stats)        { h.numbers = append(h.numbers, s.Packets) }
func (h *heard) Missing(records uint32)     { h.missing += uint64(records) }
func (h *heard) read(r io.Reader, most int) { h.readWith(&feed.Reader{Ordered: true}, r, most) }
func (h *heard) latest() (n uint64)         { return h.numbers[len(h.numbers)-1] }
func (h *heard) lacks() (n uint64) {
	for i, number := range h.numbers {
		if i == 0 {
			n += number - 1
		} else {
			n += number - h.numbers[i-1] - 1
		}
	}
	return n
}

// readWith reads messages until there are no more, or so many STATS have come.
func (h *heard) readWith(reader *feed.Reader, r io.Reader, most int) {
	room := make([]byte, 1<<16)
	for len(h.numbers) < most {
		b, err := feed.ReadMessage(r, room)
		if err != nil {
			if err != io.EOF && !errors.Is(err, net.ErrClosed) {
				h.t.Error(err)
			}
			return
		}
		if err := reader.Message(b, h); err != nil {
			h.t.Error(err)
		}
	}
}

const all = 1 << 30

// listen returns what accepts connections at an address of its own, or again at this one.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	network := "tcp"
	if strings.Contains(address, "/") {
		network = "unix"
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestStreams sends over streams; the queue is much smaller than what is sent.
func TestStreams(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", filepath.Join(t.TempDir(), "s")} {
		l := listen(t, address)
		e := newTeller(Config{To: feed.URL{Network: l.Addr().Network(), Address: l.Addr().String()}, Waits: true, Patience: time.Minute})
		h := &heard{t: t}
		var wg sync.WaitGroup
		wg.Go(func() { h.read(accept(t, l), all) })
		const n = 20_000
		e.tell(n)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		c := e.Counts()
		if len(h.numbers) != n || h.lacks() > 0 || h.missing > 0 || c.Records != n+1 || c.DroppedMessages > 0 || c.Connections != 1 {
			t.Errorf("%d heard, %d lacking, %d missing, %+v", len(h.numbers), h.lacks(), h.missing, c)
		}
		if e.made > e.most || e.made > leastRoom+mostBatch+2 {
			t.Errorf("%d buffers", e.made)
		}
	}
}

// TestReceiverComesBack has the receiver close its connection, and accept another: what
// was sent meanwhile comes, with the templates before it.
func TestReceiverComesBack(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	var warnings []string
	e := newTeller(Config{To: feed.URL{Network: "tcp", Address: l.Addr().String()}, Queue: 1 << 20, Patience: time.Minute, Warn: func(m string) { warnings = append(warnings, m) }})
	e.tell(100)
	c := accept(t, l)
	first := &heard{t: t}
	first.read(c, 100)
	if e.Anew() {
		t.Error("the first receiver is told twice")
	}
	l.Close()
	c.Close()
	for e.Open() { // until something is sent there
		e.tell(1)
		time.Sleep(time.Millisecond)
	}
	e.tell(1000)
	c = accept(t, listen(t, l.Addr().String()))
	second := &heard{t: t}
	var wg sync.WaitGroup
	wg.Go(func() { second.read(c, all) })
	for !e.Anew() {
		time.Sleep(time.Millisecond)
	}
	e.tell(10)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	lost := second.numbers[0] - 101 // in the first connection
	if second.latest() != e.n || second.lacks() != 100+lost || second.missing != 0 || uint64(second.before) != 1+100+lost {
		t.Errorf("%d to %d heard, %d lacking, %d missing, %d before", second.numbers[0], second.latest(), second.lacks(), second.missing, second.before)
	}
	if n := e.Counts(); n.Connections != 2 || n.Records != e.n+1 || n.DroppedMessages > 0 || len(warnings) == 0 {
		t.Errorf("%+v, %q", n, warnings)
	}
}

// TestDropped fills the queue of a live meter: what is dropped is what the receiver
// finds missing.
func TestDropped(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	e := newTeller(Config{To: feed.URL{Network: "tcp", Address: l.Addr().String()}, Patience: time.Minute})
	c := accept(t, l)
	for _, dropped := e.Dropped(); dropped == 0; _, dropped = e.Dropped() { // nobody reads
		e.tell(10_000)
	}
	made := e.made
	e.tell(100_000)
	h := &heard{t: t}
	var wg sync.WaitGroup
	wg.Go(func() { h.read(c, all) })
	for len(e.full) > 0 {
		time.Sleep(time.Millisecond)
	}
	e.tell(1) // so that the gap is seen
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	messages, records := e.Dropped()
	if !e.Anew() {
		t.Error("flows are not told again")
	}
	if h.missing != records || h.lacks() != records || messages == 0 || uint64(len(h.numbers))+records != e.n {
		t.Errorf("%d missing, %d lacking of %d, %d dropped", h.missing, h.lacks(), e.n, records)
	}
	if made > e.most {
		t.Errorf("%d buffers", made)
	}
}

// TestStall has a receiver take nothing until the queue is full, and then all. If it may do
// so for long it gets all over its connection; else it is connected to anew.
func TestStall(t *testing.T) {
	for _, stall := range []time.Duration{time.Hour, time.Millisecond} {
		l := listen(t, filepath.Join(t.TempDir(), "s"))
		e := newTeller(Config{To: feed.URL{Network: "unix", Address: l.Addr().String()}, Waits: true, Patience: time.Minute, Stall: stall})
		c := accept(t, l)
		told := make(chan struct{})
		go func() {
			defer close(told)
			e.tell(50_000)
		}()
		h := &heard{t: t}
		var wg sync.WaitGroup
		if stall == time.Hour {
			for len(e.full) < cap(e.full) {
				time.Sleep(time.Millisecond)
			}
			wg.Go(func() { h.read(c, all) })
		} else {
			for e.Counts().Connections < 2 {
				time.Sleep(time.Millisecond)
			}
			go func() { // there may be more, on a slow machine
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go io.Copy(io.Discard, c)
				}
			}()
		}
		<-told
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		l.Close()
		if n := e.Counts(); stall == time.Hour && (n.Connections != 1 || len(h.numbers) != 50_000 || h.missing > 0) || n.DroppedMessages > 0 {
			t.Errorf("stall %v: %d heard, %d missing, %+v", stall, len(h.numbers), h.missing, n)
		}
	}
}

// TestAway ends a feed that nobody receives.
func TestAway(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	l.Close()
	for _, waits := range []bool{false, true} {
		var failed error
		e := newTeller(Config{To: feed.URL{Network: "tcp", Address: l.Addr().String()}, Waits: waits, Patience: time.Millisecond, Failed: func(err error) { failed = err }})
		e.tell(10_000)
		err := e.Close()
		if err == nil || failed != err || !strings.Contains(err.Error(), "refused") {
			t.Errorf("waits %t: %v, %v", waits, err, failed)
		}
		if n := e.Counts(); n.DroppedRecords != e.n+1 || n.Records > 0 {
			t.Errorf("waits %t: %+v", waits, n)
		}
	}
}

// TestFinish has the meter end with more to tell than the queue has room for: it is
// waited for. Before, nobody waits.
func TestFinish(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	e := newTeller(Config{To: feed.URL{Network: "unix", Address: l.Addr().String()}, Patience: time.Minute})
	for e.Counts().DroppedMessages == 0 { // nobody has accepted, so that it fills up
		e.tell(1000)
	}
	dropped := e.Counts().DroppedRecords
	h, want := &heard{t: t}, int(e.n-dropped)+20_000
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); err == nil {
			h.read(c, want)
		}
	}()
	e.Finish()
	e.tell(20_000)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	<-done
	if n := e.Counts(); n.DroppedRecords != dropped || h.missing != dropped {
		t.Errorf("%d records dropped before the end, %d in all, %d missing", dropped, n.DroppedRecords, h.missing)
	}
}

// TestDatagrams sends by UDP, to a socket and to none.
func TestDatagrams(t *testing.T) {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	e := newTeller(Config{To: feed.URL{Network: "udp", Address: socket.LocalAddr().String()}, Waits: true})
	h, r := &heard{t: t}, &feed.Reader{}
	room := make([]byte, 1<<16)
	for range 100 {
		e.tell(10)
		for uint64(len(h.numbers)) < e.n {
			n, err := socket.Read(room)
			if err != nil {
				t.Fatal(err)
			}
			if n > feed.LeastMTU {
				t.Errorf("%d octets", n)
			}
			if err := r.Message(bytes.Clone(room[:n]), h); err != nil {
				t.Fatal(err)
			}
		}
	}
	if h.lacks() > 0 || h.missing > 0 {
		t.Errorf("%d lacking, %d missing", h.lacks(), h.missing)
	}
	socket.Close()
	for e.Counts().Refused == 0 {
		e.tell(1)
		time.Sleep(time.Millisecond)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestUnsent has a network take nothing: why is told, and not that the queue was full.
func TestUnsent(t *testing.T) {
	var warnings []string
	e := newTeller(Config{To: feed.URL{Network: "udp", Address: "127.0.0.1:70000"}, Waits: true, Warn: func(m string) { warnings = append(warnings, m) }})
	e.tell(1000)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if n := e.Counts(); n.Unsent == 0 || n.Unsent != n.DroppedMessages || n.Records > 0 {
		t.Errorf("%+v", n)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "not sent") {
		t.Errorf("%q", warnings)
	}
}

// disk is a file that is full after so many octets.
type disk struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("no space")

func (d *disk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	d.Buffer.Write(b[:n])
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// TestFiles writes into a file that becomes full, and into another one.
func TestFiles(t *testing.T) {
	failed := make(chan error, 1)
	small, large := &disk{room: 10_000}, &disk{room: all}
	e := newTeller(Config{To: feed.URL{Network: "file"}, File: small, Queue: 1 << 20, Waits: true, Failed: func(err error) { failed <- err }})
	e.tell(1000)
	if err := <-failed; err != errFull {
		t.Fatal(err)
	}
	e.tell(1000)
	before := e.n
	for len(e.full) > 0 || e.Counts().Records+e.Counts().DroppedRecords < e.n+1 {
		time.Sleep(time.Millisecond)
	}
	_, dropped := e.Dropped()
	e.Into(large)
	e.tell(1000)
	if err := e.Close(); err != errFull {
		t.Errorf("%v", err)
	}
	h := &heard{t: t}
	h.read(large, all)
	if len(h.numbers) != 1000 || h.numbers[0] != before+1 || h.missing > 0 || !e.Anew() {
		t.Errorf("%d numbers from %d, %d missing", len(h.numbers), h.numbers[0], h.missing)
	}
	h = &heard{t: t}
	whole := &feed.Reader{Ordered: true}
	whole2 := small.Bytes()
	for len(whole2) > 16 {
		n := int(whole2[2])<<8 | int(whole2[3])
		if n > len(whole2) {
			break
		}
		whole.Message(whole2[:n], h)
		whole2 = whole2[n:]
	}
	if uint64(len(h.numbers))+dropped != before || h.lacks() > 0 {
		t.Errorf("%d numbers and %d dropped, of %d", len(h.numbers), dropped, before)
	}
}

// TestNoAllocation sends messages into a file: nothing is allocated for one.
func TestNoAllocation(t *testing.T) {
	e := newTeller(Config{To: feed.URL{Network: "file"}, File: io.Discard, Waits: true})
	e.tell(100_000)
	if n := testing.AllocsPerRun(100, func() { e.tell(1000) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	e.Close()
}
