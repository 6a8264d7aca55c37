package stream

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TestTimeouts holds streams to the rule that they end when idle for more than
// 5 s, and for more than 20 times the average interval of their packets.
func TestTimeouts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		config  Config
		ms      []int64
		streams uint64
	}{
		{"one packet and 5 s", Config{}, []int64{0, 5000}, 1},
		{"one packet and more", Config{}, []int64{0, 5001}, 2},
		{"average 500 ms: 10 s", Config{}, []int64{0, 1000, 11000}, 1},
		{"average 500 ms and more", Config{}, []int64{0, 1000, 11001}, 2},
		{"average 10 ms: 5 s", Config{}, []int64{0, 20, 5021}, 2},
		{"steady and slow", Config{}, []int64{0, 4000, 30000, 200000, 1200000}, 1},
		{"other timeout", Config{Timeout: second}, []int64{0, 1001, 2000}, 2},
		{"other multiplier", Config{Multiplier: 2, Timeout: second}, []int64{0, 1000, 2001}, 2},
	} {
		for _, tick := range []bool{false, true} {
			h := newHarness(t, tt.config, "FlowTime = 4 & 1.3.0!3000")
			for _, ms := range tt.ms {
				if tick {
					h.Advance(ms * millisecond)
				}
				h.feed([]at{{ms, false, udp(false, 1, 2)}})
			}
			if n := h.Stats().Created; n != tt.streams {
				t.Errorf("%s: %d streams, want %d", tt.name, n, tt.streams)
			}
		}
	}
}

// TestWheel ends streams when their time has come, whatever their timeout.
func TestWheel(t *testing.T) {
	h := newHarness(t, Config{}, "FlowTime = 4 & 1.3.0!3000")
	active := func(ms int64, want int) {
		t.Helper()
		h.Advance(ms * millisecond)
		if n := h.Stats().Active; n != want {
			t.Errorf("at %d ms %d streams are in use, want %d", ms, n, want)
		}
	}
	h.feed([]at{{0, false, udp(false, 1, 2)}, {0, false, udp(false, 3, 2)}, {4000, false, udp(false, 3, 2)}, {4000, false, udp(false, 4, 2)}})
	active(5000, 3)
	active(5101, 2)  // the first one, idle for 5 s
	active(9101, 1)  // the third; the second may be idle for 40 s
	active(44000, 1) // 4 + 20*2 s
	active(44101, 0)
	h.feed([]at{{100000, false, udp(false, 1, 2)}, {104000, false, udp(false, 1, 2)},
		{140000, false, udp(false, 1, 2)}, {400000, false, udp(false, 1, 2)}}) // average 75 s
	active(1899900, 1)
	active(1900101, 0)
	h.feed([]at{{4000000, false, udp(false, 1, 2)}})
	active(1<<40, 0) // a leap of decades
	h.want("all", 0, map[attr.Attr][]uint64{attr.FlowTime: {3, 0, 0, 0, 2}})
}

