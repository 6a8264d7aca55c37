package reader

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/meter"
	"rtfm/traces"
)

// TestDeltasBound gives memory of counters more than it has room for, in rows
// that a meter can choose: it forgets, and never takes one flow for another.
func TestDeltasBound(t *testing.T) {
	var shapes match.Shapes
	flow := func(index uint32, packets uint64, counters ...uint64) *match.Flow {
		f := &match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 0, 0, nil)}, Index: index, FirstTime: 5, ToPDUs: packets}
		if counters != nil {
			f.Counters = [][]uint64{counters}
		}
		return f
	}
	var d Deltas
	if n := testing.AllocsPerRun(1, func() { d.Since(flow(math.MaxInt32, 3)) }); n > 10 || d.octets != pageOctets {
		t.Errorf("the highest index: %v allocations, %d octets", n, d.octets)
	}
	if got := d.Since(flow(math.MaxInt32, 7)); got.ToPDUs != 4 {
		t.Errorf("the difference is %d, want 4", got.ToPDUs)
	}

	const room = 10
	d = Deltas{most: room * pageOctets}
	keep := func(flows ...*match.Flow) bool {
		read := readings{room: d.most}
		for _, f := range flows {
			read.add(f)
		}
		return d.keepAll(&read)
	}
	for i := range uint32(room) {
		if !keep(flow(i<<20, 1)) || !keep(flow(i<<20+1, 1)) {
			t.Errorf("flow %d is not kept", i<<20)
		}
	}
	if !keep(flow(1, 2), flow(1<<20, 3)) {
		t.Error("flows that are known are not kept")
	}
	if keep(flow(room<<20, 1)) || len(d.pages) != 0 {
		t.Errorf("%d pages are kept", len(d.pages))
	}
	if _, exact := d.since(flow(1, 9)); exact {
		t.Error("the difference of a flow that was forgotten")
	}
	keep(flow(1, 1))
	if keep(flow(1, 2, make([]uint64, room*pageOctets)...)) || len(d.pages) != 0 || len(d.distributions) != 0 {
		t.Error("large distributions are kept")
	}
	keep(flow(1, 2, 4, 5))
	if got, exact := d.since(flow(1, 3, 5, 9)); !exact || len(got.Distributions) != 2 || got.Distributions[1] != 4 {
		t.Errorf("%+v", got)
	}
	keep(flow(1, 3))
	if d.octets != pageOctets || len(d.distributions) != 0 {
		t.Errorf("%d octets for one flow", d.octets)
	}
}

// TestMaxFlows collects more than is allowed: nothing is written, and it is
// collected when it is allowed.
func TestMaxFlows(t *testing.T) {
	rs := program(t, "all-flows")
	packets := mix(500, 100)
	src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
	c := metering(t, meter.ControlConfig{MaxFlows: 5000}, rs, src, nil)
	src.batches <- packets
	waitFor(t, c, uint64(len(packets)))
	path := t.TempDir() + "/flows"
	f, known := open(t, path)
	defer f.Close()
	cfg := testConfig()
	cfg.JSON = true
	var warned []string
	cfg.Warn = func(err error) { warned = append(warned, err.Error()) }
	sets := []RuleSet{{Index: 2, Rules: rs}}
	for _, cfg.MaxFlows = range []int{1, 10} {
		k := New(cfg, f, known)
		for range 2 {
			if _, err := k.Collect(t.Context(), c, sets); !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "max-flows") {
				t.Errorf("the error is %v", err)
			}
		}
	}
	if len(warned) != 2 || !strings.Contains(warned[0], "room for 5000 flows, and collections of more than 1 are refused") {
		t.Errorf("warnings: %q", warned)
	}
	cfg.MaxFlows = 0
	if r, err := New(cfg, f, known).Collect(t.Context(), c, sets); err != nil || r.Flows == 0 {
		t.Errorf("%v, %+v", err, r)
	}
	// Octets are counted too, whoever writes them.
	w := &limited{w: io.Discard, left: 10, most: 10}
	if _, err := w.Write(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if _, err := w.Write(make([]byte, 1)); !errors.Is(err, ErrLimit) {
		t.Errorf("the error is %v", err)
	}
}
