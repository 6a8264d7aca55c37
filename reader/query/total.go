package query

import (
	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// taken is what a flow had counted before the collection at hand, which may fail.
type taken struct {
	ruleSet   int
	index     uint32
	firstTime int64
	before    record.Counters
}

// total takes what a flow has counted altogether: of one that was taken before, what
// it has counted since then.
func (t *Top) total(f *match.Flow) error {
	t.takeWhole(f)
	t.row.Flow, t.row.Counted = f, &t.whole
	if t.opts.Filter != nil && !t.opts.Filter.Match(&t.row) {
		return nil
	}
	if !t.told {
		return t.add(f, &t.whole)
	}
	counted, _, err := t.before.since(f)
	if err != nil {
		return err
	}
	before := record.CountersOf(f)
	before = before.Since(&counted, f.Shape)
	t.taken = append(t.taken, taken{f.Shape.RuleSet, f.Index, f.FirstTime, before})
	return t.add(f, &counted)
}

// takeBack forgets what flows had counted in a collection that has failed: it is in no
// sum, so that the next one is to add it.
func (t *Top) takeBack() {
	for i := len(t.taken) - 1; i >= 0; i-- {
		was := &t.taken[i]
		t.before.deltas[was.ruleSet].Recall(was.ruleSet, was.index, was.firstTime, &was.before)
	}
	t.taken = t.taken[:0]
}
