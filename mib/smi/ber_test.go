package smi

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// values are variables called 1.3.6.1 and their encodings by hand.
var values = []struct {
	v   Value
	ber string // tag, length and content of the value
}{
	{Value{Type: Integer32, Int: 0}, "02 01 00"},
	{Value{Type: Integer32, Int: 127}, "02 01 7f"},
	{Value{Type: Integer32, Int: 128}, "02 02 00 80"},
	{Value{Type: Integer32, Int: -1}, "02 01 ff"},
	{Value{Type: Integer32, Int: -128}, "02 01 80"},
	{Value{Type: Integer32, Int: -129}, "02 02 ff 7f"},
	{Value{Type: Integer32, Int: math.MaxInt32}, "02 04 7f ff ff ff"},
	{Value{Type: Integer32, Int: math.MinInt32}, "02 04 80 00 00 00"},
	{Value{Type: Counter32, Uint: 255}, "41 02 00 ff"},
	{Value{Type: Gauge32, Uint: math.MaxUint32}, "42 05 00 ff ff ff ff"},
	{Value{Type: TimeTicks, Uint: 6000}, "43 02 17 70"},
	{Value{Type: Counter64, Uint: 0}, "46 01 00"},
	{Value{Type: Counter64, Uint: 1 << 62}, "46 08 40 00 00 00 00 00 00 00"},
	{Value{Type: Counter64, Uint: math.MaxUint64}, "46 09 00 ff ff ff ff ff ff ff ff"},
	{Value{Type: OctetString, Octets: []byte("abc")}, "04 03 61 62 63"},
	{Value{Type: OctetString}, "04 00"},
	{Value{Type: IpAddress, Octets: []byte{192, 0, 2, 1}}, "40 04 c0 00 02 01"},
	{Value{Type: Opaque, Octets: []byte{0x9f, 0x78}}, "44 02 9f 78"},
	{Value{Type: Null}, "05 00"},
	{Value{Type: NoSuchObject}, "80 00"},
	{Value{Type: NoSuchInstance}, "81 00"},
	{Value{Type: EndOfMibView}, "82 00"},
	{Value{Type: ObjectIdentifier, OID: OID{0, 0}}, "06 01 00"},
	{Value{Type: ObjectIdentifier, OID: OID{1, 3, 6, 1, 4, 1, 8072}}, "06 07 2b 06 01 04 01 bf 08"},
	{Value{Type: ObjectIdentifier, OID: OID{1, 39, 127, 128}}, "06 04 4f 7f 81 00"},
	{Value{Type: ObjectIdentifier, OID: OID{2, 0}}, "06 01 50"},
	{Value{Type: ObjectIdentifier, OID: OID{2, 999, 4294967295}}, "06 07 88 37 8f ff ff ff 7f"},
	{Value{Type: ObjectIdentifier, OID: OID{2, 4294967295}}, "06 05 90 80 80 80 4f"},
}

func TestVarBindBER(t *testing.T) {
	for _, tt := range values {
		value := unhex(t, tt.ber)
		want := append([]byte{0x30, byte(5 + len(value)), 0x06, 0x03, 0x2b, 6, 1}, value...)
		vb := VarBind{Name: OID{1, 3, 6, 1}, Value: tt.v}
		got := vb.AppendBER([]byte{0xee})
		if !bytes.Equal(got[1:], want) || got[0] != 0xee {
			t.Errorf("%v: encoded as % x, want % x", &vb, got[1:], want)
		}
		if n := vb.BERSize(); n != len(want) {
			t.Errorf("%v: BERSize is %d, want %d", &vb, n, len(want))
		}
		var back VarBind
		d := NewDecoder(want)
		if err := d.VarBind(&back); err != nil || !back.Equal(&vb) || d.Len() != 0 {
			t.Errorf("% x: decoded as %v, %v, %d octets left", want, &back, err, d.Len())
		}
	}
}

