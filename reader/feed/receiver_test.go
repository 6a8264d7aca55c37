package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/ruleset/attr"
	"rtfm/traces/feed"
)

// speaker is a meter that tells of some flows.
type speaker struct {
	feed.Writer
	shape    *feed.Shape
	messages [][]byte
	records  []int // in each message
	packets  []feed.Packet
	numbers  []uint64 // of the packets among all records
	told     uint64   // records
	flows    [10]feed.End
	open     [10]bool
	now      int64
	r        *rand.Rand
}

func newSpeaker(seed uint64, domain uint32) *speaker {
	s := &speaker{r: rand.New(rand.NewPCG(seed, 0)), now: 1_700_000_000_000_000_000}
	s.Writer = feed.Writer{Domain: domain, MTU: feed.LeastMTU, Send: func(b []byte, records int) []byte {
		s.messages, s.records = append(s.messages, bytes.Clone(b)), append(s.records, records)
		return b
	}}
	s.shape = &feed.Shape{RuleSet: 2, Name: "host", Saved: []feed.Saved{{Attribute: uint16(attr.SourcePeerAddress), Mask: []byte{255, 255, 255, 255}}}}
	s.Templates(s.now)
	s.Shape(s.shape, s.now)
	s.told++
	return s
}

// speak tells of n packets, and between them of beginnings and ends.
func (s *speaker) speak(n int) {
	for range n {
		s.now += s.r.Int64N(1000)
		i := s.r.IntN(len(s.flows))
		f := &s.flows[i]
		if !s.open[i] {
			*f = feed.End{New: feed.New{Flow: uint64(100 + i), Shape: s.shape, First: s.now, Index: uint32(i), Key: []byte{10, 0, 0, byte(i)}}, Begun: s.now, Reason: feed.Idle}
			s.open[i] = true
			s.Writer.New(&f.New, s.now)
			s.told++
		}
		p := feed.Packet{Flow: f.Flow, Time: s.now, Octets: uint32(40 + s.r.IntN(1400)), Backward: s.r.IntN(3) == 0}
		if s.r.IntN(50) == 0 {
			p.Octets += 1 << 16
		}
		s.Writer.Packet(&p, s.now)
		s.packets, s.numbers = append(s.packets, p), append(s.numbers, s.told)
		s.told++
		d := 0
		if p.Backward {
			d = 1
		}
		f.PDUs[d]++
		f.Octets[d] += uint64(p.Octets)
		f.Told++
		f.Last = s.now
		if s.r.IntN(30) == 0 {
			s.end(i)
		}
	}
}

func (s *speaker) end(i int) {
	if s.open[i] {
		s.now++
		s.Writer.End(&s.flows[i], s.now)
		s.told++
		s.open[i] = false
	}
}

// endAll ends all flows, and the feed.
func (s *speaker) endAll() {
	for i := range s.flows {
		s.end(i)
	}
	s.Writer.Stats(&feed.Stats{Time: s.now}, s.now)
	s.told++
	s.Flush()
}

// hearing is a Sink that compares packets with those that were told.
type hearing struct {
	t       *testing.T
	truth   map[uint64]feed.Packet // by number
	missing uint64
	heard   int
	gone    int
}

func hear(t *testing.T, s *speaker) *hearing {
	h := &hearing{t: t, truth: make(map[uint64]feed.Packet)}
	for i, p := range s.packets {
		h.truth[s.numbers[i]] = p
	}
	return h
}

