package feature

import (
	"rtfm/meter/ident"
	"rtfm/reader/feed"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// identity is what a row tells of what its flow is.
type identity struct {
	flow      match.Flow
	community ident.Community
	named     bool // there is a Community ID
}

// read sets i to what the flow is.
func (i *identity) read(s *feed.Shapes, f *Flow) {
	s.Set(&i.flow, f.Shape, f.Key)
	i.flow.ToPDUs, i.flow.FromPDUs = f.sides[0].sizes[attr.StatCount], f.sides[1].sizes[attr.StatCount]
	i.community, i.named = ident.CommunityOf(&i.flow.FlowKey, f.backward)
}

// number returns the value of an attribute of a flow that saves it whole, else 0.
func (i *identity) number(a attr.Attr) uint64 {
	if mask, saved := i.flow.Shape.Mask(a); !saved || mask != attr.Ones(mask.Len()) {
		return 0
	}
	return numberIn(i.flow.Value(a))
}

// numberIn returns the number that octets are.
func numberIn(octets []byte) (n uint64) {
	for _, b := range octets {
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
func (i *identity) text(a attr.Attr) string { return i.flow.Show(a, true) }
