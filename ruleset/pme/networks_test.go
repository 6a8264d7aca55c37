package pme

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// networkRule returns a rule that tests whether the source peer address is in
// the network of this address and width.
func networkRule(address uint32, width int) ruleset.Rule {
	mask := attr.WidthMask(width, 4)
	value := attr.MakeValue(byte(address>>24), byte(address>>16), byte(address>>8), byte(address))
	return ruleset.Rule{Attr: attr.SourcePeerAddress, Mask: mask, Value: value.And(mask), Op: ruleset.OpIgnore}
}

// firstNetworks returns how Program finds the first of these rules to succeed.
func firstNetworks(t *testing.T, rules []ruleset.Rule) *networks {
	t.Helper()
	var shapes match.Shapes
	p, err := Compile(&ruleset.RuleSet{Rules: rules}, 2, &shapes)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.groups) != 1 || p.groups[0].networks == nil || int(p.groups[0].end) != len(rules) {
		t.Fatalf("%d rules made the groups %+v", len(rules), p.groups)
	}
	return p.groups[0].networks
}

// TestNetworks compares networks, many of them inside each other, with testing
// one rule after the other, at and beside all their ends.
func TestNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 200 {
		var rules []ruleset.Rule
		for range minGroup + r.IntN(60) {
			width := r.IntN(33)
			if round%2 == 0 {
				width = []int{0, 31, 32}[r.IntN(3)]
			}
			rules = append(rules, networkRule(r.Uint32()&[]uint32{math.MaxUint32, 0x8000_0003}[round&1], width))
		}
		rules[0].Mask, rules[0].Value = attr.WidthMask(5, 4), attr.MakeValue(8, 0, 0, 0) // another width than all
		n := firstNetworks(t, rules)
		check := func(x uint32) {
			want := int32(noRule)
			for i := len(rules) - 1; i >= 0; i-- {
				m := rules[i].Mask.Resize(4)
				if mask := uint32(m.Uint()); x&mask == uint32(rules[i].Value.Resize(4).Uint()) {
					want = int32(i)
				}
			}
			// What follows an IPv4 address in the key does not matter.
			for _, more := range []uint64{0, math.MaxUint32} {
				if got := n.find(uint64(x)<<32 | more); got != want {
					t.Fatalf("round %d: %#x: rule %d, want %d, of %v", round, x, got, want, rules)
				}
			}
		}
		for _, rule := range rules {
			first := uint32(rule.Value.Resize(4).Uint())
			last := first | ^uint32(rule.Mask.Resize(4).Uint())
			for _, x := range []uint32{first - 1, first, first + 1, last - 1, last, last + 1} {
				check(x)
			}
		}
		check(0)
		check(math.MaxUint32)
	}
}

// TestNetworksWork counts what a search looks at: hardly more in a list of
// 100,000 networks than in a short one.
func TestNetworksWork(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, count := range []int{10, 1_000, 100_000} {
		rules := []ruleset.Rule{networkRule(0x0b000000, 8)}
		for len(rules) < count {
			rules = append(rules, networkRule(0x0a000000|r.Uint32()>>8, 12+r.IntN(19)))
		}
		n := firstNetworks(t, rules)
		if most := 2*count + 1; len(n.spans) > most || len(n.index) > 1<<maxIndexBits+1 {
			t.Errorf("%d networks: %d spans, %d places of the index", count, len(n.spans), len(n.index))
		}
		steps := 0
		for lead := range len(n.index) - 1 {
			steps = max(steps, bits.Len32(uint32(n.index[lead+1]-n.index[lead])))
		}
		if most := bits.Len(uint(2 * count)); steps > most {
			t.Errorf("%d networks: %d steps", count, steps)
		}
	}
}

// BenchmarkCompileNetworks prepares a list of 100,000 networks to run.
func BenchmarkCompileNetworks(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 10))
	var rules []ruleset.Rule
	for i := range 100_000 {
		rules = append(rules, networkRule(r.Uint32(), 30-i/5_000))
	}
	b.ReportAllocs()
	for b.Loop() {
		var shapes match.Shapes
		if _, err := Compile(&ruleset.RuleSet{Rules: rules}, 2, &shapes); err != nil {
			b.Fatal(err)
		}
	}
}
