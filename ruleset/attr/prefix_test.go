package attr

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPrefixes sorts prefixes of addresses that are alike, and asks which of
// them hold others; the values and masks that they are made of tell.
func TestPrefixes(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for round := range 300 {
		n, octets := r.IntN(40), []int{4, 16, 20}[round%3]
		var values, masks []Value
		var list []Prefix
		for i := range n {
			var b [MaxAddress]byte
			b[r.IntN(octets)], b[octets-1] = byte(r.Uint32()), byte(r.IntN(2))
			width := r.IntN(8*octets + 1)
			mask := WidthMask(width, octets)
			value := MakeValue(b[:octets]...).And(mask)
			values, masks = append(values, value), append(masks, mask)
			list = append(list, MakePrefix(value, width, i))
		}
		want := slices.Clone(list)
		slices.SortStableFunc(want, func(a, b Prefix) int {
			av, bv := values[a.Place].Padded(), values[b.Place].Padded()
			return cmp.Or(bytes.Compare(av[:], bv[:]), cmp.Compare(a.Len, b.Len))
		})
		got := SortPrefixes(slices.Clone(list), make([]Prefix, n+round%2))
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: %v, want %v", round, got, want)
		}
		for i := range list {
			for j := range list {
				want := list[i].Len <= list[j].Len && values[j].And(masks[i]).Padded() == values[i].Padded()
				if got := list[i].Holds(&list[j]); got != want {
					t.Fatalf("%v & %v holds %v & %v: %v", values[i], masks[i], values[j], masks[j], got)
				}
			}
		}
	}
}
