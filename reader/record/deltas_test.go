package record

import (
	"math"
	"slices"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// buckets returns a distribution with so many buckets before the overflow.
func buckets(a attr.Attr, n int) attr.Measure {
	return attr.Measure{Attr: a, Value: attr.MakeValue(byte(n), 0, 0, 0, 0, 0)}
}

// TestDeltasOfDistributions follows the counters of a flow's distributions.
func TestDeltasOfDistributions(t *testing.T) {
	var shapes match.Shapes
	shape := shapes.Intern(2, 0, 0, nil, buckets(attr.ToPacketSize, 1), buckets(attr.FromPacketSize, 0))
	f := match.Flow{FlowKey: match.FlowKey{Shape: shape}, Index: 3, FirstTime: 5}
	var d Deltas
	for i, step := range []struct {
		first    int64
		counters [][]uint64
		want     []uint64
	}{
		{5, [][]uint64{{1, 2}, {3}}, []uint64{1, 2, 3}},
		{5, [][]uint64{{1, 5}, {10}}, []uint64{0, 3, 7}},
		{5, [][]uint64{{1, 5}, {10}}, []uint64{0, 0, 0}},
		{6, [][]uint64{{1, 5}, {10}}, []uint64{1, 5, 10}}, // another flow
	} {
		f.FirstTime, f.Counters = step.first, step.counters
		got := d.Since(&f)
		clear(step.counters[0]) // are only valid for the moment
		if !slices.Equal(got.Measures, step.want) {
			t.Errorf("step %d: %v, want %v", i, got.Measures, step.want)
		}
	}
	if all := CountersOf(&f); !slices.Equal(all.Measures, []uint64{0, 0, 10}) {
		t.Errorf("%+v", all)
	}
}

// TestDeltasBound gives memory of counters more than it has room for, in rows
// that a meter can choose: it forgets, and never takes one flow for another.
func TestDeltasBound(t *testing.T) {
	var shapes match.Shapes
	flow := func(index uint32, packets uint64, counters ...uint64) *match.Flow {
		f := &match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 0, 0, nil)}, Index: index, FirstTime: 5, ToPDUs: packets}
		if counters != nil {
			f.Shape = shapes.Intern(2, 0, 0, nil, buckets(attr.ToPacketSize, len(counters)-1))
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
		read := d.Readings()
		for _, f := range flows {
			read.Add(f)
		}
		return d.KeepAll(&read)
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
	if _, exact := d.Peek(flow(1, 9)); exact {
		t.Error("the difference of a flow that was forgotten")
	}
	keep(flow(1, 1))
	if keep(flow(1, 2, make([]uint64, room*pageOctets)...)) || len(d.pages) != 0 || len(d.distributions) != 0 {
		t.Error("large distributions are kept")
	}
	keep(flow(1, 2, 4, 5))
	if got, exact := d.Peek(flow(1, 3, 5, 9)); !exact || len(got.Measures) != 2 || got.Measures[1] != 4 {
		t.Errorf("%+v", got)
	}
	keep(flow(1, 3))
	if d.octets != pageOctets || len(d.distributions) != 0 {
		t.Errorf("%d octets for one flow", d.octets)
	}
}