func (h *hearing) Packet(m *Meter, p *feed.Packet) error {
	if want, ok := h.truth[m.Number]; !ok || want != *p {
		h.t.Errorf("packet %d is %+v, want %+v, %v", m.Number, *p, want, ok)
	}
	delete(h.truth, m.Number)
	h.heard++
	return nil
}
func (h *hearing) New(*Meter, *feed.New) error      { return nil }
func (h *hearing) End(*Meter, *feed.End) error      { return nil }
func (h *hearing) Stats(*Meter, *feed.Stats) error  { return nil }
func (h *hearing) Missing(_ *Meter, n uint64) error { h.missing += n; return nil }
func (h *hearing) Gone(*Meter) error                { h.gone++; return nil }
func testLimits() Limits                            { return Limits{Meters: 10, Queue: 1 << 16, Buffer: 1 << 20} }
func newReceiver(s Sink) *Receiver {
	return &Receiver{Sink: s, Limits: testLimits(), queue: newQueue(1 << 16)}
}
func (r *Receiver) hearAll(o *origin, all [][]byte) {
	for _, b := range all {
		r.message(o, b)
	}
	r.ended(o, nil)
}

// TestWhole wants all packets, and each flow to be complete.
func TestWhole(t *testing.T) {
	s := newSpeaker(1, 7)
	s.speak(5000)
	s.endAll()
	h, book := hear(t, s), NewBook(io.Discard, time.Minute, 100)
	r := newReceiver(Tee{h, book})
	r.hearAll(&origin{name: "it", ordered: true}, s.messages)
	m := r.Meters[0]
	if h.heard != 5000 || h.missing != 0 || h.gone != 1 || m.Records != s.told || m.Name != "it,domain=7" || len(r.Meters) != 1 {
		t.Errorf("%d packets, %d missing, %d gone, meter %+v, want %d records", h.heard, h.missing, h.gone, *m, s.told)
	}
	want := Totals{Flows: book.Flows, Complete: book.Flows, Packets: 5000, Octets: book.Octets}
	if book.Totals != want || book.Flows < 100 {
		t.Errorf("%+v, want %+v", book.Totals, want)
	}
}

// TestMessagesAreLost loses messages, has some come twice, and some overtake others.
// What comes and what is missing is what was told; nothing comes twice; flows that lack
// something, and no others, are said to.
func TestMessagesAreLost(t *testing.T) {
	for seed := range uint64(30) {
		s := newSpeaker(seed, 0)
		s.speak(3000)
		s.endAll()
		r := rand.New(rand.NewPCG(seed, 1))
		var all [][]byte
		var sent uint64 // up to the last message that comes
		for i, b := range s.messages {
			switch n := r.IntN(20); {
			case i > 0 && i < len(s.messages)-1 && n < 2:
			case i > 0 && n < 4:
				all = append(all, b, b)
			default:
				all = append(all, b)
			}
			sent += uint64(s.records[i])
		}
		for i := 1; i < len(all)-2; i++ {
			if r.IntN(5) == 0 {
				all[i], all[i+1] = all[i+1], all[i]
			}
		}
		var rows bytes.Buffer
		h, book := hear(t, s), NewBook(&rows, time.Minute, 100)
		rec := newReceiver(Tee{h, book})
		rec.hearAll(&origin{name: "it"}, all)
		m := rec.Meters[0]
		if m.Records+m.Missing != sent || h.missing != m.Missing || m.Missing == 0 || len(rec.Meters) != 1 {
			t.Fatalf("seed %d: %d records and %d missing of %d", seed, m.Records, m.Missing, sent)
		}
		packets := uint64(0)
		for line := range bytes.Lines(rows.Bytes()) {
			var row struct {
				Told, Received *uint64
			}
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatal(err)
			}
			packets += *row.Received
			if row.Told != nil && *row.Told < *row.Received {
				t.Errorf("seed %d: a flow has more packets than were told: %s", seed, line)
			}
		}
		if book.Wrong != 0 || book.Flows != book.Complete+book.Lacking || book.Lacking == 0 || packets+book.Nameless != uint64(h.heard) {
			t.Errorf("seed %d: %+v, and rows have %d packets of %d", seed, book.Totals, packets, h.heard)
		}
	}
}

