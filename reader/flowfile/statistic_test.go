package flowfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// allStatistics returns one of each, listing so many packets.
func allStatistics(packets byte) (all []attr.Measure) {
	for _, in := range attr.All() {
		if in.Class != attr.ClassStatistic {
			continue
		}
		d := attr.Measure{Attr: in.Attr, Mask: attr.MakeValue().Resize(attr.DistributionSize)}
		switch {
		case in.Attr.Form() == attr.FormPackets:
			d.Value = attr.MakeValue(packets).Resize(attr.DistributionSize)
		case in.Attr.CountsPairs():
			d.Value = attr.MakeValue(0, byte(attr.PairDNS)).Resize(attr.DistributionSize)
		default:
			d.Value = attr.MakeValue().Resize(attr.DistributionSize)
		}
		all = append(all, d)
	}
	return all
}

// numbersFor returns numbers that a statistic can have, of at most so many bits; none
// counted now and then.
func numbersFor(random *rand.Rand, d *attr.Measure, most int) []uint64 {
	numbers := make([]uint64, d.Counters())
	if random.IntN(4) == 0 && d.Attr.Form() != attr.FormID {
		return numbers
	}
	for i := range numbers {
		numbers[i] = random.Uint64() >> (64 - random.IntN(most) - 1)
	}
	switch d.Attr.Form() {
	case attr.FormStats, attr.FormRange:
		numbers[0]++
	case attr.FormFlags:
		numbers[0] &= 0xff
	case attr.FormDigest:
		numbers[2] &= math.MaxUint32
	case attr.FormPackets:
		numbers[0] = random.Uint64N(uint64(len(numbers)))
		for i := range numbers[1:] {
			if uint64(i) >= numbers[0] {
				numbers[1+i] = 0
				continue
			}
			numbers[1+i] = uint64(attr.NewListed(random.Uint64N(1<<17), uint8(random.Uint32()), random.Int64N(1<<50), random.IntN(2) == 0))
		}
	}
	return numbers
}

