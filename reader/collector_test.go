package reader

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/reader/record"
	"rtfm/traces/format"

	"rtfm/ruleset/match"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/mib/smi"
	"rtfm/mib/snmp"
	"rtfm/mib/snmp/snmptest"
	"rtfm/reader/flowfile"
	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// serve answers for h at a loopback address until the test ends.
func serve(t testing.TB, h smi.Handler) string {
	t.Helper()
	return snmptest.Serve(t, snmp.Config{WriteCommunity: "test"}, h)
}

func dial(t testing.TB, address string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Config{Address: address, Community: "test", Timeout: 2 * time.Second, Retries: 5})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// program loads an example ruleset.
func program(t testing.TB, name string) *ruleset.RuleSet {
	t.Helper()
	file := "../ruleset/examples/" + name + ".srl"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rs, _, err := compile.Source(file, text, srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// mix returns packets that take so many seconds.
func mix(n int, seconds int64) []traces.Packet {
	packets := tracetest.Mix(n)
	for i := range packets {
		packets[i].Time += int64(i) * (seconds * 1_000_000_000 / int64(n))
	}
	return packets
}

func source(t testing.TB, packets []traces.Packet) traces.Source {
	t.Helper()
	src, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...)), "test")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// metering starts a meter that runs rs as ruleset 2 over src, after ready has
// been called.
func metering(t testing.TB, cfg control.Config, rs *ruleset.RuleSet, src traces.Source, ready func(*client.Client) error) *client.Client {
	t.Helper()
	m := control.New(cfg)
	c := dial(t, serve(t, mib.New(m)))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	run := func() { done <- m.Run(ctx, src, func(err error) { t.Error(err) }) }
	t.Cleanup(func() { stop(); <-done })
	if cfg.Interval > 0 {
		go run()
	} else {
		defer func() { go run() }()
	}
	if err := c.PutRuleSet(t.Context(), 2, "me", rs); err != nil {
		t.Fatal(err)
	}
	if ready != nil {
		if err := ready(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.CreateManager(t.Context(), 1, &mib.Manager{CurrentRuleSet: 2}); err != nil {
		t.Fatal(err)
	}
	if err := c.StartManagers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	return c
}

// writes is a sink that writes flow data as `rtfm run` does.
type writes struct {
	m      *meter.Meter
	w      *flowfile.Writer
	out    bytes.Buffer
	format *ruleset.Format
	before meter.Stats
}

func (s *writes) Collect(c meter.Collection) error {
	if s.w == nil {
		s.w = flowfile.NewWriter(&s.out, testConfig().Header, c.Start, s.format, flowfile.Options{Statistics: true})
	}
	if c.PassedOver > 0 {
		s.w.Skipped(int(c.PassedOver))
	}
	s.w.Begin(c.To)
	if err := s.m.Flows(func(f *match.Flow) error { s.w.Flow(f, nil); return nil }); err != nil {
		return err
	}
	now := s.m.Stats()
	task := now.Tasks[0]
	var before meter.TaskStats
	if len(s.before.Tasks) > 0 {
		before = s.before.Tasks[0]
	}
	var more []record.Number
	if now.Streams.Created > 0 {
		n, b := now.Streams, s.before.Streams
		more = []record.Number{
			{Name: "streams", Value: uint64(n.Active)}, {Name: "streams-created", Value: n.Created - b.Created},
			{Name: "streams-ended", Value: n.Ended() - b.Ended()}, {Name: "unstreamed", Value: n.Unstreamed - b.Unstreamed},
		}
	}
	sum := record.Summary{
		More:    more,
		Packets: now.Packets - s.before.Packets, Octets: now.Octets - s.before.Octets,
		Active: uint64(now.Active),
		RuleSets: []record.RuleSetSummary{{
			RuleSet: uint64(task.RuleSet), Packets: task.Packets - before.Packets, Counted: task.Counted - before.Counted,
			Ignored: task.Ignored - before.Ignored, Unmatched: task.Unmatched - before.Unmatched,
		}},
	}
	sum.Ignored, sum.Unmatched = sum.RuleSets[0].Ignored, sum.RuleSets[0].Unmatched
	s.before = now
	s.before.Tasks = []meter.TaskStats{task}
	return s.w.End(sum)
}
func (s *writes) Damage(error)                    {}
func (s *writes) BackInTime(string, int64, int64) {}

// direct returns the flow data that `rtfm run` writes, without its header.
func direct(t testing.TB, rs *ruleset.RuleSet, interval time.Duration, intervals int, packets []traces.Packet) string {
	t.Helper()
	m, err := meter.New(meter.Config{
		RuleSets: []*ruleset.RuleSet{rs}, MaxFlows: meter.DefaultMaxFlows, Interval: interval, Intervals: intervals,
		InactivityTimeout: meter.DefaultInactivityTimeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &writes{m: m, format: flowfile.FormatFor(rs)}
	if err := m.Run(t.Context(), source(t, packets), s); err != nil {
		t.Fatal(err)
	}
	return body(s.out.String())
}

// body returns flow data without its header.
func body(text string) string {
	_, text, _ = strings.Cut(text, "\n")
	return text
}

func testConfig() Config {
	return Config{
		Header: flowfile.Header{Version: "test", Meter: "m"}, Statistics: true,
		Owner: "test", FirstRow: 1, LastRow: 10, Timeout: 1000,
	}
}

// TestStep collects traces in step and compares with what `rtfm run` writes.
func TestStep(t *testing.T) {
	names := []string{"all-flows", "web-turnaround", "services", "bit-rates", "dns-response", "packet-sizes", "pings"}
	if testing.Short() {
		names = names[:2]
	}
	for _, name := range names {
		rs := program(t, name)
		rs.Format = flowfile.FormatFor(rs)
		packets := mix(3000, 2000)
		for i := range packets[2000:] {
			packets[2000+i].Time += 3_600_000_000_000 // a gap of an hour
		}
		for interval, intervals := range map[time.Duration]int{time.Second * 20: 0, time.Second * 300: 0, time.Second * 333: 6, time.Second * 10_000: 0} {
			path := filepath.Join(t.TempDir(), "flows")
			f, known := open(t, path)
			config := testConfig()
			config.Timeout = 0
			k := New(config, f, known)
			sets := func() ([]RuleSet, error) { return []RuleSet{{Index: 2, Rules: rs}}, nil }
			cfg := control.Config{Config: meter.Config{MaxFlows: meter.DefaultMaxFlows, Interval: interval, Intervals: intervals}}
			c := metering(t, cfg, rs, source(t, packets), func(c *client.Client) error {
				return k.Register(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}})
			})
			for steps := 0; !k.Ended(); steps++ {
				if _, err := k.Step(t.Context(), c, sets); err != nil {
					t.Fatal(err)
				}
				if steps == 3 { // a new process
					f.Close()
					f, known = open(t, path)
					if known == nil {
						t.Fatal("nothing is known after a restart")
					}
					k = New(config, f, known)
				}
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := direct(t, rs, interval, intervals, packets)
			if g := withoutHeaders(string(got)); g != withoutHeaders(want) {
				t.Errorf("%s, %v: %d octets, want %d; first difference:\n%s", name, interval, len(g), len(want), difference(g, withoutHeaders(want)))
			}
		}
	}
}

// withoutHeaders leaves out the lines that begin each process's part.
func withoutHeaders(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "##") && !strings.HasPrefix(line, "#Format") && line != "\n" {
			b.WriteString(line)
		}
	}
	return b.String()
}

func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return "have " + as[i] + "\nwant " + bs[i]
		}
	}
	return "the end"
}
