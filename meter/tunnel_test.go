package meter

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/meter/packet"
	"rtfm/ruleset"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// envelopeSize is what inVXLAN puts before a frame.
const envelopeSize = 50

// inVXLAN returns the frame in an envelope with this VNI.
func inVXLAN(p traces.Packet, vni uint32) traces.Packet {
	size := func(from int) []byte {
		return binary.BigEndian.AppendUint16(nil, uint16(int(p.Wire)+envelopeSize-from))
	}
	p.Data = slices.Concat(
		[]byte{6, 0, 0, 0, 0, 2, 6, 0, 0, 0, 0, 1, 8, 0},
		[]byte{0x45, 0}, size(14), []byte{0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2},
		[]byte{0x12, 0x34, 0x12, 0xb5}, size(34), []byte{0, 0},
		[]byte{8, 0, 0, 0, byte(vni >> 16), byte(vni >> 8), byte(vni), 0}, p.Data)
	p.Wire += envelopeSize
	return p
}

// tunnelled puts some of the packets into envelopes, some into two, and cuts some. A
// meter that opens two of VXLAN is to meter what it had been given for them: left
// has that and vnis the number of the tunnel, and found is what it is to have counted.
func tunnelled(r *rand.Rand, packets []traces.Packet) (wrapped, left []traces.Packet, vnis []uint32, found TunnelStats) {
	for _, p := range packets {
		w, vni := p, 1+uint32(r.IntN(3))
		switch r.IntN(6) {
		case 0:
			w = inVXLAN(inVXLAN(p, vni), uint32(r.IntN(3)))
		case 1, 2:
			w = inVXLAN(p, vni)
		case 3:
			w = inVXLAN(p, 1)
			w.Data = w.Data[:envelopeSize-8+r.IntN(8+14)]
			p, vni = w, 0
			found.Cut++
			found.Opened--
		default:
			vni = 0
			found.Opened--
		}
		found.Opened++
		wrapped, left, vnis = append(wrapped, w), append(left, p), append(vnis, vni)
	}
	return wrapped, left, vnis, found
}

// inTurn is a source of batches, one after the other.
type inTurn []traces.Batch

func (s *inTurn) Stats() traces.Stats { return traces.Stats{} }
func (s *inTurn) Close() error        { return nil }
func (s *inTurn) ReadBatch(b *traces.Batch) error {
	if len(*s) == 0 {
		return io.EOF
	}
	b.Packets = append(b.Packets[:0], (*s)[0].Packets...)
	b.Records = append(b.Records[:0], (*s)[0].Records...)
	*s = (*s)[1:]
	return nil
}

// TestRecordsBehindTunnels has flow records come after an envelope: they are none.
func TestRecordsBehindTunnels(t *testing.T) {
	m, err := New(Config{MaxFlows: 10, Tunnels: packet.PlainTunnels})
	if err != nil {
		t.Fatal(err)
	}
	p := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(9, 80))
	src := inTurn{
		{Packets: []traces.Packet{inVXLAN(p[0], 7)}},
		{Packets: p, Records: []traces.Record{{PDUs: 5, Octets: 500}}},
	}
	if err := m.Run(context.Background(), &src, discard{}); err != nil {
		t.Fatal(err)
	}
	if s := m.Stats(); s.Tunnels != (TunnelStats{Opened: 1}) || s.Packets != 6 {
		t.Errorf("%+v of %d packets", s.Tunnels, s.Packets)
	}
}

// BenchmarkTunnels is BenchmarkMeter with ports that might be those of tunnels, and
// with tunnels.
func BenchmarkTunnels(b *testing.B) {
	for _, test := range []struct {
		name      string
		kinds     packet.TunnelKinds
		port      int
		tunnelled bool
	}{
		{"not opened", 0, 80, false},
		{"none", packet.PlainTunnels, 80, false},
		{"none, all kinds", packet.AllTunnels, 5000, false},
		{"VXLAN not opened", 0, 80, true},
		{"VXLAN", packet.PlainTunnels, 80, true},
	} {
		b.Run(test.name, func(b *testing.B) {
			var packets []traces.Packet
			for i := range 200 {
				f := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(9000+i, test.port).Bytes()
				p := traces.Packet{Time: 5, Link: traces.LinkEthernet, Data: f, Wire: uint32(len(f))}
				if test.tunnelled {
					p = inVXLAN(p, 7)
				}
				packets = append(packets, p)
			}
			m, err := New(Config{MaxFlows: 1000, RuleSets: []*ruleset.RuleSet{ruleset.Default()}, Tunnels: test.kinds})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			n := 0
			batch, in, src := new(batch), m.newInput(), &repeated{packets}
			for b.Loop() {
				in.read(batch, src)
				in.prepare(batch, m.memos, 0)
				m.meterBatch(batch)
				n += len(packets)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/packet")
		})
	}
}
