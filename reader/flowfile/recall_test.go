package flowfile

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// TestRecall reads back what a Writer has written of flows, with distributions.
func TestRecall(t *testing.T) {
	var shapes match.Shapes
	sizes := attr.Measure{Attr: attr.ToPacketSize, Mask: attr.MakeValue(1, 0, 0, 0, 0, 0), Value: attr.MakeValue(1, 0, 0, 3, 0, 9)}
	shape := shapes.Intern(3, 0, 0, []match.Saved{{Attr: attr.SourceTransType, Mask: attr.Ones(1)}}, sizes, sizes)
	flow := &match.Flow{
		FlowKey: match.FlowKey{Shape: shape}, Index: 7, FirstTime: 1_700_000_000_123_456_789, LastTime: 1_700_000_001_000_000_000,
		ToPDUs: 1 << 60, FromPDUs: 2, ToOctets: 3, FromOctets: 4,
	}
	for i := range shape.Measures {
		counters := make([]uint64, shape.Measures[i].Counters())
		for j := range counters {
			counters[j] = uint64(100*i + j)
		}
		flow.Counters = append(flow.Counters, counters)
	}
	var out bytes.Buffer
	w := NewWriter(&out, Header{Version: "1", Meter: "m"}, 1_600_000_000_000_000_000, nil, Options{JSON: true})
	for i := range int64(2) {
		w.Begin(1_700_000_002_000_000_000 + i*1e9)
		counters := record.CountersOf(flow)
		w.Flow(flow, &counters)
		w.Flow(flow, nil)
		if err := w.End(record.Summary{}); err != nil {
			t.Fatal(err)
		}
	}
	want := &Recalled{RuleSet: 3, Index: 7, FirstTime: flow.FirstTime, Counters: record.CountersOf(flow)}
	last := strings.LastIndex(out.String(), `{"record":"start"`)
	for _, tt := range []struct {
		from, flows int
		to          uint64
	}{{0, 4, 10_000_000_300}, {1, 4, 10_000_000_300}, {last, 2, 10_000_000_300}, {last + 1, 2, 0}, {out.Len(), 0, 0}} {
		n := 0
		to, err := Recall(strings.NewReader(out.String()[tt.from:]), func(f *Recalled) bool {
			n++
			if !reflect.DeepEqual(f, want) {
				t.Errorf("have %+v\nwant %+v", f, want)
			}
			return true
		})
		if err != nil || n != tt.flows || to != tt.to {
			t.Errorf("from octet %d: %d flows, up to %d, %v; want %d, %d", tt.from, n, to, err, tt.flows, tt.to)
		}
	}
}

func FuzzRecall(f *testing.F) {
	f.Add([]byte(`{"record":"start","meter":"m","from":1,"to":5}` + "\n" + `{"record":"flow","FlowRuleSet":1,"FlowIndex":2,"FirstTimeNs":3,"ToPDUs":4,"FromPDUs":5,"ToOctets":6,"FromOctets":7,"counters":[1,2]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		Recall(bytes.NewReader(b), func(*Recalled) bool { return true })
	})
}

// BenchmarkRecall reads flows without distributions.
func BenchmarkRecall(b *testing.B) {
	const record = `{"record":"flow","FlowRuleSet":2,"FlowIndex":6,"FirstTime":356,"LastActiveTime":3641,"FirstTimeNs":791641891060000000,"LastActiveTimeNs":791641923915678901,"SourcePeerType":1,"SourcePeerAddress":"130.216.14.0","SourcePeerMask":24,"DestPeerAddress":"130.216.3.1","ToPDUs":0,"FromPDUs":10,"ToOctets":0,"FromOctets":1053,"DeltaToPDUs":0,"DeltaFromPDUs":10,"DeltaToOctets":0,"DeltaFromOctets":1053}` + "\n"
	text := strings.Repeat(record, 10_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Recall(strings.NewReader(text), func(*Recalled) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
}
