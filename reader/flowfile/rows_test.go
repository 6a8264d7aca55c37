package flowfile

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TestDistributionsConverted has distributions, with what the interval added and
// without, go through CSV and text.
func TestDistributionsConverted(t *testing.T) {
	var shapes match.Shapes
	sizes, err := parseParameters(attr.ToPacketSize, "1.0.250!1500", "6.0.0!0")
	if err != nil {
		t.Fatal(err)
	}
	other := sizes
	other.Attr = attr.FromPacketSize
	shape := shapes.Intern(3, 4, 0, []match.Saved{{Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(24, 4)}}, other, sizes)
	fl := &match.Flow{FlowKey: match.FlowKey{Shape: shape}, Index: 7, FirstTime: epoch, LastTime: epoch + 1e9, ToPDUs: 28, FromPDUs: 36}
	copy(fl.Key.Peer(attr.Source)[:], []byte{192, 0, 2, 0})
	fl.Counters = [][]uint64{{1, 2, 3, 4, 5, 6, 7}, {2, 3, 4, 5, 6, 7, 9}}
	var json bytes.Buffer
	w := NewWriter(&json, testHeader(), epoch, DefaultFormat([]attr.Attr{attr.SourcePeerAddress, attr.SourcePeerMask, attr.ToPacketSize, attr.FromPacketSize}), Options{JSON: true})
	w.Begin(epoch + 2e9)
	w.Flow(fl, &record.Counters{ToPDUs: 1, FromPDUs: 2, Measures: []uint64{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0}})
	w.Flow(fl, &record.Counters{ToPDUs: 1})
	w.Flow(fl, nil)
	if err := w.End(record.Summary{}); err != nil {
		t.Fatal(err)
	}
	csv := converted(t, json.Bytes(), CSV)
	if want := ",1.0.250!1500:6.0.0!0:1:2:3:4:5:6:7,0:1:0:0:0:0:0,1.0.250!1500:6.0.0!0:2:3:4:5:6:7:9,0:0:0:0:0:2:0,28,36,"; !strings.Contains(string(csv), want) {
		t.Errorf("%s\nhas no\n%s", csv, want)
	}
	if got, want := flowLines(converted(t, csv, JSON)), flowLines(json.Bytes()); len(want) != 3 || !slices.Equal(got, want) {
		t.Errorf("JSON, CSV, JSON: got\n%s\nwant\n%s", got, want)
	}
	text := converted(t, json.Bytes(), Text)
	if again := converted(t, converted(t, text, JSON), Text); !bytes.Equal(again, text) {
		t.Errorf("got\n%s\nwant\n%s", again, text)
	}
}

// TestRowFaults has rows with something wrong in them: none is read as another.
func TestRowFaults(t *testing.T) {
	var file bytes.Buffer
	writeTest(t, &file, Options{JSON: true})
	json := file.String()
	csv := string(converted(t, file.Bytes(), CSV))
	for _, tt := range []struct{ file, old, new, want string }{
		{json, `"flows":3`, `"flows":4`, "line 6: the collection ends with flows=4, and has 3 flow records"},
		{json, `,"ToPDUs":`, `,"SourcePeerAddressName":"` + strings.Repeat("x", 256) + `","ToPDUs":`, "line 3: SourcePeerAddressName: a name of more than 255 octets"},
		{json, `"Schema":1`, `"Schema":2`, `line 3: rows of schema "2", this program knows 1`},
		{json, `"ToOctets":121824`, `"ToOctet":121824`, `line 3: no column "ToOctet"; did you mean ToOctets?`},
		{json, `"ToOctets":121824`, `"ToOctets":18446744073709551616`, `line 3: ToOctets: "18446744073709551616" is no number of 64 bits`},
		{json, `"ToOctets":121824`, `"ToOctets":-1`, `line 3: ToOctets: "-1" is not a number`},
		{json, `"ToOctets":18446744073709551615,`, ``, "line 4: ToOctets is told of some flows of the collection only"},
		{json, `"VLANid":258`, `"VLANid":65536`, `line 3: VLANid: "65536" is no number of 16 bits`},
		{json, `"SourcePeerMask":24`, `"SourcePeerMask":33`, "line 3: SourcePeerMask: a prefix of 33 bits, the address has 32"},
		{json, `"DestPeerAddress":"::1"`, `"DestPeerAddress":"1.2.3.4"`, "line 4: DestPeerAddress: 4 octets, the other end's address has 16"},
		{json, `"FlowRuleSet":2`, `"FlowRuleSet":256`, "line 3: FlowRuleSet: 256 is not a ruleset from 1 to 255"},
		{json, `"IntervalEndNs":791641923920000000`, `"IntervalEndNs":791641923920000001`, "line 3: a flow of another meter or interval than the collection that it stands in"},
		{json, `"ToPDUs":1138,`, `"ToPDUs":1138,"ToPDUs":1138,`, "line 3: ToPDUs stands there twice"},
		{json, `"FlowIndex":`, `"FlowRuleSet":2,"FlowIndex":`, "line 3: FlowRuleSet stands there twice"},
		{json, `"ToPDUs":1138,`, `"ToPDUs":1138`, "line 3: "},
		{json, `{"record":"end","flows":3`, `{"record":"ende","flows":3`, `line 6: "ende" is no kind of record`},
		{json, `{"record":"end","flows":3`, `{"record":"start","flows":3`, "the collection was not ended: line 6"},
		{json, `{"record":"header"`, `{"record":"skipped"`, "line 2: a collection before the header"},
		{csv, ",ToOctets,", ",ToOctets,ToOctets,", "line 1: column ToOctets stands there twice"},
		{csv, "Meter,", "Name,", `line 1: no column "Name"`},
		{csv, "1,test_meter,", "1,test_meter,,", "line 2: "},
		{csv, "1,test_meter,", `1,"test_meter,`, "line 2: Meter: a quotation mark"},
		{csv, "1,test_meter,", `1,"test"meter,`, "line 2: Meter: a quotation mark within a value is to be doubled"},
		{csv, "1,test_meter,", "2,test_meter,", `line 2: rows of schema "2"`},
		{csv, "121824,0\n", "121824\n", "values, there are"},
	} {
		faulty := strings.Replace(tt.file, tt.old, tt.new, 1)
		if faulty == tt.file {
			t.Fatalf("nothing is like %s", tt.old)
		}
		var e ends
		if _, err := copyAll(strings.NewReader(faulty), &e); err == io.EOF || !strings.Contains(err.Error(), tt.want) || e.ended != 0 {
			t.Errorf("%s for %s: %v, %+v; want %s", tt.new, tt.old, err, e, tt.want)
		}
	}
}
