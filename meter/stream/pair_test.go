package stream

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// at is a packet at a time in milliseconds, back if it goes from host 2 to 1.
type at struct {
	ms   int64
	back bool
	p    *match.Packet
}

func dnsMessage(id uint16, answer bool) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	flags := uint16(0x0100)
	if answer {
		flags = 0x8180
	}
	return append(binary.BigEndian.AppendUint16(b, flags), make([]byte, 8)...)
}

func dnsAt(ms int64, id uint16, answer bool) at {
	return at{ms, answer, udp(answer, 5000, 53, dnsMessage(id, answer)...)}
}

func echoAt(ms int64, kind byte, back bool, sequence uint16) at {
	b := binary.BigEndian.AppendUint16([]byte{kind, 0, 0, 0, 7, 7}, sequence)
	src, dst := uint32(1), uint32(2)
	if back {
		src, dst = dst, src
	}
	proto := uint8(protoICMP)
	if kind >= 128 {
		proto = protoICMPv6
	}
	return at{ms, back, packet(proto, src, dst, b)}
}

func tcpAt(ms int64, back bool, flags uint8, seq, ack uint32, n int) at {
	return at{ms, back, tcp(back, flags, seq, ack, n)}
}

func ntpAt(ms int64, back bool, mode byte, origin, transmit uint64) at {
	b := make([]byte, 48)
	b[0] = 4<<3 | mode
	binary.BigEndian.PutUint64(b[24:], origin)
	binary.BigEndian.PutUint64(b[40:], transmit)
	return at{ms, back, udp(back, 123, 123, b...)}
}

func radiusAt(ms int64, back bool, code, id byte) at {
	return at{ms, back, udp(back, 5000, 1812, append([]byte{code, id, 0, 20}, make([]byte, 16)...)...)}
}

// dhcpAt makes a broadcast, or the answer to it, from an address of its own.
func dhcpAt(ms int64, back bool, xid uint32, message byte) at {
	b := make([]byte, 240)
	binary.BigEndian.PutUint32(b[4:], xid)
	copy(b[28:], []byte{2, 0, 0, 0, 0, 9})
	binary.BigEndian.PutUint32(b[236:], 0x63825363)
	p := udp(back, 68, 67, append(b, 0, 12, 1, 'x', 53, 1, message, 255)...)
	clear(p.Key.Peer(attr.Source)[:])
	if back {
		p.Key.Peer(attr.Source)[0] = 9
	}
	for i := range 4 {
		p.Key.Peer(attr.Dest)[i] = 255
	}
	return at{ms, back, p}
}

func snmpAt(ms int64, back bool, message ...byte) at {
	return at{ms, back, udp(back, 5000, 161, message...)}
}

func snmp2(pdu, id byte) []byte {
	return []byte{0x30, 18, 2, 1, 1, 4, 6, 'p', 'u', 'b', 'l', 'i', 'c', pdu, 5, 2, 1, id, 2, 0}
}

func snmp3(id, flags byte) []byte {
	return []byte{0x30, 0x81, 19, 2, 1, 3, 0x30, 14, 2, 2, 1, id, 2, 3, 0, 0xff, 0xe3, 4, 1, flags, 2, 1, 3}
}

