package feed

import (
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces/feed"
)

// Shapes knows flows by what a feed tells of their keys. The zero value has seen none.
type Shapes struct {
	all   match.Shapes
	known map[*feed.Shape]*shape
}

// shape is what flows of a feed.Shape save.
type shape struct {
	*match.Shape
	places []place // in the key that comes, in its order
}

// place is where an attribute's value stands in the key of a match.Flow, and how many
// octets of the key that comes it has.
type place struct {
	offset, length int
	skip           bool // it is none that flows save
}

// maxShapes is how many shapes are remembered. A meter may tell any number.
const maxShapes = 1 << 12

// identifiers are what all flows of a feed have.
var identifiers = []attr.Measure{{Attr: attr.FlowID}, {Attr: attr.CommunityID}}

// of returns the shape of flows of s.
func (x *Shapes) of(s *feed.Shape) *shape {
	if known := x.known[s]; known != nil {
		return known
	}
	if x.known == nil || len(x.known) >= maxShapes {
		x.all, x.known = match.Shapes{}, make(map[*feed.Shape]*shape)
	}
	own := new(shape)
	var saved []match.Saved
	var lengths match.Lengths
	for _, v := range s.Saved {
		a, n := attr.Attr(v.Attribute), len(v.Mask)
		in := a.Info()
		p := place{in.Offset, n, true}
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			to := lengths.Of(a)
			if n > in.Size || to == nil && n != in.Size || to != nil && *to != 0 && int(*to) != n {
				break
			}
			if to != nil {
				*to = uint8(n)
			}
			p.skip = false
			saved = append(saved, match.Saved{Attr: a, Mask: attr.MakeValue(v.Mask...)})
		}
		own.places = append(own.places, p)
	}
	own.Shape = x.all.InternLengths(int(s.RuleSet), lengths, saved, identifiers...)
	x.known[s] = own
	return own
}

// Set sets f to the flow of this shape and key, as the meter has it. Of attributes that
// flows do not save there is nothing.
func (x *Shapes) Set(f *match.Flow, s *feed.Shape, key []byte) {
	x.of(s).setKey(f, key)
}

// setKey sets f to a flow of this shape with a key as it came.
func (s *shape) setKey(f *match.Flow, key []byte) {
	f.FlowKey = match.FlowKey{Shape: s.Shape}
	for _, p := range s.places {
		if len(key) < p.length {
			return
		}
		if !p.skip {
			copy(f.Key[p.offset:], key[:p.length])
		}
		key = key[p.length:]
	}
}
