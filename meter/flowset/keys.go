package flowset

import (
	"math"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Alike returns the Set of all packets, of any time and direction, that are like those
// of the flows as far as some attributes tell; nil if a flow has saved none of these.
func (s *Set) Alike(has func(a attr.Attr) bool) *Set {
	to := New(false)
	var shapes match.Shapes
	known := make(map[*match.Shape]*match.Shape)
	all := true
	s.each(func(f *match.Flow) bool {
		shape := known[f.Shape]
		if shape == nil {
			var saved []match.Saved
			for _, v := range f.Shape.Saved {
				if has(v.Attr) {
					saved = append(saved, v)
				}
			}
			shape = shapes.InternLengths(1, f.Shape.Lengths(), saved)
			known[f.Shape] = shape
		}
		all = to.Add(&match.FlowKey{Shape: shape, Key: f.Key}, Always)
		return all
	})
	if !all {
		return nil
	}
	return to
}

// each calls do for each flow, until that returns false.
func (s *Set) each(do func(f *match.Flow) bool) {
	var f match.Flow
	s.table.Scan(1, 1, math.MinInt64, &f, func() bool { return do(&f) })
}

// Ends returns addresses, at most so many, and how many bits of each count: an end of
// each packet that belongs to a flow has one of them. It returns false if there are
// more, or a flow has saved no such address.
func (s *Set) Ends(most int) (addresses []attr.Value, widths []int, ok bool) {
	seen := make(map[attr.Value]int) // its width
	ok = true
	s.each(func(f *match.Flow) bool {
		best, address := 0, attr.Value{}
		for _, v := range f.Shape.Saved {
			if v.Attr != attr.SourcePeerAddress && v.Attr != attr.DestPeerAddress {
				continue
			}
			if width, prefix := v.Mask.Width(); prefix && width > best {
				best, address = width, attr.MakeValue(f.Value(v.Attr)...)
			}
		}
		if width, before := seen[address]; !before || best < width {
			seen[address] = best
		}
		ok = best > 0 && len(seen) <= most
		return ok
	})
	if !ok {
		return nil, nil, false
	}
	for address, width := range seen {
		addresses, widths = append(addresses, address), append(widths, width)
	}
	return addresses, widths, true
}