// TestPairs feeds each kind of pairs with packets, and expects the times of its
// pairs in buckets of 0 to 10, to 20, to 30 and above 30 milliseconds, and what
// is lost for want of an answer within 30: none, one, two, more.
func TestPairs(t *testing.T) {
	for _, tt := range []struct {
		name, kind     string
		packets        []at
		to, from, lost []uint64
	}{
		{"answers out of order", "dns", []at{dnsAt(0, 1, false), dnsAt(1, 2, false), dnsAt(9, 2, true), dnsAt(15, 1, true)}, []uint64{1, 1, 0, 0}, nil, []uint64{1, 0, 0, 0}},
		{"a limit belongs to its bucket", "dns", []at{dnsAt(0, 1, false), dnsAt(10, 1, true)}, []uint64{1, 0, 0, 0}, nil, nil},
		{"asked again: the answer is to the first", "dns", []at{dnsAt(0, 1, false), dnsAt(25, 1, false), dnsAt(27, 1, true), dnsAt(28, 1, true)}, []uint64{0, 0, 1, 0}, nil, []uint64{1, 0, 0, 0}},
		{"asked again after the answer", "dns", []at{dnsAt(0, 1, false), dnsAt(5, 1, true), dnsAt(50, 1, false), dnsAt(65, 1, true)}, []uint64{1, 1, 0, 0}, nil, nil},
		{"just in time", "dns", []at{dnsAt(0, 1, false), dnsAt(30, 1, true)}, []uint64{0, 0, 1, 0}, nil, []uint64{1, 0, 0, 0}},
		{"late answer", "dns", []at{dnsAt(0, 1, false), dnsAt(31, 1, true)}, []uint64{0, 0, 0, 1}, nil, []uint64{0, 1, 0, 0}},
		{"no answer", "dns", []at{dnsAt(0, 1, false), dnsAt(1, 2, false), dnsAt(900, 3, false)}, []uint64{0, 0, 0, 0}, nil, []uint64{0, 0, 0, 1}},
		{"answer without a question", "dns", []at{dnsAt(0, 1, true), dnsAt(5, 2, false), dnsAt(6, 1, true)}, []uint64{0, 0, 0, 0}, nil, nil},
		{"asked from the other side", "dns", []at{{0, true, udp(true, 53, 53, dnsMessage(5, false)...)}, {7, false, udp(false, 53, 53, dnsMessage(5, true)...)}}, nil, []uint64{1, 0, 0, 0}, []uint64{1, 0, 0, 0}},
		{"both sides ask with one number", "dns", []at{
			{0, false, udp(false, 53, 53, dnsMessage(5, false)...)}, {1, true, udp(true, 53, 53, dnsMessage(5, false)...)},
			{12, false, udp(false, 53, 53, dnsMessage(5, true)...)}, {25, true, udp(true, 53, 53, dnsMessage(5, true)...)},
		}, []uint64{0, 0, 1, 0}, []uint64{0, 1, 0, 0}, nil},
		{"cut short", "dns", []at{{0, false, udp(false, 5000, 53, dnsMessage(5, false)[:11]...)}, {1, false, udp(false, 5000, 53)}}, []uint64{0, 0, 0, 0}, nil, []uint64{1, 0, 0, 0}},
		{"echo", "echo", []at{echoAt(0, 8, false, 1), echoAt(3, 0, true, 1), echoAt(10, 8, false, 2), echoAt(15, 0, true, 3), echoAt(25, 0, true, 2)}, []uint64{1, 1, 0, 0}, nil, []uint64{1, 0, 0, 0}},
		{"echo of IPv6", "echo", []at{echoAt(0, 128, true, 1), echoAt(3, 129, false, 1), echoAt(4, 3, true, 1)}, nil, []uint64{1, 0, 0, 0}, nil},
		{"two pings at once", "icmp", []at{echoAt(0, 8, false, 1), echoAt(1, 8, true, 1), echoAt(5, 0, true, 1), echoAt(15, 0, false, 1)}, []uint64{1, 0, 0, 0}, []uint64{0, 1, 0, 0}, nil},
		{"SYN", "tcp_syn", []at{tcpAt(0, false, 2, 100, 0, 0), tcpAt(15, true, 18, 7, 101, 0), tcpAt(20, false, 16, 101, 8, 0)}, []uint64{0, 1, 0, 0}, nil, nil},
		{"SYN sent again", "tcp_syn", []at{tcpAt(0, false, 2, 100, 0, 0), tcpAt(20, false, 2, 100, 0, 0), tcpAt(25, true, 18, 7, 101, 0), tcpAt(26, true, 18, 7, 101, 0)}, []uint64{0, 0, 1, 0}, nil, nil},
		{"SYN for another number", "tcp_syn", []at{tcpAt(0, false, 2, 100, 0, 0), tcpAt(15, true, 18, 7, 102, 0)}, []uint64{0, 0, 0, 0}, nil, nil},
		{"data", "tcp_data", []at{tcpAt(0, false, 16, 100, 1, 10), tcpAt(5, true, 16, 1, 110, 0), tcpAt(6, true, 16, 1, 110, 0), tcpAt(10, true, 16, 1, 110, 20), tcpAt(25, false, 16, 110, 21, 0)}, []uint64{1, 0, 0, 0}, []uint64{0, 1, 0, 0}, []uint64{1, 0, 0, 0}},
		{"one ACK for two", "tcp_data", []at{tcpAt(0, false, 16, 100, 1, 10), tcpAt(20, false, 16, 110, 1, 10), tcpAt(25, true, 16, 1, 120, 0)}, []uint64{1, 0, 0, 0}, nil, nil},
		{"ACK of a part", "tcp_data", []at{tcpAt(0, false, 16, 100, 1, 10), tcpAt(5, true, 16, 1, 105, 0), tcpAt(15, true, 16, 1, 110, 0)}, []uint64{0, 1, 0, 0}, nil, nil},
		{"sent again: no pair", "tcp_data", []at{tcpAt(0, false, 16, 100, 1, 10), tcpAt(5, false, 16, 100, 1, 10), tcpAt(9, true, 16, 1, 110, 0), tcpAt(10, false, 16, 110, 1, 10), tcpAt(22, true, 16, 1, 120, 0)}, []uint64{0, 1, 0, 0}, nil, nil},
		{"sent again, long ago", "tcp_data", []at{
			tcpAt(0, false, 16, 100, 1, 10), tcpAt(1, false, 16, 100, 1, 10), tcpAt(2, true, 16, 1, 110, 0),
			tcpAt(3, false, 16, 110, 1, 1<<30), tcpAt(4, true, 16, 1, 110+1<<30, 0), tcpAt(5, false, 16, 110+1<<30, 1, 1<<30),
			tcpAt(6, true, 16, 1, 110+1<<31, 0), tcpAt(7, false, 16, 110+1<<31, 1, 1<<30), tcpAt(8, true, 16, 1, 110+3<<30, 0),
			tcpAt(9, false, 16, 110+3<<30, 1, 1<<30-5), tcpAt(10, true, 16, 1, 105, 0),
		}, []uint64{4, 0, 0, 0}, nil, nil},
		{"wrapped numbers", "tcp_data", []at{tcpAt(0, false, 16, 1<<32-5, 1, 10), tcpAt(5, true, 16, 1, 5, 0)}, []uint64{1, 0, 0, 0}, nil, []uint64{1, 0, 0, 0}},
		{"gaps", "tcp_data", []at{tcpAt(0, false, 16, 100, 1, 10), tcpAt(1, false, 16, 120, 1, 10), tcpAt(2, false, 16, 110, 1, 10), tcpAt(3, false, 16, 130, 1, 10), tcpAt(4, false, 16, 141, 1, 10)}, nil, nil, []uint64{0, 0, 1, 0}},
		{"SNMPv2c", "snmp", []at{snmpAt(0, false, snmp2(0xa1, 7)...), snmpAt(1, false, snmp2(0xa7, 8)...), snmpAt(2, true, snmp2(0xa2, 8)...), snmpAt(5, true, snmp2(0xa2, 7)...)}, []uint64{1, 0, 0, 0}, nil, []uint64{1, 0, 0, 0}},
		{"SNMPv3", "snmp", []at{snmpAt(0, false, snmp3(7, 4)...), snmpAt(12, true, snmp3(8, 0)...), snmpAt(15, true, snmp3(7, 3)...)}, []uint64{0, 1, 0, 0}, nil, nil},
		{"NTP", "ntp", []at{ntpAt(0, false, 3, 99, 1234), ntpAt(1, true, 4, 99, 5), ntpAt(12, true, 4, 1234, 5), ntpAt(13, true, 4, 1234, 5), ntpAt(14, false, 5, 0, 77)}, []uint64{0, 1, 0, 0}, nil, []uint64{1, 0, 0, 0}},
		{"RADIUS", "radius", []at{radiusAt(0, false, 1, 9), radiusAt(1, false, 4, 9), radiusAt(5, true, 5, 9), radiusAt(15, true, 11, 9), radiusAt(20, false, 43, 9), radiusAt(22, true, 41, 9), radiusAt(45, true, 45, 9)}, []uint64{1, 1, 1, 0}, nil, nil},
		{"DHCP", "dhcp", []at{dhcpAt(0, false, 5, 1), dhcpAt(5, true, 6, 2), dhcpAt(8, true, 5, 2), dhcpAt(9, false, 5, 3), dhcpAt(12, true, 5, 2), dhcpAt(21, true, 5, 5)}, []uint64{1, 1, 0, 0}, nil, nil},
		{"plain", "plain", []at{
			{0, false, udp(false, 1, 2)}, {4, false, udp(false, 1, 2)}, {15, true, udp(true, 1, 2)}, {17, true, udp(true, 1, 2)}, {44, false, udp(false, 1, 2)},
		}, []uint64{0, 1, 0, 0}, []uint64{0, 0, 1, 0}, nil},
	} {
		if tt.kind == "plain" {
			h := newHarness(t, Config{}, "ToTurnaroundTime1 = 3.plain & 1.3.10!30", "FromTurnaroundTime4 = 3.0 & 1.3.10!30")
			h.feed(tt.packets)
			h.want(tt.name, 0, map[attr.Attr][]uint64{attr.ToTurnaroundTime1: tt.to, attr.FromTurnaroundTime4: tt.from})
			continue
		}
		h := newHarness(t, Config{}, "ToTurnaroundTime1 = 3."+tt.kind+" & 1.3.10!30", "FromTurnaroundTime4 = 3."+tt.kind+" & 1.3.10!30",
			"ToLostPDUs = 3."+tt.kind+" & 1.0.0!2", "ToTurnaroundTime2 = 3.plain & 1.3.10!30")
		h.feed(tt.packets)
		h.Finish(1000 * millisecond)
		want := map[attr.Attr][]uint64{}
		for a, w := range map[attr.Attr][]uint64{attr.ToTurnaroundTime1: tt.to, attr.FromTurnaroundTime4: tt.from, attr.ToLostPDUs: tt.lost} {
			if w != nil {
				want[a] = w
			}
		}
		h.want(tt.name, 0, want)
		if s := h.Stats(); s.Active != 0 || s.Requests != 0 {
			t.Errorf("%s: %+v is left", tt.name, s)
		}
	}
}

