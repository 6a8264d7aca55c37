package meter

import (
	"testing"

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
