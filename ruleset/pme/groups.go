package pme

import "math/bits"

// minGroup is the shortest run of rules that becomes one lookup: below it,
// testing one after the other is as fast (BenchmarkGroup).
const minGroup = 6

// group is a run of consecutive rules that test one attribute under one
// mask. Their tests exclude each other but for equal values, of which the
// first wins, so that one lookup finds the rule that succeeds.
type group struct {
	first, end int32   // the rules, and for variables the form
	table      []int32 // open addressing: index of a rule in the run + 1
}

// makeGroups finds the groups among the rules, and among each form of those
// on meter variables.
func (p *Program) makeGroups(forms int) {
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
		for i := 0; i < len(p.rules); {
			r := form(i)
			end := i + 1
			if r != nil && groupable(r) {
				for end < len(p.rules) && sameTest(r, form(end)) {
					end++
				}
				if end-i >= minGroup {
					p.addGroup(i, end, form)
				}
			}
			i = end
		}
	}
}

func groupable(r *instr) bool { return r.kind == testWord || r.kind == testWords }

func sameTest(a, b *instr) bool {
	return b != nil && groupable(b) && a.attr == b.attr && a.mask == b.mask
}

func (p *Program) addGroup(first, end int, form func(int) *instr) {
	n := end - first
	g := group{first: int32(first), end: int32(end), table: make([]int32, 1<<bits.Len(uint(2*n-1)))}
	for i := first; i < end; i++ {
		r := form(i)
		at := g.slot(&r.value)
		for g.table[at] != 0 && form(first+int(g.table[at])-1).value != r.value {
			at = (at + 1) & (len(g.table) - 1)
		}
		if g.table[at] == 0 {
			g.table[at] = int32(i - first + 1)
		}
		r.group = int32(len(p.groups))
	}
	p.groups = append(p.groups, g)
}

func (g *group) slot(v *words) int {
	const a, b, c = 0x9e3779b97f4a7c15, 0xd1342543de82ef95, 0xa0761d6478bd642f
	hi, lo := bits.Mul64(v[0]^a, b)
	h := hi ^ lo
	if v[1]|v[2] != 0 {
		hi, lo = bits.Mul64(v[1]^v[2]*c^h, a)
		h ^= hi ^ lo
	}
	return int(h) & (len(g.table) - 1)
}
