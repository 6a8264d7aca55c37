package pme

import (
	"math/rand/v2"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/rulesettest"
)

// TestPossible runs random rulesets over packets of which some bits are known: whatever
// the others are, a packet that is counted is possible, and has an address that was
// asked for. With all that a ruleset tests known few others are possible.
func TestPossible(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	counted, refused, plain, wrong, narrowed := 0, 0, 0, 0, 0
	for range 1_500 {
		rs := rulesettest.Random(r)
		shapes := new(match.Shapes)
		p, err := Compile(rs, 1, shapes)
		if err != nil {
			continue
		}
		s := NewPossible(p)
		var flow match.FlowKey
		prefixes, widths, narrows := s.Ends(20)
		for range 5 {
			var key, known attr.Key
			for i := range key {
				key[i] = rulesettest.Octet(r)
				known[i] = [...]byte{0, 0xff, 0xff, 0xff, byte(r.Uint32())}[r.IntN(5)]
			}
			*known.Computed() = [8]byte{} // who runs a ruleset sets these
			possible := s.Counts(&key, &known)
			for range 3 {
				pkt := match.Packet{Key: key}
				for i := range pkt.Key {
					pkt.Key[i] ^= byte(r.Uint32()) &^ known[i]
				}
				copied := pkt.Key
				if v := p.Match(&pkt, &copied, r.IntN(2) == 0, &flow); v != Success {
					continue
				}
				counted++
				if !possible {
					t.Fatalf("%v\ncounts %x, of which %x is known, and it is said that it cannot", rs.Rules, pkt.Key, known)
				}
				if narrows {
					narrowed++
					if !begins(&pkt.Key, prefixes, widths) {
						t.Fatalf("%v\ncounts %x, of which no address begins with one of %v", rs.Rules, pkt.Key, prefixes)
					}
				}
			}
			if !possible {
				refused++
			}
			for i := range known {
				known[i] = 0xff
			}
			if *known.Computed() = [8]byte{}; depends(rs) {
				continue
			}
			plain++
			if v := p.Match(&match.Packet{Key: key}, &key, false, &flow); v != Success && s.Counts(&key, &known) {
				wrong++
			}
		}
	}
	if counted < 1000 || refused < 1000 || narrowed == 0 || plain < 300 || wrong > plain/20 {
		t.Errorf("%d counted, %d of them by an address; %d refused; %d of %d wrong", counted, narrowed, refused, wrong, plain)
	}
}

// depends reports whether what a ruleset does depends on more than the packet.
func depends(rs *ruleset.RuleSet) bool {
	for i := range rs.Rules {
		r := &rs.Rules[i]
		if isVariable(r.Attr) || r.Op == ruleset.OpReturn || r.Attr.Info().Class == attr.ClassComputed || r.Attr == attr.MatchingStoD {
			return true
		}
	}
	return false
}

// begins reports whether a peer address of a key begins with one of the prefixes.
func begins(key *attr.Key, prefixes []attr.Value, widths []int) bool {
	for end := range 2 {
		address := attr.MakeValue(key.Peer(end)[:]...)
		for i := range prefixes {
			if address.And(attr.WidthMask(widths[i], attr.MaxAddress)).Padded() == prefixes[i].Padded() {
				return true
			}
		}
	}
	return false
}
