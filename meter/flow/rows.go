package flow

import (
	"math"

	"rtfm/ruleset/match"
)

// Rows come in blocks, each of which holds flows of one ruleset, its owner. A
// search for a ruleset's flows thus passes the blocks of others, and one for
// active flows those whose latest activity was too early.
//
// A new flow gets a row in the block of its ruleset that has had inactive rows
// for longest: the row there that became inactive first, or else the first that
// was never used. If its ruleset has no such block, it gets the one that
// belongs to nobody for longest, or else a new one. A block belongs to nobody
// when its last flow is taken out. So what rows flows have depends only on the
// order in which they are made and taken out.

// blockLen is the number of rows in a block.
const blockLen = 1024

// block is what is known of a block but for its records and their latest
// activity.
type block struct {
	owner  int    // number of its ruleset, 0 if it belongs to nobody
	active int    // flows in it
	used   uint32 // rows ever used: those after them have not been written
	// Used rows that are inactive, in the order in which they became so.
	freeFirst, freeLast uint32
	// Neighbours among its owner's blocks that have inactive rows, as
	// blockList counts them.
	before, behind int
}

// blockList is a list of blocks, counted from 1.
type blockList struct{ first, last int }

// waits puts a block at the end of its owner's blocks with inactive rows.
func (t *Table) waits(number int) {
	b := &t.blocks[number-1]
	l := &t.waiting[b.owner]
	b.before, b.behind = l.last, 0
	if l.last == 0 {
		l.first = number
	} else {
		t.blocks[l.last-1].behind = number
	}
	l.last = number
}

// waitsNoMore takes a block out of its owner's blocks with inactive rows.
func (t *Table) waitsNoMore(number int) {
	b := &t.blocks[number-1]
	l := &t.waiting[b.owner]
	if b.before == 0 {
		l.first = b.behind
	} else {
		t.blocks[b.before-1].behind = b.behind
	}
	if b.behind == 0 {
		l.last = b.before
	} else {
		t.blocks[b.behind-1].before = b.before
	}
}

// take returns a row for a flow of this ruleset.
func (t *Table) take(ruleSet int) uint32 {
	number := t.waiting[ruleSet].first
	if number == 0 {
		number = t.acquire(ruleSet)
	}
	b := &t.blocks[number-1]
	row := b.freeFirst
	if row != 0 {
		b.freeFirst = t.at(row).key
	} else {
		b.used++
		row = uint32(number-1)*blockLen + b.used
	}
	if b.active++; b.active == blockLen {
		t.waitsNoMore(number)
	}
	return row
}

// acquire gives a ruleset a block that belongs to nobody.
func (t *Table) acquire(ruleSet int) (number int) {
	if number = t.waiting[0].first; number != 0 {
		t.waitsNoMore(number)
	} else {
		t.blocks = append(t.blocks, block{})
		t.records = append(t.records, &t.slab.Take(1)[0])
		t.latest = append(t.latest, math.MinInt64)
		number = len(t.blocks)
	}
	t.blocks[number-1].owner = ruleSet
	t.waits(number)
	return number
}

// giveBack makes a row inactive.
func (t *Table) giveBack(row uint32, r *record) {
	*r = record{shape: inactive, generation: r.generation + 1}
	number := int((row-1)/blockLen) + 1
	b := &t.blocks[number-1]
	if b.freeFirst == 0 {
		b.freeFirst = row
	} else {
		t.at(b.freeLast).key = row
	}
	b.freeLast = row
	if b.active == blockLen {
		t.waits(number)
	}
	if b.active--; b.active == 0 {
		t.waitsNoMore(number)
		b.owner = 0
		t.waits(number)
	}
}

// BlockEnd returns the last row of row's block that was ever used.
func (t *Table) BlockEnd(row uint32) uint32 {
	number := (row - 1) / blockLen
	return number*blockLen + t.blocks[number].used
}

// Next returns the first row from row on whose flow was active, or changed, at
// or after time since, or 0 if there is none.
func (t *Table) Next(row uint32, since int64) uint32 { return t.NextOf(0, row, since) }

// NextOf is Next for flows of the ruleset with this number; 0 means any that is
// not hidden.
func (t *Table) NextOf(ruleSet int, row uint32, since int64) uint32 {
	if ruleSet != 0 && t.byRuleSet[ruleSet&255] == 0 {
		return 0
	}
	at := max(row, 1) - 1
	first := int(at / blockLen)
	for n := first; n < len(t.blocks); n++ {
		b := &t.blocks[n]
		if b.active > 0 && t.latest[n] >= since && (ruleSet == b.owner || ruleSet == 0 && !t.hidden[b.owner&255]) {
			records := t.records[n]
			for i := at % blockLen; i < b.used; i++ {
				if r := &records[i%blockLen]; r.shape != inactive && r.changed() >= since {
					t.passed += (n-first)/blocksPassed + int(i-at%blockLen)
					return uint32(n)*blockLen + i + 1
				}
			}
			t.passed += int(b.used)
		}
		at = 0
	}
	t.passed += (len(t.blocks) - first) / blocksPassed
	return 0
}

// blocksPassed is how many blocks are passed in the time that a row takes.
const blocksPassed = 2

