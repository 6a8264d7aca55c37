package query

import (
	"slices"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// statistic returns a statistic without parameters.
func statistic(a attr.Attr) attr.Measure {
	return attr.Measure{Attr: a, Mask: attr.MakeValue().Resize(attr.DistributionSize), Value: attr.MakeValue().Resize(attr.DistributionSize)}
}

// textOf returns the lines of a table without what is aligned.
func textOf(t *testing.T, tb *table.Table) (lines []string) {
	t.Helper()
	var b strings.Builder
	if err := tb.Text(&b, table.Options{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

// statisticFlow returns a flow between two hosts with statistics.
func statisticFlow(t *testing.T, shapes *match.Shapes, index uint32, from, to byte, measures ...attr.Measure) *match.Flow {
	t.Helper()
	saved := []match.Saved{{Attr: attr.SourcePeerAddress, Mask: attr.Ones(4)}, {Attr: attr.DestPeerAddress, Mask: attr.Ones(4)}}
	f := &match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 4, 0, saved, measures...)}, Index: index}
	copy(f.Key.Peer(attr.Source)[:], []byte{192, 0, 2, from})
	copy(f.Key.Peer(attr.Dest)[:], []byte{192, 0, 2, to})
	return f
}

// TestStatisticRows shows statistics of flows in two collections: numbers that count
// are added, and least and greatest values are those of all.
func TestStatisticRows(t *testing.T) {
	var shapes match.Shapes
	measures := []attr.Measure{statistic(attr.ToSizeStats), statistic(attr.FromGapStats), statistic(attr.ToHopLimitRange), statistic(attr.ToTCPFlags), statistic(attr.ToResets), statistic(attr.FlowID)}
	one := statisticFlow(t, &shapes, 1, 1, 2, measures...)
	two := statisticFlow(t, &shapes, 2, 1, 3)
	top := NewTop(Options{Columns: []attr.Attr{attr.FlowIndex}})
	for i, delta := range [][]uint64{
		{0x1f, 2, 150, 11700, 0, 60, 90, 1, 5e6, 25e12, 0, 5e6, 5e6, 2, 63, 64, 2, 0, 1, 0, 0, 0, 0, 0, 0, 5},
		{0x1f, 1, 60, 3600, 0, 60, 90, 0, 0, 0, 0, 5e6, 5e6, 1, 60, 64, 0x12, 0, 0, 0, 0, 1, 0, 0, 0, 2},
	} {
		if err := top.Begin(&record.Collection{To: int64(i + 1)}); err != nil {
			t.Fatal(err)
		}
		top.Flow(one, &record.Counters{ToOctets: 9, Measures: delta})
		top.Flow(two, &record.Counters{ToOctets: 1})
		top.End(&record.Summary{})
	}
	lines := textOf(t, top.Tables()[0])
	for i, want := range []string{
		"FlowIndex FlowID Size n mean sd min max FromGap n mean sd min max HopLimit n HopLimit min max TCPFlags Resets Octets",
		"1 000000000000001f 3 70.0 B 17.3 B 60 B 90 B 1 5.00 ms - 5.00 ms 5.00 ms 3 60 64 ...A..S. 7 18 B",
		"2 - - - - - - - - - - - - - - - - 2 B",
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %s\nwant %s", i+1, lines[i], want)
		}
	}
}

