package mib

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// TestDistribution compares a distribution in a package with BER written by
// hand, and what tells that the flow has it.
func TestDistribution(t *testing.T) {
	var shapes ruleset.Shapes
	shape := shapes.Intern(1, 0, 0, nil, ruleset.Distribution{
		Attr: ruleset.FromLostPDUs, Mask: ruleset.MakeValue(1, 0, 0, 0, 0, 2), Value: ruleset.MakeValue(3, 11, 0, 0, 1, 0x2c),
	})
	f := flowView{Flow: ruleset.Flow{FlowKey: ruleset.FlowKey{Shape: shape}, Counters: [][]uint64{{0, 127, 128, math.MaxUint64}}}}
	for a, want := range map[ruleset.Attr]string{
		ruleset.FromLostPDUs:  "04 29 30 27  04 06 010000000002  04 06 030b0000012c  30 15  46 01 00  46 01 7f  46 02 0080  46 09 00ffffffffffffffff",
		ruleset.ToLostPDUs:    "04 00",
		ruleset.Distributions: "02 04 40000000",
	} {
		fd, ok := newField(a)
		octets, err := hex.DecodeString(strings.ReplaceAll(want, " ", ""))
		if got := f.appendBER(nil, &fd); !ok || err != nil || !bytes.Equal(got, octets) {
			t.Errorf("%v: %x, want %x", a, got, octets)
		}
		// In a block it is empty.
		if got := f.appendFixed(nil, &fd, false); len(got) > fd.maxFixed() || fd.typ == smi.OctetString && !bytes.Equal(got, []byte{0}) {
			t.Errorf("%v in a block: %x", a, got)
		}
	}
}
