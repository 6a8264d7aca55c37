package traces

import (
	"slices"
	"testing"
)

// TestManyLossyInterfaces wants an interface to be found at once among many, and
// snapshots that stay as they are and are not made where nothing was lost.
func TestManyLossyInterfaces(t *testing.T) {
	const interfaces = 3000
	var s, sum Stats
	for round := uint64(1); round <= 2; round++ {
		for n := range uint32(interfaces) {
			s.Lose(interfaces-n, round)
		}
	}
	if len(s.places) != interfaces {
		t.Errorf("%d of %d interfaces are found at once", len(s.places), interfaces)
	}
	before := s.Snapshot()
	if again := s.Snapshot(); &again.PerInterface[0] != &before.PerInterface[0] {
		t.Error("interfaces were copied where nothing was lost")
	}
	was := slices.Clone(before.PerInterface)
	s.Lose(7, 100)
	s.Lose(interfaces+1, 1)
	if !slices.Equal(before.PerInterface, was) {
		t.Error("a snapshot has changed")
	}
	sum.Add(s.Snapshot())
	sum.Add(before)
	if want := uint64(2*3*interfaces + 101); sum.Lost != want {
		t.Errorf("%d lost, want %d", sum.Lost, want)
	}
	for i, at := range sum.PerInterface {
		want := InterfaceStats{Number: uint32(interfaces - i), Lost: 6}
		switch want.Number {
		case 7:
			want.Lost += 100
		case 0:
			want = InterfaceStats{Number: interfaces + 1, Lost: 1}
		}
		if at != want {
			t.Fatalf("interface %d is %+v, want %+v", i, at, want)
		}
	}
}

func TestStatsKeepNames(t *testing.T) {
	var s Stats
	one := Stats{Lost: 2, PerInterface: []InterfaceStats{{Number: 4, Name: "netflow", Lost: 2}}}
	s.Add(one)
	s.Add(one)
	if want := []InterfaceStats{{Number: 4, Name: "netflow", Lost: 4}}; !slices.Equal(s.PerInterface, want) {
		t.Errorf("%+v, want %+v", s.PerInterface, want)
	}
}
