package flowfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// epoch is the start of the test's meter.
var epoch = time.Date(1995, 2, 1, 12, 31, 27, 500_000_000, time.UTC).UnixNano()

func testHeader() Header {
	return Header{
		Version:    Release("0.1"),
		Parameters: "-c300  -r rules.lan",
		Meter:      "test meter",
		Interfaces: []string{"eth0", "trace 1.pcap"},
		MaxFlows:   4000,
		Start:      time.Unix(0, epoch).UTC(),
	}
}

// testFlows returns flows of several shapes.
func testFlows() []*match.Flow {
	var shapes match.Shapes
	type saved = match.Saved
	whole := func(n int, as ...attr.Attr) (s []saved) {
		for _, a := range as {
			s = append(s, saved{Attr: a, Mask: attr.Ones(n)})
		}
		return s
	}
	v4 := &match.Flow{Index: 2, FirstTime: epoch + 130e6, LastTime: epoch + 36_415_678_901, ToOctets: 121824, ToPDUs: 1138}
	v4.Shape = shapes.Intern(2, 4, 6, slices.Concat(
		whole(20, attr.SourceAdjacentAddress),
		whole(1, attr.SourcePeerType, attr.SourceTransType, attr.FlowKind),
		[]saved{{Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(24, 20)}, {Attr: attr.DestPeerAddress, Mask: attr.MakeValue(255, 0, 255)}},
		whole(2, attr.SourceTransAddress, attr.VLANid)))
	v4.Key.SetPeerType(1)
	v4.Key.SetTransType(6)
	copy(v4.Key.Adjacent(attr.Source)[:], []byte{0, 0x80, 0x48, 0x81, 0x0e, 0x7c})
	copy(v4.Key.Peer(attr.Source)[:], []byte{130, 216, 14, 0})
	copy(v4.Key.Peer(attr.Dest)[:], []byte{130, 0, 3, 0})
	copy(v4.Key.Trans(attr.Source)[:], []byte{0xff, 0xfe})
	v4.Key.SetVLAN(258)
	v4.Key[attr.FlowKind.Info().Offset] = 'C'

	v6 := &match.Flow{Index: math.MaxUint32, FirstTime: epoch - 5, LastTime: epoch + 1e18,
		ToOctets: math.MaxUint64, ToPDUs: 1<<53 + 1, FromOctets: 3, FromPDUs: 4}
	v6.Shape = shapes.Intern(255, 16, 0, slices.Concat(
		whole(1, attr.SourcePeerType, attr.DestClass),
		[]saved{{Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(32, 4)}},
		whole(20, attr.DestPeerAddress, attr.DestAdjacentAddress)))
	v6.Key.SetPeerType(2)
	copy(v6.Key.Peer(attr.Source)[:], []byte{0x20, 0x01, 0x0d, 0xb8})
	copy(v6.Key.Peer(attr.Dest)[:], []byte{15: 1})

	nsap := &match.Flow{Index: 9, FirstTime: epoch + 10e6, LastTime: epoch + 20e6, FromOctets: 60, FromPDUs: 1}
	nsap.Shape = shapes.Intern(2, 16, 0, slices.Concat(whole(1, attr.SourcePeerType), whole(20, attr.SourcePeerAddress)))
	nsap.Key.SetPeerType(3)
	copy(nsap.Key.Peer(attr.Source)[:], []byte{0x49, 15: 7})
	return []*match.Flow{v4, v6, nsap}
}

const testFormat = `FlowRuleSet FlowIndex FirstTime "  "
	SourceAdjacentAddress DestAdjacentAddress SourceAdjacentMask DestAdjacentMask VLANid "  "
	SourcePeerType SourcePeerAddress SourcePeerMask DestPeerAddress DestPeerMask "  "
	SourceTransType SourceTransAddress SourceTransMask DestTransAddress FlowKind DestClass ToTurnaroundTime1 FlowStatus "  "
	ToPDUs FromPDUs "  " ToOctets FromOctets LastActiveTime`

