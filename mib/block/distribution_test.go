package block

import (
	"bytes"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TestDistribution compares a distribution in a package with BER written by
// hand, and what tells that the flow has it.
func TestDistribution(t *testing.T) {
	var shapes match.Shapes
	shape := shapes.Intern(1, 0, 0, nil, attr.Measure{
		Attr: attr.FromLostPDUs, Mask: attr.MakeValue(1, 0, 0, 0, 0, 2), Value: attr.MakeValue(3, 11, 0, 0, 1, 0x2c),
	})
	f := View{Flow: match.Flow{FlowKey: match.FlowKey{Shape: shape}, Counters: [][]uint64{{0, 127, 128, math.MaxUint64}}}}
	for a, want := range map[attr.Attr]string{
		attr.FromLostPDUs:  "04 29 30 27  04 06 010000000002  04 06 030b0000012c  30 15  46 01 00  46 01 7f  46 02 0080  46 09 00ffffffffffffffff",
		attr.ToLostPDUs:    "04 00",
		attr.Distributions: "02 04 40000000",
	} {
		fd, ok := NewField(a)
		octets, err := hex.DecodeString(strings.ReplaceAll(want, " ", ""))
		if got := newRecipe(Packages, []Field{fd}, shape).append(nil, &f); !ok || err != nil || !bytes.Equal(got, octets) {
			t.Errorf("%v: %x, want %x", a, got, octets)
		}
		// In a block it has two octets of length before it.
		if got := newRecipe(Blocks, []Field{fd}, shape).append(nil, &f); fd.typ == smi.OctetString && !bytes.Equal(got, append([]byte{0}, octets[1:]...)) {
			t.Errorf("%v in a block: %x", a, got)
		}
	}
}

// TestFits has all other attributes fit in a block beside as many distributions and
// statistics as it may have.
func TestFits(t *testing.T) {
	if of := MeasureOctets(attr.ToPacketSize); 2*of > MaxMeasures {
		t.Errorf("a distribution of %d octets", of)
	}
	most := HeadOctets + MaxMeasures
	for _, in := range attr.All() {
		if fd, ok := NewField(in.Attr); ok && fd.kind != fieldDistribution {
			most += fd.maxOctets()
		}
	}
	if most > MaxOctets {
		t.Errorf("%d octets, and a block has %d", most, MaxOctets)
	}
}

// TestNames names attributes in the indexes of packages and blocks.
func TestNames(t *testing.T) {
	for a, want := range map[attr.Attr]string{
		0: " ", 1: "1 0.1", attr.DSCodePoint: "118 0.118", attr.VLANid: "192 4.0", attr.ECNCodeBits: "194 4.2", attr.V1: " ",
	} {
		byOctet, ok := Packages.AppendName(nil, a)
		byNumber, also := Blocks.AppendName(nil, a)
		if got := byOctet.String() + " " + byNumber.String(); got != want || ok != also || ok != (len(byOctet) > 0) {
			t.Errorf("%v: %q, %v, %v, want %q", a, got, ok, also, want)
			continue
		}
		for as, name := range map[Form]smi.OID{Packages: byOctet, Activity: byOctet, Blocks: byNumber} {
			if len(name) == 0 {
				continue
			}
			if back, rest, ok := as.name(append(name, 7)); !ok || back != a || len(rest) != 1 {
				t.Errorf("%v is %v and that %v", a, name, back)
			}
		}
	}
}

// someObject is a distribution of 2 buckets as a meter tells it.
var someObject = []byte{
	0x30, 27, 4, 6, 1, 0, 0, 1, 0, 3, 4, 6, 2, 1, 0, 0, 0, 0,
	0x30, 9, 0x46, 1, 5, 0x46, 1, 6, 0x46, 1, 7,
}

// TestReadDistribution reads a distribution, and none of what is nearly one.
func TestReadDistribution(t *testing.T) {
	d, counters, err := ReadDistribution(attr.ToBitRate, someObject, []uint64{1})
	want := attr.Measure{Attr: attr.ToBitRate, Mask: attr.MakeValue(1, 0, 0, 1, 0, 3), Value: attr.MakeValue(2, 1, 0, 0, 0, 0)}
	if err != nil || d != want || !slices.Equal(counters, []uint64{1, 5, 6, 7}) {
		t.Errorf("%+v, %v, %v", d, counters, err)
	}
	for what, change := range map[string]func(b []byte) []byte{
		"no object":                 func(b []byte) []byte { b[0] = 4; return b },
		"cut short":                 func(b []byte) []byte { return b[:len(b)-1] },
		"an octet after it":         func(b []byte) []byte { return append(b, 0) },
		"octets after the counters": func(b []byte) []byte { b[19] -= 3; return b },
		"5 octets of mask":          func(b []byte) []byte { b[1]--; b[3]--; return slices.Delete(b, 4, 5) },
		"no buckets":                func(b []byte) []byte { b[12] = 0; return b },
		"one counter too few":       func(b []byte) []byte { b[12] = 3; return b },
		"a counter of 32 bits":      func(b []byte) []byte { b[20] = 0x41; return b },
		"a rate without seconds":    func(b []byte) []byte { b[13] = 0; return b },
	} {
		if _, _, err := ReadDistribution(attr.ToBitRate, change(slices.Clone(someObject)), nil); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
