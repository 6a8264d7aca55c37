package ruleset

import (
	"maps"
	"slices"

	"rtfm/ruleset/attr"
)

// Saves returns the attributes that flows of this ruleset may have saved, in
// order of number: those of its Push and Count rules, and what the meter
// variables there are set to. The mask of an address is among them when the
// rules save it under several ones.
func (rs *RuleSet) Saves() []attr.Attr {
	return rs.saves(func(a attr.Attr, first, mask attr.Value) bool { return first != mask })
}

// SavesAndMasks returns those of Saves with the masks of all addresses that may not
// be saved whole.
func (rs *RuleSet) SavesAndMasks() []attr.Attr {
	return rs.saves(func(a attr.Attr, _, mask attr.Value) bool { return mask != attr.Ones(a.Info().Size) })
}

// saves returns what may be saved, and the masks that are shown: of an attribute
// that is saved under mask, and under first the first time.
func (rs *RuleSet) saves(shown func(a attr.Attr, first, mask attr.Value) bool) []attr.Attr {
	assigned := map[attr.Attr][]attr.Attr{} // by variable
	for i := range rs.Rules {
		r := &rs.Rules[i]
		if of := attr.Attr(r.Value.Uint()); r.Op.Assigns() && !slices.Contains(assigned[r.Attr], of) {
			assigned[r.Attr] = append(assigned[r.Attr], of) // attributes there are few of
		}
	}
	masks := map[attr.Attr]attr.Value{}
	saved := map[attr.Attr]bool{}
	save := func(a attr.Attr, mask attr.Value) {
		if !a.Readable() {
			return
		}
		if _, again := masks[a]; !again {
			masks[a] = mask
			saved[a] = true
		}
		if m := a.Mask(); m != attr.Null && shown(a, masks[a], mask) {
			saved[m] = true
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

// Measures returns those that flows of this ruleset may have.
func (rs *RuleSet) Measures() []attr.Measure {
	var all []attr.Measure
	for i := range rs.Rules {
		if rs.Rules[i].SavesMeasure() {
			all = append(all, *rs.Rules[i].distribution())
		}
	}
	return all
}

// SavesMeasure reports whether the rule saves a distribution.
func (r *Rule) SavesMeasure() bool {
	return r.Op.Pushes() && r.Attr.IsMeasure()
}