// TestStatisticGroups adds up statistics by keys, where all flows have them; a
// collection that fails is in no sum.
func TestStatisticGroups(t *testing.T) {
	var shapes match.Shapes
	size, back, resets := statistic(attr.ToSizeStats), statistic(attr.FromSizeStats), statistic(attr.ToResets)
	flows := []*match.Flow{
		statisticFlow(t, &shapes, 1, 1, 2, size, back, resets),
		statisticFlow(t, &shapes, 2, 1, 3, size, back),
		statisticFlow(t, &shapes, 3, 1, 3, size, back, resets),
	}
	deltas := [][]uint64{
		{2, 150, 11700, 0, 60, 90, 1, 1000, 1000000, 0, 1000, 1000, 7},
		{1, 60, 3600, 0, 60, 60, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7},
	}
	for by, want := range map[string][]string{
		"SourcePeerAddress": {
			"SourcePeerAddress ToSize n mean sd min max FromSize n mean sd min max Records",
			"192.0.2.1 3 70.0 B 17.3 B 60 B 90 B 1 1,000 B - 1,000 B 1,000 B 3",
		},
		"Host": {
			"Host SentSize n mean sd min max ReceivedSize n mean sd min max Records",
			"192.0.2.1 3 70.0 B 17.3 B 60 B 90 B 1 1,000 B - 1,000 B 1,000 B 3",
			"192.0.2.2 1 1,000 B - 1,000 B 1,000 B 2 75.0 B 21.2 B 60 B 90 B 1",
			"192.0.2.3 0 - - - - 1 60.0 B - 60 B 60 B 2",
		},
	} {
		keys, err := ParseKeys(by, nil)
		if err != nil {
			t.Fatal(err)
		}
		top := NewTop(Options{By: keys})
		for i := range 2 {
			if err := top.Begin(&record.Collection{To: 1}); err != nil {
				t.Fatal(err)
			}
			for i, f := range flows {
				top.Flow(f, &record.Counters{ToOctets: uint64(9 - 3*i), Measures: deltas[i]})
			}
			if i == 0 { // the other fails
				top.End(&record.Summary{})
			}
		}
		lines := textOf(t, top.Tables()[0])
		for i, want := range want {
			if !strings.HasPrefix(lines[i], want) {
				t.Errorf("by %s: line %d is %s\nwant %s", by, i+1, lines[i], want)
			}
		}
		// What an interval added is not known, of a flow that began before it.
		top.Begin(&record.Collection{To: 1})
		top.Flow(flows[0], &record.Counters{ToOctets: 1})
		top.End(&record.Summary{})
		if line := textOf(t, top.Tables()[0])[0]; strings.Contains(line, "Size") {
			t.Errorf("by %s: unknown numbers are in the sum: %s", by, line)
		}
	}
}

// TestStatisticsOfOtherPairs has turnaround times of other packets in either direction:
// a host has no sum of both.
func TestStatisticsOfOtherPairs(t *testing.T) {
	var shapes match.Shapes
	there, back := statistic(attr.ToTurnaroundStats), statistic(attr.FromTurnaroundStats)
	for kind, want := range map[attr.PairKind]string{attr.PairDNS: "Host SentTurnaround", attr.PairNTP: "Host Records"} {
		there.Value = attr.MakeValue(0, byte(attr.PairDNS)).Resize(attr.DistributionSize)
		back.Value = attr.MakeValue(0, byte(kind)).Resize(attr.DistributionSize)
		keys, err := ParseKeys("Host", nil)
		if err != nil {
			t.Fatal(err)
		}
		top := NewTop(Options{By: keys})
		if err := top.Begin(&record.Collection{To: 1}); err != nil {
			t.Fatal(err)
		}
		top.Flow(statisticFlow(t, &shapes, 1, 1, 2, there, back), &record.Counters{ToOctets: 9, Measures: make([]uint64, 12)})
		top.End(&record.Summary{})
		if line := textOf(t, top.Tables()[0])[0]; !strings.HasPrefix(line, want) {
			t.Errorf("%v: %s, want %s", kind, line, want)
		}
	}
}

