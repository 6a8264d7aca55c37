package ruleset

import (
	"maps"
	"slices"
)

// Saves returns the attributes that flows of this ruleset may have saved, in
// order of number: those of its Push and Count rules, and what the meter
// variables there are set to. The mask of an address is among them when the
// rules save it under several masks.
func (rs *RuleSet) Saves() []Attr {
	assigned := map[Attr][]Attr{} // by variable
	for i := range rs.Rules {
		r := &rs.Rules[i]
		if of := Attr(r.Value.Uint()); r.Op.Assigns() && !slices.Contains(assigned[r.Attr], of) {
			assigned[r.Attr] = append(assigned[r.Attr], of) // attributes there are few of
		}
	}
	masks := map[Attr]Value{}
	saved := map[Attr]bool{}
	save := func(a Attr, mask Value) {
		first, again := masks[a]
		switch {
		case !a.Readable():
		case !again:
			masks[a] = mask
			saved[a] = true
		case first != mask:
			if m := a.Mask(); m != Null {
				saved[m] = true
			}
		}
	}
	for i := range rs.Rules {
		r := &rs.Rules[i]
		if r.Op.Pushes() {
			save(r.Attr, r.Mask)
			for _, a := range assigned[r.Attr] {
				save(a, r.Mask)
			}
		}
	}
	return slices.Sorted(maps.Keys(saved))
}

// Distributions returns the distributions that flows of this ruleset may have.
func (rs *RuleSet) Distributions() []Distribution {
	var all []Distribution
	for i := range rs.Rules {
		if rs.Rules[i].SavesDistribution() {
			all = append(all, *rs.Rules[i].distribution())
		}
	}
	return all
}

// SavesDistribution reports whether the rule saves a distribution.
func (r *Rule) SavesDistribution() bool { return r.Op.Pushes() && r.Attr.Info().Class == ClassDistrib }

// Mask returns the attribute that is the mask of address a, Null when a has
// none.
func (a Attr) Mask() Attr {
	if in := (a + 1).Info(); in.Class == ClassMask {
		return in.Attr
	}
	return Null
}
