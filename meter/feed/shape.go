package feed

import (
	"rtfm/ruleset/match"
	"rtfm/traces/feed"
	"rtfm/traces/ipfix"
)

// newShape returns what the feed tells of a shape of flows of the ruleset with this
// name.
func newShape(s *match.Shape, name string) *feed.Shape {
	shape := &feed.Shape{RuleSet: uint8(s.RuleSet), Name: name}
	for i := range s.Saved {
		v := &s.Saved[i]
		shape.Saved = append(shape.Saved, feed.Saved{
			Attribute: uint16(v.Attr), Mask: v.Mask.Append(nil), Field: ipfix.FieldOf(s, v),
		})
	}
	return shape
}