// TestTCPStreams follows TCP streams to their end.
func TestTCPStreams(t *testing.T) {
	const fin, syn, rst, ack = flagFIN, flagSYN, flagRST, flagACK
	all := []string{
		"FlowTime = 3 & 1.3.10!30", "ToFlowPDUs = 3 & 1.0.1!3", "FromFlowPDUs = 3 & 1.0.1!3", "ToFlowOctets = 3 & 1.2.1!3",
		"ToTCPSize = 3 & 1.0.10!30", "FromTCPSize = 3 & 1.0.0!30", "ToTCPTime = 3 & 1.3.10!30", "FromTCPTime = 3 & 1.3.10!30",
		"ToTCPRate = 3 & 1.3.1!3", "FromTCPRate = 3 & 1.3.1!3",
	}
	for _, tt := range []struct {
		name    string
		packets []at
		active  int // 5.2 s after the last packet
		created uint64
		want    map[attr.Attr][]uint64
	}{
		{"whole", []at{
			tcpAt(0, false, syn, 99, 0, 0), tcpAt(1, true, syn|ack, 7, 100, 0), tcpAt(2, false, ack, 100, 8, 10), tcpAt(12, false, ack, 110, 8, 15),
			tcpAt(13, true, ack|fin, 8, 125, 5), tcpAt(14, false, ack|fin, 125, 14, 0), tcpAt(25, true, ack, 14, 126, 0),
		}, 0, 1, map[attr.Attr][]uint64{
			attr.FlowTime: {0, 0, 1, 0}, attr.ToFlowPDUs: {0, 0, 0, 1}, attr.FromFlowPDUs: {0, 0, 1, 0}, attr.ToFlowOctets: {0, 0, 0, 1},
			attr.ToTCPSize: {0, 0, 1, 0}, attr.FromTCPSize: {0, 1, 0, 0}, attr.ToTCPTime: {1, 0, 0, 0}, attr.FromTCPTime: {1, 0, 0, 0},
			attr.ToTCPRate: {0, 0, 0, 1}, attr.FromTCPRate: {0, 0, 0, 0},
		}},
		{"in the middle, with a gap, repeated", []at{
			tcpAt(0, false, ack, 100, 8, 10), tcpAt(5, false, ack, 120, 8, 5), tcpAt(6, false, ack, 100, 8, 25), tcpAt(20, false, ack, 100, 8, 10),
		}, 0, 1, map[attr.Attr][]uint64{attr.ToTCPSize: {0, 0, 1, 0}, attr.FromTCPSize: {1, 0, 0, 0}, attr.ToTCPTime: {0, 1, 0, 0}, attr.FromTCPTime: {0, 0, 0, 0}}},
		{"the port again", []at{
			tcpAt(0, false, syn, 99, 0, 0), tcpAt(1, true, rst|ack, 0, 100, 0), tcpAt(5, false, syn, 99, 0, 0), tcpAt(6, true, rst|ack, 0, 100, 0),
		}, 0, 2, nil},
		{"SYN repeated", []at{tcpAt(0, false, syn, 99, 0, 0), tcpAt(3000, false, syn, 99, 0, 0), tcpAt(3001, false, syn, 77, 0, 0)}, 0, 2, nil},
		{"FIN of one end", []at{tcpAt(0, false, ack, 1, 1, 1), tcpAt(10000-6000, true, ack, 1, 1, 1), tcpAt(4001, false, ack|fin, 2, 1, 0)}, 1, 1, nil},
		{"FIN of the only end", []at{tcpAt(0, false, ack, 1, 1, 1), tcpAt(4001, false, ack|fin, 2, 1, 0)}, 0, 1, nil},
		{"RST", []at{tcpAt(0, false, ack, 1, 1, 1), tcpAt(4000, true, ack, 1, 1, 1), tcpAt(4001, false, rst, 2, 0, 0)}, 0, 1, nil},
		{"stragglers", []at{tcpAt(0, false, rst, 1, 1, 0), tcpAt(4000, true, ack, 1, 1, 1), tcpAt(8000, true, ack, 1, 1, 1)}, 0, 1, nil},
	} {
		h := newHarness(t, Config{}, all...)
		h.feed(tt.packets)
		end := tt.packets[len(tt.packets)-1].ms + 5200
		h.Advance(end * millisecond)
		if s := h.Stats(); s.Active != tt.active || s.Created != tt.created {
			t.Errorf("%s: %+v, want %d active of %d", tt.name, s, tt.active, tt.created)
		}
		h.want(tt.name, 0, tt.want)
	}
}

// host makes a UDP datagram or TCP segment of one of very many hosts.
func host(proto uint8, n uint32, flags uint8) *match.Packet {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, uint16(n))
	b[3], b[12], b[13] = 53, 5<<4, flags
	return packet(proto, 0x0a000000+n>>4, 2, b)
}

// exchange returns a packet of client number n, or the answer to it: of DNS, or of
// TCP with data if the number is odd.
func exchange(n uint32, back bool) *match.Packet {
	src, dst, proto := 0x0a000000+n, uint32(2), uint8(protoUDP)
	b := append([]byte{16, 0, 0, 53, 0, 20, 0, 0}, dnsMessage(uint16(n), back)...)
	if n%2 == 1 {
		proto = protoTCP
		b = append(b[:4], tcp(back, flagACK, 100, 110, 10).Data[4:]...)
		if !back {
			binary.BigEndian.PutUint32(b[8:], 1)
		}
	}
	if back {
		src, dst = dst, src
		b[0], b[1], b[2], b[3] = b[2], b[3], b[0], b[1]
	}
	p := packet(proto, src, dst, b)
	if proto == protoTCP {
		p.TransportOctets = 30
	}
	return p
}

