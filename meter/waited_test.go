package meter

import (
	"io"
	"runtime"
	"testing"
	"time"

	"rtfm/ruleset"
	"rtfm/traces"
)

// slow is a Source that takes its time, and then has ended.
type slow struct{ traces.Source }

func (slow) Stats() traces.Stats { return traces.Stats{} }

func (slow) ReadBatch(b *traces.Batch) error {
	b.Reset("")
	time.Sleep(20 * time.Millisecond)
	return io.EOF
}

// TestWaited wants the time that a source took, however it is read.
func TestWaited(t *testing.T) {
	for _, processors := range []int{1, 2} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		m, err := New(Config{RuleSets: []*ruleset.RuleSet{ruleset.Default()}, MaxFlows: 10})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := m.Run(t.Context(), slow{}, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); m.Waited() < 10*time.Millisecond || m.Waited() > took {
			t.Errorf("with %d processors: waited for %v of %v", processors, m.Waited(), took)
		}
	}
}
