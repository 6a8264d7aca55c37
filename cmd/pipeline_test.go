package cmd

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/mib/snmp"
	"rtfm/mib/snmp/snmptest"
	"rtfm/reader"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
	"rtfm/ruleset/srl"
	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// csvSink is a record.Sink that writes comma-separated values: a line for each flow,
// and one for each number of a collection.
type csvSink struct {
	w     *csv.Writer
	to    int64
	exact bool // with what flows have counted in the interval, and what rows say of the ruleset
	c     *record.Collection
}

func (t *csvSink) Begin(c *record.Collection) error {
	t.to = c.To - c.Epoch
	t.c = c
	return t.w.Write([]string{"collection", fmt.Sprint(c.Meter, c.First, c.Skipped, (c.From-c.Epoch)/1e7, t.to/1e7)})
}

func (t *csvSink) Flow(f *match.Flow, counted *record.Counters) error {
	row := []string{"flow", fmt.Sprint(f.Shape.RuleSet, f.Index)}
	for _, s := range f.Shape.Saved {
		row = append(row, fmt.Sprintf("%v=%x/%v", s.Attr, f.Value(s.Attr), s.Mask))
	}
	row = append(row, fmt.Sprint(f.FirstTime, f.LastTime), fmt.Sprint(f.ToPDUs, f.FromPDUs, f.ToOctets, f.FromOctets, f.Counters))
	if t.exact {
		row = append(row, fmt.Sprint(counted), fmt.Sprint(t.c.RuleSet(f.Shape.RuleSet), len(t.c.Boot)))
	}
	return t.w.Write(row)
}

func (t *csvSink) End(s *record.Summary) error {
	write := func(name string, values ...any) { t.w.Write(append([]string{name}, fmt.Sprint(values...))) }
	write("flows", s.Flows, s.Lost, s.Uncounted, s.Sampling)
	write("packets", s.Packets, s.Octets, s.Ignored, s.Unmatched, s.Stopped, s.Active)
	for _, r := range s.RuleSets {
		if t.exact {
			write("collected", *r.Collected)
		}
		r.Collected = nil
		write("ruleset", r)
	}
	for _, n := range s.More {
		write(n.Name, n.Value)
	}
	t.w.Flush()
	return t.w.Error()
}

// TestPipeline has one sink take the collections of a meter in this process, of
// one over SNMP in step, and of the flow data file of the first.
func TestPipeline(t *testing.T) {
	for _, name := range []string{"all-flows", "packet-sizes", "networks"} {
		t.Run(name, func(t *testing.T) {
			rules, err := loadRuleSet("ruleset/examples/"+name+".srl", nil, srl.Options{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var exact, local, remote, file, text bytes.Buffer
			columns := textOfAll(t, rules)
			inProcess(t, rules, &csvSink{w: csv.NewWriter(&exact), exact: true}, true)
			inProcess(t, rules, &csvSink{w: csv.NewWriter(&local)}, false)
			inProcess(t, rules, flowfile.NewSink(&text, flowfile.Header{Version: flowfile.Release("test"), Meter: "m"}, columns, flowfile.Options{Statistics: true}), false)
			overSNMP(t, rules, &remote)
			fromFile(t, &text, &csvSink{w: csv.NewWriter(&file)})
			same(t, "over SNMP", remote.String(), exact.String())
			same(t, "from the file", file.String(), local.String())
		})
	}
}

// textOfAll returns columns of all that text can tell of the rules' flows.
func textOfAll(t *testing.T, rules *ruleset.RuleSet) *ruleset.Format {
	t.Helper()
	names := "FlowRuleSet FlowIndex FirstTimeNs LastActiveTimeNs SavedAttributes ToPDUs FromPDUs ToOctets FromOctets"
	for _, a := range rules.Saves() {
		names += " " + a.String()
		if m := a.Mask(); m != 0 {
			names += " " + m.String()
		}
	}
	f, err := ruleset.ParseFormat(names)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// same compares two tables.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	if len(w) < 100 {
		t.Errorf("only %d lines in process", len(w))
	}
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("line %d %s:\n%s\nin process:\n%s", i+1, what, g[i], w[i])
		}
	}
	if len(g) != len(w) {
		t.Errorf("%d lines %s, %d in process", len(g), what, len(w))
	}
}

const pipelineInterval = 20 * time.Second

// pipelineTrace returns the packets that are metered: their times begin with a
// whole second, which is all that text tells of the meter's start.
func pipelineTrace(t *testing.T) traces.Source {
	t.Helper()
	packets := tracetest.Mix(2000)
	from := packets[0].Time / 1e9 * 1e9
	for i := range packets {
		packets[i].Time = from + int64(i)*100_000_000
		if i >= 1500 {
			packets[i].Time += 3_600_000_000_000 // more intervals than are told
		}
	}
	src, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...)), "test")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func inProcess(t *testing.T, rules *ruleset.RuleSet, to record.Sink, differences bool) {
	t.Helper()
	m, err := meter.New(meter.Config{
		RuleSets: []*ruleset.RuleSet{rules}, MaxFlows: 10_000, Interval: pipelineInterval,
		InactivityTimeout: meter.DefaultInactivityTimeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &runSink{meter: metered{Meter: m}, process: record.Process{Differences: differences}, to: to, name: "m", errors: t.Output(), ruleSets: running(m, []*ruleset.RuleSet{rules})}
	if err := m.Run(t.Context(), pipelineTrace(t), s); err != nil || s.faulty {
		t.Fatal(err)
	}
}

// memory is a reader.Output that remembers nothing.
type memory struct{ w io.Writer }

func (m memory) Append(write func(io.Writer, bool) error) error { return write(m.w, true) }
func (m memory) Remember(*reader.State) error                   { return nil }

func overSNMP(t *testing.T, rules *ruleset.RuleSet, out io.Writer) {
	t.Helper()
	m := control.New(control.Config{Config: meter.Config{MaxFlows: 10_000, Interval: pipelineInterval}})
	c, err := client.Dial(t.Context(), client.Config{
		Address: snmptest.Serve(t, snmp.Config{WriteCommunity: "test"}, mib.New(m)), Community: "test", Timeout: 2 * time.Second, Retries: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- m.Run(ctx, pipelineTrace(t), func(err error) { t.Error(err) }) }()
	defer func() { stop(); <-done }()
	k := reader.New(reader.Config{
		Header: flowfile.Header{Meter: "m"}, JSON: true, Owner: "test", FirstRow: 1, LastRow: 10,
		Sink: func(w io.Writer) record.Sink { return &csvSink{w: csv.NewWriter(w), exact: true} },
		Warn: func(err error) { t.Error(err) },
	}, memory{out}, nil)
	sets := []reader.RuleSet{{Index: 2, Rules: rules}}
	for _, err := range []error{
		c.PutRuleSet(t.Context(), 2, "me", rules),
		k.Register(t.Context(), c, sets),
		c.CreateManager(t.Context(), 1, &mib.Manager{CurrentRuleSet: 2}),
		c.StartManagers(t.Context(), 1),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for !k.Ended() {
		if _, err := k.Step(t.Context(), c, func() ([]reader.RuleSet, error) { return sets, nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func fromFile(t *testing.T, text io.Reader, to record.Sink) {
	t.Helper()
	for all := flowfile.NewCollections(text); ; {
		from, err := all.Next()
		if err == io.EOF {
			return
		}
		if err == nil {
			_, err = record.Copy(to, from)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
