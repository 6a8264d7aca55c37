package ruleset

import "rtfm/ruleset/attr"

// Default returns ruleset 1, which is built into every meter (RFC 2722
// section 4.4): one flow for each pair of peer types.
func Default() *RuleSet {
	return &RuleSet{
		Number: 1,
		Name:   "default",
		Rules: []Rule{
			{Attr: attr.Null, Op: OpGotoAct, Param: 2},
			{Attr: attr.SourcePeerType, Mask: attr.Ones(1), Value: attr.MakeValue(0), Op: OpPushPktToAct, Param: 3},
			{Attr: attr.DestPeerType, Mask: attr.Ones(1), Value: attr.MakeValue(0), Op: OpCountPkt},
		},
	}
}
