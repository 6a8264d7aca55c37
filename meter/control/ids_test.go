package control

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/ruleset/attr"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// identified downloads a ruleset with a flow for each destination, and FlowIDs.
func identified(index int) string {
	return fmt.Sprintf(`flowRuleInfoStatus.%[1]d=4 flowRuleInfoSize.%[1]d=3
		flowRuleSelector.%[1]d.1=0 flowRuleMask.%[1]d.1=h00 flowRuleMatchedValue.%[1]d.1=h00 flowRuleAction.%[1]d.1=13 flowRuleParameter.%[1]d.1=2
		flowRuleSelector.%[1]d.2=19 flowRuleMask.%[1]d.2=hffffffff flowRuleMatchedValue.%[1]d.2=h00 flowRuleAction.%[1]d.2=15 flowRuleParameter.%[1]d.2=3
		flowRuleSelector.%[1]d.3=%[2]d flowRuleMask.%[1]d.3=h000000000000 flowRuleMatchedValue.%[1]d.3=h000000000000 flowRuleAction.%[1]d.3=4 `, index, attr.FlowID)
}

// byID returns what rtfmFlowIdTable has: of each FlowID, in order, RULESET:FLOW.
func (r *rig) byID() string {
	r.t.Helper()
	var all []string
	column := module.RtfmFlowIDIndex.OID
	out := make([]smi.VarBind, 1)
	before := ""
	for at := column; ; at = append(smi.OID(nil), out[0].Name...) {
		r.h.Next([]smi.Range{{Start: at}}, out)
		if !out[0].Name.HasPrefix(column) || out[0].Value.Type == smi.EndOfMibView {
			return strings.Join(all, " ")
		}
		index := out[0].Name[len(column):]
		if id := index[:8].String(); id != before {
			all, before = append(all, ""), id
		}
		all[len(all)-1] += fmt.Sprintf("(%d:%d)", index[8], out[0].Value.Int)
	}
}

// TestFlowsByID looks flows of two rulesets up by their FlowIDs, which are the same for the
// same destinations, while rulesets come and go and flows are recovered.
func TestFlowsByID(t *testing.T) {
	r := newRig(t, Config{})
	r.set(identified(3) + runTask(1, 3, 0, 0) + "flowInactivityTimeout.0=10 flowReaderStatus.1=4 flowReaderRuleSet.1=3")
	r.feed(to(1, 0))
	r.want("one ruleset", r.byID(), "(3:1)")
	r.set(identified(2) + runTask(2, 2, 0, 0))
	r.feed(to(1, 1), to(2, 1))
	two := r.byID()
	if two != "(2:1025)(3:1) (2:1026)(3:2)" && two != "(2:1026)(3:2) (2:1025)(3:1)" {
		t.Errorf("two rulesets: %s", two)
	}
	r.set("flowReaderLastTime.1=t")
	for second := range 3 {
		r.feed(to(2, float64(6+second)))
		r.set("flowReaderLastTime.1=t")
	}
	r.feed(to(2, 15), to(2, 15.5))
	r.want("flows of both were recovered", r.byID(), "(2:1026)(3:2)")
	r.set("flowManagerStatus.2=6 flowRuleInfoStatus.2=6")
	r.feed(to(2, 22))
	r.want("the other was destroyed", r.byID(), "(3:2)")
}
