package control

import (
	"fmt"
	"slices"
	"testing"

	"rtfm/ruleset"
)

// TestPreparedIsTold has a ruleset become active whose first rule tests what it was
// to save, one that is as it should be, and one that cannot.
func TestPreparedIsTold(t *testing.T) {
	var told []string
	r := newRig(t, Config{Prepared: func(rs *ruleset.RuleSet, warnings []string, err error) {
		told = append(told, fmt.Sprintf("%d %q: %q, %v", rs.Number, rs.Name, warnings, err))
	}})
	rules := func(index, firstOp, target int) string {
		return fmt.Sprintf(`flowRuleInfoStatus.%[1]d=4 flowRuleInfoSize.%[1]d=2 flowRuleInfoName.%[1]d=h61
			flowRuleSelector.%[1]d.1=9 flowRuleMask.%[1]d.1=hffffffff flowRuleMatchedValue.%[1]d.1=h00 flowRuleAction.%[1]d.1=%[2]d flowRuleParameter.%[1]d.1=%[3]d
			flowRuleSelector.%[1]d.2=0 flowRuleAction.%[1]d.2=3`, index, firstOp, target)
	}
	const pushPktToAct, gotoAct = 15, 11
	r.set(rules(5, pushPktToAct, 2))
	r.set(rules(6, gotoAct, 2))
	if _, err := r.h.Test(bindings(t, rules(7, gotoAct, 9))); err == nil {
		t.Error("a target behind the last rule is taken")
	}
	want := []string{
		`5 "a": ["rule 1: the test of this PushPktToAct rule is performed, before it saves what the packet has: reach it by an opcode that ends in Act"], <nil>`,
		`6 "a": [], <nil>`,
		`7 "a": [], ruleset: rule 1: target 9 is not the number of a rule, 1 to 2`,
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q\nwant %q", told, want)
	}
}