func TestBERLengths(t *testing.T) {
	for _, tt := range []struct {
		n      int
		header string
	}{
		{0, "04 00"}, {127, "04 7f"}, {128, "04 81 80"}, {255, "04 81 ff"},
		{256, "04 82 01 00"}, {65535, "04 82 ff ff"}, {65536, "04 83 01 00 00"},
	} {
		want := unhex(t, tt.header)
		if got := AppendBERHeader(nil, 4, tt.n); !bytes.Equal(got, want) {
			t.Errorf("header of %d octets: % x, want % x", tt.n, got, want)
		}
		if got := BERHeaderSize(tt.n); got != len(want) {
			t.Errorf("BERHeaderSize(%d) = %d", tt.n, got)
		}
		d := NewDecoder(append(want, make([]byte, tt.n)...))
		if got, err := d.Octets(); err != nil || len(got) != tt.n {
			t.Errorf("% x: %d octets, %v", want, len(got), err)
		}
	}
}

func TestBERInt(t *testing.T) {
	for _, n := range []int64{0, -1, 127, 128, -129, math.MaxInt32, math.MinInt32} {
		b := AppendBERInt(nil, n)
		if len(b) != BERIntSize(n) {
			t.Errorf("%d: %d octets, BERIntSize %d", n, len(b), BERIntSize(n))
		}
		d := NewDecoder(b)
		if got, err := d.Int(); err != nil || int64(got) != n {
			t.Errorf("%d: decoded as %d, %v", n, got, err)
		}
	}
}

// TestLenientBER decodes encodings that are not the shortest, or not quite
// right, and yet accepted by net-snmp.
func TestLenientBER(t *testing.T) {
	for _, tt := range []struct {
		ber  string
		want Value
	}{
		{"02 02 00 05", Value{Type: Integer32, Int: 5}},
		{"02 08 ff ff ff ff ff ff ff fe", Value{Type: Integer32, Int: -2}},
		{"02 81 01 05", Value{Type: Integer32, Int: 5}},
		{"02 84 00 00 00 01 05", Value{Type: Integer32, Int: 5}},
		{"42 04 ff ff ff ff", Value{Type: Gauge32, Uint: math.MaxUint32}},
		{"42 08 00 00 00 00 00 00 00 07", Value{Type: Gauge32, Uint: 7}},
		{"46 08 ff ff ff ff ff ff ff ff", Value{Type: Counter64, Uint: math.MaxUint64}},
		{"06 00", Value{Type: ObjectIdentifier, OID: OID{0, 0}}},
		{"06 03 2b 80 06", Value{Type: ObjectIdentifier, OID: OID{1, 3, 6}}},
		{"05 81 00", Value{Type: Null}},
	} {
		value := unhex(t, tt.ber)
		msg := append([]byte{0x30, byte(3 + len(value)), 0x06, 0x01, 0x2b}, value...)
		var vb VarBind
		d := NewDecoder(msg)
		if err := d.VarBind(&vb); err != nil || !vb.Value.Equal(&tt.want) {
			t.Errorf("%s: %v, %v, want %v", tt.ber, &vb.Value, err, &tt.want)
		}
	}
}

func TestBadBER(t *testing.T) {
	for _, tt := range []struct{ ber, err string }{
		{"", "offset 0: 0 octets"},
		{"30", "offset 0: 1 octets"},
		{"31 00", "offset 0: tag 0x31 instead of 0x30"},
		{"3f 01 00", "more octets"},
		{"30 80 00 00", "indefinite"},
		{"30 05 06 01 2b 05", "offset 0: length 5 is more than the 4"},
		{"30 89 00 00 00 00 00 00 00 00 01 00", "length of 9 octets"},
		{"30 83 01", "length of 3 octets"},
		{"30 84 ff ff ff ff", "length is more"},
		{"30 88 ff ff ff ff ff ff ff ff", "length is more"},
		{"30 03 06 01 2b", "offset 5: 0 octets"},
		{"30 05 04 01 2b 05 00", "offset 2: tag 0x04 instead of 0x06"},
		{"30 06 06 01 2b 05 00 00", "1 octets after the value"},
		{"30 06 06 01 2b 05 01 00", "NULL of 1 octets"},
		{"30 05 06 01 2b 02 00", "Integer32 of 0 octets"},
		{"30 0e 06 01 2b 02 09 00 00 00 00 00 00 00 00 01", "Integer32 of 9 octets"},
		{"30 0a 06 01 2b 02 05 01 00 00 00 00", "Integer32 of value 4294967296"},
		{"30 06 06 01 2b 41 01 ff", "negative"},
		{"30 0a 06 01 2b 41 05 01 00 00 00 00", "more than 32 bits"},
		{"30 0e 06 01 2b 46 09 01 00 00 00 00 00 00 00 00", "more than 64 bits"},
		{"30 08 06 01 2b 40 03 01 02 03", "IpAddress of 3 octets"},
		{"30 05 06 01 2b 47 00", "offset 5: value of unknown type, tag 0x47"},
		{"30 06 06 02 2b 86 05 00", "ends within a sub-identifier"},
		{"30 0a 06 06 2b 90 80 80 80 00 05 00", "sub-identifier of more than 32 bits"},
		{"30 09 06 05 90 80 80 80 50 05 00", "sub-identifier of more than 32 bits"}, // 2.4294967296
		{"30 0b 06 07 2b ff ff ff ff ff 7f 05 00", "sub-identifier of more than 32 bits"},
	} {
		var vb VarBind
		d := NewDecoder(unhex(t, tt.ber))
		if err := d.VarBind(&vb); err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: error %v, want one with %q", tt.ber, err, tt.err)
		}
	}
}

