package meter

import (
	"math/rand/v2"
	"testing"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// TestTasksShareMemos counts memos and their entries: rulesets that see the same
// of packets have them together, however many there are.
func TestTasksShareMemos(t *testing.T) {
	packets := randomTrace(rand.New(rand.NewPCG(3, 3)), 40)
	for i := range packets {
		packets[i].Time = 5
	}
	count := func(sets ...*ruleset.RuleSet) (memos, entries int) {
		m, err := New(Config{MaxFlows: 10_000, RuleSets: sets})
		if err != nil {
			t.Fatal(err)
		}
		for _, memo := range m.memos {
			memo.resize(memoMost) // so that no entry gives way
		}
		m.sink = &diary{m: m}
		b, in, src := new(batch), m.newInput(), &repeated{packets}
		for range 2 {
			in.read(b, src)
			in.prepare(b, m.memos, 0)
			if err := m.meterBatch(b); err != nil {
				t.Fatal(err)
			}
		}
		s := m.Stats()
		for _, task := range s.Tasks {
			if task.Counted != s.Packets {
				t.Errorf("%d rulesets: of %d packets %d are counted", len(sets), s.Packets, task.Counted)
			}
		}
		for _, memo := range m.memos {
			e := memo.entries.Load()
			for place := range e.size {
				if !empty(e.at(place)[memo.view.words:]) {
					entries++
				}
			}
		}
		return len(m.memos), entries
	}
	coarse := &ruleset.RuleSet{Rules: []ruleset.Rule{
		{Attr: attr.SourceTransType, Mask: attr.Ones(1), Op: ruleset.OpPushPktToAct, Param: 2}, {Op: ruleset.OpCount},
	}}
	_, fine := count(finest())
	_, few := count(coarse)
	if fine < 20 || few < 1 || few > 10 {
		t.Fatalf("%d and %d entries: the packets are not what they should be", fine, few)
	}
	if memos, entries := count(finest(), finest(), finest(), finest()); memos != 1 || entries != fine {
		t.Errorf("four rulesets: %d memos, %d entries, want 1 and %d as for one", memos, entries, fine)
	}
	if memos, entries := count(coarse, finest(), coarse, finest()); memos != 2 || entries != fine+few {
		t.Errorf("two rulesets of each kind: %d memos, %d entries, want 2 and %d", memos, entries, fine+few)
	}
}

// TestMemoPlaces remembers packets whose entries have the same places.
func TestMemoPlaces(t *testing.T) {
	for tasks, places := range map[int]int{1: 2, 2: 4, 7: 4} {
		m := newMemo(newView(attr.Key{}), make([]*Task, tasks)...)
		sight := func(n int) []uint64 {
			w := make([]uint64, m.view.sightLen())
			w[0], w[len(w)-1] = uint64(n), 5<<32
			return w
		}
		for n := range places + 1 {
			m.remember(sight(n), tasks-1, result(n+1))
			known := 0
			for i := range n + 1 {
				switch r := m.lookUp(sight(i), nil)[tasks-1][0]; {
				case r == result(i+1):
					known++
				case r != 0:
					t.Errorf("entry %d has result %d", i, r)
				case i == n:
					t.Errorf("the latest of %d entries gave way", n+1)
				}
			}
			if want := min(n+1, places); known != want || m.evicted != n+1-want {
				t.Errorf("%d tasks: %d of %d entries are known and %d gave way, want %d", tasks, known, n+1, m.evicted, want)
			}
		}
	}
}
