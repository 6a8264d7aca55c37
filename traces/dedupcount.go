package traces

import "slices"

// Duplicates counts duplicates.
type Duplicates struct {
	// By class, of all interfaces.
	By [duplicateClasses]uint64
	// Pairs are the same by interfaces, in order of appearance.
	Pairs []DuplicatePair
}

// DuplicatePair is how many duplicates of a class were seen at one interface, and
// first at another, or at the same one. Interfaces have the number 0 in what is
// counted of all pairs beyond the first MaxDuplicatePairs.
type DuplicatePair struct {
	Class        Duplicate
	First, Again uint32
	Packets      uint64
}

// MaxDuplicatePairs is the number of pairs of interfaces that are told apart.
const MaxDuplicatePairs = 64

// Total returns the number of all duplicates.
func (d *Duplicates) Total() uint64 { return d.By[Switched] + d.By[Routed] }

// duplicateCounts counts duplicates. What has been shown does not change.
type duplicateCounts struct {
	now   Duplicates
	last  int  // the pair of the duplicate before
	shown bool // Pairs have been shown
}

func (c *duplicateCounts) add(class Duplicate, first, again uint32) {
	c.now.By[class]++
	if c.shown {
		c.now.Pairs, c.shown = slices.Clone(c.now.Pairs), false
	}
	is := func(p DuplicatePair) bool { return p.Class == class && p.First == first && p.Again == again }
	if c.last >= len(c.now.Pairs) || !is(c.now.Pairs[c.last]) {
		c.last = slices.IndexFunc(c.now.Pairs, is)
	}
	if c.last < 0 && len(c.now.Pairs) >= MaxDuplicatePairs {
		first, again = 0, 0
		c.last = slices.IndexFunc(c.now.Pairs, is)
	}
	if c.last < 0 {
		c.last = len(c.now.Pairs)
		c.now.Pairs = append(c.now.Pairs, DuplicatePair{Class: class, First: first, Again: again})
	}
	c.now.Pairs[c.last].Packets++
}

func (c *duplicateCounts) snapshot() Duplicates {
	c.shown = true
	return c.now
}