// TestMeterBeginsAnew wants a meter that is killed and comes back at the same address to
// be another one: flows of the first have no END.
func TestMeterBeginsAnew(t *testing.T) {
	s, again := newSpeaker(1, 0), newSpeaker(2, 0)
	s.speak(1000)
	s.Flush()
	again.speak(1000)
	again.endAll()
	book := NewBook(nil, time.Minute, 100)
	r := newReceiver(book)
	r.hearAll(&origin{name: "it", ordered: true}, slices.Concat(s.messages, again.messages))
	open := uint64(0)
	for _, is := range s.open {
		if is {
			open++
		}
	}
	if len(r.Meters) != 2 || r.heard != 0 || book.Unended != open || book.Open != 0 || book.Packets != 2000 || book.Flows != book.Complete {
		t.Errorf("%d meters, %+v, want %d without END", len(r.Meters), book.Totals, open)
	}
}

// TestBounds wants no more flows and meters than there may be, and that what had no room
// is told.
func TestBounds(t *testing.T) {
	s := newSpeaker(1, 0)
	s.speak(2000)
	s.endAll()
	book := NewBook(io.Discard, time.Minute, 3)
	r := newReceiver(Tee{&bounded{t, book}, book})
	o := &origin{name: "it", ordered: true}
	r.hearAll(o, s.messages)
	if book.Unproved == 0 || book.Unkept == 0 || book.Open != 0 || book.Packets != 2000 {
		t.Errorf("%+v", book.Totals)
	}
	for i := range 30 {
		r.message(o, newSpeakerMessage(uint32(i)))
	}
	if len(r.Meters) > 20 || r.heard != 10 || r.Refused != 20 {
		t.Errorf("%d meters, %d heard, %d messages refused", len(r.Meters), r.heard, r.Refused)
	}
}

func newSpeakerMessage(domain uint32) []byte {
	s := newSpeaker(1, domain)
	s.Flush()
	return s.messages[0]
}

type bounded struct {
	t *testing.T
	*Book
}

func (b *bounded) Packet(*Meter, *feed.Packet) error {
	if b.Open > uint64(b.most) || len(b.meters) > 1 {
		b.t.Errorf("%d flows are open", b.Open)
	}
	return nil
}
func (b *bounded) New(*Meter, *feed.New) error { return nil }
func (b *bounded) End(*Meter, *feed.End) error { return nil }
func (b *bounded) Gone(*Meter) error           { return nil }

// FuzzReceiver wants nothing that comes to do more than be told.
func FuzzReceiver(f *testing.F) {
	s := newSpeaker(1, 0)
	s.speak(200)
	s.endAll()
	f.Add(bytes.Join(s.messages, nil), uint8(0))
	f.Add(bytes.Join(s.messages[1:], nil), uint8(200))
	f.Fuzz(func(t *testing.T, b []byte, most uint8) {
		book := NewBook(io.Discard, time.Second, int(most))
		r := newReceiver(Tee{book, NewLines(io.Discard), NewInOrder(io.Discard, int(most))})
		for _, o := range []*origin{{name: "a", ordered: true}, {name: "b"}} {
			in := bytes.NewReader(b)
			for {
				m, err := feed.ReadMessage(in, nil)
				if err != nil {
					break
				}
				r.message(o, m)
				if book.Open > uint64(most) {
					t.Fatalf("%d flows are open", book.Open)
				}
			}
			r.ended(o, io.ErrUnexpectedEOF)
		}
		if r.err != nil || book.Open != 0 || r.heard != 0 {
			t.Errorf("%v, %+v", r.err, book.Totals)
		}
	})
}

