package feature

import (
	"rtfm/meter/ident"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces/feed"
)

// shapes are those of flows, as the flow table has them.
type shapes struct {
	made  match.Shapes
	known map[*feed.Shape]*match.Shape // nil for one that cannot be
}

// maxShapes is how many are remembered. Meters have few.
const maxShapes = 1 << 12

// of returns a shape; nil if a meter has none such.
func (s *shapes) of(sh *feed.Shape) *match.Shape {
	if made, ok := s.known[sh]; ok {
		return made
	}
	if s.known == nil || len(s.known) >= maxShapes {
		*s = shapes{known: make(map[*feed.Shape]*match.Shape)}
	}
	made := s.intern(sh)
	s.known[sh] = made
	return made
}

func (s *shapes) intern(sh *feed.Shape) *match.Shape {
	var lengths match.Lengths
	saved := make([]match.Saved, 0, len(sh.Saved))
	for i, v := range sh.Saved {
		a, n := attr.Attr(v.Attribute), len(v.Mask)
		if !savable(a) || n > attr.MaxAddress || i > 0 && sh.Saved[i-1].Attribute >= v.Attribute {
			return nil
		}
		if l := lengths.Of(a); l != nil {
			*l = uint8(n)
		}
		saved = append(saved, match.Saved{Attr: a, Mask: attr.MakeValue(v.Mask...)})
	}
	if sh.RuleSet == 0 {
		return nil
	}
	made := s.made.InternLengths(int(sh.RuleSet), lengths, saved)
	for i := range sh.Saved {
		if made.Len(saved[i].Attr) != len(sh.Saved[i].Mask) {
			return nil
		}
	}
	return made
}

// savable reports whether a is the number of an attribute that flows save.
func savable(a attr.Attr) bool {
	switch a.Info().Class {
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
		return a.SavedBit() >= 0
	}
	return false
}

// identity is what a row tells of what its flow is.
type identity struct {
	flow      match.Flow
	known     bool // the key could be read
	community ident.Community
	named     bool // there is a Community ID
}

// read sets i to what the flow is.
func (i *identity) read(s *shapes, f *Flow) {
	i.known, i.named = false, false
	shape := s.of(f.Shape)
	if shape == nil || len(f.Key) != f.Shape.KeyLen() {
		return
	}
	i.flow = match.Flow{FlowKey: match.FlowKey{Shape: shape}}
	at := f.Key
	for _, v := range shape.Saved {
		n := copy(i.flow.Value(v.Attr), at[:v.Mask.Len()])
		at = at[n:]
	}
	i.known = true
	i.flow.ToPDUs, i.flow.FromPDUs = f.sides[0].sizes[attr.StatCount], f.sides[1].sizes[attr.StatCount]
	i.community, i.named = ident.CommunityOf(&i.flow.FlowKey, f.backward)
}

// number returns the value of an attribute of a flow that saves it whole, else 0.
func (i *identity) number(a attr.Attr) (n uint64) {
	if !i.known {
		return 0
	}
	if mask, saved := i.flow.Shape.Mask(a); !saved || mask != attr.Ones(mask.Len()) {
		return 0
	}
	for _, b := range i.flow.Value(a) {
		n = n<<8 | uint64(b)
	}
	return n
}

// protocol returns that of the transport layer, which may be saved of either end.
func (i *identity) protocol() uint64 {
	if n := i.number(attr.SourceTransType); n != 0 {
		return n
	}
	return i.number(attr.DestTransType)
}

// text returns the value of an attribute as text, "" if there is none.
func (i *identity) text(a attr.Attr) string {
	if !i.known {
		return ""
	}
	return i.flow.Show(a, true)
}