func TestLongestOID(t *testing.T) {
	for _, n := range []int{MaxOID, MaxOID + 1} {
		vb := VarBind{Name: make(OID, n), Value: Value{Type: Null}}
		for i := range vb.Name {
			vb.Name[i] = 1
		}
		d := NewDecoder(vb.AppendBER(nil))
		var back VarBind
		if err := d.VarBind(&back); (err == nil) != (n == MaxOID) {
			t.Errorf("object identifier of %d sub-identifiers: %v", n, err)
		}
	}
}

func TestStringsForPeople(t *testing.T) {
	vb := VarBind{Name: OID{1, 3}, Value: Value{Type: IpAddress, Octets: []byte{192, 0, 2, 1}}}
	if got, want := vb.String(), "1.3 = IpAddress 192.0.2.1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for s := NoError; s <= InconsistentName; s++ {
		if s.String() == "" || strings.HasPrefix(s.String(), "status(") {
			t.Errorf("status %d has no name", s)
		}
	}
	for n := range 256 {
		if typ := Type(n); typ.Valid() == strings.HasPrefix(typ.String(), "type(") {
			t.Errorf("type %d: valid is %v, its name %v", n, typ.Valid(), typ)
		}
	}
	if got := fmt.Sprint(&Error{WrongType, 3}, &Error{Status: GenErr}); got != "wrongType at variable 3 genErr" {
		t.Errorf("errors print as %q", got)
	}
}

func TestBERAllocations(t *testing.T) {
	vb := VarBind{Name: OID{1, 3, 6, 1, 2, 1, 40, 1000}, Value: Value{Type: OctetString, Octets: make([]byte, 60)}}
	msg := vb.AppendBER(nil)
	buf := make([]byte, 0, len(msg))
	var back VarBind
	if n := testing.AllocsPerRun(100, func() {
		buf = vb.AppendBER(buf[:0])
		d := NewDecoder(buf)
		if err := d.VarBind(&back); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a binding encoded and decoded", n)
	}
}

func FuzzBER(f *testing.F) {
	for _, tt := range values {
		vb := VarBind{Name: OID{1, 3, 6, 1}, Value: tt.v}
		f.Add(vb.AppendBER(nil))
	}
	f.Add([]byte("\x30\x84\x00\x00\x00\x05\x06\x01\x2b\x05\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var vb VarBind
		d := NewDecoder(b)
		if d.VarBind(&vb) != nil {
			return
		}
		enc := vb.AppendBER(nil)
		if len(enc) != vb.BERSize() {
			t.Fatalf("%v: %d octets, BERSize %d", &vb, len(enc), vb.BERSize())
		}
		var back VarBind
		d = NewDecoder(enc)
		if err := d.VarBind(&back); err != nil || !back.Equal(&vb) {
			t.Fatalf("% x: decoded as %v, then as %v, %v", b, &vb, &back, err)
		}
	})
}

func BenchmarkVarBindBER(b *testing.B) {
	vb := VarBind{Name: OID{1, 3, 6, 1, 2, 1, 40, 1, 7, 1, 2, 1000}, Value: Value{Type: OctetString, Octets: make([]byte, 60)}}
	var buf []byte
	for b.Loop() {
		buf = vb.AppendBER(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}
