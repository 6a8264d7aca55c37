package client

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/mib"
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
	src, err := traces.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...)), "test")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// metered returns a client of a meter that has run rs over packets and has
// some of its flow table empty.
func metered(t testing.TB, rs *ruleset.RuleSet, packets []traces.Packet) *Client {
	t.Helper()
	m := meter.NewControlled(meter.ControlConfig{MaxFlows: meter.DefaultMaxFlows})
	c := dial(t, serve(t, mib.New(m)))
	if err := c.PutRuleSet(t.Context(), 2, "me", rs); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateManager(t.Context(), 1, &mib.Manager{CurrentRuleSet: 2}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- m.Run(ctx, source(t, packets), func(err error) { t.Error(err) }) }()
	t.Cleanup(func() { stop(); <-done })
	for {
		st, err := c.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st.Counts.Packets == uint64(len(packets)) {
			return c
		}
		time.Sleep(time.Millisecond)
	}
}

// direct is a sink that keeps the flows of a meter.
type direct struct {
	m     *meter.Meter
	flows map[uint32]ruleset.Flow
	start int64
}

func (d *direct) Collect(c meter.Collection) error {
	d.start = c.Start
	return d.m.Flows(func(f *ruleset.Flow) error { d.flows[f.Index] = *f; return nil })
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
	d := &direct{m: m, flows: make(map[uint32]ruleset.Flow)}
	if err := m.Run(t.Context(), source(t, packets), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// show returns all of a flow that can be known through SNMP.
func show(f *ruleset.Flow, start int64) string {
	return fmt.Sprintln(f.Index, ruleset.Uptime(f.FirstTime, start), ruleset.Uptime(f.LastTime, start),
		f.ToOctets, f.ToPDUs, f.FromOctets, f.FromPDUs, f.Shape.PeerLen, f.Shape.AdjacentLen, f.Shape.Saved, f.Key)
}

// TestFlows reads flows in all ways and compares them with those of the meter.
func TestFlows(t *testing.T) {
	packets := tracetest.Mix(5000)
	for i := range packets {
		packets[i].Time += int64(i) * 100_000_000 // to take 500 s
	}
	for _, name := range []string{"all-flows", "networks", "services"} {
		rs := program(t, name)
		want := flowsOf(t, rs, packets)
		c := metered(t, rs, packets)
		st, err := c.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for method := Blocks; method <= Columns; method++ {
			for _, since := range []uint64{0, 40_000} {
				seen := make(map[uint32]bool)
				q := FlowQuery{
					RuleSet: 2, Since: since, Uptime: uint64(st.Uptime), Epoch: st.Start,
					Attrs: rs.Saves(), Method: method, MaxFlows: st.MaxFlows,
				}
				err := c.Flows(t.Context(), &q, func(f *ruleset.Flow) error {
					w := want.flows[f.Index]
					if seen[f.Index] {
						t.Errorf("%s: flow %d comes twice", name, f.Index)
					}
					seen[f.Index] = true
					if g, w := show(f, st.Start), show(&w, want.start); g != w {
						t.Fatalf("%s, method %d: have %s want %s", name, method, g, w)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				for i, f := range want.flows {
					if active := ruleset.Uptime(f.LastTime, want.start) >= since; seen[i] != active {
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
		q := FlowQuery{RuleSet: 2, Method: method, Attrs: []ruleset.Attr{ruleset.SourcePeerAddress}}
		if err := c.Flows(t.Context(), &q, func(*ruleset.Flow) error { t.Error("a flow"); return nil }); err != nil {
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
	return &FlowQuery{RuleSet: 2, Uptime: 1 << 33, Epoch: 1, MaxFlows: 1000, Attrs: []ruleset.Attr{
		ruleset.SourcePeerAddress, ruleset.DestPeerAddress, ruleset.SourceAdjacentAddress, ruleset.SourceTransAddress,
		ruleset.SourcePeerType, ruleset.VLANid, ruleset.SessionID,
	}}
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
	return append(b, 1, 0, 5, 3, 'a', 'b', 'c')
}

func FuzzBlock(f *testing.F) {
	f.Add(record([]byte{0, 1}, 7), uint32(0), uint32(7))
	f.Add(record(record([]byte{0, 2}, 7), 8), uint32(6), uint32(8))
	f.Add([]byte{0, 0}, uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, after, last uint32) {
		before := after
		p := newPass(fuzzQuery(), ruleset.Attr.Readable, func(fl *ruleset.Flow) error {
			if fl.Index <= before || fl.Index > last || fl.Shape == nil || fl.LastTime < fl.FirstTime || fl.FirstTime < 1 {
				t.Errorf("behind flow %d came %+v", before, fl)
			}
			before = fl.Index
			return nil
		})
		_ = p.block(b, after, last)
	})
}

func FuzzPackage(f *testing.F) {
	p := newPass(fuzzQuery(), ruleset.Attr.Readable, nil)
	var good []byte
	for i := range p.fields {
		if p.fields[i].typ == smi.OctetString {
			good = append(good, byte(smi.OctetString), 1, 0xff)
		} else {
			good = append(good, byte(p.fields[i].typ), 1, 5)
		}
	}
	f.Add(append(smi.AppendBERHeader(nil, smi.TagSequence, len(good)), good...), uint32(5))
	f.Fuzz(func(t *testing.T, b []byte, index uint32) {
		n := 0
		p := newPass(fuzzQuery(), ruleset.Attr.Readable, func(fl *ruleset.Flow) error {
			if n++; fl.Index != index || fl.Shape == nil || fl.LastTime < fl.FirstTime {
				t.Errorf("flow %d is %+v", index, fl)
			}
			return nil
		})
		err := p.pack(b, index, make([]smi.Value, len(p.fields)))
		if (err == nil) != (n == 1) {
			t.Errorf("%d flows, error %v", n, err)
		}
	})
}
