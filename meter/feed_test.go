package meter

import (
	"io"
	"math/rand/v2"
	"testing"

	"rtfm/ruleset"
)

// TestAskedAhead counts the batches for which a memo is asked ahead: while it
// knows nothing of the packets, the first of a group, and all once it does.
func TestAskedAhead(t *testing.T) {
	m, err := New(Config{MaxFlows: 1000, RuleSets: []*ruleset.RuleSet{finest()}})
	if err != nil {
		t.Fatal(err)
	}
	m.sink = &diary{m: m}
	packets := randomTrace(rand.New(rand.NewPCG(3, 3)), 2*batchLen)[:batchLen]
	for i := range packets {
		packets[i].Time = 5
	}
	f := m.newFeeder(&repeated{packets})
	g := new(group)
	for round, want := range []int{1, groupLen} {
		f.reading.Lock()
		f.fill(g, f.ahead)
		asked := 0
		for i := range g.batches[:g.n] {
			if b := &g.batches[i]; b.known[0].asked && len(b.known[0].results[0]) == len(packets) {
				asked++
			} else if b.known[0].asked || len(b.seen) != len(packets) {
				t.Fatalf("%d packets, asked %t", len(b.seen), b.known[0].asked)
			}
			if err := m.meterBatch(&g.batches[i]); err != nil {
				t.Fatal(err)
			}
		}
		if asked != want {
			t.Errorf("round %d: of %d batches the memo was asked for %d, want %d", round, g.n, asked, want)
		}
	}
	if s := m.Stats(); s.Tasks[0].Counted != 2*groupLen*batchLen {
		t.Errorf("%+v", s)
	}
}

// TestNothingToAsk: a source that ends at once has no packets to ask for.
func TestNothingToAsk(t *testing.T) {
	m, err := New(Config{MaxFlows: 1000, RuleSets: []*ruleset.RuleSet{finest()}})
	if err != nil {
		t.Fatal(err)
	}
	f := m.newFeeder(new(memory))
	g := new(group)
	f.reading.Lock()
	f.fill(g, f.ahead)
	if g.n != 1 || g.batches[0].err != io.EOF {
		t.Errorf("%d batches, %v", g.n, g.batches[0].err)
	}
}
