package flow

import (
	"math"
	"testing"

	"rtfm/ruleset/match"
)

// TestGrowingWork counts what it takes to make and recover flows: as much when
// there are half a million as when there are a thousand.
func TestGrowingWork(t *testing.T) {
	var shapes match.Shapes
	tab := New(math.MaxInt32)
	var key Key
	n := uint32(0)
	sizes := []uint32{1_000, 10_000, 100_000, 500_000}
	if testing.Short() {
		sizes = sizes[:3]
	}
	for _, flows := range sizes {
		for ; n < flows; n++ {
			k := full(&shapes, n)
			tab.Prepare(&key, &k)
			made, depth := tab.index.made, tab.index.segment(key.hash).depth
			tab.Create(&key, 1)
			// Splitting a segment moves at most its own entries; that one of its
			// halves gets them all, and is split again, is rare.
			if more := tab.index.made - made; more > 3 || more != tab.index.segment(key.hash).depth-depth {
				t.Fatalf("flow %d: %d segments were split", n, more)
			}
		}
		// Each has a quarter of its 4,096 entries at least, but for chance.
		if most := 1 + int(flows)/1024; tab.index.made > most {
			t.Errorf("%d flows: %d segments", flows, tab.index.made)
		}
		for i := range tab.index.directory {
			if s := tab.index.directory[i]; s.used > segmentFull || 1<<(tab.index.depth-s.depth) > 8 {
				t.Errorf("%d flows: a segment has %d entries and %d places of the directory", flows, s.used, 1<<(tab.index.depth-s.depth))
			}
		}
		if octets := memory(tab); octets > 120*int(flows)+8<<20 {
			t.Errorf("%d flows take %d octets", flows, octets)
		}
	}
	// All can be recovered, but for what was asked for, and the rest of a block.
	limits := Limits{2: 2}
	for left := int(n); left > 0; left = tab.Active() {
		if got := tab.Recover(1000, &limits, nil); got < min(left, 1000) || got > 1000+blockLen {
			t.Fatalf("with %d flows %d were recovered at a time", left, got)
		}
	}
	// What they leave is used again.
	before := memory(tab)
	for i := range n {
		k := full(&shapes, n+i)
		tab.Prepare(&key, &k)
		tab.Create(&key, 3)
	}
	if after := memory(tab); after > before+before/10 {
		t.Errorf("%d octets, and %d with as many other flows", before, after)
	}
}

// memory returns the octets of what a table has for flows.
func memory(t *Table) int {
	octets := t.slab.Len()*blockLen*64 + (t.index.made+len(t.index.slab))*(segmentLen+2)*8
	for i := range t.keys {
		octets += (len(t.keys[i].blocks)*blockLen*t.keys[i].words + len(t.keys[i].slab)) * 8
	}
	return octets
}

// TestCreateDoesNotAllocate: with a flow's memory that of another one, nothing is
// allocated.
func TestCreateDoesNotAllocate(t *testing.T) {
	var shapes match.Shapes
	tab := New(1000)
	k := full(&shapes, 1)
	var key Key
	limits := Limits{2: 2}
	tab.Prepare(&key, &k)
	if a := testing.AllocsPerRun(100, func() {
		tab.Create(&key, 1)
		if tab.Recover(1, &limits, nil) != 1 {
			t.Fatal("not recovered")
		}
	}); a != 0 {
		t.Errorf("%v allocations a flow", a)
	}
}
