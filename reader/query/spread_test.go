package query

import (
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TestSpreads shows distributions of flows of which each has others: their units, what
// is above the limits, and what was counted in two records of a flow.
func TestSpreads(t *testing.T) {
	distribution := func(a attr.Attr, value, mask []byte) attr.Measure {
		d := attr.Measure{Attr: a}
		d.Value, d.Mask = attr.MakeValue(value...), attr.MakeValue(mask...)
		return d
	}
	size := distribution(attr.ToPacketSize, []byte{3, 0, 0, 0, 0, 0}, []byte{1, 0, 0, 100, 1, 44})   // 100, 200, 300
	delay := distribution(attr.ToTurnaroundTime, []byte{2, 0, 0, 0, 0, 0}, []byte{1, 3, 0, 1, 0, 2}) // 1 ms, 2 ms
	var shapes match.Shapes
	var both, one match.Flow
	both.Shape, both.Index, both.Counters = shapes.Intern(2, 0, 0, nil, size, delay), 1, [][]uint64{{1, 2, 3, 4}, {5, 0, 0}}
	one.Shape, one.Index, one.Counters = shapes.Intern(2, 0, 0, nil, delay), 2, [][]uint64{{0, 0, 0}}
	top := NewTop(Options{Columns: []attr.Attr{attr.FlowIndex}})
	if err := top.Begin(&record.Collection{To: 1}); err != nil {
		t.Fatal(err)
	}
	top.Flow(&both, &record.Counters{ToOctets: 9, Measures: []uint64{1, 0, 0, 9, 3, 1, 0}})
	top.Flow(&both, &record.Counters{ToOctets: 8, Measures: []uint64{1, 2, 3, 4, 5, 0, 0}})
	top.Flow(&one, &record.Counters{ToOctets: 7})
	top.End(&record.Summary{})
	var b strings.Builder
	if err := top.Tables()[0].Text(&b, table.Options{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for i, want := range []string{
		"FlowIndex PacketSize n median p90 mean Turnaround n median p90 mean Octets",
		"1 20 >300 B >300 B 253 B 9 1.00 ms 2.00 ms 611 µs 17 B",
		"2 - - - - 0 - - - 7 B",
		"total 24 B",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("line %d is %s\nwant %s", i+1, got, want)
		}
	}
}
