package meter

import (
	"encoding/binary"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/keyhash/keyhashtest"
)

// TestMemoUnderAttack wants packets that were made so that their sights collide
// to be spread over the memo: those of rulesets that see tuples, and of one that
// sees adjacent addresses and what has no direction too.
func TestMemoUnderAttack(t *testing.T) {
	var tuple, all attr.Key
	for i := range tuple {
		switch at := i % attr.EndSize; {
		case i >= attr.CommonWords()[1]:
			all[i] = 0xff
		case i >= 2*attr.EndSize:
			if i < 2*attr.EndSize+8 {
				all[i] = 0xff
			}
		case at < maxMemoPeer, at >= 8*lensWord && at < 8*lensWord+7:
			tuple[i], all[i] = 0xff, 0xff
		case at >= 8*adjacentWord:
			all[i] = 0xff
		}
	}
	all[2*attr.EndSize-1], all[attr.EndSize-1] = 0, 0 // the lengths stand there
	for name, v := range map[string]*view{"tuple": newView(tuple), "all": newView(all)} {
		if v.blind || v.tuple != (name == "tuple") {
			t.Fatalf("%s: %+v", name, v)
		}
		for _, attack := range keyhashtest.Attacks(attr.KeySize / 8) {
			seen := make(map[[maxWords]uint64]bool)
			var hashes keyhashtest.Hashes
			for i := range keyhashtest.Keys {
				var w [attr.KeySize / 8]uint64
				attack.Set(i, w[:])
				var p match.Packet
				for j, x := range w {
					binary.LittleEndian.PutUint64(p.Key[8*j:], x)
				}
				p.PeerLen, p.AdjacentLen = 16, 6
				sight := make([]uint64, v.sightLen())
				if !v.see(&p, sight) {
					t.Fatal("a memo cannot know the packet")
				}
				var words [maxWords]uint64
				copy(words[:], sight[:v.words])
				if !seen[words] {
					seen[words] = true
					hashes = append(hashes, uint32(sight[v.words]>>32))
				}
			}
			hashes.Check(t, name+": "+attack.Name)
		}
	}
}

// TestSightsOfLengths wants packets that differ only in the lengths of their
// addresses to be in different places.
func TestSightsOfLengths(t *testing.T) {
	for name, see := range map[string]attr.Key{"tuple": {}, "all": {8 * adjacentWord: 1}} {
		v := newView(see)
		seen := make(map[uint64]bool)
		for length := range uint8(maxMemoPeer + 1) {
			w := make([]uint64, v.sightLen())
			v.see(&match.Packet{PeerLen: length, AdjacentLen: 6}, w)
			seen[w[v.words]>>32] = true
		}
		if len(seen) != maxMemoPeer+1 {
			t.Errorf("%s: %d lengths have %d hashes", name, maxMemoPeer+1, len(seen))
		}
	}
}
