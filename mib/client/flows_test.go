package client

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/traces/format"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/block"
	"rtfm/mib/smi"
	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// program loads an example ruleset.
func program(t testing.TB, name string) *ruleset.RuleSet {
	t.Helper()
	file := "../../ruleset/examples/" + name + ".srl"
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

// source returns a source of packets.
func source(t testing.TB, packets []traces.Packet) traces.Source {
	t.Helper()
	src, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...)), "test")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// metered returns a client of a meter that has run rs over packets and has
// some of its flow table empty; front returns the client of a meter.
func metered(t testing.TB, front func(mib.Meter) *Client, rs *ruleset.RuleSet, packets []traces.Packet) *Client {
	t.Helper()
	m := control.New(control.Config{Config: meter.Config{MaxFlows: meter.DefaultMaxFlows}})
	c := front(m)
	if err := c.PutRuleSet(t.Context(), 2, "me", rs); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateManager(t.Context(), 1, &mib.Manager{CurrentRuleSet: 2}); err != nil {
		t.Fatal(err)
	}
	if err := c.StartManagers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- m.Run(ctx, source(t, packets), func(err error) { t.Error(err) }) }()
	t.Cleanup(func() { stop(); <-done })
	for {
		tr, err := c.Trace(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if tr.State == mib.TraceEnded { // and with it all streams
			return c
		}
		time.Sleep(time.Millisecond)
	}
}

// direct is a sink that keeps the flows of a meter.
type direct struct {
	m     *meter.Meter
	flows map[uint32]match.Flow
	start int64
}

func (d *direct) Collect(c meter.Collection) error {
	d.start = c.Start
	return d.m.Flows(func(f *match.Flow) error {
		kept := *f
		kept.Counters = nil
		for _, c := range f.Counters {
			kept.Counters = append(kept.Counters, slices.Clone(c))
		}
		d.flows[f.Index] = kept
		return nil
	})
}
func (d *direct) Damage(error)                    {}
func (d *direct) BackInTime(string, int64, int64) {}

