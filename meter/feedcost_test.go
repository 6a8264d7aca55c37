package meter

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rtfm/meter/feed"
	"rtfm/ruleset"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// fed returns a meter whose feed goes nowhere.
func fed(t testing.TB, maxFlows int, cfg feed.Config) *Meter {
	t.Helper()
	m, err := New(Config{MaxFlows: maxFlows, RuleSets: []*ruleset.RuleSet{finest()}})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.MTU > 0 {
		m.SetFeed(feed.New(cfg, m.table, func(b []byte, _ int) []byte { return b }, func() (uint64, uint64) { return 0, 0 }))
	}
	return m
}

// aFeed is a feed's configuration.
var aFeed = feed.Config{MTU: 1472, Delay: 20 * time.Millisecond, Idle: time.Minute}

// TestNoAllocationPerFedPacket counts what telling of packets of known flows allocates:
// nothing.
func TestNoAllocationPerFedPacket(t *testing.T) {
	for _, digests := range []bool{false, true} {
		cfg := aFeed
		cfg.Digest = digests
		m := fed(t, 1000, cfg)
		packets := randomTrace(rand.New(rand.NewPCG(3, 3)), 200)
		b, in, src := new(batch), m.newInput(), &repeated{packets}
		m.sink = &diary{m: m}
		milliseconds := int64(0)
		again := func() { // 20 ms later, so that STATS are told now and then
			milliseconds += 20
			for i := range packets {
				packets[i].Time = milliseconds * int64(time.Millisecond)
			}
			in.read(b, src)
			in.prepare(b, m.memos, 0)
			if err := m.meterBatch(b); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			again()
		}
		if n := testing.AllocsPerRun(100, again); n != 0 {
			t.Errorf("digests: %v: %v allocations for %d packets", digests, n, len(packets))
		}
	}
}

// BenchmarkFeed meters batches of packets of known flows, without and with a feed, which
// are what the meter's core does for a packet but for capturing and the exporter's
// sending.
func BenchmarkFeed(b *testing.B) {
	for _, flows := range []int{1, 1000, 100_000} {
		var packets []traces.Packet
		r := rand.New(rand.NewPCG(5, 5))
		for i := range max(flows, 20_000) {
			host := fmt.Sprintf("10.0.%d.%d", i%flows>>8&0xff, i%flows&0xff)
			packets = append(packets, tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").
				IPv4(host, "192.0.2.1").UDP(1024+i%flows>>16, 53).Payload(18))[0])
		}
		r.Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
		for _, c := range []struct {
			name string
			cfg  feed.Config
		}{
			{"without", feed.Config{}},
			{"with", aFeed},
			{"digests", func() feed.Config { c := aFeed; c.Digest = true; return c }()},
			{"first 30", func() feed.Config { c := aFeed; c.First = 30; return c }()},
		} {
			b.Run(fmt.Sprintf("%d flows/%s", flows, c.name), func(b *testing.B) {
				m := fed(b, 200_000, c.cfg)
				m.sink = &diary{m: m}
				batch, in := new(batch), m.newInput()
				src := &cycled{packets: packets}
				some := func() {
					in.read(batch, src)
					in.prepare(batch, m.memos, 0)
					if err := m.meterBatch(batch); err != nil {
						b.Fatal(err)
					}
				}
				for some(); src.next > 0; some() { // the flows' first packets
				}
				n := 0
				for b.Loop() {
					some()
					n += len(batch.seen)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/packet")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// cycled is a source that gives packets again and again, a microsecond apart.
type cycled struct {
	packets []traces.Packet
	next    int
	now     int64
}

func (c *cycled) ReadBatch(b *traces.Batch) error {
	b.Packets = b.Packets[:0]
	for range 250 {
		p := c.packets[c.next]
		c.now += 1000
		p.Time = c.now
		b.Packets = append(b.Packets, p)
		if c.next++; c.next == len(c.packets) {
			c.next = 0
		}
	}
	return nil
}
func (c *cycled) Stats() traces.Stats { return traces.Stats{} }
func (c *cycled) Close() error        { return nil }
