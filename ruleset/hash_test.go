package ruleset

import (
	"testing"

	"rtfm/ruleset/attr"
)

// TestHash: it tells rules from each other, and nothing else. What it is must not
// change: meters have rulesets whose names end in it.
func TestHash(t *testing.T) {
	rs := &RuleSet{Name: "x", Number: 3, Rules: []Rule{
		{Attr: attr.SourcePeerAddress, Mask: attr.MakeValue(255, 255), Value: attr.MakeValue(10, 1), Op: OpPushPktToAct, Param: 2},
		{Attr: attr.SourceTransType, Op: OpCountPkt},
	}}
	const want = "d1e4edc149596e12"
	if got := rs.Hash(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	meters := &RuleSet{Name: "x " + want, Rules: []Rule{rs.Rules[0], {Attr: attr.SourceTransType, Mask: attr.MakeValue(0), Value: attr.MakeValue(0), Op: OpCountPkt}}}
	if got := meters.Hash(); got != want || meters.PlainName() != "x" {
		t.Errorf("%s of %s as meters keep it", got, meters.PlainName())
	}
	meters.Rules[0].Param = 3
	if got := meters.Hash(); got == want || meters.PlainName() != meters.Name {
		t.Errorf("%s of %s with other rules", got, meters.PlainName())
	}
}