// writeTest writes three collections of the test's flows.
func writeTest(t testing.TB, w io.Writer, opts Options) {
	t.Helper()
	f, err := ruleset.ParseFormat(testFormat)
	if err != nil {
		t.Fatal(err)
	}
	wr := NewWriter(w, testHeader(), epoch, f, opts)
	wr.identify(&record.Collection{Meter: "test meter", Boot: "0123456789abcdef", RuleSets: []record.RuleSet{{Number: 2, Name: `a "b"`, Hash: "0011223344556677"}}})
	wr.Begin(epoch + 36_420_000_000)
	var collected uint64
	for _, fl := range testFlows() {
		wr.Flow(fl, &record.Counters{ToPDUs: fl.ToPDUs, FromPDUs: fl.FromPDUs, ToOctets: fl.ToOctets, FromOctets: fl.FromOctets})
		if fl.Shape.RuleSet == 2 {
			collected += fl.ToPDUs + fl.FromPDUs
		}
	}
	rulesets := []record.RuleSetSummary{
		{RuleSet: 2, Packets: 1158, Counted: 1139, Ignored: 9, Unmatched: 10, Collected: &collected},
		{RuleSet: 255, Packets: 18, Stopped: 12, Uncounted: 6},
	}
	if err := wr.End(record.Summary{Lost: 5, Uncounted: 6, Packets: 7, Octets: 8, Ignored: 9, Unmatched: 10, Stopped: 12, Active: 3, RuleSets: rulesets, More: []record.Number{{Name: "lost-eth 0", Value: 5}, {Name: "duplicates", Value: 1}}}); err != nil {
		t.Fatal(err)
	}
	wr.Begin(epoch + 334_200_000_000)
	if err := wr.End(record.Summary{Sampling: 64}); err != nil {
		t.Fatal(err)
	}
	wr.Skipped(1234)
	wr.Begin(epoch + 1e18)
	fl := testFlows()[0]
	fl.ToPDUs++
	wr.Flow(fl, &record.Counters{ToPDUs: 1})
	if err := wr.End(record.Summary{}); err != nil {
		t.Fatal(err)
	}
}

