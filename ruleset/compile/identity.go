package compile

import (
	"slices"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// identity warns of a SAVE of CommunityID in a program that nowhere saves, whole, what
// it is made of: no flow has one.
func (c *compiler) identity(rules []ruleset.Rule) {
	var at ruleset.Place
	var whole []attr.Attr
	found := false
	for i := range rules {
		r := &rules[i]
		switch r.Op {
		case ruleset.OpCountPkt, ruleset.OpPushPktTo, ruleset.OpPushPktToAct, ruleset.OpPushRuleTo, ruleset.OpPushRuleToAct:
		case ruleset.OpAssign, ruleset.OpAssignAct:
			return // may save anything
		default:
			continue
		}
		if r.Attr == attr.CommunityID && !found {
			at, found = r.At, true
		}
		if n := r.Mask.Len(); n > 0 && r.Mask == attr.Ones(n) {
			whole = append(whole, r.Attr)
		}
	}
	if !found {
		return
	}
	var lacks []string
	for _, a := range [...]attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress} {
		if !slices.Contains(whole, a) && (a != attr.SourceTransType || !slices.Contains(whole, attr.DestTransType)) {
			lacks = append(lacks, a.String())
		}
	}
	if len(lacks) > 0 {
		c.warnf(at, NoIdentity, "no flow has a CommunityID unless %s is saved whole", strings.Join(lacks, ", "))
	}
}
