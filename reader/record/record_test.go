package record

import (
	"errors"
	"slices"
	"testing"

	"rtfm/ruleset/match"
)

// TestSummaryOfLosses has interfaces lose packets, more than before, none since,
// none at all before, and anew after the meter's restart.
func TestSummaryOfLosses(t *testing.T) {
	before := &Counts{LostAt: []Number{{Name: "2", Value: 5}, {Name: "eth0", Value: 7}, {Name: "11", Value: 9}}}
	now := new(Counts)
	for _, at := range []Number{{Name: "1", Value: 1}, {Name: "2", Value: 8}, {Name: "eth0", Value: 3}, {Name: "11", Value: 4}, {Name: "eth0", Value: 4}} {
		now.AddLost(at.Name, at.Value)
	}
	want := []Number{{Name: "lost-1", Value: 1}, {Name: "lost-2", Value: 3}, {Name: "lost-eth0", Value: 0}, {Name: "lost-11", Value: 4}}
	if got := Summarize(now, before, Levels{}, func(int) *uint64 { return nil }).More; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestCollectedOfStrangers has flows of rulesets with numbers that no meter of
// ours gives, and of one of which not all differences are known.
func TestCollectedOfStrangers(t *testing.T) {
	var (
		all    tally
		shapes match.Shapes
	)
	for _, n := range []int{256, 1 << 30, 7, 8} {
		all.add(&match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(n, 0, 0, nil)}}, &Counters{ToPDUs: 3, FromPDUs: 4})
	}
	all.add(&match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(8, 0, 0, nil)}}, nil)
	for n, want := range map[int]bool{256: false, 1 << 30: false, -1: false, 7: true, 8: false, 9: true} {
		if got := all.collected(n); (got != nil) != want || n == 7 && *got != 7 {
			t.Errorf("ruleset %d: %v", n, got)
		}
	}
}

// trouble is a sink, and a collection, of which one thing fails.
type trouble struct {
	at    string
	calls []string
}

func (s *trouble) fail(call string) error {
	s.calls = append(s.calls, call)
	if call == s.at {
		return errTrouble
	}
	return nil
}

var errTrouble = errors.New("trouble")

func (s *trouble) Begin(*Collection) error           { return s.fail("begin") }
func (s *trouble) Flow(*match.Flow, *Counters) error { return s.fail("flow") }
func (s *trouble) End(*Summary) error                { return s.fail("end") }
func (s *trouble) Collection() *Collection           { return new(Collection) }
func (s *trouble) Flows(put func(*match.Flow, *Counters) error) error {
	var shapes match.Shapes
	return put(&match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 0, 0, nil)}}, nil)
}
func (s *trouble) Summary(func(int) *uint64) (*Summary, error) {
	return new(Summary), s.fail("summary")
}

// TestCopyFails has each step of a collection fail: none follows.
func TestCopyFails(t *testing.T) {
	all := []string{"begin", "flow", "summary", "end"}
	for i, at := range all {
		s := &trouble{at: at}
		if _, err := Copy(s, s); err != errTrouble || !slices.Equal(s.calls, all[:i+1]) {
			t.Errorf("%s fails: %v, %v", at, s.calls, err)
		}
	}
	s := new(trouble)
	if sum, err := Copy(s, s); err != nil || sum.Flows != 1 || !slices.Equal(s.calls, all) {
		t.Errorf("%v, %v, %v", sum, s.calls, err)
	}
}
