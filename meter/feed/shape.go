package feed

import (
	"rtfm/ruleset/match"
	"rtfm/traces/feed"
	"rtfm/traces/ipfix"
)

// icmps are the values of feed.Shape.ICMP. Of each shape of flows the feed has one for
// each of them, as far as there are such flows.
var icmps = [...]uint16{0, ipfix.ICMPTypeCodeIPv4, ipfix.ICMPTypeCodeIPv6}

// icmpOf returns which of icmps a flow of this key has.
func icmpOf(k *match.FlowKey) int {
	switch k.Key.TransType() {
	case 1:
		return 1
	case 58:
		return 2
	}
	return 0
}

// newShape returns what the feed tells of a shape of flows of the ruleset that is named
// so.
func newShape(s *match.Shape, of *named, icmp uint16) *feed.Shape {
	shape := &feed.Shape{RuleSet: of.index, Name: of.name, ICMP: icmp}
	for i := range s.Saved {
		v := &s.Saved[i]
		shape.Saved = append(shape.Saved, feed.Saved{
			Attribute: uint16(v.Attr), Mask: v.Mask.Append(nil), Field: ipfix.FieldOf(s, v),
		})
	}
	return shape
}