// TestSockets receives the same feed over each kind of socket, and from a file.
func TestSockets(t *testing.T) {
	s := newSpeaker(1, 0)
	s.speak(3000)
	s.endAll()
	all := bytes.Join(s.messages, nil)
	for _, network := range []string{"udp", "tcp", "unix", "file"} {
		t.Run(network, func(t *testing.T) {
			h, book := hear(t, s), NewBook(nil, time.Minute, 100)
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			whole := make(chan bool, 1)
			r := &Receiver{Sink: Tee{h, book}, Limits: testLimits(), UntilEnd: network != "udp", Tick: func() {
				if book.Packets == 3000 && book.Open == 0 && network == "udp" {
					stop()
				}
			}}
			defer r.Close()
			u := feed.URL{Network: network, Address: "127.0.0.1:0"}
			switch network {
			case "unix":
				u.Address = filepath.Join(t.TempDir(), "s")
				stale, err := net.Listen("unix", u.Address)
				if err != nil {
					t.Fatal(err)
				}
				stale.(*net.UnixListener).SetUnlinkOnClose(false)
				stale.Close()
			case "file":
				u.Address = "-"
			}
			if err := r.Open(u, bytes.NewReader(all)); err != nil {
				t.Fatal(err)
			}
			go func() {
				defer func() { whole <- true }()
				in := r.inputs[0]
				switch network {
				case "file":
					return
				case "udp":
					u.Address = in.datagram.LocalAddr().String()
				case "tcp":
					u.Address = in.listener.Addr().String()
				}
				c, err := net.Dial(network, u.Address)
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				for _, b := range s.messages {
					if _, err := c.Write(b); err != nil {
						t.Error(err)
					}
				}
			}()
			if err := r.Run(ctx); err != nil {
				t.Fatal(err)
			}
			<-whole
			if h.heard != 3000 || h.missing != 0 || book.Flows != book.Complete || book.Open != 0 {
				t.Errorf("%d packets, %d missing, %+v", h.heard, h.missing, book.Totals)
			}
		})
	}
}

// TestSinkFails ends with the error of the sink.
func TestSinkFails(t *testing.T) {
	s := newSpeaker(1, 0)
	s.speak(3000)
	s.endAll()
	r := &Receiver{Sink: failing{&hearing{}}, Limits: testLimits()}
	if err := r.Open(feed.URL{Network: "file", Address: "-"}, bytes.NewReader(bytes.Join(s.messages, nil))); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(context.Background()); err != io.ErrShortWrite {
		t.Error(err)
	}
}

type failing struct{ *hearing }

func (failing) Packet(*Meter, *feed.Packet) error { return io.ErrShortWrite }

