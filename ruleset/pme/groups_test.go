package pme

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/ruleset"
	"rtfm/ruleset/keyhash/keyhashtest"
)

// tableOf returns the table of rules that test for these values.
func tableOf(values []words) *group {
	rules := make([]instr, len(values))
	for i, v := range values {
		rules[i] = instr{kind: testWords, value: v}
	}
	p := &Program{rules: rules}
	g := p.makeTable(0, len(rules), func(i int) *instr { return &rules[i] })
	return &g
}

// longestRun returns the most places in a row that are taken: what is passed for
// a value at most.
func (g *group) longestRun() (longest int) {
	run := 0
	for i := range 2 * len(g.table) { // it goes round
		if g.table[i%len(g.table)] == 0 {
			run = 0
		} else if run++; run == len(g.table) {
			return run
		}
		longest = max(longest, run)
	}
	return longest
}

// TestTableAttack makes tables of values that someone has chosen who wants all of
// them to be in one place: such as count, cancel each other or cancel numbers, and
// such as have one place if the hash's numbers are known.
func TestTableAttack(t *testing.T) {
	const most = 100 // random values have 40 once in a million tables
	for _, attack := range keyhashtest.Attacks(maxWords) {
		values := make([]words, keyhashtest.Keys)
		for i := range values {
			attack.Set(i, values[i][:])
		}
		if n := tableOf(values).longestRun(); n > most {
			t.Errorf("%s: %d places in a row are taken", attack.Name, n)
		}
	}
	// For a table of 4096 places that once had these numbers for all.
	var values []words
	for x := uint64(0); len(values) < 2000; x++ {
		hi, lo := bits.Mul64(x^0x9e3779b97f4a7c15, 0xd1342543de82ef95)
		if (hi^lo)%4096 == 0 {
			values = append(values, words{x})
		}
	}
	if n := tableOf(values).longestRun(); n > most {
		t.Errorf("values of one place: %d places in a row are taken", n)
	}
}

// BenchmarkGroup finds the one of many rules that tests for a packet's address, of 4
// or 16 octets, or that there is none.
func BenchmarkGroup(b *testing.B) {
	for _, octets := range []int{4, 16} {
		b.Run(strconv.Itoa(octets), func(b *testing.B) {
			const n = 1000
			r := rand.New(rand.NewPCG(1, 2))
			var rules []ruleset.Rule
			packets := make([]match.Packet, 2*n) // half of them match
			for i := range packets {
				packets[i].PeerLen = uint8(octets)
				peer := packets[i].Key.Peer(0)[:octets]
				binary.BigEndian.PutUint32(peer, r.Uint32())
				binary.BigEndian.PutUint32(peer[octets-4:], r.Uint32())
				if i%2 == 0 {
					rules = append(rules, ruleset.Rule{Attr: attr.SourcePeerAddress, Mask: attr.Ones(octets), Value: attr.MakeValue(peer...), Op: ruleset.OpCount})
				}
			}
			var shapes match.Shapes
			p, err := Compile(&ruleset.RuleSet{Rules: rules}, 2, &shapes)
			if err != nil || len(p.groups) != 1 || p.groups[0].table == nil {
				b.Fatalf("%v, groups %v", err, p.groups)
			}
			var k match.FlowKey
			matched := 0
			for b.Loop() {
				for i := range packets {
					if p.Match(&packets[i], &packets[i].Key, false, &k) == Success {
						matched++
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
			if matched != b.N*n {
				b.Errorf("%d matched, want %d", matched, b.N*n)
			}
		})
	}
}
