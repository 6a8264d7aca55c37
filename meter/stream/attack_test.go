package stream

import (
	"testing"

	"rtfm/ruleset/keyhash"
	"rtfm/ruleset/keyhash/keyhashtest"
)

// TestStreamsUnderAttack wants streams to be found soon whose keys were made to
// collide: addresses, ports and protocol, and the row of the flow.
func TestStreamsUnderAttack(t *testing.T) {
	for _, attack := range keyhashtest.Attacks(6) {
		s := streams{secret: keyhash.NewSecret()}
		type stream struct {
			key
			row uint32
		}
		numbers := make(map[stream]uint32)
		var hashes keyhashtest.Hashes
		for i := range keyhashtest.Keys {
			var w [6]uint64
			attack.Set(i, w[:])
			k := key{[2]address{{w[0], w[1]}, {w[2], w[3]}}, w[4]}
			row := uint32(w[5]) + 1 // 0 is none
			if numbers[stream{k, row}] != 0 || row == 0 {
				continue
			}
			hash := s.hash(&k, row)
			hashes = append(hashes, hash)
			if s.find(row, &k, hash) != 0 {
				t.Fatalf("%s: stream %d is found before it was made", attack.Name, i)
			}
			numbers[stream{k, row}] = s.add(row, &k, hash)
		}
		hashes.Check(t, attack.Name)
		s.steps = 0
		for k, n := range numbers {
			if s.find(k.row, &k.key, s.hash(&k.key, k.row)) != n {
				t.Fatalf("%s: stream %d is not found", attack.Name, n)
			}
		}
		// The index is three quarters full at most: 2.5 entries are looked at then.
		if s.steps > 4*keyhashtest.Keys {
			t.Errorf("%s: to find %d streams %d entries are looked at", attack.Name, len(numbers), s.steps)
		}
	}
}
