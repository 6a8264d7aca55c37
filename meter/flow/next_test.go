package flow

import (
	"math"
	"math/rand/v2"
	"testing"

	"rtfm/ruleset"
)

// TestNextOf compares searches for flows of one ruleset with looking at every
// row, while flows of two rulesets come and go.
func TestNextOf(t *testing.T) {
	var shapes ruleset.Shapes
	r := rand.New(rand.NewPCG(3, 4))
	tab := New(5000)
	var key Key
	now := int64(1000)
	for round := range 60 {
		only := 1 + round/20 // the last 20 rounds make flows of ruleset 3, which random does not
		for range 1000 {
			now += int64(r.IntN(3))
			k := random(r, &shapes)
			if only == 3 {
				k.Shape = shapes.Intern(3, k.Shape.PeerLen, k.Shape.AdjacentLen, k.Shape.Saved)
			}
			tab.Prepare(&key, &k)
			row := tab.Find(&key)
			if row == 0 {
				row = tab.Create(&key, now)
			}
			if row != 0 {
				tab.Count(row, Forward, 1, now)
			}
		}
		var limits Limits
		for i := range limits {
			limits[i] = math.MinInt64
		}
		limits[1+r.IntN(3)] = now - 500
		if round%7 == 6 {
			limits[2] = math.MaxInt64
		}
		tab.Recover(1+r.IntN(tab.Blocks()), &limits, nil)
		var f ruleset.Flow
		for number := range 5 {
			since := []int64{math.MinInt64, now - 1000, now - 10, now, now + 1}[r.IntN(5)]
			var want []uint32
			active := 0
			for row := uint32(1); row <= tab.Rows(); row++ {
				if tab.Read(row, &f) && f.Shape.RuleSet == number {
					active++
					if f.LastTime >= since {
						want = append(want, row)
					}
				}
			}
			if got := tab.ActiveOf(number); got != active {
				t.Fatalf("round %d: %d flows of ruleset %d, want %d", round, got, number, active)
			}
			for row := tab.NextOf(number, 0, since); row != 0; row = tab.NextOf(number, row+1, since) {
				if len(want) == 0 || row != want[0] {
					t.Fatalf("round %d: found row %d of ruleset %d, want %v", round, row, number, want)
				}
				want = want[1:]
			}
			if len(want) > 0 {
				t.Fatalf("round %d: rows %v of ruleset %d not found", round, want, number)
			}
		}
	}
	// Looking at a block makes its set of rulesets exact.
	var limits Limits
	for i := range limits {
		limits[i] = math.MinInt64
	}
	limits[1] = math.MaxInt64
	tab.Recover(tab.Blocks(), &limits, nil)
	for b := range tab.has {
		if tab.has[b].has(1) {
			t.Errorf("block %d may have flows of ruleset 1, of which there are none", b)
		}
	}
}
