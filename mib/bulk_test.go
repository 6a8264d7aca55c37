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
		{"flowPackageData.2.28.192"},
		{"flowPackageData.2.28.192.2.11.30", "flowPackageData.1.9.2.0.500", "flowPackageData.1.9.3.0.590", "flowPackageData.1.0.2.0.1"},
		{"flowDataSourcePeerAddress.2.0.580", "flowDataToPDUs.2.12", "flowDataKind", "flowDataSourcePeerAddress.3.4294967295.1"},
		{root + "1.1", "flowColumnActivityData.28.0.3", "rtfmBlockData.4.0.28.0.30", "1"},
	} {
		for _, end := range []string{"", "flowDataToPDUs.2.12.50", "flowPackageData.1.9.2.0.520"} {
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