// writeStatistics writes flows that have statistics, and distributions, some of them in
// JSON.
func writeStatistics(t testing.TB, flows int) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	sizes, err := parseParameters(attr.ToPacketSize, "1.0.250!1500", "6.0.0!0")
	if err != nil {
		t.Fatal(err)
	}
	var shapes match.Shapes
	saved := []match.Saved{{Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(24, 4)}}
	var out bytes.Buffer
	w := NewWriter(&out, testHeader(), epoch, DefaultFormat(nil), Options{JSON: true})
	w.Begin(epoch + 2e9)
	for n := range flows {
		measures := []attr.Measure{sizes}
		for _, d := range allStatistics(30) {
			if random.IntN(3) > 0 || n == 0 {
				measures = append(measures, d)
			}
		}
		shape := shapes.Intern(3, 4, 0, saved, measures...)
		fl := &match.Flow{FlowKey: match.FlowKey{Shape: shape}, Index: uint32(7 + n), FirstTime: epoch, LastTime: epoch + 1e9, ToPDUs: 28, FromPDUs: 36}
		copy(fl.Key.Peer(attr.Source)[:], []byte{192, 0, 2, 0})
		before := &record.Counters{ToPDUs: 1}
		for i := range shape.Measures {
			d := &shape.Measures[i]
			numbers := make([]uint64, d.Counters())
			if d.Attr.Form() != attr.FormBuckets {
				numbers = numbersFor(random, d, 1<<min(n, 6))
			}
			fl.Counters = append(fl.Counters, numbers)
			before.Measures = append(before.Measures, make([]uint64, d.Counters())...)
			for k := range numbers {
				before.Measures[len(before.Measures)-len(numbers)+k] = numbers[k] / 3
			}
		}
		now := record.CountersOf(fl)
		delta := now.Since(before, shape)
		switch n % 3 {
		case 0:
			w.Flow(fl, &delta)
		case 1:
			w.Flow(fl, nil)
		case 2:
			delta.Measures = nil
			w.Flow(fl, &delta)
		}
	}
	if err := w.End(record.Summary{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestStatisticsConverted has flows with any statistics go through all forms: nothing
// is lost but what FORMAT.md says.
func TestStatisticsConverted(t *testing.T) {
	json := writeStatistics(t, 60)
	same := func(what string, got, want []byte) {
		t.Helper()
		lines, wanted := slices.Collect(bytes.Lines(got)), slices.Collect(bytes.Lines(want))
		for i := range max(len(lines), len(wanted)) {
			if i >= len(lines) || i >= len(wanted) || !bytes.Equal(lines[i], wanted[i]) {
				t.Fatalf("%s, line %d of %d: got\n%s\nwant\n%s", what, i+1, len(wanted), lines[min(i, len(lines)-1)], wanted[min(i, len(wanted)-1)])
			}
		}
	}
	flows := func(file []byte) []byte { return []byte(strings.Join(flowLines(file), "")) }
	same("JSON, JSON", converted(t, json, JSON), json)
	csv := converted(t, json, CSV)
	same("JSON, CSV, JSON", flows(converted(t, csv, JSON)), flows(json))
	same("CSV, CSV", converted(t, csv, CSV), csv)
	text := converted(t, json, Text)
	again := converted(t, text, JSON)
	same("text, JSON, text", converted(t, again, Text), text)
	same("text, JSON, CSV, JSON", flows(converted(t, converted(t, again, CSV), JSON)), flows(again))
	if n := len(flowLines(text)); n != 60 {
		t.Errorf("%d flows", n)
	}
}

// TestStatisticForms pins how each form is written.
func TestStatisticForms(t *testing.T) {
	packets := []uint64{2, uint64(attr.NewListed(60, 2, 0, false)), uint64(attr.NewListed(60, 18, 812_999, true)), 0}
	for _, tt := range []struct {
		a                     attr.Attr
		value                 []byte // parameters
		numbers, delta        []uint64
		text, json, csv, csv2 string
	}{
		{attr.ToSizeStats, nil, []uint64{3, 210, 14900, 0, 60, 90}, []uint64{1, 60, 3600, 0, 60, 90}, "3:210:14900:60:90",
			`,"ToSizeStats":{"n":3,"sum":210,"ssq":14900,"min":60,"max":90,"mean":70,"sd":10,"delta":{"n":1,"sum":60,"ssq":3600,"mean":60}}`,
			"ToSizeStatsN,ToSizeStatsSum,ToSizeStatsSsq,ToSizeStatsMin,ToSizeStatsMax,ToSizeStatsMean,ToSizeStatsSd,DeltaToSizeStatsN,DeltaToSizeStatsSum,DeltaToSizeStatsSsq,DeltaToSizeStatsMean,DeltaToSizeStatsSd",
			"3,210,14900,60,90,70,10,1,60,3600,60,"},
		{attr.ToGapStats, nil, []uint64{0, 0, 0, 0, 0, 0}, nil, "0:0:0:0:0", `,"ToGapStats":{"n":0,"sum":0,"ssq":0,"delta":null}`, "",
			"0,0,0,,,,,,,,,"},
		{attr.ToTurnaroundStats, []byte{0, byte(attr.PairDNS)}, []uint64{1, math.MaxUint64, 1, math.MaxUint64 - 1, math.MaxUint64, math.MaxUint64}, nil,
			"1:18446744073709551615:340282366920938463426481119284349108225:18446744073709551615:18446744073709551615",
			`,"ToTurnaroundStats":{"pairs":"dns","n":1,"sum":18446744073709551615,"ssq":340282366920938463426481119284349108225,"min":18446744073709551615,"max":18446744073709551615,"mean":18446744073709552000,"delta":null}`, "", ""},
		{attr.ToHopLimitRange, nil, []uint64{7, 63, 64}, []uint64{2, 63, 64}, "7:63:64", `,"ToHopLimitRange":{"n":7,"min":63,"max":64,"delta":{"n":2}}`,
			"ToHopLimitRangeN,ToHopLimitRangeMin,ToHopLimitRangeMax,DeltaToHopLimitRangeN", "7,63,64,2"},
		{attr.FromTCPFlags, nil, []uint64{0x12, 0, 1, 0, 0, 5, 0, 0, 0}, []uint64{0x12, 0, 0, 0, 0, 3, 0, 0, 0}, "18:0:1:0:0:5:0:0:0",
			`,"FromTCPFlags":{"seen":"SYN ACK","fin":0,"syn":1,"rst":0,"psh":0,"ack":5,"urg":0,"ece":0,"cwr":0,"delta":{"fin":0,"syn":0,"rst":0,"psh":0,"ack":3,"urg":0,"ece":0,"cwr":0}}`,
			"", "SYN ACK,0,1,0,0,5,0,0,0,0,0,0,0,3,0,0,0"},
		{attr.ToResets, nil, []uint64{5}, []uint64{2}, "5", `,"ToResets":5,"DeltaToResets":2`, "ToResets,DeltaToResets", "5,2"},
		{attr.FirstPackets, []byte{3}, packets, packets, "+60.0.2:-60.812.18",
			`,"FirstPackets":{"octets":[60,60],"directions":[1,-1],"gaps":[0,812],"flags":[2,18]}`, "FirstPackets", "+60.0.2:-60.812.18"},
		{attr.FirstPayloads, []byte{3}, make([]uint64, 4), nil, "-", `,"FirstPayloads":{"octets":[],"directions":[],"gaps":[],"flags":[]}`, "", "-"},
		{attr.FlowID, nil, []uint64{0x1f}, []uint64{0x1f}, "000000000000001f", `,"FlowID":"000000000000001f"`, "FlowID", "000000000000001f"},
		{attr.CommunityID, nil, []uint64{0x0102030405060708, 0x090a0b0c0d0e0f10, 0x11121314}, nil, "1:AQIDBAUGBwgJCgsMDQ4PEBESExQ=",
			`,"CommunityID":"1:AQIDBAUGBwgJCgsMDQ4PEBESExQ="`, "", "1:AQIDBAUGBwgJCgsMDQ4PEBESExQ="},
	} {
		var shapes match.Shapes
		shape := shapes.Intern(3, 0, 0, nil, attr.Measure{Attr: tt.a, Mask: attr.MakeValue(0).Resize(6), Value: attr.MakeValue(tt.value...).Resize(6)})
		fl := &match.Flow{FlowKey: match.FlowKey{Shape: shape}, Counters: [][]uint64{tt.numbers}}
		line := func(opts Options) string {
			var b strings.Builder
			w := NewWriter(&b, testHeader(), epoch, tableOf([]attr.Attr{tt.a}, nil), opts)
			w.Begin(epoch + 1e9)
			w.Flow(fl, &record.Counters{Measures: tt.delta})
			if err := w.End(record.Summary{}); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		for _, has := range []struct {
			opts Options
			want string
		}{{Options{}, "\n" + tt.text + "\n"}, {Options{JSON: true}, tt.json + `,"ToPDUs"`}, {Options{CSV: true}, ",LastActiveTimeNs," + tt.csv}, {Options{CSV: true}, "," + tt.csv2 + ",0,0,0,0,"}} {
			if tt.csv2 == "" && has.opts.CSV {
				continue
			}
			if got := line(has.opts); !strings.Contains(got, has.want) {
				t.Errorf("%s: %s\nhas no %q", tt.a, got, has.want)
			}
		}
		if !json.Valid([]byte("{" + tt.json[1:] + "}")) {
			t.Errorf("%s is not JSON", tt.json)
		}
	}
}

// TestStatisticFaults has statistics with something wrong in them.
func TestStatisticFaults(t *testing.T) {
	var shapes match.Shapes
	shape := shapes.Intern(3, 0, 0, nil, allStatistics(3)...)
	fl := &match.Flow{FlowKey: match.FlowKey{Shape: shape}}
	var file bytes.Buffer
	w := NewWriter(&file, testHeader(), epoch, nil, Options{JSON: true})
	w.Begin(epoch + 1e9)
	for i := range shape.Measures {
		fl.Counters = append(fl.Counters, make([]uint64, shape.Measures[i].Counters()))
	}
	w.Flow(fl, &record.Counters{Measures: slices.Concat(fl.Counters...)})
	if err := w.End(record.Summary{}); err != nil {
		t.Fatal(err)
	}
	lists := func(octets, directions, gaps, flags string) string {
		return fmt.Sprintf(`"FirstPackets":{"octets":[%s],"directions":[%s],"gaps":[%s],"flags":[%s]}`, octets, directions, gaps, flags)
	}
	size := `"ToSizeStats":{"n":0,"sum":0,"ssq":0,`
	for _, tt := range []struct{ old, new, want string }{
		{size, `"ToSizeStats":{"n":-1,"sum":0,"ssq":0,`, `ToSizeStats: n: n: "-1" is not a number`},
		{size, `"ToSizeStats":{"n":0,"sum":0,"ssq":340282366920938463463374607431768211456,`, "ssq: want a number of 128 bits"},
		{size, `"ToSizeStats":{"n":0,"sum":0,"ssq":` + strings.Repeat("1", 4000) + `,`, "ssq: want a number of 128 bits"},
		{`"ToSizeStats":{"n":0,"sum":0,"ssq":0,"delta":{"n":0,"sum":0,"ssq":0}}`, `"ToSizeStats":{}`, `ToSizeStats: want the name`},
		{`"ToSizeStats":{"n":0,"sum":0,"ssq":0,"delta":{"n":0,"sum":0,"ssq":0}}`, `"ToSizeStats":{"x":0}`, `ToSizeStats: the object has no numbers`},
		{`"ToSizeStats":{"n":0,"sum":0,"ssq":0,"delta":{"n":0,"sum":0,"ssq":0}}`, `"ToSizeStats":"1:2:3"`, `want 5 numbers`},
		{`"FlowID":"0000000000000000"`, `"FlowID":{"n":1}`, "FlowID: "},
		{`"FlowID":"0000000000000000"`, `"FlowID":"000000000000000"`, "want 16 hexadecimal digits"},
		{`"CommunityID":null`, `"CommunityID":"2:AAAAAAAAAAAAAAAAAAAAAAAAAAA="`, "CommunityID: "},
		{`"CommunityID":null`, `"CommunityID":"1:AAA!AAAAAAAAAAAAAAAAAAAAAAA="`, "CommunityID: "},
		{`"pairs":"dns"`, `"pairs":"dnsx"`, `did you mean dns?`},
		{`"seen":""`, `"seen":"SIN"`, `"SIN": no TCP flag`},
		{lists("", "", "", ""), lists("1", "1", "1", ""), "the lists of packets are not of one length: one ends before packet 1"},
		{lists("", "", "", ""), lists("65536", "1", "1", "1"), "no packet has 65536 octets"},
		{lists("", "", "", ""), lists("1", "2", "1", "1"), "directions: 2 is neither 1 nor -1"},
		{lists("", "", "", ""), lists("1", "1", "-1", "1"), "packet 1 has a number below 0"},
		{lists("", "", "", ""), lists("1", "1", fmt.Sprint(int64(1)<<39), "1"), "no packet has 1 octets"},
		{lists("", "", "", ""), lists(strings.Repeat("1,", 64)+"1", strings.Repeat("1,", 64)+"1", strings.Repeat("1,", 64)+"1", strings.Repeat("1,", 64)+"1"), "more than 64 packets"},
		{lists("", "", "", ""), `"FirstPackets":{"octets":[]}`, "want lists of octets, directions, gaps, flags"},
		{lists("", "", "", ""), `"FirstPackets":"+1.2"`, "want packets such as"},
		{`"ToResets":0,"DeltaToResets":0`, `"DeltaToResets":0`, "ToResets: what the interval added is told"},
		{`"ToResets":0`, `"ToResets":{"n":0}`, "ToResets: "},
	} {
		faulty := strings.Replace(file.String(), tt.old, tt.new, 1)
		if faulty == file.String() {
			t.Fatalf("nothing is like %s in %s", tt.old, file.String())
		}
		if _, err := copyAll(strings.NewReader(faulty), &ends{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s for %s: %v; want %s", tt.new, tt.old, err, tt.want)
		}
	}
}

// TestStatisticsRecalled reads back what flows had measured.
func TestStatisticsRecalled(t *testing.T) {
	file := writeStatistics(t, 12)
	var want [][]uint64
	each(t, file, func(_ *Head, from record.From) error {
		return from.Flows(func(f *match.Flow, _ *record.Counters) error {
			want = append(want, slices.Concat(f.Counters...))
			return nil
		})
	})
	n := 0
	_, err := Recall(bytes.NewReader(file), func(f *Recalled) bool {
		if !reflect.DeepEqual(f.Measures, want[n]) {
			t.Errorf("flow %d: have %v, want %v", n, f.Measures, want[n])
		}
		n++
		return true
	})
	if err != nil || n != 12 {
		t.Error(n, err)
	}
}
