// Package keyhash hashes keys that outsiders choose: whoever sends the packets
// chooses the keys of flows, and must not be able to choose ones that collide.
//
// A key is words of 64 bits. To each is added a word of a secret that is drawn
// when a table is made, modulo 2^64; the sums are multiplied in pairs, and the
// products, of 128 bits each, are added up modulo 2^128. That is NH, the hash of
// UMAC (J. Black, S. Halevi, H. Krawczyk, T. Krovetz, P. Rogaway: UMAC: Fast and
// Secure Message Authentication, CRYPTO '99, theorem 4.2): any two different
// keys, however they differ, have equal sums for one secret in 2^64, if they are
// chosen by someone who does not know it. Nothing that is seen from outside tells
// of it.
//
// Three things that look alike are not enough. Where a word of a pair meets a
// constant, or no word at all, instead of a secret, a key that cancels it makes
// the product zero whatever the other word is. Where products are folded to 64
// bits before they are added, no such bound is known. And where both ends of a
// flow are hashed with the same secret and added, so that the two directions have
// the same hash, the sums of {(a, b), (c, d)} and {(a, d), (c, b)} differ by (a-c)
// times (b-d), which no secret is in, and which a further pair of words can make
// up for. So the ends are put in order, and each has its own words of the secret.
//
// Different sums for different keys are not enough: keys in which one word
// counts up have sums in a progression, those of a grid a grid, and much of
// that would remain in the lower bits of a product of the sum's halves. So the
// halves are multiplied twice, each with a further word of the secret added,
// and then folded: the result is spread like random numbers (TestSpread), so
// that any of its bits may be used.
package keyhash

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// Words is the number of words in a Secret.
const Words = 34

// Secret is what is added to the words of keys.
type Secret [Words]uint64

// NewSecret returns a random secret.
func NewSecret() (s Secret) {
	var b [8 * Words]byte
	rand.Read(b[:]) // never returns an error
	for i := range s {
		s[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return s
}

// Sum is a sum of products. The zero Sum is the sum of no products.
type Sum struct{ high, low uint64 }

// Add returns s with the product of two words of a key added, to each of which its
// own word of the secret has been added.
func (s Sum) Add(x, y uint64) Sum {
	high, low := bits.Mul64(x, y)
	low, carry := bits.Add64(s.low, low, 0)
	high, _ = bits.Add64(s.high, high, carry)
	return Sum{high, low}
}

// Hash returns the hash of the key that s was made from. The four words of the
// secret must not have been used to make s.
func (s Sum) Hash(secret *[4]uint64) uint64 {
	high, low := bits.Mul64(s.high+secret[0], s.low+secret[1])
	high, low = bits.Mul64(high+secret[2], low+secret[3])
	return high ^ low
}
