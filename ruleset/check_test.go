package ruleset

import (
	"testing"

	"rtfm/ruleset/attr"
)

func TestCheck(t *testing.T) {
	one, ip := attr.MakeValue(255), attr.MakeValue(1)
	for _, tt := range []struct {
		rule Rule
		want string
	}{
		{newRule(attr.SourcePeerType, one, ip, OpCount, 0), ""},
		{newRule(attr.SourcePeerType, one, ip, OpPopTo, 2), ""}, // falls off the end
		{newRule(attr.SourcePeerType, one, ip, OpReturn, 1), ""},
		{newRule(attr.SourcePeerType, one, ip, OpPopTo, 3), "ruleset: rule 1: target 3 is not the number of a rule, 1 to 1"},
		{newRule(attr.SourcePeerType, one, ip, OpReturn, -1), "ruleset: rule 1: Return, -1 goes beyond the last rule, 1"},
		{newRule(attr.SourcePeerType, one, ip, 18, 0), "ruleset: rule 1: there is no opcode(18)"},
		{newRule(attr.SourcePeerType, one, ip, 0, 0), "ruleset: rule 1: there is no opcode(0)"},
		{newRule(99, one, ip, OpCount, 0), "ruleset: rule 1: there is no attribute(99)"},
		{newRule(attr.SourcePeerMask, one, ip, OpCount, 0), "ruleset: rule 1: SourcePeerMask is for reading flows: rules can neither test nor save it"},
		{newRule(attr.SourcePeerType, one, attr.MakeValue(1, 1), OpCount, 0), "ruleset: rule 1: value 1.1 does not fit SourcePeerType"},
		{newRule(attr.SourceAdjacentAddress, attr.Ones(9), ip, OpCount, 0), "ruleset: rule 1: mask 255.255.255.255.255.255.255.255.255 does not fit SourceAdjacentAddress"},
		{newRule(attr.V1, attr.Value{}, attr.AttrValue(attr.Priority), OpAssign, 1), ""},
		{newRule(attr.V1, attr.Value{}, attr.AttrValue(attr.V2), OpAssign, 1), "ruleset: rule 1: value 52 is not an attribute that v1 could stand for"},
	} {
		err := (&RuleSet{Rules: []Rule{tt.rule}}).Check()
		if got := ""; err != nil {
			if got = err.Error(); got != tt.want {
				t.Errorf("%v: got %q, want %q", tt.rule, got, tt.want)
			}
		} else if tt.want != "" {
			t.Errorf("%v passes, want %q", tt.rule, tt.want)
		}
	}
	if err := (&RuleSet{}).Check(); err == nil {
		t.Error("no rules pass")
	}
	if err := (&RuleSet{Number: 256, Rules: []Rule{{Op: OpCount}}}).Check(); err == nil {
		t.Error("number 256 passes")
	}
}

func newRule(a attr.Attr, mask, value attr.Value, op Opcode, param int) Rule {
	return Rule{Attr: a, Mask: mask, Value: value, Op: op, Param: param}
}
