package compile

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/rulesettest"
	"rtfm/ruleset/srl"
)

func randomPacket(r *rand.Rand) *match.Packet {
	p := &match.Packet{PeerLen: 4, AdjacentLen: 6}
	v6 := r.IntN(4) == 0
	for end := range 2 {
		peer := p.Key.Peer(end)
		if v6 {
			p.PeerLen = 16
			copy(peer[:], []byte{0x20, 1, 0xd, 0xb8})
			peer[15] = byte(r.IntN(3))
		} else {
			copy(peer[:], []byte{10, byte(r.IntN(3)), byte(r.IntN(2)), byte(r.IntN(3))})
		}
		p.Key.Trans(end)[1] = byte(r.IntN(5))
	}
	p.Key.SetPeerType(1)
	if v6 {
		p.Key.SetPeerType(2)
	}
	p.Key.SetTransType([]uint8{1, 4, 6, 17}[r.IntN(4)])
	if r.IntN(8) == 0 { // one without addresses, such as ARP
		p = &match.Packet{AdjacentLen: 6}
	}
	return p
}

var (
	programs  = flag.Int("programs", 1000, "run so many random programs in TestCompiledIsExecuted")
	firstSeed = flag.Uint64("seed", 0, "begin with this one")
)

// TestCompiledIsExecuted runs random programs over random packets, as they stand
// and compiled, by the reference and by the engine.
func TestCompiledIsExecuted(t *testing.T) {
	verdicts := map[pme.Verdict]int{}
	programs := *programs
	if testing.Short() {
		programs = min(programs, 200)
	}
	for seed := range uint64(programs) {
		differential(t, *firstSeed+seed, verdicts)
		if t.Failed() {
			return
		}
	}
	for _, v := range []pme.Verdict{pme.Success, pme.NoMatch, pme.Ignore} {
		if verdicts[v] < programs {
			t.Errorf("verdict %v was reached %d times: the programs are poor", v, verdicts[v])
		}
	}
}

func FuzzCompiledIsExecuted(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { differential(t, seed, map[pme.Verdict]int{}) })
}

// differential runs the random program of this seed over random packets, either
// way round: as it stands, and its rules, plain and optimised, by the reference
// and by the engine. The flows that rules make are the same to the last bit.
func differential(t *testing.T, seed uint64, verdicts map[pme.Verdict]int) {
	r := rand.New(rand.NewPCG(seed, 2723))
	text := rulesettest.Extended(r)
	if r.IntN(4) == 0 {
		text = rulesettest.Program(r)
	}
	p, err := srl.Parse("random.srl", []byte(text), srl.Options{Plain: true})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text)
	}
	shapes := new(match.Shapes)
	plain := compiled(t, seed, p, shapes)
	p.Plain = false
	optimised := compiled(t, seed, p, shapes)
	if len(optimised.rs.Rules) > len(plain.rs.Rules) {
		t.Fatalf("seed %d: the optimiser makes %d rules %d\n%s%s%s", seed, len(plain.rs.Rules), len(optimised.rs.Rules), text, rulesOf(t, plain.rs), rulesOf(t, optimised.rs))
	}
	for range 40 {
		pkt := randomPacket(r)
		for _, reversed := range []bool{false, true} {
			want, items := run(p, pkt, reversed)
			verdicts[want]++
			first, fault := plain.match(pkt, reversed, want, items)
			second, worse := optimised.match(pkt, reversed, want, items)
			if fault == "" && worse == "" && first != second {
				worse = fmt.Sprintf("optimised it is flow %v, else %v", second, first)
			}
			if fault+worse != "" {
				t.Fatalf("seed %d, key %x, reversed %v: plain: %s, optimised: %s\n%s\n%s\n%s", seed, pkt.Key, reversed, fault, worse,
					text, rulesOf(t, plain.rs), rulesOf(t, optimised.rs))
			}
		}
	}
}

// rulesAndEngine are the rules of a program, and the engine that runs them.
type rulesAndEngine struct {
	rs     *ruleset.RuleSet
	engine *pme.Program
	shapes *match.Shapes
}

// compiled compiles a random program, and checks what holds for all rules of
// programs.
func compiled(t *testing.T, seed uint64, p *srl.Program, shapes *match.Shapes) rulesAndEngine {
	t.Helper()
	rs, _, err := Compile(p)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, p)
	}
	again, err := srl.Parse("random.srl", []byte(p.String()), srl.Options{Plain: p.Plain})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, p)
	}
	if same, _, err := Compile(again); err != nil || rulesOf(t, same) != rulesOf(t, rs) {
		t.Fatalf("seed %d: what is printed compiles to something else (%v)\n%s", seed, err, p)
	}
	if _, doubts, err := ruleset.ParseRules("random.rules", []byte(rulesOf(t, rs))); err != nil {
		t.Fatalf("seed %d: the rules are not read back: %v %v", seed, doubts, err)
	}
	for i := range rs.Rules {
		if !rs.Rules[i].At.Known() {
			t.Fatalf("seed %d: rule %d has no place\n%s%s", seed, i+1, p, rulesOf(t, rs))
		}
	}
	engine, err := pme.Compile(rs, 1, shapes)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, p)
	}
	return rulesAndEngine{rs, engine, shapes}
}

// match tells in what rules differ from the verdict and saves of a program, and
// returns the flow.
func (r *rulesAndEngine) match(pkt *match.Packet, reversed bool, want pme.Verdict, items []saved) (flow match.FlowKey, fault string) {
	key := pkt.Key
	got, flow := pme.Reference(r.rs, 1, r.shapes, pkt, &key, reversed)
	if got != want {
		return flow, fmt.Sprintf("verdict %v, want %v", got, want)
	}
	if got == pme.Success {
		fault = sameFlow(&flow, items)
	}
	var fast match.FlowKey
	key = pkt.Key
	switch v := r.engine.Match(pkt, &key, reversed, &fast); {
	case fault != "":
	case v != want:
		fault = fmt.Sprintf("the engine's verdict is %v, want %v", v, want)
	case v == pme.Success && fast != flow:
		fault = fmt.Sprintf("the engine's flow is %v, want %v", fast, flow)
	}
	return flow, fault
}

// sameFlow tells in what a flow differs from what was saved.
func sameFlow(flow *match.FlowKey, items []saved) string {
	last := map[attr.Attr]saved{}
	for _, s := range items {
		last[s.attr] = s
	}
	if len(last) != len(flow.Shape.Saved) {
		return fmt.Sprintf("the flow has %v, want %v", flow.Shape.Saved, last)
	}
	for a, s := range last {
		mask, ok := flow.Shape.Mask(a)
		if !ok {
			return fmt.Sprintf("the flow does not have %v", a)
		}
		n := flow.Shape.Len(a)
		if string(mask.Append(nil)) != string(s.mask[:n]) {
			return fmt.Sprintf("the mask of %v is %v, want %v", a, mask, s.mask[:n])
		}
		if string(flow.Value(a)) != string(s.value[:n]) {
			return fmt.Sprintf("%v is %v, want %v", a, flow.Value(a), s.value[:n])
		}
	}
	return ""
}