// TestStatisticMatch has records pass and fail tests of statistics.
func TestStatisticMatch(t *testing.T) {
	var shapes match.Shapes
	f := statisticFlow(t, &shapes, 1, 1, 2, statistic(attr.ToSizeStats), statistic(attr.FromGapStats), statistic(attr.ToHopLimitRange),
		statistic(attr.ToTCPFlags), statistic(attr.ToResets), statistic(attr.FromResets), statistic(attr.FlowID), statistic(attr.CommunityID), statistic(attr.ToWindowStats))
	f.Counters = [][]uint64{
		{0x1f}, {0x0102030405060708, 0x090a0b0c0d0e0f10, 0x11121314}, {3, 200, 14000, 0, 50, 90}, {2, 10e6, 50e12, 0, 5e6, 5e6}, {0, 0, 0, 0, 0, 0},
		{7, 63, 64}, {0x12, 0, 1, 0, 0, 5, 0, 0, 0}, {5}, {0},
	}
	r := &Row{Flow: f, Counted: &record.Counters{}, Collection: &record.Collection{}}
	for text, want := range map[string]bool{
		"ToResets > 4":             true,
		"toresets == 5":            true,
		"ToResets > 1k":            false,
		"FromResets == 0":          true,
		"ToOutOfOrderPDUs == 0":    false, // it has none
		"ToOutOfOrderPDUs != 0":    false,
		"!(ToOutOfOrderPDUs == 0)": true,
		"ToSizeStats.n == 3":       true,
		"ToSizeStats.mean > 66":    true, // 66.7
		"ToSizeStats.mean < 67":    true,
		"ToSizeStats.mean == 66":   false,
		"ToSizeStats.Mean != 66":   true,
		"ToSizeStats.max == 90 && ToSizeStats.min==50 && ToSizeStats.sum == 0.2k":             true,
		"ToSizeStats.sd > 18 && ToSizeStats.sd < 19":                                          true, // 18.26
		"FromGapStats.mean == 5ms && FromGapStats.sd == 0":                                    true,
		"FromGapStats.max >= 5.000001ms":                                                      false,
		"FromGapStats.mean == 4ms..6ms":                                                       true,
		"ToWindowStats.n == 0":                                                                true,
		"ToWindowStats.max < 10 || ToWindowStats.mean < 10":                                   false, // there is none
		"ToHopLimitRange.min == 63 && ToHopLimitRange.max == 60..64":                          true,
		"ToTCPFlags.syn == 1 && ToTCPFlags.ack > 4 && ToTCPFlags.fin == 0":                    true,
		`FlowID == "000000000000001f"`:                                                        true,
		`FlowID != "000000000000001f"`:                                                        false,
		`CommunityID == ("1:AQIDBAUGBwgJCgsMDQ4PEBESExQ=", "1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=")`: true,
	} {
		e, err := Parse("filter", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := e.Match(r); got != want {
			t.Errorf("%s: %t", text, got)
		}
		if n := testing.AllocsPerRun(10, func() { e.Match(r) }); n > 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
	// Of an interval if that is known.
	r.Counted.Measures = []uint64{0x1f, 0, 0, 0, 1, 50, 2500, 0, 50, 90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0}
	e, err := Parse("filter", "ToResets == 2 && ToSizeStats.mean == 50 && ToSizeStats.max == 90")
	if err != nil || !e.Match(r) || !e.Varies() {
		t.Error("what the interval added is not found", err)
	}
	for text, want := range map[string]string{
		"ToSizeStats > 5":           "filter:1:1: ToSizeStats has several values: write ToSizeStats.n, ToSizeStats.sum, ToSizeStats.min, ToSizeStats.max, ToSizeStats.mean, ToSizeStats.sd",
		"CommunityID == 1:b2G":      `filter:1:17: an IPv6 address has :: where zeros are left out, as 2001:db8::/32; a Community ID stands in quotation marks`,
		"ToSizeStats.avg > 5":       `filter:1:1: no part of ToSizeStats "avg": there are n, sum, min, max, mean, sd`,
		"ToSizeStats.meen > 5":      `filter:1:1: no part of ToSizeStats "meen"; did you mean mean?`,
		"ToResets.n > 5":            "filter:1:1: ToResets is one number: write it without .n",
		"FromGapStats.mean > 5":     `filter:1:21: FromGapStats.mean: "5" has no unit: write 5ns, 5us or 5ms`,
		"ToSizeStats.mean > 5.5":    `filter:1:20: ToSizeStats.mean: "5.5" does not come to a whole number`,
		"FirstPackets == 5":         "filter:1:1: FirstPackets is a list of packets, which has no single value to be compared",
		`FlowID == "5"`:             `filter:1:11: FlowID: "5": want 16 hexadecimal digits`,
		`FlowID < "5"`:              "filter:1:1: identifiers have no order: write == or !=",
		"SourcePeerAddress.mean==5": "filter:1:",
	} {
		if _, err := Parse("filter", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s:\n%v, want\n%s", text, err, want)
		}
	}
}

// TestExactMean leaves the mean of buckets out of tables where a statistic of the same
// values has the exact one.
func TestExactMean(t *testing.T) {
	var shapes match.Shapes
	distribution := func(a attr.Attr, kind attr.PairKind) attr.Measure {
		return attr.Measure{Attr: a, Mask: attr.MakeValue(1, 0, 0, 1, 0, 2), Value: attr.MakeValue(2, byte(kind), 0, 0, 0, 0)}
	}
	turnaround := statistic(attr.ToTurnaroundStats)
	turnaround.Value = attr.MakeValue(0, byte(attr.PairDNS), 0, 0, 0, 0)
	top := NewTop(Options{Columns: []attr.Attr{attr.FlowIndex}})
	if err := top.Begin(&record.Collection{To: 1}); err != nil {
		t.Fatal(err)
	}
	f := statisticFlow(t, &shapes, 1, 1, 2, distribution(attr.ToPacketSize, 0), distribution(attr.FromPacketSize, 0),
		distribution(attr.ToTurnaroundTime1, attr.PairDNS), distribution(attr.ToTurnaroundTime2, attr.PairNTP), statistic(attr.ToSizeStats), turnaround)
	measures := []uint64{1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 1, 1, 1, 0, 1, 1, 3, 3000, 3e6, 0, 1000, 1000}
	top.Flow(f, &record.Counters{ToOctets: 9, Measures: measures})
	top.End(&record.Summary{})
	lines := textOf(t, top.Tables()[0])
	for i, want := range []string{
		"FlowIndex ToPacketSize n median p90 FromPacketSize n median p90 mean Turnaround1 n median p90 Turnaround2 n median p90 mean Size n mean sd min max Turnaround n mean sd min max Octets",
		"1 1 1 B 1 B 2 1 B 1 B 0.50 B 3 1.00 µs 1.00 µs 4 1.00 µs 1.00 µs 500 ns 1 1.00 B - 1 B 1 B 3 1.00 µs 0 s 1.00 µs 1.00 µs 9 B",
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %s\nwant %s", i+1, lines[i], want)
		}
	}
}

// TestListNote tells that flows have lists of packets, which no column shows.
func TestListNote(t *testing.T) {
	var shapes match.Shapes
	listed := statisticFlow(t, &shapes, 1, 1, 2, statistic(attr.ToResets), attr.Measure{Attr: attr.FirstPackets, Value: attr.MakeValue(5).Resize(attr.DistributionSize)})
	plain := statisticFlow(t, &shapes, 2, 1, 2, statistic(attr.ToResets))
	keys, err := ParseKeys("Host", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{}, {Once: true}, {By: keys}} {
		for _, f := range []*match.Flow{listed, plain} {
			top := NewTop(o)
			if err := top.Begin(&record.Collection{To: 1}); err != nil {
				t.Fatal(err)
			}
			top.Flow(f, &record.Counters{})
			top.End(&record.Summary{})
			told := slices.ContainsFunc(top.KeyNotes(), func(note string) bool { return strings.HasPrefix(note, "FirstPackets: ") })
			if told != (f == listed) {
				t.Errorf("%+v, flow %d: the notes are %q", o, f.Index, top.KeyNotes())
			}
		}
	}
}