// feed gives the flow packets, in the directions that they have.
func (h *harness) feed(packets []at) {
	for _, a := range packets {
		direction := 0
		if a.back {
			direction = 1
		}
		h.Packet(1, direction, a.p, 100, a.ms*millisecond)
	}
}

// TestOneDirection meters pairs in a flow that counts both directions as
// forward, as flows do that save no ends.
func TestOneDirection(t *testing.T) {
	h := newHarness(t, Config{}, "ToTurnaroundTime1 = 3.dns & 1.3.10!30", "FromTurnaroundTime1 = 3.dns & 1.3.10!30")
	for _, a := range []at{dnsAt(0, 1, false), dnsAt(5, 1, true)} {
		h.Packet(1, 0, a.p, 100, a.ms*millisecond)
	}
	h.want("one direction", 0, map[attr.Attr][]uint64{attr.ToTurnaroundTime1: {1, 0, 0, 0}, attr.FromTurnaroundTime1: {0, 0, 0, 0}})
}

// TestQueueLimits asks more than a queue holds: the oldest make room.
func TestQueueLimits(t *testing.T) {
	h := newHarness(t, Config{}, "ToTurnaroundTime1 = 3.dns & 1.3.10!30", "ToLostPDUs = 20.dns & 1.0.0!19")
	for i := range uint16(70) {
		h.feed([]at{dnsAt(0, i, false)})
	}
	if n := h.Stats().Requests; n != maxQueue {
		t.Errorf("%d requests wait, want %d", n, maxQueue)
	}
	for i := range uint16(70) {
		h.feed([]at{dnsAt(1, i, true)})
	}
	h.Finish(second)
	lost := make([]uint64, 21)
	lost[10] = 1
	h.want("UDP", 0, map[attr.Attr][]uint64{attr.ToTurnaroundTime1: {60, 0, 0, 0}, attr.ToLostPDUs: lost})

	h = newHarness(t, Config{}, "ToTurnaroundTime1 = 3.tcp_data & 1.3.10!30")
	for i := range uint32(200) {
		h.feed([]at{tcpAt(0, false, 16, i, 1, 1)})
	}
	// The latest one stands beside the queue.
	if n := h.Stats().Requests + 1; n != maxQueueTCP {
		t.Errorf("%d segments wait, want %d", n, maxQueueTCP)
	}
	// Those that end at 111 and behind it are left.
	for pairs, ack := range []uint32{110, 111, 112, 200, 200} {
		h.feed([]at{tcpAt(5, true, 16, 1, ack, 0)})
		if got := h.counters(attr.ToTurnaroundTime1, 0)[0]; got != uint64(min(pairs, 3)) {
			t.Errorf("%d pairs at ACK %d, want %d", got, ack, min(pairs, 3))
		}
	}
}