// Passed returns how many rows Next, NextOf and Scan have passed without a
// wanted flow since the last call of Passed.
func (t *Table) Passed() int {
	n := t.passed
	t.passed = 0
	return n
}

// Hide hides the flows of the ruleset with this number from Next, and from
// NextOf for any ruleset, or shows them again.
func (t *Table) Hide(ruleSet int, hidden bool) { t.hidden[ruleSet&255] = hidden }

// Scan sets f to each flow of the ruleset with this number in turn, from row
// on, that was active, or changed, at or after time since, and calls yield for
// it until that returns false. It reuses f, which must be zero or come from an
// earlier Read or Scan.
func (t *Table) Scan(ruleSet int, row uint32, since int64, f *match.Flow, yield func() bool) {
	for row = t.NextOf(ruleSet, row, since); row != 0; row = t.NextOf(ruleSet, row, since) {
		more := t.ScanBlock(row, since, f, yield)
		if !more {
			t.passed += int(f.Index - row)
			return
		}
		t.passed += int(t.BlockEnd(row) - row)
		row = t.BlockEnd(row) + 1
	}
}

// ScanBlock is Scan for the rows of one block from row on. It returns false if
// yield did. While the table does not change, several goroutines may call it.
func (t *Table) ScanBlock(row uint32, since int64, f *match.Flow, yield func() bool) bool {
	records := t.records[(row-1)/blockLen]
	for end := t.BlockEnd(row); row <= end; row++ {
		r := &records[(row-1)%blockLen]
		if r.shape == inactive || r.changed() < since {
			continue
		}
		t.read(r, f)
		if f.Index = row; !yield() {
			return false
		}
	}
	return true
}

// Blocks returns the first rows of the blocks that hold flows of the ruleset
// with this number and may hold some that were active, or changed, at or after
// time since.
func (t *Table) Blocks(ruleSet int, since int64) (rows []uint32) {
	for n := range t.blocks {
		if b := &t.blocks[n]; b.active > 0 && t.latest[n] >= since && b.owner == ruleSet {
			rows = append(rows, uint32(n)*blockLen+1)
		}
	}
	return rows
}

// PrefetchNext prefetches the rows after these, all together: they are likely to be
// read next.
func (t *Table) PrefetchNext(rows []uint32) {
	sum := uint64(0)
	for _, row := range rows {
		if row < t.BlockEnd(row) {
			sum += uint64(t.at(row + 1).last)
		}
	}
	for _, row := range rows {
		if row >= t.BlockEnd(row) {
			continue
		}
		if r := t.at(row + 1); r.shape != inactive {
			if words := t.layouts[r.shape].words; words > 0 {
				sum += t.keys[words].at(r.key)[0]
			}
		}
	}
	t.prefetched = sum
}

// Owner returns the number of the ruleset whose flows are in row's block.
func (t *Table) Owner(row uint32) int { return t.blocks[(row-1)/blockLen].owner }

// Limits holds for each ruleset number the time before which a flow must have
// changed last to be recovered.
type Limits [256]int64

// Recover looks at the flows in the next blocks, in a circle, until it has
// passed this many rows or all blocks. It makes those inactive that last
// changed before their ruleset's limit, except those for whose row release,
// unless it is nil, returns false. It returns how many it made inactive.
func (t *Table) Recover(rows int, limits *Limits, release func(row uint32) bool) int {
	n := 0
	for range t.blocks {
		if rows <= 0 {
			break
		}
		if t.cursor >= len(t.blocks) {
			t.cursor = 0
		}
		if b := &t.blocks[t.cursor]; b.active > 0 {
			rows -= int(b.used)
			n += t.recoverBlock(t.cursor, limits[b.owner&255], release)
		}
		t.cursor++
	}
	return n
}

// Clear is Recover for all flows of a ruleset, whenever they changed, in one of
// its blocks: in the next one at each call, in a circle.
func (t *Table) Clear(ruleSet int, release func(row uint32) bool) {
	for range t.blocks {
		t.cleared = (t.cleared + 1) % len(t.blocks)
		if t.blocks[t.cleared].owner == ruleSet {
			t.recoverBlock(t.cleared, math.MaxInt64, release)
			return
		}
	}
}

// recoverBlock is Recover for one block, counted from 0.
func (t *Table) recoverBlock(number int, limit int64, release func(row uint32) bool) int {
	b := &t.blocks[number]
	n := 0
	latest := int64(math.MinInt64)
	for i := range b.used {
		r := &t.records[number][i%blockLen]
		if r.shape == inactive {
			continue
		}
		row := uint32(number)*blockLen + i + 1
		if r.changed() >= limit || release != nil && !release(row) {
			latest = max(latest, r.changed())
			continue
		}
		t.remove(row, r)
		n++
	}
	t.latest[number] = latest
	t.recovered += uint64(n)
	return n
}

func (t *Table) remove(row uint32, r *record) {
	l := t.layouts[r.shape]
	keys := &t.keys[l.words]
	k := match.FlowKey{Shape: l.shape}
	l.unpack(keys.at(r.key), &k.Key)
	t.index.remove(entry(k.Hash(&t.secret), row))
	keys.remove(r.key)
	t.byRuleSet[l.shape.RuleSet&255]--
	t.active--
	t.giveBack(row, r)
}
