package pme

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/ruleset/rulesettest"
	"rtfm/traces/tracetest"
)

func randomPacket(r *rand.Rand) *match.Packet {
	p := &match.Packet{}
	octet := func() byte { return rulesettest.Octet(r) }
	p.PeerLen = []uint8{0, 3, 4, 10, 16, 20}[r.IntN(6)]
	p.AdjacentLen = []uint8{0, 6}[r.IntN(2)]
	for end := range 2 {
		for i := range p.PeerLen {
			p.Key.Peer(end)[i] = octet()
		}
		for i := range p.AdjacentLen {
			p.Key.Adjacent(end)[i] = octet()
		}
		p.Key.Trans(end)[0], p.Key.Trans(end)[1] = octet(), octet()
		p.Key.SetInterface(end, uint16(octet()))
		p.Key.SetASN(end, uint32(octet())<<24|uint32(octet()), octet())
	}
	p.Key.SetMeterID([4]byte{octet(), 3: octet()})
	p.Key.SetPeerType(octet())
	p.Key.SetTransType(octet())
	p.Key.SetDSCodePoint(octet())
	p.Key.SetVLAN(uint16(octet())<<8 | uint16(octet()))
	randomTail(r, &p.Key)
	return p
}

// randomTail gives a key what a packet in a tunnel has, and labels.
func randomTail(r *rand.Rand, k *attr.Key) {
	octet := func() byte { return rulesettest.Octet(r) }
	k.SetTunnel(octet(), uint32(octet())<<24|uint32(octet()))
	k.SetVLANTags(octet())
	k.SetInnerVLAN(uint16(octet()) << 8)
	k.SetMPLS(uint32(octet()), uint32(octet()))
	var inner attr.Key
	for end := range 2 {
		for i := range *inner.Peer(end) {
			inner.Peer(end)[i] = octet()
		}
		*inner.Trans(end) = [2]byte{octet(), octet()}
	}
	inner.SetPeerType(octet())
	inner.SetTransType(octet())
	k.SetInner(&inner)
}

// compare runs both engines over one packet and fails the test on any
// difference.
func compare(t *testing.T, rs *ruleset.RuleSet, prog *Program, shapes *match.Shapes, p *match.Packet) Verdict {
	t.Helper()
	var last Verdict
	for _, reversed := range []bool{false, true} {
		key := p.Key
		if reversed {
			key = p.Key.Reverse()
		}
		key2 := key
		want, wantKey := Reference(rs, 7, shapes, p, &key, reversed)
		var got match.FlowKey
		v := prog.Match(p, &key2, reversed, &got)
		if v != want || v == Success && got != wantKey {
			t.Fatalf("reversed %v: got %v %+v %x\nwant %v %+v %x\nrules %+v", reversed, v, got.Shape, got.Key, want, wantKey.Shape, wantKey.Key, rs.Rules)
		}
		watched(t, prog, p, reversed, v, got)
		last = v
	}
	return last
}

// watched runs the program once more with somebody watching: the outcome is the
// same, and the rules that were tried follow from each other.
func watched(t *testing.T, prog *Program, p *match.Packet, reversed bool, want Verdict, wantKey match.FlowKey) {
	t.Helper()
	var last Step
	prog.Watch(func(s *Step) {
		if last.Rule > 0 && !last.Held && s.Rule != last.Rule+1 || s.Reversed != reversed || !s.Tested && !s.Held {
			t.Fatalf("%+v comes behind %+v", *s, last)
		}
		last = *s
	})
	defer prog.Watch(nil)
	key := p.Key
	if reversed {
		key = p.Key.Reverse()
	}
	var got match.FlowKey
	v := prog.Match(p, &key, reversed, &got)
	if v != want || v == Success && got != wantKey {
		t.Fatalf("watched: %v, want %v", v, want)
	}
	if v == Success && (!last.Held || prog.source.Rules[last.Rule-1].Op != ruleset.OpCount && prog.source.Rules[last.Rule-1].Op != ruleset.OpCountPkt) {
		t.Fatalf("watched: the last step of a match is %+v", last)
	}
}