// FuzzPayload feeds all parsers with any payload, from both sides.
func FuzzPayload(f *testing.F) {
	f.Add(uint8(protoUDP), append([]byte{0, 53, 0, 53, 0, 20, 0, 0}, dnsMessage(1, false)...))
	f.Add(uint8(protoUDP), append([]byte{0, 161, 0, 53, 0, 20, 0, 0}, snmp2(0xa0, 1)...))
	f.Add(uint8(protoUDP), append([]byte{0, 161, 0, 53, 0, 20, 0, 0}, snmp3(1, 4)...))
	f.Add(uint8(protoUDP), dhcpAt(0, false, 1, 1).p.Data)
	f.Add(uint8(protoTCP), tcp(false, 2, 1, 1, 5).Data)
	f.Add(uint8(protoICMP), []byte{8, 0, 0, 0, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, proto uint8, transport []byte) {
		if len(transport) < 4 {
			return
		}
		h := newHarness(t, Config{}, "ToTurnaroundTime = 3.dns & 1.3.10!30", "ToTurnaroundTime1 = 3.snmp & 1.3.10!30",
			"ToTurnaroundTime2 = 3.dhcp & 1.3.10!30", "ToTurnaroundTime3 = 3.ntp & 1.3.10!30", "ToTurnaroundTime4 = 3.tcp_data & 1.3.10!30",
			"FromTurnaroundTime = 3.radius & 1.3.10!30", "FromTurnaroundTime1 = 3.tcp_syn & 1.3.10!30", "FromTurnaroundTime2 = 3.echo & 1.3.10!30",
			"FlowTime = 3 & 1.3.10!30", "ToTCPRate = 3 & 1.3.10!30")
		for i, dir := range []int{0, 1, 0} {
			h.Packet(1, dir, packet(proto, uint32(1+dir), uint32(2-dir), transport), 100, int64(i))
		}
		h.Finish(3)
		if s := h.Stats(); s.Active != 0 || s.Requests != 0 {
			t.Errorf("%+v is left", s)
		}
	})
}

