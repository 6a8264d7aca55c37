package flowlist

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// packetOf returns a packet with these values, by names of attributes.
func packetOf(t *testing.T, time int64, values ...string) *match.Packet {
	t.Helper()
	p := &match.Packet{Time: time}
	for i := 0; i < len(values); i += 2 {
		a, _ := attr.ByName(values[i])
		v, mask, err := parse(a, values[i+1])
		if err != nil || mask != attr.Ones(v.Len()) {
			t.Fatalf("%s: %v", values[i+1], err)
		}
		v.Append(p.Key[a.Info().Offset:][:0])
		if a.IsPeer() {
			p.PeerLen = uint8(v.Len())
		} else if a.IsAdjacent() {
			p.AdjacentLen = uint8(v.Len())
		}
	}
	return p
}

// TestRows reads rows of tables.
func TestRows(t *testing.T) {
	web := []string{"SourcePeerAddress", "10.1.0.1", "DestPeerAddress", "10.2.0.2", "SourceTransType", "6", "SourceTransAddress", "999", "DestTransAddress", "443"}
	answer := []string{"SourcePeerAddress", "10.2.0.2", "DestPeerAddress", "10.1.0.1", "SourceTransType", "6", "SourceTransAddress", "443", "DestTransAddress", "999"}
	for _, tt := range []struct {
		rows         string
		web, answers bool
	}{
		{`{"SourcePeerAddress":"10.1.0.1","DestTransAddress":"https","ToPDUs":1,"FromPDUs":2}`, true, true},
		{`{"SourcePeerAddress":"10.1.0.1","DestTransAddress":"https","ToPDUs":1,"FromPDUs":0}`, true, false},
		{`{"SourcePeerAddress":"10.1.0.1","DestTransAddress":"https","ToPDUs":0,"FromPDUs":9}`, false, true},
		{`{"SourcePeerAddress":"10.1.0.1","DestTransAddress":443}`, true, true},
		{`{"SourcePeerAddress":"10.1.0.1","DestTransAddress":999}`, false, false},
		{`{"SourceTransType":"tcp"}`, true, true},
		{`{"SourceTransType":"udp"}`, false, false},
		{`{"SourceTransAddress":"768&63.0","DestPeerAddress":"10.2.0.0/16"}`, true, true},
		{`{"SourceTransAddress":"1024/6"}`, false, false},
		{`{"Host":"10.2.0.2","SentPDUs":0,"ReceivedPDUs":4}`, true, false},
		{`{"Host":"10.2.0.2","SentPDUs":4,"ReceivedPDUs":0}`, false, true},
		{`{"Host":"10.2.0.2","DestTransAddress":"https","SentPDUs":4,"ReceivedPDUs":0}`, false, true},
		{`{"Host":"10.1.0.1","DestTransAddress":"https","SentPDUs":4,"ReceivedPDUs":0}`, true, false},
		{`{"Host":"10.0.0.0/8","Port":"999","Percent":12.5}`, true, true},
		{`{"Host":"10.2.0.0/16","Port":"999"}`, false, false},
		{`{"Host":"10.2.0.2","FirstTimeNs":40,"LastActiveTimeNs":50}`, true, true},
		{`{"Host":"10.2.0.2","FirstTimeNs":51,"LastActiveTimeNs":60}`, false, false},
		{`{"Host":"10.2.0.2","LastActiveTimeNs":49}`, false, false},
		{"{\"Host\":\"10.9.0.2\"}\n\n{\"Port\":\"https\"}\n", true, true},
		{`{"schema":1,"meter":"m","rulesets":[{"columns":[{"name":"DestTransAddress","kind":"text"},{"name":"FromPDUs"},{"name":"ToPDUs"},{"name":"LastActiveTimeNs"}],"rows":[["dns",1,2,"50"],["https",0,2,"50"]]}]}`, true, false},
	} {
		w := New(false)
		if err := w.Read(strings.NewReader(tt.rows)); err != nil {
			t.Errorf("%s: %v", tt.rows, err)
		}
		got := [2]bool{w.Set.HasPacket(packetOf(t, 50, web...), 50), w.Set.HasPacket(packetOf(t, 50, answer...), 50)}
		if got != [2]bool{tt.web, tt.answers} || w.Count == 0 {
			t.Errorf("%s: %v, want %v and %v", tt.rows, got, tt.web, tt.answers)
		}
	}
}

// TestRefused reads what cannot be found in packets, or is no list of flows.
func TestRefused(t *testing.T) {
	const flow = `{"record":"flow","Schema":1,"Meter":"m","EpochNs":0,"FlowRuleSet":2,"IntervalStartNs":0,"IntervalEndNs":9,"FlowIndex":7,"FirstTimeNs":1,"LastActiveTimeNs":2,"FlowKind":3,"ToPDUs":1,"FromPDUs":0,"ToOctets":9,"FromOctets":0}`
	for _, tt := range []struct{ text, want string }{
		{`{"Percent":5}`, "line 1: it has saved nothing"},
		{"{\"Host\":\"10.1.1.1\"}\n{\"Host\":\"acme\"}", `line 2: Host: "acme" is no value`},
		{`{"Host":"10.1.1.1/33"}`, `"33" is no width`},
		{`{"SourcePeerAddress":"10.1.1.1","DestPeerAddress":"2001:db8::1"}`, "of another family"},
		{"{\"Host\":\"10.1.1.1\"}\nx", "line 2: no object of JSON"},
		{`{"rulesets":3}`, "no interval of rtfm top"},
		{"", "it is empty"},
		{flow, "flow 7 of ruleset 2: it has saved nothing"},
	} {
		w := New(false)
		if err := w.Read(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
		}
	}
	w := New(true)
	if err := w.Read(strings.NewReader(flow)); err != nil || w.Set.Len() != 1 || !slices.Equal(w.Ignored, []attr.Attr{attr.FlowKind}) {
		t.Errorf("with its ruleset: %v, %d flows, %v", err, w.Set.Len(), w.Ignored)
	}
}

// FuzzRows reads any rows: each is a flow or is refused.
func FuzzRows(f *testing.F) {
	for _, seed := range []string{
		`{"Host":"10.1.1.1/24","SentPDUs":1}`, `{"SourceAdjacentAddress":"02-00-00-00-00-01&FF-FF","DestTransAddress":"echo-reply"}`,
		`{"rulesets":[{"columns":[{"name":"Port"}],"rows":[["https"],[null],[]]}]}`, `{"SourcePeerAddress":"::1","FirstTimeNs":"x"}`, `{"VLANid":99999999999999999999}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w := New(false)
		if err := w.Read(strings.NewReader(text)); err == nil && w.Set.Len() > 2*max(w.Count, 1) {
			t.Error(fmt.Sprint(w.Count, " rows are ", w.Set.Len(), " flows"))
		}
	})
}
