package pme

import (
	"math/rand/v2"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// ends returns rules that save both peer addresses, the second as op has it.
func ends(op ruleset.Opcode) *ruleset.RuleSet {
	return &ruleset.RuleSet{Rules: []ruleset.Rule{
		{Op: ruleset.OpGotoAct, Param: 2},
		{Attr: attr.SourcePeerAddress, Mask: attr.Ones(20), Op: ruleset.OpPushPktToAct, Param: 3},
		{Attr: attr.DestPeerAddress, Mask: attr.WidthMask(24, 20), Op: op, Param: 4},
		{Op: ruleset.OpCount},
	}}
}

// TestCopied: what is all copied from the packet is copied at once, what is not
// is not.
func TestCopied(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for op, want := range map[ruleset.Opcode]bool{ruleset.OpPushPktToAct: true, ruleset.OpPushRuleToAct: false} {
		var shapes match.Shapes
		prog, err := Compile(ends(op), 7, &shapes)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			compare(t, ends(op), prog, &shapes, randomPacket(r))
		}
		used := false
		for i := range prog.nodes {
			used = used || prog.nodes[i].copied != nil
		}
		if used != want {
			t.Errorf("%v: copied at once: %t", op, used)
		}
	}
}

// BenchmarkMatch matches a packet whose peer addresses are saved.
func BenchmarkMatch(b *testing.B) {
	var shapes match.Shapes
	prog, err := Compile(ends(ruleset.OpPushPktToAct), 2, &shapes)
	if err != nil {
		b.Fatal(err)
	}
	p := randomPacket(rand.New(rand.NewPCG(8, 8)))
	var k match.FlowKey
	b.ReportAllocs()
	for b.Loop() {
		if prog.Match(p, &p.Key, false, &k) != Success {
			b.Fatal("no match")
		}
	}
}
