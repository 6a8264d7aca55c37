package ruleset

import "slices"

// Saves returns the attributes that flows of this ruleset may have saved, in
// order of number: those of its Push and Count rules, and what the meter
// variables there are set to. The mask of an address is among them when the
// rules save it under several ones.
func (rs *RuleSet) Saves() []Attr {
	assigned := map[Attr][]Attr{} // by variable
	for i := range rs.Rules {
		if r := &rs.Rules[i]; r.Op.Assigns() {
			assigned[r.Attr] = append(assigned[r.Attr], Attr(r.Value.Uint()))
		}
	}
	masks := map[Attr]Value{}
	var saved []Attr
	save := func(a Attr, mask Value) {
		first, again := masks[a]
		switch {
		case !a.Readable():
		case !again:
			masks[a] = mask
			saved = append(saved, a)
		case first != mask:
			if m := a.Mask(); m != Null {
				saved = append(saved, m)
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
	slices.Sort(saved)
	return slices.Compact(saved)
}

// Distributions returns those that flows of this ruleset may have.
func (rs *RuleSet) Distributions() []Distribution {
	var all []Distribution
	for i := range rs.Rules {
		if rs.Rules[i].SavesDistribution() {
			all = append(all, *rs.Rules[i].distribution())
		}
	}
	return all
}

// SavesDistribution tells whether the rule saves a distribution.
func (r *Rule) SavesDistribution() bool { return r.Op.Pushes() && r.Attr.Info().Class == ClassDistrib }

// Mask returns the attribute that is the mask of address a, Null when a has
// none.
func (a Attr) Mask() Attr {
	if in := (a + 1).Info(); in.Class == ClassMask {
		return in.Attr
	}
	return Null
}
