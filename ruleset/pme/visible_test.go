package pme

import (
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// TestEndsOfPackets saves ends from the packet, and values that stand in rules.
func TestEndsOfPackets(t *testing.T) {
	rule := func(op ruleset.Opcode, a attr.Attr, size int) ruleset.Rule {
		return ruleset.Rule{Attr: a, Mask: attr.Ones(size), Value: attr.MakeValue(make([]byte, size)...), Op: op, Param: 2}
	}
	count := rule(ruleset.OpCountPkt, attr.DestTransAddress, 2)
	for _, tt := range []struct {
		first ruleset.Rule
		want  bool
	}{
		{rule(ruleset.OpPushPktTo, attr.SourcePeerAddress, 4), true},
		{rule(ruleset.OpPushRuleTo, attr.SourcePeerType, 1), true},
		{rule(ruleset.OpPushRuleTo, attr.SourcePeerAddress, 4), false},
		{rule(ruleset.OpPushRuleToAct, attr.DestTransAddress, 2), false},
		{rule(ruleset.OpPushRuleTo, attr.DestTransType, 1), false},
		{rule(ruleset.OpCount, attr.SourceTransAddress, 2), false},
	} {
		var shapes match.Shapes
		p, err := Compile(&ruleset.RuleSet{Rules: []ruleset.Rule{tt.first, count}}, 2, &shapes)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.EndsOfPackets(); got != tt.want {
			t.Errorf("%v %v: %v", tt.first.Op, tt.first.Attr, got)
		}
	}
}
