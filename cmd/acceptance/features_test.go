package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// featureRules tell flows apart as flowName does.
const featureRules = `
if SourcePeerType == (ipv4, ipv6) {
	save SourcePeerType;     save DestPeerType;
	save SourcePeerAddress;  save DestPeerAddress;
	save SourceTransType;    save DestTransType;
	if SourceTransType == (tcp, udp, 136) save, {
		save SourceTransAddress; save DestTransAddress;
		count;
	}
	count;
}
ignore;
`

// TestFeatures compares the features of all flows of the traces of a collection with
// what they are to be, as docs/FEATURES.md defines it, of the packets that tshark sees:
// to the last digit.
func TestFeatures(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("has tshark read traces")
	}
	collection, tshark := tracetest.Require(t, "traces"), tracetest.Require(t, "tshark")
	rules := filepath.Join(t.TempDir(), "features.srl")
	if err := os.WriteFile(rules, []byte(featureRules), 0o666); err != nil {
		t.Fatal(err)
	}
	totals := allTotals(t, filepath.Join(collection, "truth", "TRUTH.tsv"))
	paths := statisticTraces(filesBelow(t, filepath.Join(collection, "traces")))
	results := make([]featureResult, len(paths))
	t.Run("traces", func(t *testing.T) {
		for i, path := range paths {
			t.Run(path, func(t *testing.T) {
				t.Parallel()
				results[i] = compareFeatures(t, tshark, collection, path, rules, totals[path])
			})
		}
	})
	var sum featureResult
	sum.rows = map[string]int{}
	traces := 0
	for i, r := range results {
		reason, excepted := featureExceptions[paths[i]]
		if !excepted && !featuresAgree[paths[i]] {
			reason, excepted = statisticExceptions[paths[i]]
		}
		switch {
		case r.fault != "" && !excepted:
			t.Errorf("%s: %s", paths[i], r.fault)
		case r.fault == "" && excepted:
			t.Errorf("%s: agrees, or was not compared: the exception is not needed", paths[i])
		case excepted && reason == "":
			t.Errorf("%s: exception without a reason", paths[i])
		}
		if r.flows > 0 {
			traces++
		}
		sum.flows += r.flows
		sum.eitherWay += r.eitherWay
		for why, n := range r.rows {
			sum.rows[why] += n
		}
	}
	t.Logf("%d traces: %d flows, rows equal: %v; %d of idle flows at the end of traces may be there or not", traces, sum.flows, sum.rows, sum.eitherWay)
}

// A featureResult is what comparing a trace has shown.
type featureResult struct {
	flows     int
	rows      map[string]int // by why they are there
	eitherWay int
	fault     string // the first
}

// compareFeatures compares the features of one trace.
func compareFeatures(t *testing.T, tshark, collection, path, rules string, totals []traceTotals) (r featureResult) {
	fcs, read := readByTshark(totals)
	if !read {
		return r
	}
	trace, dir := filepath.Join(collection, "traces", path), t.TempDir()
	packets, end, err := sharkPackets(tshark, trace, fcs)
	if err != nil {
		t.Fatal(err)
	}
	feed, rows := filepath.Join(dir, "x.ipfix"), filepath.Join(dir, "x.jsonl")
	meterInTime(t, "run", "-q", "--json", "--trust-times", "-r", rules, "--feed", "file:"+feed, trace)
	var errs bytes.Buffer
	status := runMain([]string{"feed", "-q", "--features", rows, feed}, nil, &errs, &errs)
	if status != 0 && (status != 4 || !lossOfTrace.MatchString(errs.String())) {
		t.Fatalf("rtfm feed: exit status %d\n%s", status, &errs)
	}
	text, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	names, flows := packetsByFlow(packets)
	got, err := readFeatures(string(text))
	if err != nil {
		t.Fatal(err)
	}
	r.flows, r.rows = len(names), map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if flows[name] == nil {
			r.fault = fmt.Sprintf("%s: metered, but not there", name)
		}
	}
	for _, name := range names {
		if r.fault == "" {
			r.fault = r.compare(name, flows[name], got[name], traceEnds{packets[len(packets)-1].time, end})
		}
	}
	return r
}

