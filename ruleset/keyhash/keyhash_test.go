package keyhash_test

import (
	"testing"

	"rtfm/ruleset/keyhash"
	"rtfm/ruleset/keyhash/keyhashtest"
)

// TestSum attacks a hash of six words.
func TestSum(t *testing.T) {
	secret := keyhash.NewSecret()
	for _, attack := range keyhashtest.Attacks(6) {
		seen := make(map[[6]uint64]bool)
		var hashes keyhashtest.Hashes
		for i := range keyhashtest.Keys {
			var w [6]uint64
			if attack.Set(i, w[:]); seen[w] {
				continue
			}
			seen[w] = true
			var sum keyhash.Sum
			for i := 0; i < len(w); i += 2 {
				sum = sum.Add(w[i]+secret[i], w[i+1]+secret[i+1])
			}
			hashes = append(hashes, uint32(sum.Hash((*[4]uint64)(secret[6:]))))
		}
		hashes.Check(t, attack.Name)
	}
}

// TestSecrets wants secrets that have nothing in common.
func TestSecrets(t *testing.T) {
	seen := make(map[uint64]bool)
	for range 100 {
		for _, w := range keyhash.NewSecret() {
			if w == 0 || seen[w] {
				t.Fatalf("%#x comes twice, or is zero", w)
			}
			seen[w] = true
		}
	}
}

// TestSpread puts the keys of a grid, and such as count, into tables of open
// addressing, each with a secret of its own: in none of thousands more entries are
// passed than in one of random numbers. With one multiplication of the sum's
// halves it is twenty times as many in one of them.
func TestSpread(t *testing.T) {
	const keys, places = 1024, 4096
	for name, set := range map[string]func(i uint64) (x, y uint64){
		"grid":             func(i uint64) (x, y uint64) { return i % 32, i / 32 },
		"grid at the top":  func(i uint64) (x, y uint64) { return i % 32 << 59, i / 32 << 59 },
		"count":            func(i uint64) (x, y uint64) { return i, 0 },
		"count at the top": func(i uint64) (x, y uint64) { return i << 54, 0 },
	} {
		most := 0
		for range 3000 {
			secret := keyhash.NewSecret()
			var taken [places]bool
			passed := 0
			for i := range uint64(keys) {
				x, y := set(i)
				sum := keyhash.Sum{}.Add(secret[0], x+secret[1]).Add(secret[2], y+secret[3])
				at := sum.Hash((*[4]uint64)(secret[4:])) % places
				for taken[at] {
					at = (at + 1) % places
					passed++
				}
				taken[at] = true
			}
			most = max(most, passed)
		}
		// With random numbers it is 170 in half of the tables, 255 in one of 8,000.
		if most > 350 {
			t.Errorf("%s: in one table %d entries were passed", name, most)
		}
	}
}