// TestConstantSteps counts entries looked at for each packet, with answers and
// ends of streams, as streams grow from a thousand to a million: it stays the
// same.
func TestConstantSteps(t *testing.T) {
	sizes := []uint32{1_000, 10_000, 100_000, 1_000_000}
	if testing.Short() {
		sizes = sizes[:3]
	}
	var first float64
	for _, n := range sizes {
		h := newHarness(t, Config{}, "ToTurnaroundTime1 = 3.plain & 1.3.10!30", "ToTurnaroundTime2 = 1.dns & 1.3.6000!6000",
			"ToTurnaroundTime3 = 1.tcp_data & 1.3.6000!6000", "FlowTime = 4 & 1.3.0!3000")
		now, packets := int64(0), uint64(0)
		for direction := range 2 { // those that ask, those that answer
			for i := range n {
				now += 4 * second / int64(n)
				if now/Tick != (now-4*second/int64(n))/Tick {
					h.Advance(now)
				}
				h.Packet(1, direction, exchange(i, direction == 1), 100, now)
				packets++
			}
		}
		if s := h.Stats(); s.Active != int(n) {
			t.Errorf("%d streams are in use, want %d", s.Active, n)
		}
		half := uint64(n / 2)
		h.want("pairs", now, map[attr.Attr][]uint64{attr.ToTurnaroundTime2: {half, 0}, attr.ToTurnaroundTime3: {half, 0}})
		for ; h.Stats().Active > 0; now += Tick {
			h.Advance(now)
		}
		steps := float64(h.streams.steps) / float64(packets)
		t.Logf("%d streams: %.2f steps a packet", n, steps)
		if first == 0 {
			first = steps
		} else if steps > 1.5*first {
			t.Errorf("%d streams: %.2f steps a packet, but %.2f with %d", n, steps, first, sizes[0])
		}
	}
}

// TestHalfOpen sends a million SYNs, ten thousand a second, that are never
// answered, beside one connection that goes on: memory is that of the streams
// of a few seconds, and in the end only the connection is in use.
func TestHalfOpen(t *testing.T) {
	h := newHarness(t, Config{}, "ToTurnaroundTime1 = 3.tcp_syn & 1.3.10!30", "ToLostPDUs = 1.tcp_syn & 1.0.0!0", "FlowTime = 4 & 1.3.0!3000")
	now := int64(0)
	for i := range uint32(1_000_000) {
		now += second / 10_000
		if i%1000 == 0 {
			h.Advance(now)
			h.Packet(1, 0, tcp(false, flagACK, i, 1, 1), 100, now)
		}
		h.Packet(1, 0, host(protoTCP, i, flagSYN), 100, now)
	}
	if s := h.Stats(); s.Active > 53_000 || s.Requests > 53_000 {
		t.Errorf("%+v are in use, of a hundred seconds", s)
	}
	if requests := h.requests.pools[1].used; h.streams.used > 53_000 || requests > 53_000 {
		t.Errorf("memory for %d streams and %d requests", h.streams.used, requests)
	}
	for range 60 {
		now += Tick
		h.Advance(now)
		h.Packet(1, 0, tcp(false, flagACK, uint32(now), 1, 1), 100, now)
	}
	if s := h.Stats(); s.Active != 1 || s.Requests != 0 {
		t.Errorf("%+v are in use, want the one that goes on", s)
	}
	h.want("half open", now, map[attr.Attr][]uint64{attr.ToLostPDUs: {0, 1_000_000}, attr.FlowTime: {1_000_000, 0, 0, 0, 0}})
}

// TestMaxStreams fills the table of streams.
func TestMaxStreams(t *testing.T) {
	h := newHarness(t, Config{MaxStreams: 10}, "FlowTime = 4 & 1.3.0!3000", "ToPacketSize = 3 & 1.0.10!30")
	for i := range uint32(25) {
		h.Packet(1, 0, host(protoUDP, i, 0), 10, 1)
	}
	if s := h.Stats(); s.Active != 10 || s.Unstreamed != 15 {
		t.Errorf("%+v", s)
	}
	h.Advance(6 * second)
	h.Packet(1, 0, host(protoUDP, 1, 0), 10, 6*second)
	if s := h.Stats(); s.Active != 1 || s.Created != 11 {
		t.Errorf("%+v after they have ended", s)
	}
	h.want("full", 0, map[attr.Attr][]uint64{attr.ToPacketSize: {26, 0, 0, 0}})
}

