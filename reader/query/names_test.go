package query

import (
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TestNames adds flows up by what a table calls their sources, or by those, and lists
// them.
func TestNames(t *testing.T) {
	names := new(ruleset.Names)
	var shapes match.Shapes
	var flows []match.Flow
	for i, net := range []struct {
		name  string
		width int
		value []byte
	}{
		{"acme, inc", 16, []byte{10, 1, 0, 0}},
		{"acme, inc", 32, []byte{32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"beta", 24, []byte{10, 1, 7, 0}},
		{"", 0, make([]byte, 4)},
		{"", 0, make([]byte, 16)},
		{"", 8, []byte{11, 0, 0, 0}},
	} {
		n := len(net.value)
		mask := attr.WidthMask(net.width, n)
		if net.name != "" {
			names.Add(attr.SourcePeerAddress, mask, attr.MakeValue(net.value...), net.name)
		}
		shape := shapes.Intern(2, uint8(n), 0, []match.Saved{{Attr: attr.SourcePeerAddress, Mask: mask}, {Attr: attr.DestPeerAddress, Mask: attr.Ones(n)}})
		f := match.Flow{FlowKey: match.FlowKey{Shape: shape}, Index: uint32(i + 1), FirstTime: 1e9, LastTime: 2e9, ToPDUs: 1, ToOctets: 64 >> i}
		copy(f.Key.Peer(attr.Source)[:], net.value)
		f.Key.Peer(attr.Dest)[0] = 192
		flows = append(flows, f)
	}
	top := func(o Options) string {
		t.Helper()
		all := NewTop(o)
		c := &record.Collection{First: true, To: 3e9, RuleSets: []record.RuleSet{{Number: 2, Names: names}}}
		if err := all.Begin(c); err != nil {
			t.Fatal(err)
		}
		for i := range flows {
			if err := all.Flow(&flows[i], nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := all.End(&record.Summary{}); err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, row := range all.Tables()[0].Rows {
			text += "|" + row[0].Exact()
		}
		return text
	}
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{By: by(t, "SourcePeerAddress")}, "|acme, inc|beta||11.0.0.0/8"},
		{Options{By: by(t, "SourcePeerAddress"), Numeric: true}, "|10.1.0.0/16|2001:db8::/32|10.1.7.0/24|0.0.0.0/0|::/0|11.0.0.0/8"},
		{Options{By: by(t, "SourcePeerAddress/8")}, "|10.0.0.0/8|2001:db8::/32|0.0.0.0/0|::/0|11.0.0.0/8"},
		{Options{By: by(t, "Host")}, "|acme, inc|192.0.0.0|c000::|beta||11.0.0.0/8"},
		{Options{}, "|acme, inc|acme, inc|beta|other IPv4|other IPv6|11.0.0.0/8"},
		{Options{Numeric: true}, "|10.1.0.0/16|2001:db8::/32|10.1.7.0/24|0.0.0.0/0|::/0|11.0.0.0/8"},
	} {
		if got := top(tt.o); got != tt.want {
			t.Errorf("%v: got  %s\nwant %s", tt.o.By, got, tt.want)
		}
	}
}

// TestNoTunnel shows packets without a tunnel as such, saved or added up.
func TestNoTunnel(t *testing.T) {
	for _, n := range []namer{{}, {exact: true}} {
		for _, saved := range []bool{false, true} {
			if got := n.number(attr.TunnelKind, 0, 0, saved); !got.IsNothing() {
				t.Errorf("%+v, saved %v: 0 is shown as %v", n, saved, got)
			}
			if got := n.number(attr.TunnelKind, 4, 0, saved).Exact(); got != "gre" {
				t.Errorf("%+v, saved %v: 4 is shown as %s", n, saved, got)
			}
		}
	}
}
