package flowfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/reader/record"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/traces/tracetest"
)

// readAll reads a file to its end; faulty lines are returned beside the
// records.
func readAll(t testing.TB, text string) (recs []*Record, faults []string) {
	t.Helper()
	r := NewReader(strings.NewReader(text))
	for {
		rec, err := r.Next()
		var fault *SyntaxError
		switch {
		case err == io.EOF:
			return recs, faults
		case errors.As(err, &fault):
			faults = append(faults, err.Error())
		case err != nil:
			t.Fatal(err)
		default:
			recs = append(recs, rec)
		}
	}
}

// summarise lists records as `line kind`, flows with their values.
func summarise(recs []*Record) (s []string) {
	names := map[Kind]string{KindHeader: "header", KindFormat: "format", KindTime: "time", KindFlow: "flow",
		KindStats: "stats", KindRuleSet: "ruleset", KindEnd: "end", KindComment: "comment", KindIncomplete: "incomplete"}
	for _, r := range recs {
		line := fmt.Sprintf("%d %s", r.Line, names[r.Kind])
		if r.Kind == KindFlow {
			line += " " + strings.Join(r.Values, "|")
		}
		s = append(s, line)
	}
	return s
}

func published(t *testing.T, name string) string {
	t.Helper()
	dir := tracetest.Require(t, "traces")
	text, err := os.ReadFile(filepath.Join(dir, "flowdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWrapped: the sample of RFC 2123 reads the same as printed there and
// with its lines joined.
func TestWrapped(t *testing.T) {
	type collection struct {
		Times
		flows     int
		toOctets  uint64
		fromPDUs  uint64
		firstPeer string
	}
	want := []collection{
		{Times{time.Date(1995, 2, 1, 12, 31, 27, 0, time.UTC), "130.216.14.251", 1, 3642}, 26, 0, 0, "31.32.0.0"},
		{Times{time.Date(1995, 2, 1, 12, 36, 25, 0, time.UTC), "130.216.14.251", 3641, 33420}, 18, 0, 0, "130.216.14.0"},
		{Times{time.Date(1995, 2, 1, 12, 41, 25, 0, time.UTC), "130.216.14.251", 33419, 63384}, 9, 0, 0, "130.216.14.0"},
	}
	var both [2][][]string
	for i, name := range []string{"rfc2123-sample-as-printed.flows", "rfc2123-sample-unwrapped.flows"} {
		recs, faults := readAll(t, published(t, name))
		if len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		h := recs[0].Header
		if recs[0].Kind != KindHeader || h.Version != "3.2" || h.Meter != "test_meter" || !slices.Equal(h.Interfaces, []string{"eth0"}) ||
			h.Parameters != "-c300 -r rules.lan -e rules.default" || h.MaxFlows != 4000 || !h.Start.Equal(want[0].Time) {
			t.Errorf("%s: header %+v", name, h)
		}
		if len(recs[1].Columns) != 10 || recs[1].Columns[4].Attr != attr.SourcePeerAddress {
			t.Errorf("%s: columns %+v", name, recs[1].Columns)
		}
		var got []collection
		for _, r := range recs {
			switch r.Kind {
			case KindTime:
				got = append(got, collection{Times: r.Collection})
			case KindFlow:
				c := &got[len(got)-1]
				if c.flows++; c.flows == 1 {
					peer, err := r.Octets(attr.SourcePeerAddress)
					if err != nil {
						t.Error(err)
					}
					c.firstPeer = peer.String()
				}
				both[i] = append(both[i], r.Values)
			case KindIncomplete:
				t.Errorf("%s: incomplete", name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	if !slices.EqualFunc(both[0], both[1], slices.Equal) {
		t.Error("the flows differ")
	}
}

func TestDerivedTable(t *testing.T) {
	recs, faults := readAll(t, published(t, "wikk-fd_filter-derived.tsv"))
	if len(faults) > 0 || len(recs) != 6 || recs[0].Kind != KindFormat {
		t.Fatal(summarise(recs), faults)
	}
	last := recs[5]
	if last.Values[0] != "2014-01-06 09:17:30" || last.Columns[0].Attr != attr.Null {
		t.Errorf("%+v", last)
	}
	if port, err := last.Uint(attr.DestTransAddress); port != 40002 || err != nil {
		t.Error(port, err)
	}
	if mac, err := last.Octets(attr.DestAdjacentAddress); mac.Hex() != "C4-3D-C7-BD-97-A4" || err != nil {
		t.Error(mac.Hex(), err)
	}
	if _, err := last.Uint(attr.ToPDUs); err == nil {
		t.Error("d_topdus taken for ToPDUs")
	}
}

func TestReader(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
		faults     []string
	}{
		{
			name: "two blanks, tabs, commas between values",
			text: "#Format: flowindex  topdus\tfrompdus, tooctets\n1 2\t3, 4\n1    2\t3, 4  \r\n1 2 3 4\n1 2\t3, x\n1 2\t3, 4 5\n",
			want: []string{"1 format", "2 flow 1|2|3|4", "3 flow 1|2|3|4"},
			faults: []string{
				"flow data file: line 4: 2 values, #Format has 4",
				`flow data file: line 5: tooctets: "x" is not a number`,
				`flow data file: line 6: tooctets: "4 5" is not a number`,
			},
		},
		{
			name: "addresses",
			text: "#Format: sourceadjacentaddress sourcepeeraddress sourcepeermask tag\n" +
				"00-80-48-81-0E-7C 2001:db8::1 ffff:: anything\n0 0 0 0\n00:80:48:81:0E:7C 1.2.3 255.255 -\nxy 0 0 0\n" +
				"0 1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1 0 0\n",
			want:   []string{"1 format", "2 flow 00-80-48-81-0E-7C|2001:db8::1|ffff::|anything", "3 flow 0|0|0|0", "4 flow 00:80:48:81:0E:7C|1.2.3|255.255|-"},
			faults: []string{`flow data file: line 5: sourceadjacentaddress: "xy" is not an address`, `flow data file: line 6: sourcepeeraddress: "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1" is not an address`},
		},
		{
			name:   "no format",
			text:   "# made by hand\n1 2 3\n",
			want:   []string{"1 comment"},
			faults: []string{"flow data file: line 2: a flow record before #Format"},
		},
		{
			name: "collections without an end",
			text: "##NeTraMet v4.4.  -c300  m  10 flows  starting at 01:40:00 Mon 21 Mar 2005\n#Format: flowindex\n" +
				"#Time: 01:40:00 Mon 21 Mar 2005 m Flows from 1 to 2\n1\n" +
				"#Time: 01:45:00 Mon 21 Mar 2005 m Flows from 1 to 30002\n1\n#EndData\n" +
				"#Time: 01:50:00 Mon 21 Mar 2005 m Flows from 30001 to 60002\n1\n2",
			want: []string{"1 header", "2 format", "3 time", "4 flow 1", "5 incomplete", "5 time", "6 flow 1", "7 end",
				"8 time", "9 flow 1", "10 flow 2", "10 incomplete"},
		},
		{
			name: "no #EndData in the days of version 3",
			text: "##NeTraMet v3.2. -c300 m  10 flows  starting at 01:40:00 Mon 21 Mar 99\n#Time: 01:40:00 Mon  1 Mar 99 m Flows\n  from 1 to 2\n",
			want: []string{"1 header", "2 time"},
		},
		{
			name: "faulty information records",
			text: "##NeTraMet v4.4 m starting\n##NeTraMet v4.4.  m  ten flows  starting at 01:40:00 Mon 21 Mar 2005\n" +
				"##NeTraMet v4.4.  m  10 flows  starting at 25:40:00 Mon 21 Mar 2005\n#Format: \n#Format: a=b ?\n#Time: 01:40:00\n" +
				"#Time: 01:40:00 Mon 21 Mar 2005 m Flows from x to 2\n#EndData: lost=many\n#EndData: of the day\n",
			want: []string{"5 format", "9 end"},
			faults: []string{
				"flow data file: line 1: want `starting at` and a time in the first record",
				"flow data file: line 2: want the number of flows before `starting at`",
				`flow data file: line 3: "25:40:00 Mon 21 Mar 2005" is not a time like ` + "`12:31:27 Wed 1 Feb 1995`",
				"flow data file: line 4: no columns",
				"flow data file: line 6: want a time, a meter and `Flows from t1 to t2` behind #Time",
				`flow data file: line 7: strconv.ParseUint: parsing "x": invalid syntax`,
				`flow data file: line 8: "lost=many" is not a number`,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recs, faults := readAll(t, tt.text)
			if got := summarise(recs); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if !slices.Equal(faults, tt.faults) {
				t.Errorf("faults\n%s\nwant\n%s", strings.Join(faults, "\n"), strings.Join(tt.faults, "\n"))
			}
		})
	}
}

func TestSummaryReads(t *testing.T) {
	recs, _ := readAll(t, "#Stats: packets=7 octets=8 aps=3 ignored=9 unmatched=10 stopped=5 active=11\n"+
		"#RuleSet: ruleset=2 packets=21 counted=1 ignored=9 x=7 unmatched=5 stopped=4 uncounted=2\n#EndData: flows=1 lost=2 uncounted=3 sampling=4 stopped=5\n")
	if got, want := recs[0].Summary, (record.Summary{Packets: 7, Octets: 8, Ignored: 9, Unmatched: 10, Stopped: 5, Active: 11}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if got, want := recs[1].Summary, (record.Summary{RuleSets: []record.RuleSetSummary{
		{RuleSet: 2, Packets: 21, Counted: 1, Ignored: 9, Unmatched: 5, Stopped: 4, Uncounted: 2},
	}}); recs[1].Kind != KindRuleSet || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if got, want := recs[2].Summary, (record.Summary{Flows: 1, Lost: 2, Uncounted: 3, Stopped: 5, Sampling: 4}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestHeaders(t *testing.T) {
	start := time.Date(2005, 3, 1, 1, 40, 0, 0, time.UTC)
	for _, tt := range []struct {
		parts string // before the number of flows
		want  Header
	}{
		{"v4.4.  -c300 -i 5  meter -i dag0 -i dag1", Header{Version: "4.4", Parameters: "-c300 -i 5", Meter: "meter", Interfaces: []string{"dag0", "dag1"}}},
		{"v5.3 (rtfm 1.0).  meter", Header{Version: "5.3 (rtfm 1.0)", Meter: "meter"}},
		{"v5.3.  - -i x.pcap", Header{Version: "5.3", Meter: "-", Interfaces: []string{"x.pcap"}}},
		{"v3.2. -r a.rules meter -i eth0", Header{Version: "3.2", Parameters: "-r a.rules", Meter: "meter", Interfaces: []string{"eth0"}}},
	} {
		tt.want.MaxFlows, tt.want.Start = 7, start
		got, err := parseHeader("##NeTraMet " + tt.parts + "  7 flows  starting at 01:40:00 Tue 1 Mar 2005")
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, %v", tt.parts, got, err)
		}
	}
}

func TestTwoDigitYears(t *testing.T) {
	for text, want := range map[string]int{"70": 1970, "99": 1999, "00": 2000, "69": 2069, "1969": 1969} {
		got, err := parseClock([]string{"00:00:00", "Xxx", "2", "Jan", text})
		if err != nil || got.Year() != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"7", "199", "19951", "xx", "-1"} {
		if got, err := parseClock([]string{"00:00:00", "Xxx", "2", "Jan", text}); err == nil {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// endless gives the same octets for ever.
type endless string

func (e endless) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		n += copy(b[n:], e)
	}
	return n, nil
}

// TestBounds: neither a line nor a wrapped record without end is read whole.
func TestBounds(t *testing.T) {
	r := NewReader(endless("x"))
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "line 1 is longer than 1048576 octets") {
		t.Error(err)
	}
	if _, again := r.Next(); again == nil {
		t.Error("went on")
	}
	r = NewReader(io.MultiReader(strings.NewReader("#Time: x\n"), endless("  1234567\n")))
	var fault *SyntaxError
	if _, err := r.Next(); !errors.As(err, &fault) {
		t.Error(err)
	}
	if _, err := NewReader(io.LimitReader(endless("1\n"), 1e6)).Next(); !errors.As(err, &fault) {
		t.Error(err)
	}
}

func TestDefaultFormat(t *testing.T) {
	a := &ruleset.RuleSet{Rules: []ruleset.Rule{
		{Attr: attr.DestTransAddress, Op: ruleset.OpPushPktToAct, Param: 2},
		{Attr: attr.SourcePeerAddress, Mask: attr.Ones(4), Op: ruleset.OpPushPktToAct, Param: 3},
		{Attr: attr.SourcePeerAddress, Mask: attr.Ones(3), Op: ruleset.OpPushPktToAct, Param: 4},
		{Attr: attr.VLANid, Op: ruleset.OpPushPktToAct, Param: 5},
		{Attr: attr.FlowKind, Op: ruleset.OpPushRuleToAct, Param: 6},
		{Attr: attr.SourcePeerType, Op: ruleset.OpCountPkt},
	}}
	b := &ruleset.RuleSet{Rules: []ruleset.Rule{
		{Attr: attr.DestPeerAddress, Op: ruleset.OpPushPktToAct, Param: 2},
		{Attr: attr.SourcePeerType, Op: ruleset.OpCountPkt},
	}}
	f, err := ruleset.ParseFormat(`ToPDUs "," DestPeerAddress FlowIndex`)
	if err != nil {
		t.Fatal(err)
	}
	own := &ruleset.RuleSet{Format: f, Rules: b.Rules}
	for _, tt := range []struct {
		rulesets []*ruleset.RuleSet
		want     string
	}{
		{nil, "flowruleset flowindex firsttime  topdus frompdus  tooctets fromoctets  lastactivetime"},
		{[]*ruleset.RuleSet{b, a}, "flowruleset flowindex firsttime  sourcepeertype sourcepeeraddress destpeeraddress sourcepeermask  desttransaddress  flowkind vlanid  topdus frompdus  tooctets fromoctets  lastactivetime"},
		{[]*ruleset.RuleSet{own}, "topdus,destpeeraddress flowindex"},
		{[]*ruleset.RuleSet{b, own}, "topdus,destpeeraddress flowindex flowruleset firsttime  sourcepeertype frompdus  tooctets fromoctets  lastactivetime"},
	} {
		got := string(appendFormat(nil, columns(FormatFor(tt.rulesets...))))
		if got != "#Format: "+tt.want+"\n" {
			t.Errorf("got %swant %s", got, tt.want)
		}
	}
}

// FuzzReader: any text reads without harm, and what was read, written again,
// reads as the same records, and is written the same the next time.
func FuzzReader(f *testing.F) {
	var b bytes.Buffer
	writeTest(f, &b, Options{Statistics: true})
	f.Add(b.Bytes())
	f.Add([]byte("##NeTraMet v3.2.  -c300\n  m -i eth0  10 flows  starting at 01:40:00 Mon 21 Mar 99\n#Format: flowindex\n  topdus,tooctets\n1 2,3\n"))
	f.Add([]byte("#a\tflowindex\tb\nx y\t2\t\n"))
	f.Add([]byte("#Time: 01:40:00 Mon  1 Mar 99 m Flows\n  from 1 to 2\n   . . .\n#EndData: flows=3\n#Stats: x=y\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		write := func(text []byte) (out []byte) {
			r := NewReader(bytes.NewReader(text))
			for {
				rec, err := r.Next()
				var fault *SyntaxError
				if errors.As(err, &fault) {
					continue
				}
				if err != nil {
					if err != io.EOF {
						t.Skip()
					}
					return out
				}
				out = rec.AppendTo(out)
			}
		}
		once := write(text)
		twice := write(once)
		if !bytes.Equal(once, twice) {
			t.Errorf("first\n%q\nthen\n%q", once, twice)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	var file bytes.Buffer
	w := NewWriter(&file, testHeader(), epoch, DefaultFormat([]attr.Attr{attr.SourcePeerType, attr.SourcePeerAddress,
		attr.DestPeerAddress, attr.SourceTransType, attr.SourceTransAddress}), Options{})
	w.Begin(epoch)
	for range 1000 {
		w.Flow(testFlows()[0], nil)
	}
	if err := w.End(record.Summary{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(file.Len()))
	for range b.N {
		for r := NewReader(bytes.NewReader(file.Bytes())); ; {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}
