package stream

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

const millisecond = 1_000_000

// harness is an engine with one flow, in row 1.
type harness struct {
	*Engine
	t     testing.TB
	shape *match.Shape
	ended int64 // when a stream has ended last
}

// newHarness returns an engine whose flow has these distributions, each as SRL
// writes it: ToTurnaroundTime1 = 100.dns & 1.3.1!700.
func newHarness(t testing.TB, c Config, distributions ...string) *harness {
	t.Helper()
	h := &harness{t: t, shape: shapeOf(t, distributions...)}
	h.Engine = New(c, func(row uint32, now int64) {
		if row != 1 || now < h.ended {
			t.Errorf("a stream has ended at %d in row %d", now, row)
		}
		h.ended = now
	})
	h.Create(1, h.shape, false, 0)
	return h
}

// Packet is Engine.Packet for a packet as it was captured.
func (h *harness) Packet(row uint32, direction int, p *match.Packet, octets uint64, now int64) {
	h.Engine.Packet(row, direction, packetOf(p), 0, octets, now)
}

// all lets any number of streams end.
func all() *int {
	n := math.MaxInt
	return &n
}

// everyForm is all forms.
const everyForm = Details | (1<<forms - 1)

func packetOf(p *match.Packet) Packet {
	var ps Packets
	ps.Reset(1, everyForm)
	ps.Set(0, p)
	return ps.At(0)
}

func shapeOf(t testing.TB, distributions ...string) *match.Shape {
	t.Helper()
	var ds []attr.Measure
	for _, text := range distributions {
		f := strings.Fields(text) // attribute = value & mask
		a, ok := attr.ByName(f[0])
		value, err1 := a.ParseMeasure(f[2])
		mask, err2 := a.ParseMeasure(f[4])
		d := attr.Measure{Attr: a, Mask: mask, Value: value}
		if err := d.Check(); !ok || err != nil || err1 != nil || err2 != nil {
			t.Fatalf("%s: %v, %v, %v", text, err, err1, err2)
		}
		ds = append(ds, d)
	}
	var shapes match.Shapes
	return shapes.Intern(1, 4, 0, nil, ds...)
}

// counters returns the counters of distribution a at time now.
func (h *harness) counters(a attr.Attr, now int64) []uint64 {
	h.t.Helper()
	for i, c := range h.Counters(1, now) {
		if h.shape.Measures[i].Attr == a {
			return c
		}
	}
	h.t.Fatalf("no %v", a)
	return nil
}

// want compares the counters of distributions, named and with their counters.
func (h *harness) want(name string, now int64, want map[attr.Attr][]uint64) {
	h.t.Helper()
	for a, w := range want {
		if got := h.counters(a, now); !slices.Equal(got, w) {
			h.t.Errorf("%s: %v is %v, want %v", name, a, got, w)
		}
	}
}

// packet makes a packet between two hosts with this transport header and
// payload.
func packet(proto uint8, src, dst uint32, transport []byte) *match.Packet {
	p := &match.Packet{PeerLen: 4, Flags: match.HasTransport | match.IsIP, Data: transport, TransportOctets: uint32(len(transport))}
	p.Key.SetPeerType(1)
	p.Key.SetTransType(proto)
	for end, a := range []uint32{src, dst} {
		binary.BigEndian.PutUint32(p.Key.Peer(end)[:4], a)
		if proto == protoTCP || proto == protoUDP {
			*p.Key.Trans(end) = [2]byte(transport[2*end:])
		}
	}
	return p
}

// udp makes a UDP datagram from port to port of hosts 1 and 2, or back.
func udp(back bool, port1, port2 uint16, payload ...byte) *match.Packet {
	src, dst := uint32(1), uint32(2)
	if back {
		src, dst, port1, port2 = dst, src, port2, port1
	}
	b := binary.BigEndian.AppendUint16(nil, port1)
	b = binary.BigEndian.AppendUint16(b, port2)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	return packet(protoUDP, src, dst, append(append(b, 0, 0), payload...))
}

// tcp makes a TCP segment with n octets of data, of which only the header was
// captured.
func tcp(back bool, flags uint8, seq, ack uint32, n int) *match.Packet {
	src, dst, port1, port2 := uint32(1), uint32(2), uint16(1000), uint16(80)
	if back {
		src, dst, port1, port2 = dst, src, port2, port1
	}
	b := binary.BigEndian.AppendUint16(nil, port1)
	b = binary.BigEndian.AppendUint16(b, port2)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, ack)
	p := packet(protoTCP, src, dst, append(b, 5<<4, flags, 0, 0, 0, 0, 0, 0))
	p.TransportOctets = uint32(20 + n)
	return p
}
