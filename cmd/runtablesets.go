package cmd

import (
	"cmp"
	"fmt"
	"slices"

	"rtfm/reader/query"
	"rtfm/reader/record"
)

// tableSet is a ruleset of which there are tables.
type tableSet struct {
	number int
	name   string
	title  string // by which it is told from one that it has replaced
	top    *query.Top
}

// know sets sets to those that a collection has.
func (t *tables) know(sets []record.RuleSet) {
	before := t.of
	t.sets, t.of = t.sets[:0], [len(t.of)]*query.Top{}
	for _, rs := range sets {
		set := tableSet{rs.Number, rs.Name, rs.Name, before[rs.Number]}
		if set.top == nil {
			set.top = query.NewTop(t.opts)
		}
		if slices.ContainsFunc(sets, func(o record.RuleSet) bool { return o.Name == rs.Name && o.Number != rs.Number }) {
			set.title = fmt.Sprintf("%s (ruleset %d)", rs.Name, rs.Number)
		}
		t.sets = append(t.sets, set)
		t.of[set.number] = set.top
	}
	slices.SortFunc(t.sets, func(a, b tableSet) int { return cmp.Compare(a.number, b.number) })
}

// none writes the tables of no packets.
func (t *tables) none(sets []record.RuleSet) error {
	t.know(sets)
	for _, set := range t.sets {
		tb := set.top.Tables()[0]
		tb.Title = set.title
		if err := t.write(tb, set.name); err != nil {
			return err
		}
	}
	return nil
}