// TestRelease forgets a flow only when what its streams have added was read.
func TestRelease(t *testing.T) {
	h := newHarness(t, Config{}, "FlowTime = 4 & 1.3.0!3000")
	h.feed([]at{{0, false, udp(false, 1, 2)}, {4000, false, udp(false, 1, 2)}})
	if !h.Release(7, 0, all()) {
		t.Error("a row without a flow is not released")
	}
	if h.Release(1, 20*second, all()) {
		t.Error("released with a stream that nobody has seen end")
	}
	if h.ended != 20*second {
		t.Errorf("the stream has ended at %d", h.ended)
	}
	h.want("at release", 0, map[attr.Attr][]uint64{attr.FlowTime: {0, 0, 0, 0, 1}})
	if !h.Release(1, 30*second, all()) {
		t.Error("not released")
	}
	if h.Counters(1, 0) != nil {
		t.Error("counters of a flow that was released")
	}
	h.Create(1, h.shape, false, 40*second)
	h.want("new", 0, map[attr.Attr][]uint64{attr.FlowTime: {0, 0, 0, 0, 0}})
}

// TestDamage sends nonsense: jumps in sequence numbers and time, missing SYNs
// and FINs, one direction only, flows that go and come, few streams allowed.
// Lists and counts stay right, and nothing is left in the end.
func TestDamage(t *testing.T) {
	kinds := []string{"plain", "echo", "tcp_syn", "tcp_data", "dns"}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 9))
		e := New(Config{MaxStreams: 1 + r.IntN(60), Timeout: 1 + r.Int64N(3*second), Multiplier: 1 + r.Int64N(20)}, func(uint32, int64) {})
		shape := shapeOf(t, "FlowTime = 4 & 1.3.0!3000", "ToTCPRate = 4 & 1.3.0!3000", "ToTurnaroundTime1 = 3."+kinds[r.IntN(5)]+" & 1.3.10!30",
			"FromTurnaroundTime1 = 3."+kinds[r.IntN(5)]+" & 1.3.10!30", "ToLostPDUs = 3."+kinds[1+r.IntN(4)]+" & 1.0.0!2")
		now := r.Int64() - r.Int64()
		if now > 1<<62 {
			now = 1 << 62
		}
		live := map[uint32]bool{}
		for i := range 3000 {
			switch r.IntN(20) {
			case 0:
				now += r.Int64N(20 * second)
			case 1:
				now += r.Int64N(1 << 50)
			default:
				now += r.Int64N(second / 100)
			}
			row := uint32(1 + r.IntN(4))
			if !live[row] {
				e.Create(row, shape, false, now)
				live[row] = true
			}
			var p *match.Packet
			back := r.IntN(3) == 0
			switch r.IntN(3) {
			case 0:
				p = tcp(back, uint8(r.IntN(32)), uint32(r.IntN(4))*0x40000000+uint32(r.IntN(100)), uint32(r.IntN(200)), r.IntN(60))
			case 1:
				p = udp(back, uint16(r.IntN(40)), 53, dnsMessage(uint16(r.IntN(5)), r.IntN(2) == 0)...)
			default:
				p = echoAt(0, []byte{0, 8, 3}[r.IntN(3)], back, uint16(r.IntN(3))).p
			}
			if r.IntN(10) == 0 {
				p.Data = p.Data[:4+r.IntN(len(p.Data)-4)]
			}
			e.Packet(row, r.IntN(2), packetOf(p), 0, 100, now)
			if r.IntN(5) == 0 {
				e.Advance(now)
			}
			if r.IntN(100) == 0 {
				live[row] = !e.Release(row, now, all())
			}
			if i%100 == 0 {
				check(t, e)
			}
		}
		e.Finish(now)
		check(t, e)
		if s := e.Stats(); s.Active != 0 || s.Requests != 0 {
			t.Fatalf("seed %d: %+v are left", seed, s)
		}
	}
}