// BenchmarkReceiver tells how long a record takes, of flows of which so many are there.
func BenchmarkReceiver(b *testing.B) {
	for _, to := range []string{"book", "book and packets"} {
		b.Run(to, func(b *testing.B) {
			s := newSpeaker(1, 0)
			s.speak(100_000)
			s.endAll()
			b.ResetTimer()
			records := uint64(0)
			for b.Loop() {
				sinks := Tee{NewBook(io.Discard, time.Minute, 1000)}
				if to != "book" {
					sinks = append(sinks, NewLines(io.Discard))
				}
				r := newReceiver(sinks)
				r.hearAll(&origin{name: "it", ordered: true}, s.messages)
				records += s.told
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestSlowSink has a sink be slow, so that the queue fills and then the socket: what the
// socket drops is counted, by the socket, and by the numbers of what comes later.
func TestSlowSink(t *testing.T) {
	s := newSpeaker(1, 0)
	s.speak(60_000)
	s.endAll()
	told := make(chan struct{})
	h := hear(t, s)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	r := &Receiver{Sink: &slow{hearing: h, until: told, end: stop}, Limits: Limits{Meters: 10, Queue: 1 << 12, Buffer: 1 << 14}}
	defer r.Close()
	if err := r.Open(feed.URL{Network: "udp", Address: "127.0.0.1:0"}, nil); err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := net.Dial("udp", r.inputs[0].datagram.LocalAddr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		last := len(s.messages) - 1
		for _, b := range s.messages[:last] {
			c.Write(b)
		}
		close(told)
		for ctx.Err() == nil { // until there is room for it
			c.Write(s.messages[last])
			time.Sleep(time.Millisecond)
		}
	}()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	m := r.Meters[0]
	if m.Records+m.Missing != s.told || m.Missing == 0 || h.missing != m.Missing {
		t.Errorf("%d records came and %d are missing of %d", m.Records, m.Missing, s.told)
	}
	if in := r.Inputs()[0]; in.Buffer > 0 && in.Dropped == 0 {
		t.Errorf("%+v: the socket has dropped nothing, and %d records are missing", in, m.Missing)
	}
}

// slow is a Sink that waits at its first packet, and ends the receiving at STATS.
type slow struct {
	*hearing
	until chan struct{}
	end   func()
}

func (s *slow) Packet(m *Meter, p *feed.Packet) error {
	<-s.until
	return s.hearing.Packet(m, p)
}

func (s *slow) Stats(*Meter, *feed.Stats) error {
	s.end()
	return nil
}

// TestPipe ends a receiver of a pipe in which nothing comes, and reads what is no feed.
func TestPipe(t *testing.T) {
	for _, text := range []string{"", "this is no feed at all"} {
		in, out := io.Pipe()
		r := newReceiver(&hearing{})
		if err := r.Open(feed.URL{Network: "file", Address: "-"}, in); err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(context.Background())
		if text == "" {
			end()
		} else {
			go out.Write([]byte(text))
		}
		err := r.Run(ctx)
		if (err == nil) != (text == "") || err != nil && err.Error() != "standard input: no feed: ipfix: version 29800 is not 10" {
			t.Errorf("%q: %v", text, err)
		}
		end()
	}
}

// TestLinesOfNames has meters of files with any name: lines are JSON.
func TestLinesOfNames(t *testing.T) {
	for _, name := range []string{"a\ab", "\x7f.ipfix", "\U0001f980", "\xff", `a"b\`} {
		var b bytes.Buffer
		l := NewLines(&b)
		if err := errors.Join(l.Packet(&Meter{Name: name}, &feed.Packet{}), l.Missing(&Meter{Name: name}, 1), l.Flush()); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			var said struct{ Meter string }
			if err := json.Unmarshal([]byte(line), &said); err != nil || said.Meter != strings.ToValidUTF8(name, "\ufffd") {
				t.Errorf("%q: %v, %q", line, err, said.Meter)
			}
		}
	}
}

// TestWrong has ends that tell other numbers than the packets have, and one that tells of
// the first packets alone.
func TestWrong(t *testing.T) {
	for _, tc := range []struct {
		change                   func(*feed.End)
		complete, lacking, wrong uint64
	}{
		{func(*feed.End) {}, 1, 0, 0},
		{func(e *feed.End) { e.Octets[0]++ }, 0, 0, 1},
		{func(e *feed.End) { e.PDUs[0], e.PDUs[1] = e.PDUs[0]-1, e.PDUs[1]+1 }, 0, 0, 1},
		{func(e *feed.End) { e.Told-- }, 0, 0, 1},
		{func(e *feed.End) { e.Told++ }, 0, 1, 0},
		{func(e *feed.End) { e.PDUs[1] += 100; e.Octets[1] += 5000 }, 1, 0, 0}, // --feed-first
	} {
		shape := newSpeaker(1, 0).shape
		end := feed.End{New: feed.New{Flow: 5, Shape: shape, First: 1, Key: []byte{1, 2, 3, 4}}, Begun: 1, Last: 9, PDUs: [2]uint64{2, 1}, Octets: [2]uint64{100, 70}, Told: 3}
		tc.change(&end)
		b, m := NewBook(io.Discard, time.Minute, 10), &Meter{Name: "it"}
		b.New(m, &end.New)
		for _, p := range []feed.Packet{{Flow: 5, Time: 1, Octets: 60}, {Flow: 5, Time: 4, Octets: 40}, {Flow: 5, Time: 9, Octets: 70, Backward: true}} {
			b.Packet(m, &p)
		}
		b.End(m, &end)
		if b.Flows != 1 || b.Complete != tc.complete || b.Lacking != tc.lacking || b.LackingPackets != tc.lacking || b.Wrong != tc.wrong {
			t.Errorf("END %+v: %+v", end, b.Totals)
		}
	}
}