// lossOfTrace is all that is missing of the feed of a trace that tells of lost packets.
var lossOfTrace = regexp.MustCompile(`^\S+: the meter has lost \d+ packets?, and had no room for 0 in its flow table\n$`)

// compare says what first differs among the rows of a flow.
func (r *featureResult) compare(name string, f *featureFlow, got []featureRow, end traceEnds) string {
	if len(got) == 0 {
		return name + ": not metered"
	}
	for at := 0; len(got) > 0; {
		n := slices.IndexFunc(got, func(row featureRow) bool { return row.why == "end" })
		if n < 0 {
			return fmt.Sprintf("%s: rows without an end", name)
		}
		last := got[n]
		if f.cut {
			return ""
		}
		if at+last.packets > len(f.packets) {
			return fmt.Sprintf("%s: has ended with %d packets, of %d", name, at+last.packets, len(f.packets))
		}
		want, maybe := f.rows(f.packets[at:at+last.packets], last.reason, end)
		if maybe && n == 0 {
			want = want[1:]
			r.eitherWay++
		}
		if len(want) != n+1 {
			return fmt.Sprintf("%s: %d rows, want %d: %v", name, n+1, len(want), want)
		}
		for i, row := range got[:n+1] {
			if row.why+" "+row.text != want[i] {
				return fmt.Sprintf("%s:\n%s %s, want\n%s", name, row.why, row.text, want[i])
			}
			r.rows[row.why]++
		}
		at += last.packets
		if got = got[n+1:]; len(got) == 0 && at != len(f.packets) {
			return fmt.Sprintf("%s: %d packets, want %d", name, at, len(f.packets))
		}
	}
	return ""
}

// A featureRow is one of a flow.
type featureRow struct {
	why, reason string
	packets     int
	text        string
}

// featureNames are the statistics of a row beside its histograms.
var featureNames = []string{"ToSizeStats", "FromSizeStats", "ToGapStats", "FromGapStats", "ToTCPFlags", "FromTCPFlags", "FirstPackets"}

// readFeatures reads rows, those of each flow in their order.
func readFeatures(lines string) (map[string][]featureRow, error) {
	flows := map[string][]featureRow{}
	for line := range strings.Lines(lines) {
		var row struct {
			jsonFlow
			Why, EndReason                                                         string
			FirstTimeNs, LastActiveTimeNs                                          int64
			ToPDUs, FromPDUs, ToOctets, FromOctets                                 uint64
			ToPacketSize, FromPacketSize, ToInterarrivalTime, FromInterarrivalTime struct{ Counters [8]int }
		}
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			return nil, err
		}
		f, err := row.flow()
		if err != nil {
			return nil, err
		}
		text := fmt.Sprint(row.FirstTimeNs, row.LastActiveTimeNs, row.ToPDUs, row.FromPDUs, row.ToOctets, row.FromOctets,
			row.ToPacketSize, row.FromPacketSize, row.ToInterarrivalTime, row.FromInterarrivalTime)
		for _, name := range featureNames {
			s, err := statisticText(name, fields[name])
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, fields[name], err)
			}
			text += " " + s
		}
		name := flowName(f.protocol, f.source, f.dest)
		flows[name] = append(flows[name], featureRow{row.Why, row.EndReason, int(row.ToPDUs + row.FromPDUs), text})
	}
	return flows, nil
}

// A featureFlow is the packets of a flow.
type featureFlow struct {
	source  endpoint
	packets []*sharkPacket
	cut     bool // some header of TCP was cut before its flags
}

// packetsByFlow returns the packets of each flow, in the order of their first ones.
func packetsByFlow(packets []sharkPacket) (names []string, flows map[string]*featureFlow) {
	flows = map[string]*featureFlow{}
	names = eachFlow(packets, func(name string, p *sharkPacket) {
		f := flows[name]
		if f == nil {
			f = &featureFlow{source: p.source}
			flows[name] = f
		}
		f.packets = append(f.packets, p)
		f.cut = f.cut || p.segment == nil && p.protocol == 6 && (p.source.port != 0 || p.dest.port != 0)
	})
	return names, flows
}

