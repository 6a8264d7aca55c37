package cmd

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// TestFlowTable prints flows that have distributions, and some that have none.
func TestFlowTable(t *testing.T) {
	flows := `##NeTraMet v5.3 (rtfm test).  -c300  m  1000000 flows  starting at 09:13:25 Sat 21 Nov 2026
#Format: flowindex topacketsize  toturnaroundtime1 topdus
#Time: 09:17:56 Sat 21 Nov 2026 m Flows from 1 to 27175
1 1.0.250!1500:6.0.0!0:4:0:0:0:0:0:0 2.2.1!1000:7.11.0!0:0:30:8:1:0:0:0:1  39
20 1.0.250!1500:6.0.0!0:0:0:0:0:0:0:0 0  18446744073709551615
#EndData: flows=2 lost=0 uncounted=0 sampling=1
`
	// Means of 30 values in the middle of 100 to 316, 8 of 316 to 1000, one of
	// 1000 to 3162, and one at 100000.
	want := `flowindex  topacketsize(octets)                     toturnaroundtime1(microseconds)                      topdus
1          n=4,mean=125.0,p50=250,p90=250,p99=250  n=40,mean=2840.1,p50=316,p90=1000,p99=>100000  39
20         n=0                                     -                                              18446744073709551615
`
	var b strings.Builder
	if err := writeTable(&b, func() io.Reader { return strings.NewReader(flows) }); err != nil {
		t.Fatal(err)
	}
	if squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }; squeeze(b.String()) != squeeze(want) {
		t.Errorf("have\n%s\nwant\n%s", &b, want)
	}
	for i, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if at := strings.Index(line, []string{"toturn", "n=40", "-"}[i]); at != strings.Index(b.String(), "toturn") {
			t.Errorf("line %d has its third column at %d", i, at)
		}
	}
}

// TestStatisticCells shows each form of statistics.
func TestStatisticCells(t *testing.T) {
	flows := `##NeTraMet v5.3 (rtfm test).  -c300  m  1000000 flows  starting at 09:13:25 Sat 21 Nov 2026
#Format: flowindex tosizestats togapstats tohoplimitrange totcpflags toresets flowid
#Time: 09:17:56 Sat 21 Nov 2026 m Flows from 1 to 27175
1 3:210:14900:60:90 0:0:0:0:0 7:63:64 18:0:1:0:0:5:0:0:0 5 000000000000001f
2 0 1:5:25:5:5 0:0:0 0 0 0
#EndData: flows=2 lost=0 uncounted=0 sampling=1
`
	want := [][]string{
		{"flowindex", "tosizestats(octets)", "togapstats(ns)", "tohoplimitrange(hops)", "totcpflags", "toresets(PDUs)", "flowid"},
		{"1", "n=3,mean=70.0,sd=10.0,min=60,max=90", "n=0", "n=7,min=63,max=64", "...A..S.", "5", "000000000000001f"},
		{"2", "-", "n=1,mean=5.0,min=5,max=5", "n=0", "-", "0", "-"},
	}
	var rows [][]string
	err := eachRow(strings.NewReader(flows), func(cells []string) error {
		rows = append(rows, slices.Clone(cells))
		return nil
	})
	if err != nil || !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("%v: have\n%q\nwant\n%q", err, rows, want)
	}
}
