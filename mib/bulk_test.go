package mib

import (
	"testing"

	"rtfm/mib/smi"
)

// TestBulkIsNext holds the answers to GetBulk, which finds several variables at
// once, to those of one GetNext after the other.
func TestBulkIsNext(t *testing.T) {
	m := newFakeMeter()
	m.putRuleSet(2)
	m.putRuleSet(3)
	for i := range uint32(300) {
		m.add(2+int(i%7/6), i+1, uint64(10+i%3))
	}
	h := New(m)
	for _, starts := range [][]string{
		{root + "2.3.1.5.2.28.192"},
		{root + "2.3.1.5.2.28.192.2.11.30", root + "2.3.1.5.1.9.2.0.500", root + "2.3.1.5.1.9.3.0.590", root + "2.3.1.5.1.0.2.0.1"},
		{root + "2.1.1.9.2.0.580", root + "2.1.1.28.2.12", root + "2.1.1.41", root + "2.1.1.9.3.4294967295.1"},
		{root + "1.1", root + "2.2.1.4.28.0.3", extension.String() + ".1.6.1.6.4.0.28.0.30", "1"},
	} {
		for _, end := range []string{"", root + "2.1.1.28.2.12.50", root + "2.3.1.5.1.9.2.0.520"} {
			for _, octets := range []int{500, 1 << 20} {
				b := smi.Bulk{NonRepeaters: len(starts) / 4, MaxRepetitions: 90, MaxOctets: octets}
				for _, s := range starts {
					r := smi.Range{Start: oid(s)}
					if end != "" {
						r.End = oid(end)
					}
					b.Ranges = append(b.Ranges, r)
				}
				got, err := h.Bulk(&b, nil)
				if err != nil {
					t.Fatal(err)
				}
				want, err := b.Fill(h.Next, nil)
				if err != nil || len(got) != len(want) {
					t.Fatalf("%v to %q: %d variables, want %d, %v", starts, end, len(got), len(want), err)
				}
				for i := range got {
					if !got[i].Equal(&want[i]) {
						t.Errorf("%v to %q, variable %d: %v, want %v", starts, end, i, &got[i], &want[i])
					}
				}
			}
		}
	}
}
