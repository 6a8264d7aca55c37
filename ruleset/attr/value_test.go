package attr

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestParseValue(t *testing.T) {
	for _, tt := range []struct {
		text string
		size int
		want []byte // nil for an error
	}{
		// The examples of RFC 2723 appendix B.
		{"130.216.0.0", 0, []byte{130, 216, 0, 0}},
		{"FF-FF-00-00", 0, []byte{255, 255, 0, 0}},
		{"1.3.10!50", 0, []byte{1, 3, 0, 10, 0, 50}},
		{"1.3.0.10.0.50", 0, []byte{1, 3, 0, 10, 0, 50}},
		{"130.216", 0, []byte{130, 216}},
		{"23", 2, []byte{0, 23}},
		{"0.23", 2, []byte{0, 23}},
		{"'A'", 1, []byte{65}},
		{"fe80::1", 0, []byte{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},

		{"0", 0, []byte{0}},
		{"256", 0, []byte{1, 0}},
		{"65535", 2, []byte{255, 255}},
		{"18446744073709551615", 0, []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		{"10.", 0, []byte{10}},
		{"a-", 0, []byte{10}},
		{"65535!1", 0, []byte{255, 255, 0, 1}},
		{"60.0!0", 0, []byte{60, 0, 0, 0, 0}},
		{`'\''`, 1, []byte{'\''}},
		{`'\\'`, 2, []byte{0, '\\'}},
		{"::ffff:10.1.2.3", 0, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3}},
		{strings.Repeat("7.", 20), 0, bytes.Repeat([]byte{7}, 20)},

		{"", 0, nil},
		{"256", 1, nil},
		{"65536", 2, nil},
		{"18446744073709551616", 0, nil},
		{"1.256", 0, nil},
		{"1..2", 0, nil},
		{".1", 0, nil},
		{"FF-100", 0, nil},
		{"GG-00", 0, nil},
		{"65536!0", 0, nil},
		{"-1", 0, nil},
		{"+1", 0, nil},
		{"1.+2", 0, nil},
		{"0x10", 0, nil},
		{"1_0", 0, nil},
		{"fe80::1%eth0", 0, nil},
		{"1:2", 0, nil},
		{"''", 1, nil},
		{"'ab'", 1, nil},
		{"'\u00e9'", 1, nil},
		{"'", 1, nil},
		{"tcp", 1, nil},
		{strings.Repeat("7.", 21), 0, nil},
		{strings.Repeat("1", 300), 0, nil},
	} {
		v, err := ParseValue(tt.text, tt.size)
		if tt.want == nil {
			if !errors.Is(err, ErrValue) {
				t.Errorf("%q, %d: got %v, %v, want an error", tt.text, tt.size, v, err)
			}
			continue
		}
		if err != nil || !bytes.Equal(v.Append(nil), tt.want) || v.Len() != len(tt.want) {
			t.Errorf("%q, %d: got %v, %v, want %v", tt.text, tt.size, v, err, tt.want)
		}
	}
}

func TestFit(t *testing.T) {
	v := MakeValue
	for _, tt := range []struct {
		a    Attr
		v    Value
		want Value
		ok   bool
	}{
		{SourcePeerType, v(0, 0, 1), v(1), true},
		{SourcePeerType, v(), v(0), true},
		{SourcePeerType, v(1, 0), v(0), false},
		{VLANid, v(7), v(0, 7), true},
		{SourceTransAddress, v(252), v(252, 0), true},
		{SourceTransAddress, v(0, 80, 0), v(0, 80), true},
		{SourceTransAddress, v(0, 80, 1), v(0, 80), false},
		{SourcePeerAddress, v(10, 1), v(10, 1), true},
		{SourceAdjacentAddress, Ones(8).Resize(20), Ones(8), true},
		{SourceAdjacentAddress, Ones(9), Ones(8), false},
		{V1, Ones(20), Ones(20), true},
		{Null, v(3), v(3), true},
	} {
		got, ok := tt.v.Fit(tt.a)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%v %v: got %v, %v, want %v, %v", tt.a, tt.v, got, ok, tt.want, tt.ok)
		}
	}
}

func TestMasks(t *testing.T) {
	for _, tt := range []struct {
		m     Value
		text  string
		width int
		ok    bool
	}{
		{WidthMask(0, 4), "0.0.0.0", 0, true},
		{WidthMask(23, 4), "255.255.254.0", 23, true},
		{WidthMask(32, 4), "255.255.255.255", 32, true},
		{WidthMask(40, 4), "255.255.255.255", 32, true},
		{Ones(20), strings.Repeat("255.", 19) + "255", 160, true},
		{Ones(25), strings.Repeat("255.", 19) + "255", 160, true},
		{MakeValue(255, 0, 255), "255.0.255", 8, false},
		{MakeValue(253), "253", 6, false},
		{Value{}, "", 0, true},
	} {
		w, ok := tt.m.Width()
		if tt.m.String() != tt.text || w != tt.width || ok != tt.ok {
			t.Errorf("got %v, %d, %v, want %s, %d, %v", tt.m, w, ok, tt.text, tt.width, tt.ok)
		}
	}
	m := MakeValue(10, 200, 3).And(MakeValue(255, 240))
	if m != MakeValue(10, 192, 0) || m.At(1) != 192 || m.At(2) != 0 || m.At(99) != 0 {
		t.Error(m)
	}
	if one := MakeValue(0xBE); one.Hex() != "BE-" {
		t.Errorf("one octet is %s", one.Hex())
	} else if again, err := ParseValue(one.Hex(), 0); err != nil || again != one {
		t.Errorf("%s is read as %v, %v", one.Hex(), again, err)
	}
	if !m.Resize(0).Zero() || m.Zero() || m.Uint() != 10<<16|192<<8 || m.Hex() != "0A-C0-00" {
		t.Error(m.Hex(), m.Uint())
	}
	if got := string(AppendDotted(nil, []byte{0, 9, 10, 99, 100, 255})); got != "0.9.10.99.100.255" {
		t.Error(got)
	}
}

// FuzzParseValue: what is accepted prints, dotted, as what reads the same.
func FuzzParseValue(f *testing.F) {
	for _, s := range []string{"1.3.10!50", "FF-00-ab", "fe80::1", "'x'", "65535", "10."} {
		f.Add(s, 0)
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, s string, size int) {
		if size < 0 || size > MaxAddress {
			return
		}
		v, err := ParseValue(s, size)
		if err != nil {
			if !errors.Is(err, ErrValue) {
				t.Fatal(err)
			}
			return
		}
		again, err := ParseValue(v.String()+".", 0)
		if err != nil || again != v || v.Len() == 0 {
			t.Fatalf("%q: %v, again %v, %v", s, v, again, err)
		}
	})
}
