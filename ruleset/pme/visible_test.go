package pme

import (
	"testing"

	"rtfm/ruleset"
)

// TestEndsOfPackets saves ends from the packet, and values that stand in rules.
func TestEndsOfPackets(t *testing.T) {
	rule := func(op ruleset.Opcode, a ruleset.Attr, size int) ruleset.Rule {
		return ruleset.Rule{Attr: a, Mask: ruleset.Ones(size), Value: ruleset.MakeValue(make([]byte, size)...), Op: op, Param: 2}
	}
	count := rule(ruleset.OpCountPkt, ruleset.DestTransAddress, 2)
	for _, tt := range []struct {
		first ruleset.Rule
		want  bool
	}{
		{rule(ruleset.OpPushPktTo, ruleset.SourcePeerAddress, 4), true},
		{rule(ruleset.OpPushRuleTo, ruleset.SourcePeerType, 1), true},
		{rule(ruleset.OpPushRuleTo, ruleset.SourcePeerAddress, 4), false},
		{rule(ruleset.OpPushRuleToAct, ruleset.DestTransAddress, 2), false},
		{rule(ruleset.OpPushRuleTo, ruleset.DestTransType, 1), false},
		{rule(ruleset.OpCount, ruleset.SourceTransAddress, 2), false},
	} {
		var shapes ruleset.Shapes
		p, err := Compile(&ruleset.RuleSet{Rules: []ruleset.Rule{tt.first, count}}, 2, &shapes)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.EndsOfPackets(); got != tt.want {
			t.Errorf("%v %v: %v", tt.first.Op, tt.first.Attr, got)
		}
	}
}