// check compares all lists of the engine with each other.
func check(t *testing.T, e *Engine) {
	t.Helper()
	var scheduled, listed []uint32
	requests := 0
	chunks := map[[2]uint32]bool{} // in use
	for slot, i := range e.wheel.slots {
		for before := uint32(0); i != 0; i = e.streams.at(i).due.next {
			s := e.streams.at(i)
			if int(s.slot) != slot || s.due.before != before {
				t.Fatalf("stream %d: slot %d of %d, behind %d of %d", i, s.slot, slot, s.due.before, before)
			}
			before = i
			scheduled = append(scheduled, i)
		}
	}
	for at := range e.rows {
		i := e.rows[at].streams
		only := sole(i)
		if i != 0 && e.streams.at(i).siblings.next != 0 {
			only = 0
		} else if i != 0 && e.rows[at].single {
			only |= soleSingle
		}
		if e.soles[at] != only {
			t.Fatalf("row %d: stream %x is alone, want %x", at, e.soles[at], only)
		}
		for before := uint32(0); i != 0; i = e.streams.at(i).siblings.next {
			s := e.streams.at(i)
			if s.row != uint32(at) || s.siblings.before != before || e.streams.find(s.row, &s.key, e.streams.hash(&s.key, s.row)) != i {
				t.Fatalf("stream %d: row %d of %d, behind %d of %d", i, s.row, at, s.siblings.before, before)
			}
			before = i
			listed = append(listed, i)
			n, waiting := uint8(0), uint8(0)
			for side := range s.queues {
				q := &s.queues[side]
				n += q.n
				if int(q.from)+int(q.n) > int(chunkSizes[q.size]) || q.n == 0 && *q != (queue{}) {
					t.Fatalf("stream %d: queue %+v", i, *q)
				}
				if q.size > 0 {
					if place := [2]uint32{uint32(q.size), q.chunk()}; chunks[place] {
						t.Fatalf("stream %d: the chunk of %+v has another owner", i, *q)
					} else {
						chunks[place] = true
					}
				}
				if s.state&of(waits, uint8(side)) != 0 {
					waiting++
				}
			}
			if n+waiting > maxQueueTCP {
				t.Fatalf("stream %d: %d requests", i, n+waiting)
			}
			requests += int(n)
		}
	}
	if len(chunks) != e.requests.chunks {
		t.Fatalf("%d chunks, want %d", e.requests.chunks, len(chunks))
	}
	slices.Sort(scheduled)
	slices.Sort(listed)
	if s := e.Stats(); !slices.Equal(scheduled, listed) || len(listed) != s.Active || requests != s.Requests {
		t.Fatalf("%d scheduled, %d in flows, %d requests; %+v", len(scheduled), len(listed), requests, s)
	}
}

func TestNoAllocations(t *testing.T) {
	h := newHarness(t, Config{}, "ToTurnaroundTime1 = 3.tcp_data & 1.3.10!30", "FlowTime = 4 & 1.3.0!3000", "ToBitRate = 3.1 & 1.3.10!30")
	p, q := tcp(false, flagACK, 1, 1, 10), tcp(true, flagACK, 1, 11, 0)
	now := int64(0)
	var ps Packets
	run := func() {
		for i := range uint32(1000) {
			now += millisecond
			binary.BigEndian.PutUint32(p.Data[4:], 10*i)
			binary.BigEndian.PutUint32(q.Data[8:], 10*i+10)
			ps.Reset(2, everyForm)
			ps.Set(0, p)
			ps.Set(1, q)
			h.Engine.Packet(1, 0, ps.At(0), 0, 100, now)
			h.Engine.Packet(1, 1, ps.At(1), 0, 100, now)
		}
		h.Advance(now)
	}
	run()
	if n := testing.AllocsPerRun(10, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestPieces ends streams all at once and a few at a time, on time and late: the same
// becomes of them, in the same order.
func TestPieces(t *testing.T) {
	shape := shapeOf(t, "FlowTime = 4 & 1.3.0!3000", "ToPDURate = 3.1 & 1.0.0!2")
	run := func(most int) string {
		var seen strings.Builder
		e := New(Config{Timeout: second}, func(row uint32, now int64) { fmt.Fprintln(&seen, row, now) })
		for row := range uint32(4) {
			e.Create(row+1, shape, false, 0)
		}
		r := rand.New(rand.NewPCG(7, 7))
		now := int64(0)
		for i := range 3000 {
			now += r.Int64N(20 * millisecond)
			if i%500 == 499 {
				now += r.Int64N(200 * second) // more than a turn of the wheel
			}
			row := 1 + r.Uint32N(4)
			e.Packet(row, 0, packetOf(udp(false, uint16(r.IntN(500)), 53)), 0, 100, now)
			if i%50 == 0 {
				for e.AdvanceSome(now, most) {
				}
				check(t, e)
			}
			if r.IntN(500) == 0 {
				for left := most; !e.Release(row, now, &left); left = most {
				}
				e.Create(row, shape, false, now)
			}
		}
		for e.FinishSome(now, most) {
		}
		check(t, e)
		for row := range uint32(4) {
			fmt.Fprintln(&seen, e.Counters(row+1, now))
		}
		fmt.Fprintln(&seen, e.Stats())
		return seen.String()
	}
	want := run(math.MaxInt)
	for _, most := range []int{1, 2, 7} {
		if got := run(most); got != want {
			t.Errorf("%d at a time: %s, want %s", most, got, want)
		}
	}
}
