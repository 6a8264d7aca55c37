package mib

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/mib/block"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// largest returns a distribution of as many octets as it can have, and its
// counters.
func largest(a attr.Attr) (attr.Measure, []uint64) {
	d := attr.Measure{Attr: a, Mask: attr.MakeValue(1, 0, 0, 0, 255, 255), Value: attr.MakeValue(255, 1, 0, 0, 0, 0)}
	return d, slices.Repeat([]uint64{math.MaxUint64}, d.Counters())
}

// distributionMeter has flows 1 to n of ruleset 2, of which the odd ones have
// the two largest distributions, and one flow of ruleset 3, which saves none.
func distributionMeter(n uint32) *fakeMeter {
	m := newFakeMeter()
	m.putRuleSet(2)
	m.putRuleSet(3)
	rs := m.control.RuleSets.At(2)
	var shapes match.Shapes
	var distributions []attr.Measure
	var counters [][]uint64
	for _, a := range []attr.Attr{attr.ToBitRate, attr.FromBitRate} {
		d, c := largest(a)
		distributions, counters = append(distributions, d), append(counters, c)
		rs.Rules = append(rs.Rules, ruleset.Rule{Attr: a, Mask: d.Mask, Value: d.Value, Op: ruleset.OpPushPktToAct, Param: 1})
	}
	rs.noteDistributions()
	odd := shapes.Intern(2, 0, 0, nil, distributions...)
	for i := range n {
		m.add(2, i+1, 10)
		if f := &m.flows[i]; i%2 == 0 {
			f.Shape, f.Key, f.Counters = odd, attr.Key{}, counters
		}
	}
	m.add(3, n+1, 10)
	return m
}

// TestDistributionColumns walks the columns of distributions: the flows of
// rulesets that save them are there, with empty ones if they have none.
func TestDistributionColumns(t *testing.T) {
	h := New(distributionMeter(3))
	entry := oid(root + "2.1.1")
	for a, want := range map[attr.Attr]string{
		attr.Distributions: "2.0.1=192 2.0.2=0 2.0.3=192", attr.ToPacketSize: "",
		attr.ToBitRate: "2.0.1#2840 2.0.2#0 2.0.3#2840", attr.FromLostPDUs: "",
	} {
		column := below(entry, uint32(a))
		var got []string
		for _, vb := range walk(t, h, column, column) {
			value := fmt.Sprint("=", vb.Value.Int)
			if vb.Value.Type == smi.OctetString {
				value = fmt.Sprint("#", len(vb.Value.Octets))
			}
			got = append(got, vb.Name[len(column):].String()+value)
		}
		if have := strings.Join(got, " "); have != want {
			t.Errorf("%v: %s, want %s", a, have, want)
		}
		if got := get(t, h, below(column, 3, 0, 4)); got.Value.Type != smi.NoSuchInstance {
			t.Errorf("%v of a ruleset that saves none: %v", a, &got)
		}
	}
	// Column activity has no room for one.
	if got := get(t, h, oid("flowColumnActivityData.72.0.1")); got.Value.Type != smi.NoSuchInstance {
		t.Errorf("column activity of a distribution: %v", &got)
	}
	if got := get(t, h, oid("flowColumnActivityData.65.0.1")); got.Value.Type != smi.OctetString || len(got.Value.Octets) != 4*8+4 {
		t.Errorf("column activity of Distributions: %v", &got)
	}
}

// TestLargestBlocks reads blocks of the largest distributions: each has as many
// flows as fit, at least one, and a choice that could have too large ones is
// none.
func TestLargestBlocks(t *testing.T) {
	const flows = 20
	const largestOctets = 4 + 2*(2+6) + 4 + 256*(2+9) // of a distribution
	h := New(distributionMeter(flows))
	at := module.RtfmBlockData.At(6, 0, 1, 0, 72, 0, 73)
	next := uint32(1)
	for _, vb := range walk(t, h, at, below(at, 2, 0)) {
		if vb.Name[len(at)] != 2 {
			break
		}
		b := vb.Value.Octets
		n := int(binary.BigEndian.Uint16(b))
		if n == 0 || len(b) > block.MaxOctets {
			t.Fatalf("%d flows in %d octets", n, len(b))
		}
		for b = b[2:]; n > 0; n-- {
			if index := binary.BigEndian.Uint32(b); index != next {
				t.Fatalf("flow %d, want %d", index, next)
			}
			b = b[4:]
			for range 2 {
				octets := int(binary.BigEndian.Uint16(b))
				if want := int(next%2) * largestOctets; octets != want {
					t.Fatalf("flow %d: a distribution of %d octets, want %d", next, octets, want)
				}
				b = b[2+octets:]
			}
			next++
		}
		if len(b) != 0 {
			t.Fatalf("%d octets too many", len(b))
		}
	}
	if next != flows+1 {
		t.Errorf("%d flows, want %d", next-1, flows)
	}
	if got := get(t, h, module.RtfmBlockData.At(6, 0, 72, 0, 73, 0, 74, 2, 0, 0, 1)); got.Value.Type != smi.NoSuchInstance {
		t.Errorf("three distributions: %d octets", len(got.Value.Octets))
	}
}
