package flow

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"rtfm/ruleset/match"
)

// of returns the key of flow i of a ruleset.
func of(shapes *match.Shapes, ruleSet int, i uint32) match.FlowKey {
	k := full(shapes, i)
	k.Shape = shapes.Intern(ruleSet, k.Shape.PeerLen, k.Shape.AdjacentLen, k.Shape.Saved)
	return k
}

// TestRowsOfRuleSets makes flows of several rulesets and takes them out: which
// row a flow gets follows from the order of that alone.
func TestRowsOfRuleSets(t *testing.T) {
	var shapes match.Shapes
	tab := New(100_000)
	var key Key
	made := uint32(0)
	create := func(ruleSet int, now int64, want ...uint32) {
		t.Helper()
		for _, row := range want {
			made++
			k := of(&shapes, ruleSet, made)
			tab.Prepare(&key, &k)
			if got := tab.Create(&key, now); got != row {
				t.Errorf("flow of ruleset %d at %d: row %d, want %d", ruleSet, now, got, row)
			}
		}
	}
	rows := func(from, to uint32) (r []uint32) {
		for ; from <= to; from++ {
			r = append(r, from)
		}
		return r
	}
	release := func(before int64, ruleSet int) {
		var limits Limits
		limits[ruleSet] = before
		tab.Recover(math.MaxInt32, &limits, nil)
	}
	create(2, 1, rows(1, 1023)...)
	create(3, 1, 1025, 1026)
	create(2, 2, 1024, 2049)
	create(3, 2, 1027)
	release(2, 2) // leaves rows 1024 and 2049
	release(2, 3) // leaves row 1027
	// The block with inactive rows for longest, and there the recovered first.
	create(2, 3, rows(2050, 3072)...)
	create(2, 3, 1, 2)
	create(3, 3, 1025, 1026, 1028)
	release(3, 2) // leaves rows 1, 2 and 2050 to 3072
	create(2, 4, rows(3, 1024)...)
	create(2, 4, 2049, 3073)
	// Blocks without flows, the one that has none for longest first. Recovery
	// goes on behind the third of them.
	release(5, 2)
	release(5, 3)
	if tab.Active() != 0 {
		t.Fatalf("%d flows are left", tab.Active())
	}
	create(9, 6, 3073, 3074)
	create(8, 6, 1)
	create(7, 6, 2049)
	create(6, 6, 1025)
	create(5, 6, 4097)
}

// TestBlocksOfOthers has one search for idle flows look at no more blocks than
// hold flows of its ruleset, however many lie between them.
func TestBlocksOfOthers(t *testing.T) {
	var shapes match.Shapes
	tab := New(100_000)
	var key Key
	for i := range uint32(20_000) {
		k := of(&shapes, 2+int(i%2), i)
		tab.Prepare(&key, &k)
		tab.Count(tab.Create(&key, 1), Forward, 1, 1, 1+int64(i%2))
	}
	for n := range tab.blocks {
		if owner := tab.blocks[n].owner; tab.latest[n] != int64(owner-1) {
			t.Errorf("block %d of ruleset %d was active at %d", n, owner, tab.latest[n])
		}
	}
	if row := tab.NextOf(2, 1, 2); row != 0 {
		t.Errorf("row %d was not active", row)
	}
	// What is left tells the time, not what was taken out.
	tab.Recover(math.MaxInt32, &Limits{3: 3}, nil)
	for n := range tab.blocks {
		if tab.blocks[n].owner == 0 && tab.latest[n] != math.MinInt64 {
			t.Errorf("block %d, which has no flows, was active at %d", n, tab.latest[n])
		}
	}
}

// TestNextOf compares searches for flows of one ruleset with looking at every
// row, while flows of two rulesets come and go.
func TestNextOf(t *testing.T) {
	var shapes match.Shapes
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
				tab.Count(row, Forward, 1, 1, now)
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
		tab.Recover(1+r.IntN(5000), &limits, nil)
		var f match.Flow
		for number := 1; number < 5; number++ {
			since := []int64{math.MinInt64, now - 1000, now - 10, now, now + 1}[r.IntN(5)]
			var want []uint32
			active := 0
			for row := uint32(1); row <= uint32(len(tab.blocks))*blockLen; row++ {
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
			var scanned []uint32
			from := uint32(r.IntN(3 * blockLen))
			var one, each match.Flow
			tab.Scan(number, from, since, &each, func() bool {
				if tab.Read(each.Index, &one); !reflect.DeepEqual(one, each) {
					t.Fatalf("scanned %+v, read %+v", each, one)
				}
				scanned = append(scanned, each.Index)
				return r.IntN(1000) != 0
			})
			behind := slices.DeleteFunc(slices.Clone(want), func(row uint32) bool {
				return row < from || len(scanned) > 0 && row > scanned[len(scanned)-1]
			})
			if !slices.Equal(scanned, behind) {
				t.Fatalf("round %d: scanned rows %v of ruleset %d from %d on, want %v", round, scanned, number, from, behind)
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
}

// BenchmarkNextOf searches for flows that were active lately of a ruleset that
// is idle, whose 500,000 flows were made in turn with those of another.
func BenchmarkNextOf(b *testing.B) {
	var shapes match.Shapes
	tab := New(2_000_000)
	var key Key
	keys := [2]match.FlowKey{of(&shapes, 2, 0), of(&shapes, 3, 0)}
	for i := range uint32(1_000_000) {
		k := &keys[i%2]
		number(k, i)
		tab.Prepare(&key, k)
		tab.Count(tab.Create(&key, 1), Forward, 1, 1, 1+int64(i%2))
	}
	for b.Loop() {
		if row := tab.NextOf(2, 1, 2); row != 0 {
			b.Fatalf("row %d was not active", row)
		}
	}
}
