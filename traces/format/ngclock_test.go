package format

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestNgClock compares every resolution with numbers of any size.
func TestNgClock(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	ticks := []uint64{0, 1, 2, 999, 1e9 - 1, 1e9, 1e9 + 1, 1 << 32, 1<<63 - 1, 1 << 63, math.MaxUint64}
	offsets := []int64{0, 1, -1, 1e9, -1e9, math.MaxInt64, math.MinInt64}
	for range 15 {
		ticks = append(ticks, r.Uint64()>>r.UintN(64))
		offsets = append(offsets, int64(r.Uint64()>>r.UintN(64)))
	}
	for resol := range 256 {
		base := big.NewInt(10)
		if resol >= 128 {
			base.SetInt64(2)
		}
		unit := base.Exp(base, big.NewInt(int64(resol&127)), nil) // in a second
		for _, n := range ticks {
			for _, offset := range offsets {
				c := newNgClock(uint8(resol), offset)
				// ticks * 1e9 / unit is not negative, so both divisions cut.
				want := new(big.Int).SetUint64(n)
				want.Mul(want, big.NewInt(1e9)).Quo(want, unit)
				want.Add(want, new(big.Int).Mul(big.NewInt(offset), big.NewInt(1e9)))
				fits := want.Sign() >= 0 && want.IsInt64()
				switch {
				case want.Sign() < 0:
					want.SetInt64(0)
				case !want.IsInt64():
					want.SetInt64(math.MaxInt64)
				}
				if got, ok := c.time(n); got != want.Int64() || ok != fits {
					t.Fatalf("resolution %#x, offset %d: %d units are %d ns, %t, want %d, %t", resol, offset, n, got, ok, want, fits)
				}
				if s := c.simple(); s != 0 && n < 1e9 {
					if got := int64(n) * s; got != want.Int64() {
						t.Fatalf("resolution %#x: %d units of %d ns, want %d", resol, n, s, want)
					}
				}
			}
		}
	}
}
