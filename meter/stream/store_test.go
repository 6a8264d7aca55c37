package stream

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestStore compares counters with plain ones, while flows come and go and
// counters pass 16 bits.
func TestStore(t *testing.T) {
	const counters = 5
	r := rand.New(rand.NewPCG(9, 9))
	s := store{counters: counters, words: 2}
	flows := map[uint32]*[counters]uint64{}
	for range 20_000 {
		switch flow := uint32(r.IntN(200)); {
		case flows[flow] == nil && len(flows) < 150:
			flow = s.add()
			if flows[flow] != nil {
				t.Fatalf("flow %d was there", flow)
			}
			flows[flow] = new([counters]uint64)
			s.wordsOf(flow)[1] = uint64(flow)
		case flows[flow] != nil && r.IntN(50) == 0:
			s.remove(flow)
			delete(flows, flow)
		case flows[flow] != nil:
			i, n := r.IntN(counters), r.Uint64N(1<<r.IntN(40))
			if r.IntN(4) == 0 {
				n = overUnit - flows[flow][i]%overUnit
			}
			s.count(flow, i, n)
			flows[flow][i] += n
		}
	}
	over := 0
	for flow, want := range flows {
		if got := s.appendCounters(nil, flow); !slices.Equal(got, want[:]) || s.wordsOf(flow)[1] != uint64(flow) {
			t.Errorf("flow %d: %d and words %d, want %d", flow, got, s.wordsOf(flow), want)
		}
		if slices.Max(want[:]) >= overUnit {
			over++
		}
		s.remove(flow)
	}
	if over < 50 || len(s.over) != 0 || s.used != 0 {
		t.Errorf("%d flows were over; %+v is left", over, s)
	}
}
