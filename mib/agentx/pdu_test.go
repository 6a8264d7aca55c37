package agentx

import (
	"bytes"
	"encoding/hex"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// header returns a PDU of this type with identifiers that differ.
func header(t Type, f Flags) Header {
	return Header{Type: t, Flags: f, SessionID: 0x01020304, TransactionID: 5, PacketID: 0x10000006}
}

// Headers of PDUs with the identifiers of header, up to the payload's length.
const (
	bigIDs    = "00 01020304 00000005 10000006"
	littleIDs = "00 04030201 05000000 06000010"
)

// pdus are PDUs of every type and their encodings by hand.
var pdus = []struct {
	name string
	pdu  PDU
	hex  string
}{
	{"open", PDU{Header: header(Open, NetworkByteOrder), Timeout: 7, OID: smitest.OID("1.3.6.1.4.1.8072"), Descr: []byte("meter")},
		"01 01 10" + bigIDs + "0000001c 07000000 02040000 00000001 00001f88 00000005 6d65746572 000000"},
	{"open with nulls", PDU{Header: header(Open, 0)},
		"01 01 00" + littleIDs + "0c000000 00000000 00000000 00000000"},
	{"close", PDU{Header: header(Close, 0), Reason: ReasonShutdown},
		"01 02 00" + littleIDs + "04000000 05000000"},
	// RFC 2741 section 6.2.3: row 7 of the ifTable
	{"register a row", PDU{Header: header(Register, NetworkByteOrder), Priority: 127, RangeSubid: 10, OID: smitest.OID("1.3.6.1.2.1.2.2.1.1.7"), UpperBound: 22},
		"01 03 10" + bigIDs + "00000024 007f0a00 06020000 00000001 00000002 00000002 00000001 00000001 00000007 00000016"},
	{"register in a context", PDU{Header: header(Register, NetworkByteOrder|NonDefaultContext), Context: []byte("ctx"), Timeout: 9, Priority: 1, OID: smitest.OID("1.3.6.1.2")},
		"01 03 18" + bigIDs + "00000010 00000003 63747800 09010000 00020000"},
	{"unregister", PDU{Header: header(Unregister, 0), Priority: 127, OID: smitest.OID("1.3.6.1.2.1.40")},
		"01 04 00" + littleIDs + "10000000 007f0000 02020000 01000000 28000000"},
	// RFC 2741 section 5.1: sysDescr.0, and an OID without a prefix
	{"get", PDU{Header: header(Get, NetworkByteOrder), Ranges: []smi.Range{{Start: smitest.OID("1.3.6.1.2.1.1.1.0")}, {Start: smitest.OID("1.2.3.4")}}},
		"01 05 10" + bigIDs + "00000030 04020000 00000001 00000001 00000001 00000000 00000000 04000000 00000001 00000002 00000003 00000004 00000000"},
	// RFC 2741 section 5.2
	{"getnext", PDU{Header: header(GetNext, NetworkByteOrder), Ranges: []smi.Range{{Start: smitest.OID("1.3.6.1.2.1.25.2"), Include: true, End: smitest.OID("1.3.6.1.2.1.25.2.1")}}},
		"01 06 10" + bigIDs + "00000024 03020100 00000001 00000019 00000002 04020000 00000001 00000019 00000002 00000001"},
	{"getbulk", PDU{Header: header(GetBulk, 0), NonRepeaters: 1, MaxRepetitions: 0x0102, Ranges: []smi.Range{{Start: smitest.OID("1.3.6.1.255")}, {Start: smitest.OID("1.3.6.1.256")}}},
		"01 07 00" + littleIDs + "28000000 01000201 00ff0000 00000000 05000000 01000000 03000000 06000000 01000000 00010000 00000000"},
	{"testset", PDU{Header: header(TestSet, NetworkByteOrder), Vars: []smi.VarBind{
		smitest.Int("1.3", -2), smitest.Octets("1.3", smi.OctetString, "abcde"), smitest.None("1.3", smi.Null), smitest.Ref("1.3", "1.3.6.1.4")}},
		"01 08 10" + bigIDs + "00000054" +
			"00020000 02000000 00000001 00000003 fffffffe" +
			"00040000 02000000 00000001 00000003 00000005 61626364 65000000" +
			"00050000 02000000 00000001 00000003" +
			"00060000 02000000 00000001 00000003 00040000"},
	{"testset in little order", PDU{Header: header(TestSet, 0), Vars: []smi.VarBind{
		smitest.Octets("1.3", smi.IpAddress, "\xc0\x00\x02\x01"), smitest.Uint("1.3", smi.Counter32, 1), smitest.Uint("1.3", smi.Gauge32, 0xfffffffe),
		smitest.Uint("1.3", smi.TimeTicks, 3), smitest.Octets("1.3", smi.Opaque, ""), smitest.Uint("1.3", smi.Counter64, 0x0102030405060708)}},
		"01 08 00" + littleIDs + "80000000" +
			"40000000 02000000 01000000 03000000 04000000 c0000201" +
			"41000000 02000000 01000000 03000000 01000000" +
			"42000000 02000000 01000000 03000000 feffffff" +
			"43000000 02000000 01000000 03000000 03000000" +
			"44000000 02000000 01000000 03000000 00000000" +
			"46000000 02000000 01000000 03000000 0807060504030201"},
	{"commitset", PDU{Header: header(CommitSet, NetworkByteOrder)}, "01 09 10" + bigIDs + "00000000"},
	{"undoset", PDU{Header: header(UndoSet, NetworkByteOrder)}, "01 0a 10" + bigIDs + "00000000"},
	{"cleanupset", PDU{Header: header(CleanupSet, 0)}, "01 0b 00" + littleIDs + "00000000"},
	{"notify", PDU{Header: header(Notify, NetworkByteOrder), Vars: []smi.VarBind{smitest.Ref("1.3.6.1.6.3.1.1.4.1.0", "0.0")}},
		"01 0c 10" + bigIDs + "0000002c 00060000 06060000 00000003 00000001 00000001 00000004 00000001 00000000 02000000 00000000 00000000"},
	{"ping", PDU{Header: header(Ping, NetworkByteOrder)}, "01 0d 10" + bigIDs + "00000000"},
	{"ping in a context", PDU{Header: header(Ping, NetworkByteOrder|NonDefaultContext), Context: []byte("four")}, "01 0d 18" + bigIDs + "00000008 00000004 666f7572"},
	{"indexallocate", PDU{Header: header(IndexAllocate, NetworkByteOrder|AnyIndex), Vars: []smi.VarBind{smitest.Int("1.3", 0)}},
		"01 0e 14" + bigIDs + "00000014 00020000 02000000 00000001 00000003 00000000"},
	{"indexdeallocate", PDU{Header: header(IndexDeallocate, NetworkByteOrder), Vars: []smi.VarBind{smitest.Int("1.3", 4)}},
		"01 0f 10" + bigIDs + "00000014 00020000 02000000 00000001 00000003 00000004"},
	{"addagentcaps", PDU{Header: header(AddAgentCaps, NetworkByteOrder), OID: smitest.OID("1.3.6.1.4"), Descr: []byte("caps")},
		"01 10 10" + bigIDs + "0000000c 00040000 00000004 63617073"},
	{"removeagentcaps", PDU{Header: header(RemoveAgentCaps, NetworkByteOrder), OID: smitest.OID("1.3.6.1.4")},
		"01 11 10" + bigIDs + "00000004 00040000"},
	{"response", PDU{Header: header(Response, NetworkByteOrder), SysUpTime: 100, Vars: []smi.VarBind{
		smitest.None("1.3", smi.NoSuchObject), smitest.None("1.3", smi.NoSuchInstance), smitest.None("1.3", smi.EndOfMibView)}},
		"01 12 10" + bigIDs + "00000038 00000064 0000 0000" +
			"00800000 02000000 00000001 00000003 00810000 02000000 00000001 00000003 00820000 02000000 00000001 00000003"},
	{"response with an error", PDU{Header: header(Response, 0), Error: NotOpen, Index: 2},
		"01 12 00" + littleIDs + "08000000 00000000 0101 0200"},
}

func TestPDU(t *testing.T) {
	for _, tt := range pdus {
		t.Run(tt.name, func(t *testing.T) {
			want := unhex(t, tt.hex)
			got := tt.pdu.Append([]byte{0xee})[1:]
			if !bytes.Equal(got, want) {
				t.Fatalf("encoded as\n% x, want\n% x", got, want)
			}
			var back PDU
			if err := back.Decode(want); err != nil {
				t.Fatal(err)
			}
			if again := back.Append(nil); !bytes.Equal(again, want) {
				t.Errorf("decoded and encoded:\n% x, want\n% x\n%+v", again, want, back)
			}
			if !equal(&back, &tt.pdu) {
				t.Errorf("decoded as %+v, want %+v", back, tt.pdu)
			}
		})
	}
}

// TestAllTypes makes sure that every type has a PDU above and a name.
func TestAllTypes(t *testing.T) {
	have := map[Type]bool{}
	for _, tt := range pdus {
		have[tt.pdu.Type] = true
	}
	for typ := Open; typ <= Response; typ++ {
		if !have[typ] || strings.HasPrefix(typ.String(), "type(") {
			t.Errorf("type %d: named %v, tested %v", typ, typ, have[typ])
		}
	}
}

// equal compares what is in two PDUs, whatever memory holds it.
func equal(a, b *PDU) bool {
	x, y := *a, *b
	for _, p := range []*PDU{&x, &y} {
		p.Context, p.Descr = append([]byte{}, p.Context...), append([]byte{}, p.Descr...)
		p.OID = append(smi.OID{}, p.OID...)
		ranges := p.Ranges
		p.Ranges = nil
		for _, r := range ranges {
			p.Ranges = append(p.Ranges, smi.Range{Start: append(smi.OID{}, r.Start...), End: append(smi.OID{}, r.End...), Include: r.Include})
		}
		vars := p.Vars
		p.Vars = nil
		for i := range vars {
			v := &vars[i]
			if v.Value.Type == smi.Integer32 {
				v.Value.Uint = 0
			} else {
				v.Value.Int = 0
			}
			p.Vars = append(p.Vars, smi.VarBind{Name: append(smi.OID{}, v.Name...)})
			p.Vars[len(p.Vars)-1].Value.Set(&v.Value)
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestBadPDU(t *testing.T) {
	for _, tt := range []struct{ name, hex, err string }{
		{"empty", "", "0 octets are too few"},
		{"short header", "0102100001020304", "8 octets are too few"},
		{"version", "02 0d 10" + bigIDs + "00000000", "version 2"},
		{"type 0", "01 00 10" + bigIDs + "00000000", "unknown type 0"},
		{"type 19", "01 13 10" + bigIDs + "00000000", "unknown type 19"},
		{"payload missing", "01 0d 10" + bigIDs + "00000004", "payload length is 4, but 0"},
		{"payload too long", "01 0d 10" + bigIDs + "00000004 00000000", "4 octets too many"},
		{"payload odd", "01 02 10" + bigIDs + "00000005 0100000000", "no multiple of 4"},
		{"wrong order", "01 02 00" + bigIDs + "00000004 01000000", "payload length is 67108864"},
		{"close without reason", "01 02 10" + bigIDs + "00000000", "Close: offset 20: 4 octets are needed"},
		{"OID too short", "01 05 10" + bigIDs + "00000008 02000000 00000001", "Get: offset 28: 4 octets are needed"},
		{"OID too long", "01 05 10" + bigIDs + "00000008 81000000 00000001", "129 sub-identifiers"},
		{"OID too long with its prefix", "01 05 10" + bigIDs + "00000008 7c020000 00000001", "129 sub-identifiers"},
		{"range without end", "01 05 10" + bigIDs + "00000004 00000000", "4 octets are needed where 0"},
		{"value type", "01 08 10" + bigIDs + "00000008 00070000 00000000", "unknown type 7"},
		{"value type of 16 bits", "01 08 10" + bigIDs + "0000000c 01020000 00000000 00000000", "unknown type 258"},
		{"string too long", "01 08 10" + bigIDs + "0000000c 00040000 00000000 00000001", "octet string of 1 octets where 0 remain"},
		{"string length overflows", "01 08 10" + bigIDs + "0000000c 00040000 00000000 ffffffff", "octet string of 4294967295"},
		{"context too long", "01 0d 18" + bigIDs + "00000004 00000100", "octet string of 256"},
		{"Counter64 too short", "01 08 10" + bigIDs + "0000000c 00460000 00000000 00000001", "8 octets are needed where 4"},
	} {
		var p PDU
		if err := p.Decode(unhex(t, tt.hex)); err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.err)
		}
	}
}

// TestReadPDU reads PDUs that arrive octet by octet and all at once.
func TestReadPDU(t *testing.T) {
	var stream []byte
	for _, tt := range pdus {
		stream = append(stream, unhex(t, tt.hex)...)
	}
	for name, r := range map[string]io.Reader{
		"together": bytes.NewReader(stream),
		"apart":    iotest.OneByteReader(bytes.NewReader(stream)),
	} {
		var buf []byte
		var err error
		for _, tt := range pdus {
			if buf, err = ReadPDU(r, buf); err != nil || !bytes.Equal(buf, unhex(t, tt.hex)) {
				t.Fatalf("%s: %s: % x, %v", name, tt.name, buf, err)
			}
		}
		if _, err = ReadPDU(r, buf); err != io.EOF {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
	for _, tt := range []struct{ name, hex, err string }{
		{"no AgentX", "474554202f20485454502f312e310d0a0d0a0d0a", "version 71"},
		{"too long", "01 0d 10" + bigIDs + "00100000", "payload of 1048576 octets"},
		{"cut in the header", "01 0d 10", "unexpected EOF"},
		{"cut in the payload", "01 02 10" + bigIDs + "00000004 0000", "unexpected EOF"},
		{"cut before the payload", "01 02 10" + bigIDs + "00000004", "EOF"},
	} {
		if _, err := ReadPDU(bytes.NewReader(unhex(t, tt.hex)), nil); err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.err)
		}
	}
}

func TestNames(t *testing.T) {
	for c := OpenFailed; c <= ProcessingError; c++ {
		if strings.HasPrefix(c.Error(), "code(") {
			t.Errorf("code %d has no name", c)
		}
	}
	for _, tt := range [][2]string{
		{Code(269).Error(), "code(269)"}, {ProcessingError.Error(), "processingError"}, {OpenFailed.Error(), "openFailed"},
		{Code(smi.WrongType).Error(), "wrongType"}, {Type(19).String(), "type(19)"},
		{ReasonByManager.String(), "byManager"}, {Reason(7).String(), "reason(7)"}, {Reason(0).String(), "reason(0)"},
	} {
		if tt[0] != tt[1] {
			t.Errorf("%q, want %q", tt[0], tt[1])
		}
	}
}

func FuzzAgentXPDU(f *testing.F) {
	for _, tt := range pdus {
		f.Add(unhex(f, tt.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, back PDU
		if p.Decode(b) != nil {
			return
		}
		enc := p.Append(nil)
		if len(enc) > 2*len(b)+headerSize {
			t.Fatalf("%d octets grew to %d", len(b), len(enc))
		}
		if err := back.Decode(enc); err != nil {
			t.Fatalf("%+v, encoded as % x: %v", p, enc, err)
		}
		if !equal(&p, &back) {
			t.Fatalf("decoded as %+v, then as %+v", p, back)
		}
		if again := back.Append(nil); !bytes.Equal(again, enc) {
			t.Fatalf("encoded as % x, then as % x", enc, again)
		}
	})
}
