package feed

import (
	"rtfm/ruleset/match"
	"rtfm/traces/feed"
	"rtfm/traces/ipfix"
)

// newShape returns what the feed tells of a shape of flows of the ruleset that is named
// so.
func newShape(s *match.Shape, of *named) *feed.Shape {
	shape := &feed.Shape{RuleSet: of.index, Name: of.name}
	for i := range s.Saved {
		v := &s.Saved[i]
		shape.Saved = append(shape.Saved, feed.Saved{
			Attribute: uint16(v.Attr), Mask: v.Mask.Append(nil), Field: ipfix.FieldOf(s, v),
		})
	}
	return shape
}
