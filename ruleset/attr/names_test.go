package attr

import (
	"slices"
	"testing"
)

func TestValueName(t *testing.T) {
	v := MakeValue
	for _, tt := range []struct {
		a    Attr
		name string
		want Value
		ok   bool
	}{
		{SourcePeerType, "IP", v(1), true},
		{DestPeerType, "Dummy", v(255), true},
		{DestPeerType, "clns", v(3), true},
		{DestPeerType, "ethertalk", v(12), true},
		{SourceTransType, "OSPF", v(89), true},
		{SourceTransType, "www", v(0), false},
		{DestTransAddress, "ftp_data", v(0, 20), true},
		{DestTransAddress, "www", v(0, 80), true},
		{SourceTransAddress, "x11", v(0x17, 0x70), true},
		{SourceAdjacentType, "ethernet", v(7), true},
		{V2, "destpeeraddress", v(19), true},
		{V2, "Priority", v(4, 1), true},
		{V2, "tcp", v(), false},
		{SourcePeerAddress, "ip", v(), false},
		{FlowKind, "A", v(), false},
	} {
		got, ok := ValueName(tt.a, tt.name)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%v %s: got %v, %v, want %v, %v", tt.a, tt.name, got, ok, tt.want, tt.ok)
		}
		if known := ValueNames(tt.a); ok && len(known) == 0 {
			t.Errorf("%v: no names", tt.a)
		}
	}
	for _, in := range All() {
		for _, n := range ValueNames(in.Attr) {
			if _, ok := ValueName(in.Attr, n); !ok {
				t.Errorf("%v: name %s is not found", in.Attr, n)
			}
		}
	}
	if slices.Contains(ValueNames(V1), "ToPDUs") {
		t.Error("v1 could stand for ToPDUs")
	}
}