// TestProgramIsReference holds the compiled program to the reference over
// random rulesets and packets.
func TestProgramIsReference(t *testing.T) {
	n := 1000
	switch {
	case tracetest.Long():
		n = 20_000
	case testing.Short():
		n = 200
	}
	verdicts := make(map[Verdict]int)
	for seed := range uint64(n) {
		differential(t, seed, verdicts)
	}
	for v := NoMatch; v <= Stopped; v++ {
		if verdicts[v] == 0 {
			t.Errorf("no packet was matched as %v: the rulesets are not what they should be", v)
		}
	}
}

func differential(t *testing.T, seed uint64, verdicts map[Verdict]int) {
	r := rand.New(rand.NewPCG(seed, 2722))
	rs := rulesettest.Random(r)
	var shapes match.Shapes
	prog, err := Compile(rs, 7, &shapes)
	if err != nil {
		if !strings.Contains(err.Error(), "loops for ever") {
			t.Fatalf("seed %d: %v", seed, err)
		}
		return
	}
	stopped := 0
	for range 40 {
		v := compare(t, rs, prog, &shapes, randomPacket(r))
		verdicts[v]++
		if v == Stopped {
			if stopped++; stopped > 1 {
				return // slow, and the same again
			}
		}
	}
}

// FuzzProgram is TestProgramIsReference for as long as one likes.
func FuzzProgram(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { differential(t, seed, make(map[Verdict]int)) })
}

func TestGroupsAreUsed(t *testing.T) {
	rs := &ruleset.RuleSet{}
	const n = 1000
	for i := range n {
		rs.Rules = append(rs.Rules, ruleset.Rule{
			Attr: attr.V1, Mask: attr.WidthMask(16, 4),
			Value: attr.MakeValue(byte(i>>8), byte(i)), Op: ruleset.OpPushRuleToAct, Param: n + 2,
		})
	}
	rs.Rules = append(rs.Rules,
		ruleset.Rule{Op: ruleset.OpIgnore},
		ruleset.Rule{Op: ruleset.OpCount})
	rs.Rules = append([]ruleset.Rule{{Attr: attr.V1, Value: attr.AttrValue(attr.DestPeerAddress), Op: ruleset.OpAssign, Param: 2}}, rs.Rules...)
	for i := range rs.Rules[1 : n+1] {
		rs.Rules[1+i].Param++
	}
	var shapes match.Shapes
	prog, err := Compile(rs, 7, &shapes)
	if err != nil {
		t.Fatal(err)
	}
	if len(prog.groups) != 1 || prog.groups[0].end-prog.groups[0].first != n {
		t.Fatalf("groups: %+v", prog.groups)
	}
	p := &match.Packet{PeerLen: 4}
	var k match.FlowKey
	*p.Key.Peer(attr.Dest) = [20]byte{3, 0xe7, 9, 9}
	if v := prog.Match(p, &p.Key, false, &k); v != Success {
		t.Fatal(v)
	}
	if got := attr.MakeValue(k.Value(attr.DestPeerAddress)...); got != attr.MakeValue(3, 0xe7, 0, 0) {
		t.Errorf("saved %v", got)
	}
	compare(t, rs, prog, &shapes, p)
	*p.Key.Peer(attr.Dest) = [20]byte{3, 0xe8}
	if v := prog.Match(p, &p.Key, false, &k); v != Ignore {
		t.Errorf("an address in no group: %v", v)
	}
	if a := testing.AllocsPerRun(100, func() { prog.Match(p, &p.Key, false, &k) }); a != 0 {
		t.Errorf("%v allocations a match", a)
	}
}

