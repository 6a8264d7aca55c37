package attr

import "testing"

func TestShow(t *testing.T) {
	v6 := []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	over := func(transport uint8) Beside { return Beside{PeerType: 1, TransType: transport, HasTrans: true} }
	icmp := func(icmpType uint8, swapped bool) Beside {
		b := over(transICMP)
		b.ICMPType, b.HasType, b.Swapped = icmpType, true, swapped
		return b
	}
	noIP := Beside{NoPeer: true, HasTrans: true}
	for _, tt := range []struct {
		a       Attr
		value   []byte
		mask    Value
		beside  Beside
		want    string
		numeric string // "" if it is the same
	}{
		{SourcePeerAddress, []byte{10, 0, 0, 1}, Ones(4), Beside{}, "10.0.0.1", ""},
		{SourcePeerAddress, []byte{10, 0, 0, 0}, WidthMask(22, 4), Beside{}, "10.0.0.0/22", ""},
		{SourcePeerAddress, []byte{10, 0, 0, 1}, MakeValue(255, 0, 0, 255), Beside{}, "10.0.0.1&255.0.0.255", ""},
		{SourcePeerAddress, []byte{0, 0, 0, 0}, Ones(4), Beside{PeerType: 1}, "0.0.0.0", ""},
		{SourcePeerAddress, nil, Value{}, Beside{}, "", ""},
		{DestPeerAddress, v6, Ones(16), Beside{PeerType: 2}, "2001:db8::1", ""},
		{DestPeerAddress, v6[:16], WidthMask(64, 16), Beside{}, "2001:db8::1/64", ""},
		{DestPeerAddress, v6[:16], MakeValue(append(make([]byte, 15), 255)...), Beside{}, "2001:db8::1&::ff", ""},
		{DestPeerAddress, v6[:3], Ones(3), Beside{PeerType: 12}, "32.1.13", ""},
		{SourceAdjacentAddress, []byte{0, 0x1b, 0x21, 0x3a, 0x4f, 7}, Ones(6), Beside{}, "00-1B-21-3A-4F-07", ""},
		{SourceAdjacentAddress, []byte{0, 0x1b, 0x21, 0, 0, 0}, WidthMask(24, 6), Beside{}, "00-1B-21-00-00-00/24", ""},
		{SourceAdjacentAddress, []byte{0, 0, 0, 0, 0, 7}, MakeValue(0, 0, 0, 0, 0, 255), Beside{}, "00-00-00-00-00-07&00-00-00-00-00-FF", ""},
		{SourcePeerType, []byte{2}, Ones(1), Beside{PeerType: 2}, "IPv6", "2"},
		{SourcePeerType, []byte{0}, Ones(1), noIP, "other", "0"},
		{SourceTransType, []byte{6}, Ones(1), over(6), "tcp", "6"},
		{SourceTransType, []byte{0}, Ones(1), noIP, "", ""},
		{SourceTransType, []byte{0}, Ones(1), Beside{}, "0", ""},
		{SourceTransType, []byte{17}, Ones(1), Beside{PeerType: 11}, "17", ""},
		{DestTransAddress, []byte{1, 187}, Ones(2), over(6), "https", "443"},
		{DestTransAddress, []byte{1, 187}, Ones(2), over(17), "quic", "443"},
		{DestTransAddress, []byte{1, 187}, Ones(2), Beside{}, "https", "443"},
		{DestTransAddress, []byte{0, 0}, WidthMask(6, 2), Beside{}, "0/6", ""},
		{DestTransAddress, []byte{0, 0}, Ones(2), over(6), "0", ""},
		{DestTransAddress, []byte{0, 0}, Ones(2), over(50), "", ""},
		{DestTransAddress, []byte{0, 0}, Ones(2), Beside{}, "0", ""},
		{DestTransAddress, []byte{0, 0}, Ones(2), noIP, "", ""},
		{DestTransAddress, []byte{0, 80}, Ones(2), Beside{PeerType: 11, HasTrans: true, TransType: 6}, "80", ""},
		{SourceTransAddress, []byte{0, 3}, Ones(2), icmp(3, false), "unreachable", "3"},
		{DestTransAddress, []byte{0, 3}, Ones(2), icmp(3, false), "port-unreachable", "3"},
		{SourceTransAddress, []byte{0, 3}, Ones(2), icmp(3, true), "port-unreachable", "3"},
		{DestTransAddress, []byte{0, 3}, Ones(2), icmp(3, true), "unreachable", "3"},
		{DestTransAddress, []byte{0, 3}, Ones(2), over(1), "3", ""},
		{DestTransAddress, []byte{0, 0}, Ones(2), icmp(8, false), "0", ""},
		{DestTransAddress, []byte{1, 3}, Ones(2), icmp(3, false), "259", ""},
		{DSCodePoint, []byte{46}, Ones(1), Beside{}, "ef", "46"},
		{DSCodePoint, []byte{46}, MakeValue(63), Beside{}, "ef", "46"},
		{DSCodePoint, []byte{40}, MakeValue(56), Beside{}, "40&56", ""},
		{DSCodePoint, []byte{0}, Ones(1), noIP, "", ""},
		{DSCodePoint, []byte{0}, Ones(1), Beside{PeerType: 12}, "", ""},
		{DSCodePoint, []byte{0}, Ones(1), Beside{}, "be", "0"},
		{VLANid, []byte{0, 0}, Ones(2), Beside{}, "", ""},
		{VLANid, []byte{0, 10}, MakeValue(15, 255), Beside{}, "10", ""},
		{SourceASN, []byte{0, 0, 0xfd, 0xe8}, Ones(4), Beside{}, "65000", ""},
		{MeterID, []byte{192, 0, 2, 1}, Ones(4), Beside{}, "192.0.2.1", ""},
		{FlowKind, []byte{0}, Ones(1), Beside{}, "0", ""},
	} {
		if got := Show(tt.a, tt.value, tt.mask, tt.beside, false); got != tt.want {
			t.Errorf("%v %v under %v beside %+v: %q, want %q", tt.a, tt.value, tt.mask, tt.beside, got, tt.want)
		}
		want := tt.numeric
		if want == "" {
			want = tt.want
		}
		if got := Show(tt.a, tt.value, tt.mask, tt.beside, true); got != want {
			t.Errorf("%v %v under %v beside %+v: number %q, want %q", tt.a, tt.value, tt.mask, tt.beside, got, want)
		}
	}
}

// FuzzShow: what people are shown of octets of any number is printable, without blanks,
// and there is something wherever a bit is set.
func FuzzShow(f *testing.F) {
	f.Add(uint16(9), []byte{10, 0, 0, 1}, []byte{255, 255}, uint8(1), uint8(6), uint8(0), false, false)
	f.Add(uint16(22), []byte{0, 3}, []byte{255, 255}, uint8(1), uint8(1), uint8(3), true, false)
	f.Fuzz(func(t *testing.T, a uint16, value, mask []byte, peer, transport, icmpType uint8, swapped, numeric bool) {
		v := MakeValue(value...)
		beside := Beside{NoPeer: peer == 255, PeerType: peer, TransType: transport, HasTrans: transport != 255, ICMPType: icmpType, HasType: true, Swapped: swapped}
		text := Show(Attr(a), v.Append(nil), MakeValue(mask...), beside, numeric)
		if text == "" && !v.Zero() {
			t.Errorf("%v %v is nothing", Attr(a), v)
		}
		for _, c := range text {
			if c <= ' ' || c > '~' {
				t.Errorf("%v %v is %q", Attr(a), v, text)
			}
		}
	})
}
