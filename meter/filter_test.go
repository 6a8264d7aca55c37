package meter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"

	"rtfm/ruleset"
	"rtfm/ruleset/filter"
	"rtfm/ruleset/pme"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// filterOf prepares a filter.
func filterOf(t testing.TB, text string) *pme.Program {
	t.Helper()
	rs, _, err := filter.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pme.Compile(rs, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// BenchmarkFilter is BenchmarkMeter with filters: none, some that pass all packets
// or most or few, and one of many addresses.
func BenchmarkFilter(b *testing.B) {
	var packets []traces.Packet
	for i := range 200 {
		f := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").TCP(1000+i, 80+i%4, 0).Bytes()
		packets = append(packets, traces.Packet{Time: 5, Link: traces.LinkEthernet, Data: f, Wire: uint32(len(f))})
	}
	for _, text := range []string{"", "tcp or udp", "port 80", "ether host 02:00:00:00:00:01", "net 10.0.0.0/8 and not (port 53 or port 80) and not host 10.0.0.3"} {
		b.Run(text, func(b *testing.B) {
			cfg := Config{MaxFlows: 1000, RuleSets: []*ruleset.RuleSet{ruleset.Default()}}
			if text != "" {
				cfg.Filter = filterOf(b, text)
			}
			m, err := New(cfg)
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
			b.ReportMetric(100*float64(m.stats.Packets)/float64(m.stats.Packets+m.stats.Filtered), "%passed")
		})
	}
}

// TestScreenOfUsual asks a filter of usual packets in both directions, again and
// again, more of them than it remembers, and has the reference say what is right.
func TestScreenOfUsual(t *testing.T) {
	rs, _, err := filter.Compile("src net 10.0.0.0/9 and dst portrange 1-600 or ip6")
	if err != nil {
		t.Fatal(err)
	}
	program, err := pme.Compile(rs, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Config{MaxFlows: 10, Filter: program})
	if err != nil {
		t.Fatal(err)
	}
	s, r := m.newScreen(), rand.New(rand.NewPCG(1, 1))
	if !s.view.tuple {
		t.Fatal("the filter sees more than tuples")
	}
	var shapes match.Shapes
	said := map[bool]int{}
	for range 20_000 {
		a, b := fmt.Sprintf("10.%d.0.%d", r.IntN(256), r.IntN(8)), fmt.Sprintf("10.%d.0.1", r.IntN(256))
		frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(a, b).UDP(r.IntN(1000), r.IntN(1000)).Payload(8).Bytes()
		for range 2 {
			var p match.Packet
			packet.Decode(&p, traces.LinkEthernet, frame, uint32(len(frame)))
			v, _ := pme.Reference(rs, 0, &shapes, &p, &p.Key, false)
			var u packet.Usual
			if !u.Read(frame) {
				t.Fatal("no usual packet")
			}
			if got := s.passesUsual(&u); got != (v == pme.Success) {
				t.Fatalf("% x: %v", frame, got)
			}
			said[v == pme.Success]++
			// The same ports and addresses the other way round.
			ip, ports := frame[26:34], frame[34:38]
			copy(ip, append(append([]byte{}, ip[4:]...), ip[:4]...))
			copy(ports, append(append([]byte{}, ports[2:]...), ports[:2]...))
		}
	}
	if said[true] < 1000 || said[false] < 1000 {
		t.Error(said)
	}
}

// TestFilterOfIntervals: packets that are left out move the clock on, are counted
// where they are, and make an interval one that is not empty.
func TestFilterOfIntervals(t *testing.T) {
	var packets []traces.Packet
	for i := range 400 {
		port := 53
		if i == 1 || i == 395 {
			port = 80
		}
		f := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(99, port).Payload(8).Bytes()
		packets = append(packets, traces.Packet{Time: int64(i) * int64(time.Second), Link: traces.LinkEthernet, Data: f, Wire: uint32(len(f))})
	}
	m, err := New(Config{MaxFlows: 10, Filter: filterOf(t, "port 80"), Interval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	d := &diary{m: m}
	if err := m.Run(context.Background(), &memory{packets, rand.New(rand.NewPCG(1, 1))}, d); err != nil {
		t.Fatal(err)
	}
	if s := m.Stats(); s.Packets != 2 || s.Filtered != 398 || s.Tasks[0].Packets != 2 || s.Tasks[0].Counted != 2 || s.First != 0 || s.Last != packets[399].Time {
		t.Errorf("%+v", s)
	}
	if len(d.lines) != 400 {
		t.Errorf("%d collections: %q", len(d.lines), d.lines)
	}
}
