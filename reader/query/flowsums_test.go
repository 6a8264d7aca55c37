package query

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TestFlowSums adds flows up over random collections, of which some fail, of two runs
// of a meter which uses indexes again: all that counted, and those that counted most.
func TestFlowSums(t *testing.T) {
	var shapes match.Shapes
	shape := shapes.Intern(2, 0, 0, nil)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rows := rnd.IntN(5)
		top := NewTop(Options{Columns: []attr.Attr{attr.FlowIndex}, Rows: rows})
		keyed := NewTop(Options{By: by(t, "FlowIndex"), Full: true})
		want, wantKeyed := map[string]uint64{}, map[string]uint64{}
		for n := range 1 + rnd.IntN(6) {
			c := record.Collection{Meter: "m", Epoch: int64(rnd.IntN(2)), From: int64(n), To: int64(n + 1)}
			top.Begin(&c)
			keyed.Begin(&c)
			add, addKeyed := map[string]uint64{}, map[string]uint64{}
			for range rnd.IntN(12) {
				f := match.Flow{FlowKey: match.FlowKey{Shape: shape}, Index: uint32(rnd.IntN(40))}
				f.FirstTime = c.Epoch + int64(f.Index)
				if n > 2 {
					f.FirstTime += 100 // the flows before have ended
				}
				counted := record.Counters{ToOctets: 1 + rnd.Uint64N(1000)}
				f.LastTime = c.To
				add[fmt.Sprint(c.Epoch, f.Index, f.FirstTime)] += counted.ToOctets
				addKeyed[fmt.Sprint(f.Index)] += counted.ToOctets
				top.Flow(&f, &counted)
				keyed.Flow(&f, &counted)
			}
			if rnd.IntN(3) == 0 {
				continue // the collection has failed
			}
			top.End(new(record.Summary))
			keyed.End(new(record.Summary))
			for key, octets := range addKeyed {
				wantKeyed[key] += octets
			}
			for key, octets := range add {
				want[key] += octets
			}
		}
		gotKeyed := map[string]uint64{}
		for _, row := range keyed.Tables()[0].Rows {
			var n uint64
			fmt.Sscan(row[5].Exact(), &n)
			gotKeyed[row[0].Exact()] = n
		}
		if !maps.Equal(gotKeyed, wantKeyed) {
			t.Fatalf("%v, want %v", gotKeyed, wantKeyed)
		}
		var octets []uint64
		for _, n := range want {
			octets = append(octets, n)
		}
		slices.SortFunc(octets, func(a, b uint64) int { return cmp.Compare(b, a) })
		tb := top.Tables()[0]
		if rows > 0 {
			octets = octets[:min(len(octets), rows)]
		}
		var got []uint64
		for _, row := range tb.Rows {
			var n uint64
			fmt.Sscan(row[1].Exact(), &n)
			got = append(got, n)
		}
		if !slices.Equal(got, octets) || tb.NumOthers != len(want)-len(octets) {
			t.Fatalf("%d rows: %v and %d others, want %v and %d", rows, got, tb.NumOthers, octets, len(want)-len(octets))
		}
	}
}

// TestUntold takes flows apart that nothing tells from each other.
func TestUntold(t *testing.T) {
	const head = "##NeTraMet v5.3.  -T10  meter -i eth0  4000 flows  starting at 12:00:00 Wed 1 Feb 1995\n#Format: flowruleset sourcetransaddress tooctets\n" +
		"#Time: 12:00:10 Wed  1 Feb 1995 meter Flows from 1 to 1000\n"
	const text = head + "2 80 100\n2 80 50\n2 80 70\n#EndData: flows=3\n"
	for _, total := range []bool{false, true} {
		top := NewTop(Options{Rows: 2, Total: total})
		if err := readInto(top, new(Intervals), text); err != nil {
			t.Fatal(err)
		}
		if tb := top.Tables()[0]; len(tb.Rows) != 2 || tb.NumOthers != 1 || top.sections[2].all.octets != 220 {
			t.Errorf("%+v", tb)
		}
	}
}
