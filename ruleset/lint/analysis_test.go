package lint

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/rulesettest"
	"rtfm/ruleset/srl"
)

// randomPacket returns a packet of values that random programs test.
func randomPacket(r *rand.Rand) *match.Packet {
	p := &match.Packet{PeerLen: 4, AdjacentLen: 6}
	p.Key.SetPeerType(1)
	v6 := r.IntN(4) == 0
	if v6 {
		p.PeerLen = 16
		p.Key.SetPeerType(2)
	}
	for end := range 2 {
		peer := p.Key.Peer(end)
		if v6 {
			*peer = [20]byte{0x20, 1, 0xd, 0xb8, 15: byte(r.IntN(3))}
		} else {
			*peer = [20]byte{10, byte(r.IntN(3)), byte(r.IntN(2)), byte(r.IntN(3))}
		}
		*p.Key.Trans(end) = [2]byte{0, byte(r.IntN(5))}
	}
	p.Key.SetTransType([]uint8{1, 4, 6, 17}[r.IntN(4)])
	return p
}

// TestSound has random packets go through random programs and rulesets: whatever they do
// is what the analysis says may happen.
func TestSound(t *testing.T) {
	analysed, said := 0, 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2722))
		var rs *ruleset.RuleSet
		if r.IntN(4) == 0 {
			rs = rulesettest.Random(r)
			if rs.Check() != nil {
				continue
			}
		} else {
			var err error
			if rs, _, err = compile.Source("x", []byte(rulesettest.Extended(r)), srl.Options{Plain: true}); err != nil {
				t.Fatal(err)
			}
		}
		a := newLinter(&srl.Program{}, rs).a
		if a == nil {
			continue
		}
		analysed++
		for i := range a.rules {
			if s := &a.rules[i]; s.reached && !(s.held && s.failed) {
				said++
			}
		}
		for range 40 {
			if fault := follow(rs, a, randomPacket(r)); fault != "" {
				t.Fatalf("seed %d: %s", seed, fault)
			}
		}
	}
	if analysed < 100 || said < 100 {
		t.Errorf("%d rulesets were analysed, %d tests found that always or never hold: that is poor", analysed, said)
	}
}

// follow runs a packet through the rules, and tells what it does that the analysis
// has not seen.
func follow(rs *ruleset.RuleSet, a *analysis, p *match.Packet) (fault string) {
	var shapes match.Shapes
	for _, reversed := range []bool{false, true} {
		key := p.Key
		if reversed {
			key = key.Reverse()
		}
		var pushes []int
		v, _ := pme.Follow(rs, 1, &shapes, p, &key, reversed, func(s *pme.Step) {
			seen, r := &a.rules[s.Rule-1], &rs.Rules[s.Rule-1]
			if !seen.reached || s.Held && !seen.held || !s.Held && !seen.failed {
				fault = fmt.Sprintf("rule %d: %+v, analysed as %+v", s.Rule, s, seen)
			}
			if s.Held && r.Op.Pushes() && s.Attr != attr.Null {
				pushes = append(pushes, s.Rule)
			} else if n := len(pushes); n > 0 && (r.Op == ruleset.OpPopTo || r.Op == ruleset.OpPopToAct) && s.Held {
				pushes = pushes[:n-1]
			}
		})
		last := map[attr.Attr]int{}
		for _, rule := range pushes {
			last[rs.Rules[rule-1].Attr] = rule
		}
		for at, rule := range last {
			if _, known := a.facts[at]; known && v == pme.Success && !a.rules[rule-1].live {
				fault = fmt.Sprintf("rule %d gives %v its value, analysed as %+v", rule, at, a.rules[rule-1])
			}
		}
		if v != pme.NoMatch {
			break
		}
	}
	return fault
}

// TestHostile has programs of many ways and many values end: the first is not followed,
// the second is without more intervals than there may be.
func TestHostile(t *testing.T) {
	ways := "count; call s0 (SourcePeerAddress) endcall;\n"
	for i := range 30 {
		ways += fmt.Sprintf("subroutine s%d (address a) if a == 10.%[1]d/16 ignore; call s%d (SourcePeerAddress) endcall; call s%[2]d (DestPeerAddress) endcall; endsub;\n", i, i+1)
	}
	ways = strings.Replace(ways, "count; ", "", 1) + "subroutine s30 (address a) if a == 10/8 count; endsub;\n"
	values := ""
	for i := range 6000 {
		values += fmt.Sprintf("if SourcePeerAddress == 10.%d.%d/24 store SourceKind := 1;\nelse ", i/128, i%128*2)
	}
	for _, text := range []string{ways, values + ";\ncount;\n"} {
		rs, _, err := compile.Source("x", []byte(text), srl.Options{Plain: true})
		if err != nil {
			t.Fatal(err)
		}
		if a := newLinter(&srl.Program{}, rs).a; text == ways && a != nil || text != ways && (a == nil || a.work < maxWork-20_000 || a.work > maxWork) {
			t.Errorf("%.60s...: %v", text, a != nil)
		}
	}
}