func TestText(t *testing.T) {
	const want = `##NeTraMet v5.3 (rtfm 0.1).  -c300 -r rules.lan  test_meter -i eth0 -i trace_1.pcap  4000 flows  starting at 12:31:27 Wed 1 Feb 1995
#Format: flowruleset flowindex firsttime  sourceadjacentaddress destadjacentaddress sourceadjacentmask destadjacentmask vlanid  sourcepeertype sourcepeeraddress sourcepeermask destpeeraddress destpeermask  sourcetranstype sourcetransaddress sourcetransmask desttransaddress flowkind destclass toturnaroundtime1 flowstatus  topdus frompdus  tooctets fromoctets lastactivetime
#Time: 12:32:03 Wed  1 Feb 1995 test_meter Flows from 1 to 3642
2 2 13  00-80-48-81-0E-7C 0 FF-FF-FF-FF-FF-FF 0 258  1 130.216.14.0 255.255.255.0 130.0.3.0 255.0.255.0  6 65534 255.255 0 67 0 0 2  1138 0  121824 0 3641
255 4294967295 0  0 0 0 0 0  2 2001:db8:: ffff:ffff:: ::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff  0 0 0 0 0 0 0 2  9007199254740993 4  18446744073709551615 3 100000000000
2 9 1  0 0 0 0 0  3 73.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 0 0  0 0 0 0 0 0 0 2  0 1  0 60 2
#Stats: packets=7 octets=8 ignored=9 unmatched=10 stopped=12 active=3 lost-eth_0=5 duplicates=1
#RuleSet: ruleset=2 packets=1158 counted=1139 ignored=9 unmatched=10 stopped=0 uncounted=0
#RuleSet: ruleset=255 packets=18 counted=0 ignored=0 unmatched=0 stopped=12 uncounted=6
#EndData: flows=3 lost=5 uncounted=6 sampling=1 stopped=12
#Time: 12:37:01 Wed  1 Feb 1995 test_meter Flows from 3641 to 33420
#Stats: packets=0 octets=0 ignored=0 unmatched=0 stopped=0 active=0
#EndData: flows=0 lost=0 uncounted=0 sampling=64
# 1234 empty collections passed over
#Time: 14:18:07 Sat 10 Oct 2026 test_meter Flows from 33419 to 100000000000
2 2 13  00-80-48-81-0E-7C 0 FF-FF-FF-FF-FF-FF 0 258  1 130.216.14.0 255.255.255.0 130.0.3.0 255.0.255.0  6 65534 255.255 0 67 0 0 2  1139 0  121824 0 3641
#Stats: packets=0 octets=0 ignored=0 unmatched=0 stopped=0 active=0
#EndData: flows=1 lost=0 uncounted=0 sampling=1
`
	var b bytes.Buffer
	writeTest(t, &b, Options{Statistics: true})
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRoundTrip: what was written reads, and writes again octet for octet.
func TestRoundTrip(t *testing.T) {
	var b bytes.Buffer
	writeTest(t, &b, Options{Statistics: true})
	r := NewReader(bytes.NewReader(b.Bytes()))
	var again []byte
	flows := testFlows()
	for n := 0; ; {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		again = rec.AppendTo(again)
		if rec.Kind != KindFlow || n == len(flows) {
			continue
		}
		for a, want := range map[attr.Attr]uint64{
			attr.FlowIndex:   uint64(flows[n].Index),
			attr.ToPDUs:      flows[n].ToPDUs,
			attr.ToOctets:    flows[n].ToOctets,
			attr.FlowRuleSet: uint64(flows[n].Shape.RuleSet),
		} {
			if got, err := rec.Uint(a); err != nil || got != want {
				t.Errorf("%v: got %d, %v, want %d", a, got, err, want)
			}
		}
		if got, err := rec.Octets(attr.SourcePeerAddress); err != nil || !bytes.Equal(got.Append(nil), flows[n].Value(attr.SourcePeerAddress)) {
			t.Errorf("flow %d: %v, %v", n, got, err)
		}
		n++
	}
	if !bytes.Equal(again, b.Bytes()) {
		t.Errorf("got\n%s\nwant\n%s", again, b.Bytes())
	}
}

func TestJSON(t *testing.T) {
	const testColumns = `FlowRuleSet FlowIndex FirstTime \"  \" SourceAdjacentAddress DestAdjacentAddress SourceAdjacentMask DestAdjacentMask VLANid \"  \" ` +
		`SourcePeerType SourcePeerAddress SourcePeerMask DestPeerAddress DestPeerMask \"  \" ` +
		`SourceTransType SourceTransAddress SourceTransMask DestTransAddress FlowKind DestClass ToTurnaroundTime1 FlowStatus \"  \" ` +
		`ToPDUs FromPDUs \"  \" ToOctets FromOctets LastActiveTime`
	const want = `{"record":"header","version":"5.3 (rtfm 0.1)","parameters":"-c300  -r rules.lan","meter":"test_meter","interfaces":["eth0","trace 1.pcap"],"maxFlows":4000,"startNs":791641887500000000,"epochNs":791641887500000000,"format":"` + testColumns + `","statistics":false}
{"record":"start","meter":"test_meter","boot":"0123456789abcdef","from":1,"to":3642,"startNs":791641887500000000,"endNs":791641923920000000}
{"record":"flow","Schema":1,"Meter":"test_meter","Boot":"0123456789abcdef","EpochNs":791641887500000000,"RuleSet":"0011223344556677","RuleSetName":"a \"b\"","FlowRuleSet":2,"IntervalStartNs":791641887500000000,"IntervalEndNs":791641923920000000,"FlowIndex":2,"FirstTime":13,"LastActiveTime":3641,"FirstTimeNs":791641887630000000,"LastActiveTimeNs":791641923915678901,"SourceAdjacentAddress":"00-80-48-81-0E-7C","SourcePeerType":1,"SourcePeerAddress":"130.216.14.0","SourcePeerMask":24,"SourceTransType":6,"SourceTransAddress":65534,"DestPeerAddress":"130.0.3.0","DestPeerMask":"255.0.255.0","FlowKind":67,"VLANid":258,"ToPDUs":1138,"FromPDUs":0,"ToOctets":121824,"FromOctets":0,"DeltaToPDUs":1138,"DeltaFromPDUs":0,"DeltaToOctets":121824,"DeltaFromOctets":0}
{"record":"flow","Schema":1,"Meter":"test_meter","Boot":"0123456789abcdef","EpochNs":791641887500000000,"FlowRuleSet":255,"IntervalStartNs":791641887500000000,"IntervalEndNs":791641923920000000,"FlowIndex":4294967295,"FirstTime":0,"LastActiveTime":100000000000,"FirstTimeNs":791641887499999995,"LastActiveTimeNs":1791641887500000000,"SourcePeerType":2,"SourcePeerAddress":"2001:db8::","SourcePeerMask":32,"DestPeerAddress":"::1","DestClass":0,"ToPDUs":9007199254740993,"FromPDUs":4,"ToOctets":18446744073709551615,"FromOctets":3,"DeltaToPDUs":9007199254740993,"DeltaFromPDUs":4,"DeltaToOctets":18446744073709551615,"DeltaFromOctets":3}
{"record":"flow","Schema":1,"Meter":"test_meter","Boot":"0123456789abcdef","EpochNs":791641887500000000,"RuleSet":"0011223344556677","RuleSetName":"a \"b\"","FlowRuleSet":2,"IntervalStartNs":791641887500000000,"IntervalEndNs":791641923920000000,"FlowIndex":9,"FirstTime":1,"LastActiveTime":2,"FirstTimeNs":791641887510000000,"LastActiveTimeNs":791641887520000000,"SourcePeerType":3,"SourcePeerAddress":"73.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7","ToPDUs":0,"FromPDUs":1,"ToOctets":0,"FromOctets":60,"DeltaToPDUs":0,"DeltaFromPDUs":1,"DeltaToOctets":0,"DeltaFromOctets":60}
{"record":"end","flows":3,"lost":5,"uncounted":6,"sampling":1,"packets":7,"octets":8,"ignored":9,"unmatched":10,"stopped":12,"active":3,"lost-eth_0":5,"duplicates":1,"rulesets":[{"ruleset":2,"packets":1158,"counted":1139,"ignored":9,"unmatched":10,"stopped":0,"uncounted":0,"collected":1139},{"ruleset":255,"packets":18,"counted":0,"ignored":0,"unmatched":0,"stopped":12,"uncounted":6}]}
{"record":"start","meter":"test_meter","boot":"0123456789abcdef","from":3641,"to":33420,"startNs":791641923920000000,"endNs":791642221700000000}
{"record":"end","flows":0,"lost":0,"uncounted":0,"sampling":64,"packets":0,"octets":0,"ignored":0,"unmatched":0,"stopped":0,"active":0}
{"record":"skipped","collections":1234}
`
	var b bytes.Buffer
	writeTest(t, &b, Options{JSON: true})
	if got := b.String(); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(b.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// TestScript reads the file as users' scripts do: by the columns' positions
// on lines that do not begin with #, split at blanks.
func TestScript(t *testing.T) {
	var b bytes.Buffer
	writeTest(t, &b, Options{})
	type sample struct{ octets map[string]uint64 }
	var committed []sample
	current := sample{}
	for line := range strings.Lines(b.String()) {
		switch {
		case strings.HasPrefix(line, "##") || strings.HasPrefix(line, "#Format:"):
		case strings.HasPrefix(line, "#Time:"):
			current = sample{map[string]uint64{}}
			var hour, min, sec, day, year, from, to int
			var weekday, month, meter string
			n, err := fmt.Sscanf(line, "#Time: %d:%d:%d %s %d %s %d %s Flows from %d to %d",
				&hour, &min, &sec, &weekday, &day, &month, &year, &meter, &from, &to)
			if n != 10 || err != nil {
				t.Errorf("%q: %v", line, err)
			}
		case strings.HasPrefix(line, "#EndData"):
			committed = append(committed, current)
		case line[0] == '#':
		default:
			values := strings.Fields(line)
			if len(values) != 26 {
				t.Errorf("%d values in %q", len(values), line)
				continue
			}
			octets, err := strconv.ParseUint(values[23], 10, 64)
			if err != nil {
				t.Error(err)
			}
			current.octets[strings.Join(values[:3], " ")+" "+values[9]] = octets
		}
	}
	want := []sample{
		{map[string]uint64{"2 2 13 130.216.14.0": 121824, "255 4294967295 0 2001:db8::": math.MaxUint64, "2 9 1 73.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7": 0}},
		{map[string]uint64{}},
		{map[string]uint64{"2 2 13 130.216.14.0": 121824}},
	}
	if !reflect.DeepEqual(committed, want) {
		t.Errorf("got %v, want %v", committed, want)
	}
}

type failing struct{ after int }

var errFull = errors.New("disk is full")

func (f *failing) Write(b []byte) (int, error) {
	if f.after -= len(b); f.after < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteError(t *testing.T) {
	w := NewWriter(&failing{}, testHeader(), epoch, DefaultFormat(nil), Options{})
	for range 2 {
		w.Begin(epoch)
		if err := w.End(record.Summary{}); !errors.Is(err, errFull) {
			t.Errorf("got %v", err)
		}
	}
}

// TestFlowAllocations: a record of a known shape allocates nothing.
func TestFlowAllocations(t *testing.T) {
	for _, opts := range []Options{{}, {JSON: true}, {CSV: true}} {
		f, err := ruleset.ParseFormat(testFormat)
		if err != nil {
			t.Fatal(err)
		}
		w := NewWriter(io.Discard, testHeader(), epoch, f, opts)
		w.Begin(epoch)
		flows := testFlows()
		var delta record.Counters
		for _, fl := range flows {
			w.Flow(fl, &delta)
		}
		if n := testing.AllocsPerRun(1000, func() {
			for _, fl := range flows {
				w.Flow(fl, &delta)
			}
		}); n != 0 {
			t.Errorf("%+v: %v allocations", opts, n)
		}
	}
}

func TestBackwardTime(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, testHeader(), epoch, DefaultFormat(nil), Options{})
	for _, at := range []int64{-1e9, 0, 5e9, 4e9} {
		w.Begin(epoch + at)
		if err := w.End(record.Summary{}); err != nil {
			t.Fatal(err)
		}
	}
	var spans []string
	for line := range strings.Lines(b.String()) {
		if _, span, ok := strings.Cut(line, "Flows "); ok {
			spans = append(spans, strings.TrimSpace(span))
		}
	}
	want := []string{"from 1 to 0", "from 0 to 0", "from 0 to 500", "from 499 to 500"}
	if !slices.Equal(spans, want) {
		t.Errorf("got %v, want %v", spans, want)
	}
}

func benchmarkFlow(b *testing.B, opts Options, fl *match.Flow) {
	as := []attr.Attr{attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress,
		attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress}
	w := NewWriter(io.Discard, testHeader(), epoch, DefaultFormat(as), opts)
	var delta record.Counters
	b.ReportAllocs()
	for range b.N {
		w.Flow(fl, &delta)
	}
}

func BenchmarkTextIPv4(b *testing.B) { benchmarkFlow(b, Options{}, testFlows()[0]) }
func BenchmarkTextIPv6(b *testing.B) { benchmarkFlow(b, Options{}, testFlows()[1]) }
func BenchmarkJSONIPv4(b *testing.B) { benchmarkFlow(b, Options{JSON: true}, testFlows()[0]) }
func BenchmarkCSVIPv4(b *testing.B)  { benchmarkFlow(b, Options{CSV: true}, testFlows()[0]) }
