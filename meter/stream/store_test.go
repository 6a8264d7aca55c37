package stream

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestStore compares counters with plain ones, while flows of two plans come and
// go and counters pass 8 bits, at once and later.
func TestStore(t *testing.T) {
	type wanted struct {
		plan     *plan
		counters []uint64
	}
	r := rand.New(rand.NewPCG(9, 9))
	plans := [2]*plan{{flows: pool{counters: 5, words: 2}}, {flows: pool{counters: farCounters / 64, words: 1}}}
	var s store
	var flows []uint32
	want := map[uint32]*wanted{}
	late, over := 0, 0
	for range 40_000 {
		if n := len(flows); n == 0 || n < 150 && r.IntN(20) == 0 {
			p := plans[r.IntN(2)]
			flow := s.begin(p)
			if want[flow] != nil {
				t.Fatalf("flow %d was there", flow)
			}
			if words := s.wordsOf(flow); s.planOf(flow) != p || len(words) != p.flows.words || slices.Max(words) != 0 {
				t.Fatalf("flow %d: words %d", flow, words)
			}
			s.wordsOf(flow)[0] = uint64(flow)
			flows = append(flows, flow)
			want[flow] = &wanted{p, make([]uint64, p.flows.counters)}
			continue
		}
		at := r.IntN(len(flows))
		flow := flows[at]
		w := want[flow]
		if r.IntN(200) == 0 {
			if got := s.appendCounters(nil, flow); !slices.Equal(got, w.counters) || s.wordsOf(flow)[0] != uint64(flow) {
				t.Fatalf("flow %d: %d and words %d, want %d", flow, got, s.wordsOf(flow), w.counters)
			}
			if slices.Max(w.counters) >= overUnit {
				over++
			}
			s.remove(flow)
			delete(want, flow)
			flows = slices.Delete(flows, at, at+1)
			continue
		}
		i, n := r.IntN(4), uint64(1)
		switch r.IntN(8) {
		case 0:
			n = r.Uint64N(1 << r.IntN(40))
		case 1:
			n = overUnit - w.counters[i]%overUnit
		}
		s.count(flow, i, n)
		w.counters[i] += n
		late += min(1, len(s.later))
	}
	for _, flow := range flows {
		s.remove(flow)
	}
	if over < 50 || late < 1000 || len(s.over)+len(s.later)+s.given != 0 || len(s.unused) != len(s.blocks) {
		t.Errorf("%d flows were over, %d times something was done later; %+v is left", over, late, s)
	}
}
