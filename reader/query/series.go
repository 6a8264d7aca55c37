package query

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Group is what flows with the same keys come to.
type Group struct {
	RuleSet int
	Key     string // tells groups of one Top from each other, and is not for people
	Octets  uint64

	row groupSums
}

// Groups calls yield for each group that t has. Those of a ruleset come one after the
// other, the largest first.
func (t *Top) Groups(yield func(Group)) {
	sections := slices.SortedFunc(maps.Values(t.sections), func(a, b *section) int { return cmp.Compare(a.ruleSet, b.ruleSet) })
	for _, s := range sections {
		for _, row := range s.groups.sorted(Octets) {
			yield(Group{RuleSet: s.ruleSet, Key: string(s.groups.key(row)), Octets: row.sums.octets, row: row.groupSums})
		}
	}
}

// Join adds a group of the same key, of another Top with the same keys.
func (g *Group) Join(o *Group) {
	g.Octets += o.Octets
	g.row.saved |= o.row.saved
	if g.row.transport != o.row.transport {
		g.row.transport = 0 // ports have no names then
	}
}

// Name returns the keys of a group of t as people call them, "none" for what its flows
// do not have.
func (t *Top) Name(g *Group) string {
	var words []string
	for _, cell := range t.keyCells([]byte(g.Key), &g.row) {
		words = append(words, cmp.Or(cell.Exact(), "none"))
	}
	return strings.Join(words, " ")
}

// IsOfHosts reports whether the key has both ends of a flow, so that a flow counts in
// two groups.
func (k Key) IsOfHosts() bool { return k.kind == keyHost }