const aSecond = 1_000_000_000

// traceEnds are the times of a trace's last packet with IP, and of its last one.
type traceEnds struct{ told, all int64 }

// rows returns those of a flow with these packets, which has ended for a reason: the
// first of them maybe, where it is for packets without IP to tell that it was idle.
func (f *featureFlow) rows(packets []*sharkPacket, reason string, end traceEnds) (rows []string, maybe bool) {
	var w featureSums
	for i, p := range packets {
		if i > 0 && len(rows) == 0 && p.time-packets[i-1].time >= aSecond {
			rows = append(rows, "idle "+w.String())
		}
		w.add(p, p.source != f.source)
		if len(rows) == 0 && len(w.first) == listed {
			rows = append(rows, "nth "+w.String())
		}
	}
	last := packets[len(packets)-1].time
	if len(rows) == 0 && (reason != "forced" || end.all-last >= aSecond) {
		rows, maybe = append(rows, "idle "+w.String()), reason == "forced" && end.told-last < aSecond
	}
	return append(rows, "end "+w.String()), maybe
}

// A featureSums is what packets come to, added up plainly.
type featureSums struct {
	begun, last, listedAt int64
	sides                 [2]struct {
		size, gap         wantStats
		sizes, gaps       [8]int
		seen              uint8
		flags             [8]uint64
		last              int64
		packets, octetSum uint64
	}
	first []wantListed
}

func (w *featureSums) add(p *sharkPacket, backward bool) {
	way := 0
	if backward {
		way = 1
	}
	s := &w.sides[way]
	if s.packets > 0 {
		gap := uint64(p.time - s.last)
		s.gap.add(gap)
		s.gaps[limitOf(float64(gap/1000)/1000)]++
	}
	if len(w.first) == 0 {
		w.begun, w.listedAt = p.time, p.time
	}
	s.last, w.last = p.time, p.time
	s.packets++
	s.octetSum += p.octets
	s.size.add(p.octets)
	s.sizes[limitOf(float64(p.octets))]++
	flags := uint8(0)
	if p.segment != nil {
		flags = p.segment.flags
	}
	s.seen |= flags
	for i := range s.flags {
		s.flags[i] += uint64(flags >> i & 1)
	}
	if len(w.first) < listed {
		w.first = append(w.first, wantListed{min(p.octets, 65535), 1 - 2*way, min(uint64(p.time-w.listedAt)/1000, longestGap), flags})
		w.listedAt = p.time
	}
}

// limitOf returns the bucket of a histogram, whose limits are 16 to 1024.
func limitOf(v float64) (at int) {
	for limit := 16.0; at < 7 && v > limit; limit *= 2 {
		at++
	}
	return at
}

// String has the numbers in the order of readFeatures.
func (w *featureSums) String() string {
	to, from := &w.sides[0], &w.sides[1]
	counters := func(n [8]int) any { return struct{ Counters [8]int }{n} }
	text := fmt.Sprint(w.begun, w.last, to.packets, from.packets, to.octetSum, from.octetSum,
		counters(to.sizes), counters(from.sizes), counters(to.gaps), counters(from.gaps))
	return strings.Join([]string{text, to.size.String(), from.size.String(), to.gap.String(), from.gap.String(),
		fmt.Sprint(to.seen, to.flags[:]), fmt.Sprint(from.seen, from.flags[:]), fmt.Sprint(w.first)}, " ")
}

// featuresAgree holds the traces whose statistics are others, but not their features.
var featuresAgree = map[string]bool{
	"tcpdump/quic_32_bit_pointer_overflow.pcap": true,
}

// featureExceptions holds the traces whose features are others than those of tshark's
// packets, beside those whose statistics are, and why.
var featureExceptions = map[string]string{
	"pcapplusplus/Pcap++Test/PcapExamples/file_heuristics/pcapng-example.pcapng.zst": "a packet is of the year 2262, and IPFIX tells none later than 2106",
	"tcpdump/olsr-oobr-2.pcap":          "the time goes back, behind that of a packet without IP of which the feed does not tell",
	"tcpdump/time_2106_overflow.pcapng": "later than 2106, which the seconds of IPFIX do not tell",
}
