package meter

import (
	"errors"
	"fmt"
	"slices"

	"rtfm/ruleset"
)

// ErrPause is what a source returns, instead of packets, to have Run return it too,
// without a last collection. All packets that came before are metered. The next Run
// goes on, with the same source or another.
var ErrPause = errors.New("the source pauses")

// Replace has another ruleset run in the place of the one of this number, and returns
// its own, which no flow bears. What the former has made of packets until now stays in
// its flows, which are collected and recovered as before. It may be called while Run is
// not at work, as after ErrPause: each packet is seen by one of both.
func (m *Meter) Replace(number int, p *Prepared, name string) (int, error) {
	i := slices.IndexFunc(m.tasks, func(t *Task) bool { return t.stats.RuleSet == number })
	if i < 0 {
		return 0, fmt.Errorf("no ruleset %d is running", number)
	}
	own, ok := m.unusedNumber()
	if !ok {
		return 0, fmt.Errorf("flows of all %d numbers of rulesets are waiting to be collected", ruleset.MaxRuleSets)
	}
	m.retired = append(m.retired, m.TaskStats(m.tasks[i]))
	m.leave(m.tasks[i])
	m.tasks[i] = m.newTask(p, name, own)
	m.streamed = 0
	for _, t := range m.tasks {
		m.streamed |= t.streamed
	}
	m.shareMemos()
	return own, nil
}

// unusedNumber returns the next number from 2 on that no ruleset has, whether it runs
// or has left flows or numbers that were not collected.
func (m *Meter) unusedNumber() (int, bool) {
	taken := func(n int) bool {
		return slices.ContainsFunc(m.Stats().Tasks, func(t TaskStats) bool { return t.RuleSet == n })
	}
	for range ruleset.MaxRuleSets - 1 {
		if m.latest++; m.latest > ruleset.MaxRuleSets || m.latest < 2 {
			m.latest = 2
		}
		if !taken(m.latest) {
			return m.latest, true
		}
	}
	return 0, false
}

// forget forgets the rulesets that do not run any more, and whose flows were all
// collected and recovered.
func (m *Meter) forget() {
	m.retired = slices.DeleteFunc(m.retired, func(t TaskStats) bool {
		if m.table.ActiveOf(t.RuleSet) > 0 {
			return false
		}
		m.stats.Past.Add(t)
		return true
	})
}
