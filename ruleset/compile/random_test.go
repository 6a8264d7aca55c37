package compile

import (
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
	return p
}

// TestCompiledIsExecuted runs random programs over random packets, as they stand
// and compiled, by the reference and by the engine.
func TestCompiledIsExecuted(t *testing.T) {
	verdicts := map[pme.Verdict]int{}
	programs := 1000
	if testing.Short() {
		programs = 200
	}
	for seed := range programs {
		differential(t, uint64(seed), verdicts)
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

func differential(t *testing.T, seed uint64, verdicts map[pme.Verdict]int) {
	r := rand.New(rand.NewPCG(seed, 2723))
	text := rulesettest.Extended(r)
	if r.IntN(4) == 0 {
		text = rulesettest.Program(r)
	}
	p, err := srl.Parse("random.srl", []byte(text), srl.Options{})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text)
	}
	rs, _, err := Compile(p)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text)
	}
	if err := rs.Check(); err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text)
	}
	again, err := srl.Parse("random.srl", []byte(p.String()), srl.Options{})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, p)
	}
	if same, _, err := Compile(again); err != nil || rulesOf(t, same) != rulesOf(t, rs) {
		t.Fatalf("seed %d: what is printed compiles to something else (%v)\n%s", seed, err, text)
	}
	if _, doubts, err := ruleset.ParseRules("random.rules", []byte(rulesOf(t, rs))); err != nil {
		t.Fatalf("seed %d: the rules are not read back: %v %v", seed, doubts, err)
	}
	shapes := new(match.Shapes)
	prog, err := pme.Compile(rs, 1, shapes)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text)
	}
	for range 40 {
		pkt := randomPacket(r)
		for _, reversed := range []bool{false, true} {
			want, items := run(p, pkt, reversed)
			key := pkt.Key
			got, flow := pme.Reference(rs, 1, shapes, pkt, &key, reversed)
			verdicts[got]++
			fault := ""
			if got != want {
				fault = fmt.Sprintf("verdict %v, want %v", got, want)
			} else if got == pme.Success {
				fault = sameFlow(&flow, items)
			}
			var fast match.FlowKey
			key = pkt.Key
			if v := prog.Match(pkt, &key, reversed, &fast); fault == "" && v != want {
				fault = fmt.Sprintf("the engine's verdict is %v, want %v", v, want)
			} else if fault == "" && v == pme.Success {
				fault = sameFlow(&fast, items)
			}
			if fault != "" {
				t.Fatalf("seed %d, key %x, reversed %v: %s\n%s\n%s", seed, pkt.Key, reversed, fault, text, rulesOf(t, rs))
			}
		}
	}
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
