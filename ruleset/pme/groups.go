package pme

import (
	"math/bits"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/keyhash"
)

// minGroup is the shortest run of rules that becomes one lookup: below it,
// testing one after the other is as fast (BenchmarkGroup).
const minGroup = 6

// group is a run of consecutive rules that test one attribute, of which one
// lookup finds the first that succeeds.
type group struct {
	first, end int32 // the rules, and for variables the form
	// If all have the same mask, their tests exclude each other but for equal
	// values: a hash table of values, by open addressing, holds the index in the
	// run + 1 of the first rule of each.
	table  []int32
	secret [8]uint64 // of its hash
	// If their masks are prefixes of several lengths.
	networks *networks
}

// makeGroups finds the groups among the rules, and among each form of those
// on meter variables.
func (p *Program) makeGroups(forms int) {
	var room []attr.Prefix
	for form := range forms {
		form := func(i int) *instr {
			r := &p.rules[i]
			if r.kind == testVariable {
				return &p.variants[int(r.aux)+form]
			}
			if form > 0 {
				return nil // ordinary rules were grouped with form 0
			}
			return r
		}
		// run returns the end of the run of rules from i on that are like r.
		run := func(i int, r *instr, like func(a, b *instr) bool) int {
			for i < len(p.rules) && form(i) != nil && like(r, form(i)) {
				i++
			}
			return i
		}
		for i := 0; i < len(p.rules); {
			r, end := form(i), i+1
			if r != nil && groupable(r) {
				end = run(i, r, sameMask)
				wider := run(i, r, bothNetworks)
				networks := wider > end
				if end = max(end, wider); end-i >= minGroup {
					for j := i; j < end; j++ {
						form(j).group = int32(len(p.groups))
					}
					if networks {
						p.groups = append(p.groups, makeNetworks(i, end, form, &room))
					} else {
						p.groups = append(p.groups, p.makeTable(i, end, form))
					}
				}
			}
			i = end
		}
	}
}

func groupable(r *instr) bool { return r.kind == testWord || r.kind == testWords }

func sameMask(a, b *instr) bool { return groupable(b) && a.attr == b.attr && a.mask == b.mask }

func bothNetworks(a, b *instr) bool {
	return a.attr == b.attr && isNetwork(a) && isNetwork(b)
}

// makeTable puts the values of rules into a hash table. Who writes the rules must
// not choose values that meet in one place of it, since all that stand there would
// be passed for each packet: so its hash is keyed, see package keyhash.
func (p *Program) makeTable(first, end int, form func(int) *instr) group {
	n := end - first
	g := group{first: int32(first), end: int32(end), table: make([]int32, 1<<bits.Len(uint(2*n-1)))}
	secret := keyhash.NewSecret() // nothing that is seen depends on it
	g.secret = [8]uint64(secret[:])
	for i := first; i < end; i++ {
		r := form(i)
		at := g.slot(&r.value)
		for g.table[at] != 0 && form(first+int(g.table[at])-1).value != r.value {
			at = (at + 1) & (len(g.table) - 1)
		}
		if g.table[at] == 0 {
			g.table[at] = int32(i - first + 1)
		}
	}
	return g
}

// slot returns the place of a value in the table.
func (g *group) slot(v *words) int {
	secret := &g.secret
	sum := keyhash.Sum{}.Add(v[0]+secret[0], secret[1])
	if v[1]|v[2] != 0 {
		sum = sum.Add(v[1]+secret[2], v[2]+secret[3])
	}
	return int(sum.Hash((*[4]uint64)(secret[4:]))) & (len(g.table) - 1)
}

// lookup returns the first rule from this one on, of its group, whose test
// succeeds; if there is none, the negated number of the rule after the group.
func (p *Program) lookup(r *instr, rule int32, vars *ordinals, key *attr.Key) int32 {
	g := &p.groups[r.group]
	if g.networks != nil {
		found := g.networks.find(bits.ReverseBytes64(load(key, r.off)))
		switch {
		case found == noRule:
			return -g.end
		case found >= rule:
			return found
		}
		// A Goto into the group has passed it, and another one may succeed too.
		for ; rule < g.end; rule++ {
			if p.succeeds(p.form(rule, vars), key, false) {
				return rule
			}
		}
		return -g.end
	}
	v := r.masked(key)
	for at := g.slot(&v); g.table[at] != 0; at = (at + 1) & (len(g.table) - 1) {
		found := g.first + g.table[at] - 1
		if p.form(found, vars).value != v {
			continue
		}
		// A Goto into the group may have passed the first rule of this value.
		for ; found < g.end; found++ {
			if found >= rule && p.form(found, vars).value == v {
				return found
			}
		}
		break
	}
	return -g.end
}