// TestDataOfOneDirection counts the turnaround times of data in one direction with and
// without those of the other one, which do not change them, and whose segments
// wait for no ACK if nobody wants to know.
func TestDataOfOneDirection(t *testing.T) {
	const to, from = "ToTurnaroundTime = 20.tcp_data & 2.3.1!1000", "FromTurnaroundTime = 20.tcp_data & 2.3.1!1000"
	run := func(distributions ...string) (counters []uint64, most int) {
		h := newHarness(t, Config{}, distributions...)
		r := rand.New(rand.NewPCG(1, 1))
		var next [2]uint32
		now := int64(0)
		for range 20_000 {
			now += r.Int64N(10 * millisecond)
			side := r.IntN(2)
			n := r.IntN(3)
			h.Packet(1, side, tcp(side == 1, flagACK, next[side], next[1-side]-uint32(r.IntN(3)), n), 100, now)
			next[side] += uint32(n)
			most = max(most, h.Stats().Requests)
		}
		return h.counters(attr.ToTurnaroundTime, now), most
	}
	both, mostOfBoth := run(to, from)
	one, mostOfOne := run(to)
	if !slices.Equal(one, both) || slices.Max(one) == 0 {
		t.Errorf("%v, with the other direction %v", one, both)
	}
	if mostOfOne >= mostOfBoth {
		t.Errorf("%d segments of one direction wait, %d of both", mostOfOne, mostOfBoth)
	}
	if lost, most := run(from, "ToLostPDUs = 5.tcp_data & 1.0.1!5", to); !slices.Equal(lost, both) || most != mostOfBoth {
		t.Errorf("%v with losses", lost)
	}
}

// TestForms takes each distribution for itself.
func TestForms(t *testing.T) {
	const any, every = 1 << formless, everyForm &^ Details
	for distribution, want := range map[string]Forms{
		"ToTurnaroundTime1 = 3.tcp_data & 1.3.10!30": any | 1<<formCut | 1<<formSegment,
		"ToTurnaroundTime1 = 3.tcp_syn & 1.3.10!30":  any | 1<<formCut | 1<<formSegment,
		"ToTurnaroundTime1 = 3.dhcp & 1.3.10!30":     any | 1<<formDatagram,
		"FromTurnaroundTime1 = 3.echo & 1.3.10!30":   any | 1<<formMessage,
		"ToTurnaroundTime1 = 3.plain & 1.3.10!30":    every,
		"ToFlowPDUs = 3 & 1.0.10!30":                 every,
		"ToPacketSize = 3 & 1.0.10!30":               any,
	} {
		if got := FormsOf(shapeOf(t, distribution).Measures); got != want {
			t.Errorf("%s: %b, want %b", distribution, got, want)
		}
	}
	for a, want := range map[attr.Attr]Forms{
		attr.ToGapStats: any, attr.FromTCPFlags: any | Details, attr.FirstPackets: any | Details,
		attr.FlowID: any,
	} {
		if got := FormsOf(statisticShape(1, a).Measures); got != want {
			t.Errorf("%v: %b, want %b", a, got, want)
		}
	}
	if got := FormsOf(nil); got != 0 {
		t.Errorf("without distributions: %b", got)
	}
}
