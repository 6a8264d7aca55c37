package attr

import (
	"strings"
	"testing"
)

// TestAttributeTable checks the order and the places that the table promises.
func TestAttributeTable(t *testing.T) {
	owner := map[int]Attr{}
	last := -1
	for _, in := range All() {
		a := in.Attr
		if int(a) <= last {
			t.Errorf("%v is out of order", a)
		}
		last = int(a)
		if got := a.Info(); got != in {
			t.Errorf("%v: Info is %+v, the table has %+v", a, got, in)
		}
		if got, ok := ByName(strings.ToUpper(in.Name)); !ok || got != a {
			t.Errorf("%s is found as %v, %v", in.Name, got, ok)
		}
		if in.Size > MaxAddress && a != SavedAttributes || in.Size == 0 && in.Class != ClassNull && in.Class != ClassVariable {
			t.Errorf("%v has size %d", a, in.Size)
		}
		switch in.Class {
		case ClassInteger, ClassAddress, ClassComputed, ClassMatching:
		default:
			continue
		}
		if in.Offset+max(in.Size, 8) > KeySize { // values are read in words
			t.Errorf("%v lies outside of the key", a)
		}
		for i := in.Offset; i < in.Offset+in.Size; i++ {
			if old, taken := owner[i]; taken {
				t.Errorf("%v and %v share octet %d of the key", old, a, i)
			}
			owner[i] = a
		}
		if r := a.Reverse(); r != a {
			if r.Reverse() != a || r.Info().Size != in.Size {
				t.Errorf("%v reverses to %v", a, r)
			}
			apart := EndSize
			if a.IsInner() {
				apart = InnerEndSize
			}
			if d := r.Info().Offset - in.Offset; (in.Offset < 2*EndSize || a.IsInner()) && d != apart && d != -apart {
				t.Errorf("%v and %v are %d octets apart", a, r, d)
			}
		}
	}
}

// TestAttributeNumbers pins numbers of RFC 2720 and RFC 2724.
func TestAttributeNumbers(t *testing.T) {
	for name, want := range map[string]Attr{
		"Null": 0, "SourceInterface": 4, "SourcePeerAddress": 9, "SourceTransMask": 13,
		"DestInterface": 14, "DestPeerAddress": 19, "DestTransMask": 23, "RuleSet": 26, "FlowRuleSet": 26,
		"ToOctets": 27, "ToPDUs": 28, "FromOctets": 29, "FromPDUs": 30, "FirstTime": 31, "LastActiveTime": 32,
		"SourceSubscriberID": 33, "SourceClass": 36, "FlowKind": 41, "MatchingStoD": 50, "v1": 51, "V5": 55,
		"ToPacketSize": 66, "FromPDURate": 75, "FromTurnaroundTime4": 83, "FlowTime": 84, "FromLostPDUs": 96, "DSCodePoint": 118,
		"MeterID": 112, "SourceASN": 113, "SourcePrefix": 114, "DestASN": 115, "DestPrefix": 116,
		"VLANid": 1024, "ecn": 1026, "firsttimens": 1027, "LastActiveTimeNs": 1028, "Duplicate": 1030, "HopLimit": 1031,
		"TunnelID": 1032, "VLANTags": 1037, "InnerSourcePeerType": 1038, "InnerSourceTransMask": 1043, "InnerDestPeerType": 1044, "InnerDestTransMask": 1049, "FlowID": 1050,
	} {
		if got, ok := ByName(name); !ok || got != want {
			t.Errorf("%s is %d, %v, want %d", name, got, ok, want)
		}
	}
	for _, a := range []Attr{42, 63, 127, 128, 1023, 1087, 1088, 65535} {
		if in := a.Info(); in.Class != ClassNone || a.Testable() || a.Readable() {
			t.Errorf("%d is %+v", a, in)
		}
	}
	if got := Attr(1087).String(); got != "attribute(1087)" {
		t.Error(got)
	}
}

func TestAttributeUses(t *testing.T) {
	for _, tt := range []struct {
		a                  Attr
		testable, readable bool
		reverse            Attr
	}{
		{Null, true, false, Null},
		{FlowIndex, false, true, FlowIndex},
		{SourcePeerMask, false, true, DestPeerMask},
		{DestTransAddress, true, true, SourceTransAddress},
		{SourceClass, true, true, DestClass},
		{DestSubscriberID, true, true, SourceSubscriberID},
		{FlowKind, true, true, FlowKind},
		{MatchingStoD, true, false, MatchingStoD},
		{V3, true, false, V3},
		{66, true, true, 66},
		{VLANid, true, true, VLANid},
		{FirstTimeNs, false, true, FirstTimeNs},
		{SourceASN, true, true, DestASN},
		{DestPrefix, true, true, SourcePrefix},
		{MeterID, true, true, MeterID},
		{InnerSourcePeerAddress, true, true, InnerDestPeerAddress},
		{InnerDestTransMask, false, true, InnerSourceTransMask},
		{InnerSourceTransType, true, true, InnerSourceTransType},
		{TunnelID, true, true, TunnelID},
	} {
		if tt.a.Testable() != tt.testable || tt.a.Readable() != tt.readable || tt.a.Reverse() != tt.reverse {
			t.Errorf("%v: testable %v, readable %v, reverse %v", tt.a, tt.a.Testable(), tt.a.Readable(), tt.a.Reverse())
		}
	}
}
