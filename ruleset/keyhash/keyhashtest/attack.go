// Package keyhashtest attacks hashes: it makes keys such as someone would send
// who wants them to collide, for tests of every table whose keys outsiders
// choose.
package keyhashtest

import (
	"fmt"
	"math/bits"
	"testing"
)

// Keys is how many keys an Attack has.
const Keys = 1024

// Attack is a set of keys.
type Attack struct {
	Name string
	// Set sets the words of a key to those of the i-th of Keys. It must be given
	// all zero.
	Set func(i int, words []uint64)
}

// Constants are what a word of a key may cancel: numbers that hashes are made
// with, among them those of this program once, and the ends of the range.
var Constants = []uint64{
	0, ^uint64(0), 1 << 63, 1<<32 - 1,
	0x9e3779b97f4a7c15, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3,
	// The same as the words of addresses in network order.
	0x157c4a7fb979379e, 0xdb28b4a0d17e03e7, 0xe3c6889cf06abc8e,
}

// spread is odd, so that its multiples differ in all of their upper bits.
const spread = 0xd6e8feb86659fd93

// Attacks returns sets of keys of so many words, at least 2.
func Attacks(words int) (all []Attack) {
	add := func(name string, set func(i int, w []uint64)) { all = append(all, Attack{name, set}) }
	for j := range words {
		for name, f := range map[string]func(x uint64) uint64{
			"counts":                   func(x uint64) uint64 { return x },
			"counts from the top":      func(x uint64) uint64 { return x << 54 },
			"counts in network order":  bits.ReverseBytes64,
			"is one bit more and more": func(x uint64) uint64 { return 1<<(x%64) ^ x<<(x%48) },
			"is any":                   func(x uint64) uint64 { return x * spread },
		} {
			add(fmt.Sprintf("word %d %s", j, name), func(i int, w []uint64) { w[j] = f(uint64(i)) })
		}
		for k := range words {
			if k == j {
				continue
			}
			// One word may make a product zero whatever the other is.
			for _, c := range Constants {
				add(fmt.Sprintf("word %d is %#x, word %d is any", j, c, k), func(i int, w []uint64) {
					w[j], w[k] = c, uint64(i+1)*spread
				})
			}
			if k < j {
				continue
			}
			for name, f := range map[string]func(x uint64) (uint64, uint64){
				"form a grid":            func(x uint64) (uint64, uint64) { return x % 32, x / 32 },
				"form a grid at the top": func(x uint64) (uint64, uint64) { return x << 59, x / 32 << 59 },
				"are equal":              func(x uint64) (uint64, uint64) { return x * spread, x * spread },
				"have a sum":             func(x uint64) (uint64, uint64) { return x * spread, -x * spread },
				"are complements":        func(x uint64) (uint64, uint64) { return x * spread, ^(x * spread) },
				"have a product":         func(x uint64) (uint64, uint64) { return 1 << (x % 64), x<<32 | 1<<63>>(x%64) },
			} {
				add(fmt.Sprintf("words %d and %d %s", j, k, name), func(i int, w []uint64) { w[j], w[k] = f(uint64(i)) })
			}
		}
		// The differences of many keys are the same.
		add(fmt.Sprintf("words from %d on are one of two", j), func(i int, w []uint64) {
			for b := range 10 {
				w[(j+b)%words] += 0x0123456789abcdef + uint64(i>>b&1)<<20
			}
		})
		// What is one word of a pair is the other word of another.
		add(fmt.Sprintf("halves from %d on change places", j), func(i int, w []uint64) {
			for k := range w {
				w[k] = uint64(k+1) * spread
			}
			for b := range 10 {
				if x, y := (j+2*b)%words, (j+2*b+1)%words; i>>b&1 != 0 {
					w[x], w[y] = w[y], w[x]
				}
			}
		})
	}
	return all
}

// Hashes are the hashes of an Attack's keys, each of which must be told of once.
type Hashes []uint32

// Check tests that the hashes look like random ones: they differ, and their lower,
// middle and upper bits, by which tables find places, are spread out. Random ones
// fail once in a million attacks, at most.
func (h Hashes) Check(t testing.TB, attack string) {
	t.Helper()
	seen := make(map[uint32]bool, len(h))
	for _, x := range h {
		seen[x] = true
	}
	if equal := len(h) - len(seen); equal > 2 {
		t.Errorf("%s: of %d hashes %d are like others", attack, len(h), equal)
	}
	for _, shift := range []int{0, 8, 16, 32 - 10} {
		var few [32]int
		var many [Keys]int
		mostOfFew, mostOfMany := 0, 0
		for _, x := range h {
			few[x>>shift%32]++
			many[x>>shift%Keys]++
			mostOfFew, mostOfMany = max(mostOfFew, few[x>>shift%32]), max(mostOfMany, many[x>>shift%Keys])
		}
		// Of 1024 keys 32 are expected in one of 32 places, and one in one of 1024.
		if mostOfFew > 75 || mostOfMany > 14 {
			t.Errorf("%s: of %d hashes %d have 5 bits, %d have 10 bits from bit %d on in common",
				attack, len(h), mostOfFew, mostOfMany, shift)
		}
	}
}