func TestLimits(t *testing.T) {
	maybe := func(op ruleset.Opcode, param int) ruleset.Rule {
		return ruleset.Rule{Attr: attr.SourcePeerType, Mask: attr.Ones(1), Op: op, Param: param}
	}
	always := func(op ruleset.Opcode, param int) ruleset.Rule { return ruleset.Rule{Op: op, Param: param} }
	for _, tt := range []struct {
		name  string
		rules []ruleset.Rule
		err   string // of Compile
	}{
		{"loop", []ruleset.Rule{maybe(ruleset.OpGoto, 1)}, ""},
		{"recursion", []ruleset.Rule{maybe(ruleset.OpGosub, 1)}, ""},
		{"pushes", []ruleset.Rule{maybe(ruleset.OpPushPktTo, 1)}, ""},
		{"plain loop", []ruleset.Rule{always(ruleset.OpGoto, 1)}, "rule 1: loops for ever"},
		{"loop by way of actions", []ruleset.Rule{maybe(ruleset.OpIgnore, 0), always(ruleset.OpGotoAct, 3), maybe(ruleset.OpPushPktToAct, 2)}, "loops for ever"},
		{"plain recursion", []ruleset.Rule{always(ruleset.OpGosub, 1)}, "loops for ever"},
	} {
		rs := &ruleset.RuleSet{Rules: tt.rules}
		var shapes match.Shapes
		prog, err := Compile(rs, 7, &shapes)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if v := compare(t, rs, prog, &shapes, &match.Packet{}); v != Stopped {
			t.Errorf("%s: %v", tt.name, v)
		}
	}
}

func TestMatchingStoD(t *testing.T) {
	for value, want := range map[byte][2]Verdict{0: {NoMatch, Ignore}, 1: {Ignore, NoMatch}, 2: {NoMatch, Ignore}, 3: {NoMatch, NoMatch}} {
		rs := &ruleset.RuleSet{Rules: []ruleset.Rule{{Attr: attr.MatchingStoD, Mask: attr.Ones(1), Value: attr.MakeValue(value), Op: ruleset.OpIgnore}}}
		var shapes match.Shapes
		prog, err := Compile(rs, 7, &shapes)
		if err != nil {
			t.Fatal(err)
		}
		p := &match.Packet{}
		compare(t, rs, prog, &shapes, p)
		for i, reversed := range []bool{false, true} {
			if v := prog.Match(p, &p.Key, reversed, nil); v != want[i] {
				t.Errorf("MatchingStoD = %d, reversed %v: %v, want %v", value, reversed, v, want[i])
			}
		}
	}
}

// TestForms bounds the memory that rules on meter variables take, before it is
// taken, and shares it between Programs of one ruleset.
func TestForms(t *testing.T) {
	rs := &ruleset.RuleSet{}
	attrs := []attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransAddress}
	for range 17 {
		for _, a := range attrs {
			rs.Rules = append(rs.Rules, ruleset.Rule{Attr: attr.V1, Mask: attr.Ones(1), Value: attr.AttrValue(a), Op: ruleset.OpAssignAct, Param: len(rs.Rules) + 2})
		}
	}
	test := ruleset.Rule{Attr: attr.V1, Mask: attr.Ones(1), Value: attr.MakeValue(1), Op: ruleset.OpCount}
	rs.Rules = append(rs.Rules, slices.Repeat([]ruleset.Rule{test}, MaxForms/(len(attrs)+1)+1)...)
	if _, err := Compile(rs, 1, new(match.Shapes)); err == nil || !strings.Contains(err.Error(), "is the most") {
		t.Errorf("too many forms: %v", err)
	}
	rs.Rules = rs.Rules[:100]
	p, err := Compile(rs, 1, new(match.Shapes))
	if err != nil || p.Forms() != 4*(100-51) {
		t.Fatalf("%v, %d forms", err, p.Forms())
	}
	q := p.Start(2, new(match.Shapes))
	if &q.variants[0] != &p.variants[0] || &q.rules[0] != &p.rules[0] || &q.nodes[0] == &p.nodes[0] {
		t.Error("a started Program shares what it should not, or does not what it should")
	}
}