// flowsOf returns the flows of a meter that runs rs over packets.
func flowsOf(t testing.TB, rs *ruleset.RuleSet, packets []traces.Packet) *direct {
	t.Helper()
	m, err := meter.New(meter.Config{RuleSets: []*ruleset.RuleSet{rs}, MaxFlows: meter.DefaultMaxFlows})
	if err != nil {
		t.Fatal(err)
	}
	d := &direct{m: m, flows: make(map[uint32]match.Flow)}
	if err := m.Run(t.Context(), source(t, packets), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// show returns all of a flow that can be known through SNMP.
func show(f *match.Flow, start int64) string {
	return fmt.Sprintln(f.Index, match.Uptime(f.FirstTime, start), match.Uptime(f.LastTime, start),
		f.ToOctets, f.ToPDUs, f.FromOctets, f.FromPDUs, f.Shape.PeerLen, f.Shape.AdjacentLen, f.Shape.Saved, f.Key,
		f.Shape.Measures, f.Counters)
}

// everyDistribution returns a ruleset whose flows of TCP have all distributions,
// as large as they may be, others have some, and IPv6 has none.
func everyDistribution(t testing.TB) *ruleset.RuleSet {
	t.Helper()
	var all, some strings.Builder
	for _, in := range attr.All() {
		if in.Class != attr.ClassDistrib {
			continue
		}
		kind := "0"
		switch {
		case in.Attr.Unit() == "bits/s" || in.Attr.Unit() == "PDUs/s":
			kind = "7"
		case in.Attr.CountsPairs():
			kind = "dns"
		}
		fmt.Fprintf(&all, "save %s = 255.%s & 1.0.0!2000;\n", in.Name, kind)
		if in.Attr%5 == 0 {
			fmt.Fprintf(&some, "save %s = 3.%s & 2.1.1!10;\n", in.Name, kind)
		}
	}
	text := fmt.Sprintf(`
		save SourceTransType; save SourcePeerType; save DestPeerAddress;
		if SourcePeerType == ipv4 {
			if SourceTransType == tcp { %s count; }
			else { %s count; }
		}
		count;`, &all, &some)
	rs, _, err := compile.Source("every.srl", []byte(text), srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// TestFlows reads flows in all ways and compares them with those of the meter.
func TestFlows(t *testing.T) {
	t.Parallel()
	testFlows(t, func(m mib.Meter) *Client { return dial(t, serve(t, mib.New(m))) }, Blocks, Packages, Columns)
}

// TestFlowsBySnmpd does it through snmpd, less the slowest way.
func TestFlowsBySnmpd(t *testing.T) {
	t.Parallel()
	testFlows(t, func(m mib.Meter) *Client { return dialSnmpd(t, m) }, Blocks, Packages)
}

// dialSnmpd returns a client of a meter behind snmpd.
func dialSnmpd(t *testing.T, m mib.Meter) *Client {
	t.Helper()
	c, err := Dial(t.Context(), Config{Address: startSnmpd(t, m), Community: "v2c", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// largest returns the greatest numbers that a flow can have of a measure.
func largest(d *attr.Measure) []uint64 {
	numbers := slices.Repeat([]uint64{math.MaxUint64}, d.Counters())
	switch d.Attr.Form() {
	case attr.FormFlags:
		numbers[0] = math.MaxUint8
	case attr.FormPackets:
		numbers[0] = attr.MaxListed
	case attr.FormDigest:
		numbers[2] = math.MaxUint32
	}
	return numbers
}

// TestSplit has statistics share queries: each with no more attributes than a block may
// name, nor more octets than it may have.
func TestSplit(t *testing.T) {
	var saved, statistics, all []attr.Attr
	for _, in := range attr.All() {
		switch {
		case in.Attr.Form() != attr.FormBuckets:
			statistics = append(statistics, in.Attr)
		case in.Attr.IsMeasure():
			all = append(all, in.Attr)
		case in.Class == attr.ClassInteger && len(saved) < 10:
			saved = append(saved, in.Attr)
		}
	}
	for _, tt := range []struct {
		attrs   []attr.Attr
		queries int
	}{
		{saved, 1},
		{slices.Concat(saved, all[:2]), 1},
		{slices.Concat(saved, all[:3]), 2},
		{slices.Concat(saved, statistics[:14]), 1},
		{slices.Concat(saved, statistics), 2},
		{slices.Concat(saved, all, statistics), (len(all)+1)/2 + 1},
	} {
		q := FlowQuery{Attrs: tt.attrs, Exact: true}
		var read []attr.Attr
		queries := q.split()
		for _, some := range queries {
			octets := 0
			for _, a := range some.Attrs {
				if read = append(read, a); a.IsMeasure() {
					octets += block.MeasureOctets(a)
				}
			}
			if n := len(fieldsFor(exactly, some.Attrs)); n > block.MaxFields || octets > block.MaxMeasures {
				t.Errorf("%v: %d attributes, and %d octets of measures", some.Attrs, n, octets)
			}
		}
		if len(queries) != tt.queries || !slices.Equal(read, tt.attrs) {
			t.Errorf("%d queries for %d of %d attributes, want %d", len(queries), len(read), len(tt.attrs), tt.queries)
		}
	}
}

// TestLargestFlows reads flows that have every distribution, with all counters
// as large as they can be: too much for one datagram.
func TestLargestFlows(t *testing.T) {
	t.Parallel()
	const flows = 100
	m := newTableMeter(flows)
	var attrs []attr.Attr
	var distributions []attr.Measure
	for _, in := range attr.All() {
		if in.Attr.IsMeasure() {
			attrs = append(attrs, in.Attr)
			d := attr.Measure{Attr: in.Attr, Mask: attr.MakeValue(1, 0, 0, 0, 255, 255), Value: attr.MakeValue(255, 1, 0, 0, 0, 0)}
			if in.Class == attr.ClassStatistic {
				d.Mask, d.Value = attr.MakeValue(0, 0, 0, 0, 0, 0), attr.MakeValue(0, 0, 0, 0, 0, 0)
			}
			if in.Attr.Form() == attr.FormPackets {
				d.Value = attr.MakeValue(attr.MaxListed, 0, 0, 0, 0, 0)
			}
			distributions = append(distributions, d)
			m.counters = append(m.counters, largest(&d))
		}
	}
	var shapes match.Shapes
	m.shape = shapes.Intern(2, 4, 0, m.shape.Saved, distributions...)
	formatted := slices.Clone(attrs) // what is saved is named by a format, too, in its order
	slices.Reverse(formatted)
	attrs = append(attrs, formatted...)
	for front, c := range map[string]*Client{"embedded": dial(t, serve(t, mib.New(m))), "snmpd": dialSnmpd(t, m)} {
		for method := Blocks; method <= Packages; method++ {
			n := uint32(0)
			q := FlowQuery{RuleSet: 2, Uptime: 1e5, Method: method, MaxFlows: flows, Attrs: attrs}
			err := c.Flows(t.Context(), &q, func(f *match.Flow) error {
				if n++; f.Index != n || !reflect.DeepEqual(f.Shape.Measures, distributions) || !reflect.DeepEqual(f.Counters, m.counters) {
					t.Fatalf("%s, method %d: flow %d is %+v", front, method, n, f)
				}
				return nil
			})
			if err != nil || n != flows {
				t.Errorf("%s, method %d: %v, %d flows of %d", front, method, err, n, flows)
			}
		}
	}
}

func testFlows(t *testing.T, front func(mib.Meter) *Client, methods ...Method) {
	n := 5000
	if testing.Short() {
		n = 1000
	}
	packets := tracetest.Mix(n)
	for i := range packets {
		packets[i].Time += int64(i) * int64(500*time.Second) / int64(n)
	}
	rulesets := []*ruleset.RuleSet{everyDistribution(t)}
	for _, name := range []string{"all-flows", "networks", "services", "web-turnaround"} {
		rulesets = append(rulesets, program(t, name))
	}
	for _, rs := range rulesets {
		name := rs.Name
		want := flowsOf(t, rs, packets)
		c := metered(t, front, rs, packets)
		st, err := c.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range methods {
			for _, since := range []uint64{0, 40_000} {
				seen := make(map[uint32]bool)
				q := FlowQuery{
					RuleSet: 2, Since: since, Uptime: uint64(st.Uptime), Epoch: st.Start,
					Attrs: rs.Saves(), Exact: since == 0, Method: method, MaxFlows: st.MaxFlows,
				}
				err := c.Flows(t.Context(), &q, func(f *match.Flow) error {
					w := want.flows[f.Index]
					if seen[f.Index] {
						t.Errorf("%s: flow %d comes twice", name, f.Index)
					}
					seen[f.Index] = true
					if method == Columns && w.Shape != nil && len(w.Shape.Measures) > 0 {
						shape := *w.Shape
						shape.Measures = nil
						w.Shape, w.Counters = &shape, nil
					}
					if g, w := show(f, st.Start), show(&w, want.start); g != w {
						t.Fatalf("%s, method %d: have %s want %s", name, method, g, w)
					}
					if q.Exact && method != Columns && (f.FirstTime != w.FirstTime || f.LastTime != w.LastTime) {
						t.Errorf("%s, method %d: times %d and %d, want %d and %d", name, method, f.FirstTime, f.LastTime, w.FirstTime, w.LastTime)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				for i, f := range want.flows {
					active := match.Uptime(f.LastTime, want.start) >= since
					ended := len(f.Shape.Measures) > 0 // a stream may have, later
					if seen[i] != active && !(seen[i] && ended) {
						t.Errorf("%s, method %d, since %d: flow %d was read: %v", name, method, since, i, seen[i])
					}
				}
			}
		}
	}
}

// TestNoFlows reads a ruleset that is not there.
func TestNoFlows(t *testing.T) {
	_, c := newMeter(t)
	for method := Blocks; method <= Columns; method++ {
		q := FlowQuery{RuleSet: 2, Method: method, Attrs: []attr.Attr{attr.SourcePeerAddress}}
		if err := c.Flows(t.Context(), &q, func(*match.Flow) error { t.Error("a flow"); return nil }); err != nil {
			t.Error(err)
		}
	}
}

// TestNear finds the uptime that a TimeTicks value stands for.
func TestNear(t *testing.T) {
	const wrap = 1 << 32
	for _, c := range []struct {
		ticks uint32
		now   uint64
		want  int64
	}{
		{100, 100, 100}, {99, 100, 99}, {101, 100, 101}, {0, 0, 0},
		{math.MaxUint32, wrap, wrap - 1},
		{5, wrap - 5, wrap + 5},
		{500, 3*wrap + 499, 3*wrap + 500},
		{500, 3*wrap + 501, 3*wrap + 500},
		{1 << 31, 100, 1<<31 - wrap}, // before the start
	} {
		if got := near(c.ticks, c.now); got != c.want {
			t.Errorf("%d at %d is %d, want %d", c.ticks, c.now, got, c.want)
		}
	}
}

// FuzzBlock and FuzzPackage give what a meter may answer to the decoders.

func fuzzQuery() *FlowQuery {
	return &FlowQuery{RuleSet: 2, Uptime: 1 << 33, Epoch: 1, MaxFlows: 1000, Attrs: []attr.Attr{
		attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceAdjacentAddress, attr.SourceTransAddress,
		attr.SourcePeerType, attr.VLANid, attr.SessionID, attr.ToBitRate, attr.FromLostPDUs,
	}}
}

// someObject is a distribution of 2 buckets as a meter tells it.
var someObject = []byte{
	0x30, 27, 4, 6, 1, 0, 0, 1, 0, 3, 4, 6, 2, 1, 0, 0, 0, 0,
	0x30, 9, 0x46, 1, 5, 0x46, 1, 6, 0x46, 1, 7,
}

// record appends what fuzzQuery asks of a flow, as a block has it.
func record(b []byte, index byte) []byte {
	b = append(b, 0, 0, 0, index, 0, 0, 0, 1, 0, 0, 0, 2)
	b = append(b, make([]byte, 4*8)...)
	for _, n := range []int{4, 4, 6, 2} {
		for range 2 { // address and mask
			b = append(b, byte(n))
			for range n {
				b = append(b, 0xff)
			}
		}
	}
	b = append(b, 1, 0, 5, 3, 'a', 'b', 'c')
	return append(append(append(b, 0, byte(len(someObject))), someObject...), 0, 0)
}

// whole reports whether a flow has counters for each of its buckets.
func whole(f *match.Flow) bool {
	if f.Shape == nil || len(f.Counters) != len(f.Shape.Measures) {
		return false
	}
	for i := range f.Counters {
		if d := &f.Shape.Measures[i]; len(f.Counters[i]) != d.Counters() || d.Check() != nil {
			return false
		}
	}
	return true
}

// TestObject reads a distribution, and what is none.
func FuzzBlock(f *testing.F) {
	f.Add(record([]byte{0, 1}, 7), uint32(0), uint32(7))
	f.Add(record(record([]byte{0, 2}, 7), 8), uint32(6), uint32(8))
	f.Add([]byte{0, 0}, uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, after, last uint32) {
		before := after
		p := newPass(fuzzQuery(), attr.Attr.Readable, func(fl *match.Flow) error {
			if fl.Index <= before || fl.Index > last || !whole(fl) || fl.LastTime < fl.FirstTime || fl.FirstTime < 1 {
				t.Errorf("behind flow %d came %+v", before, fl)
			}
			before = fl.Index
			return nil
		})
		_ = p.block(b, after, last)
	})
}

func FuzzPackage(f *testing.F) {
	p := newPass(fuzzQuery(), attr.Attr.Readable, nil)
	var names smi.OID
	for i := range p.fields {
		names, _ = block.Packages.AppendName(names, p.fields[i].attr)
	}
	var work int
	var shapes match.Shapes
	chosen := block.NewSelection(block.Packages, &work)
	chosen.Parse(names)
	f.Add(chosen.AppendPackage(nil, &block.View{Flow: match.Flow{
		FlowKey: match.FlowKey{Shape: shapes.Intern(2, 4, 6, nil)}, Index: 5, FirstTime: 1e9, LastTime: 2e9,
	}}), uint32(5))
	f.Fuzz(func(t *testing.T, b []byte, index uint32) {
		n := 0
		p := newPass(fuzzQuery(), attr.Attr.Readable, func(fl *match.Flow) error {
			if n++; fl.Index != index || !whole(fl) || fl.LastTime < fl.FirstTime {
				t.Errorf("flow %d is %+v", index, fl)
			}
			return nil
		})
		err := p.pack(b, index)
		if (err == nil) != (n == 1) {
			t.Errorf("%d flows, error %v", n, err)
		}
	})
}
