// Package flow is the meter's flow table: the records of all flows of all
// rulesets, an index to find them by their key, and their rows by number.
//
// It is built for millions of flows. Records and keys hold no pointers and
// stand in blocks that never move, so that the garbage collector passes them
// by and nothing is ever copied to grow. A key is stored packed: only the
// octets that its shape saves (RFC 2123 section 2.3.4). The index grows one
// segment at a time. Finding, creating, counting and recovering a flow are
// constant time; see BenchmarkTable for what a flow costs in time and memory.
//
// A Table belongs to one goroutine. It reads no clock: times are those of
// packets, in nanoseconds since 1970-01-01 00:00:00 UTC.
package flow

import (
	"math"
	"math/rand/v2"

	"rtfm/ruleset"
)

// blockLen is the number of records in a block. Each block keeps the time of
// its latest activity, so that a search for active flows passes idle blocks.
const blockLen = 1024

// Direction says which of a flow's counters a packet adds to.
type Direction uint8

// The directions.
const (
	Forward  Direction = iota // source to destination: ToPDUs, ToOctets
	Backward                  // FromPDUs, FromOctets
)

// record is one row. While the row is inactive, shape is inactive and key is
// the next inactive row.
type record struct {
	pdus, octets [2]uint64 // by Direction
	first, last  int64
	shape        int32
	key          uint32 // place among the keys of its length
	generation   uint32 // goes up when what is remembered of the row is void
	// later is how long after last the row has changed without a packet, in
	// centiseconds, rounded up.
	later uint32
}

const inactive = -1

type block [blockLen]record

// numbers is a set of ruleset numbers.
type numbers [4]uint64

func (s *numbers) add(n int)      { s[n>>6&3] |= 1 << (n & 63) }
func (s *numbers) has(n int) bool { return s[n>>6&3]>>(n&63)&1 != 0 }

// Table is a flow table.
type Table struct {
	max       int
	layouts   []*layout // by shape ID, nil until a flow has it
	blocks    []*block
	latest    []int64   // of each block, last of the record that was active last
	has       []numbers // of each block, rulesets that may have flows there
	byRuleSet [256]int  // flows in the table
	rows      int       // rows ever used
	active    int       // rows in use
	// Inactive rows, in the order in which they became so.
	freeFirst, freeLast uint32
	keys                [maxKeyWords + 1]keyStore // by length in words
	index               index
	seed                uint64
	cursor              int // block where recovery goes on
	recovered, created  uint64
}

// New returns an empty table for at most max flows. The shapes of all its
// flows must come from one ruleset.Shapes.
func New(max int) *Table {
	// The seed keeps whoever sends the packets from making keys that collide.
	// Nothing that is seen of a table depends on it.
	t := &Table{max: min(max, math.MaxInt32), seed: rand.Uint64()}
	t.index.init()
	for n := range t.keys {
		t.keys[n].words = n
	}
	return t
}

// Active returns the number of flows in the table.
func (t *Table) Active() int { return t.active }

// ActiveOf returns the number of flows in the table of the ruleset with this
// number.
func (t *Table) ActiveOf(ruleSet int) int { return t.byRuleSet[ruleSet&255] }

// Max returns the number of flows that the table can hold.
func (t *Table) Max() int { return t.max }

// Rows returns the number of the highest row that was ever used.
func (t *Table) Rows() uint32 { return uint32(t.rows) }

// Created and Recovered count flows since the table was made.
func (t *Table) Created() uint64   { return t.created }
func (t *Table) Recovered() uint64 { return t.recovered }

func (t *Table) at(row uint32) *record {
	return &t.blocks[(row-1)/blockLen][(row-1)%blockLen]
}

// Key is a flow key made ready to look for. The zero Key is ready for Set.
type Key struct {
	words [maxKeyWords]uint64
	n     int
	shape int32
	hash  uint32
}

// Prepare sets key to the identity k.
func (t *Table) Prepare(key *Key, k *ruleset.FlowKey) {
	t.pack(key, k)
	key.hash = k.Hash(t.seed)
}

// PrepareReverse sets reverse to the identity of the flow in the other
// direction than k, for which key was prepared. Both are found at the same
// place, which is fetched only once.
func (t *Table) PrepareReverse(reverse, key *Key, k *ruleset.FlowKey) {
	r := k.Reverse()
	t.pack(reverse, &r)
	reverse.hash = key.hash
}

func (t *Table) pack(key *Key, k *ruleset.FlowKey) {
	l := t.layout(k.Shape)
	key.shape = int32(k.Shape.ID)
	key.n = l.words
	l.pack(&k.Key, &key.words)
}

// Find returns the row of the flow with this key, 0 if there is none.
func (t *Table) Find(key *Key) uint32 {
	s := t.index.segment(key.hash)
	for i := key.hash % segmentLen; ; i = (i + 1) % segmentLen {
		e := s.slots[i]
		if e == 0 {
			return 0
		}
		if e.hash() == key.hash && t.is(e.row(), key) {
			return e.row()
		}
	}
}

// is tells whether the flow in row has this key.
func (t *Table) is(row uint32, key *Key) bool {
	r := t.at(row)
	if r.shape != key.shape {
		return false
	}
	stored := t.keys[key.n].at(r.key)
	for i, w := range stored {
		if w != key.words[i] {
			return false
		}
	}
	return true
}

// Create makes the flow with this key, which Find must not have found, with
// all counters zero, and returns its row; 0 if the table is full.
func (t *Table) Create(key *Key, now int64) uint32 {
	row := t.freeFirst
	switch {
	case t.active >= t.max || !t.index.makeRoom(key.hash):
		return 0
	case row != 0:
		r := t.at(row)
		if t.freeFirst = r.key; t.freeFirst == 0 {
			t.freeLast = 0
		}
	default:
		t.rows++
		row = uint32(t.rows)
		if t.rows > len(t.blocks)*blockLen {
			t.blocks = append(t.blocks, new(block))
			t.latest = append(t.latest, math.MinInt64)
			t.has = append(t.has, numbers{})
		}
	}
	t.active++
	t.created++
	r := t.at(row)
	*r = record{
		first: now, last: now, shape: key.shape,
		key: t.keys[key.n].add(key.words[:key.n]), generation: r.generation,
	}
	t.latest[(row-1)/blockLen] = now
	n := t.layouts[key.shape].shape.RuleSet
	t.has[(row-1)/blockLen].add(n)
	t.byRuleSet[n&255]++
	t.index.insert(entry(key.hash, row))
	return row
}

// Count adds a packet of so many octets, seen at time now, to the flow in
// row, which must be one that Find or Create returned. Times must not go back.
func (t *Table) Count(row uint32, d Direction, octets uint64, now int64) {
	r := t.at(row)
	r.pdus[d&1]++
	r.octets[d&1] += octets
	r.last, r.later = now, 0
	t.latest[(row-1)/blockLen] = now
}

// Centisecond is how much later than it was, in nanoseconds, a change may be
// taken for.
const Centisecond = 10_000_000

// Change notes that the flow in row has changed at time now without a packet,
// or up to a Centisecond later.
func (t *Table) Change(row uint32, now int64) {
	r := t.at(row)
	r.later = uint32(min(max(now-r.last+Centisecond-1, 0)/Centisecond, math.MaxUint32))
	latest := &t.latest[(row-1)/blockLen]
	*latest = max(*latest, r.changed())
}

// changed returns the time of the record's latest change.
func (r *record) changed() int64 {
	if later := int64(r.later) * Centisecond; r.last <= math.MaxInt64-later {
		return r.last + later
	}
	return math.MaxInt64
}

// Generation returns a number that changes when the flow in row is recovered,
// or Supersede is called for it.
func (t *Table) Generation(row uint32) uint32 { return t.at(row).generation }

// Supersede changes the generation of row.
func (t *Table) Supersede(row uint32) { t.at(row).generation++ }

// CountIf is Count if the row is still of this generation, else it returns
// false.
func (t *Table) CountIf(row, generation uint32, d Direction, octets uint64, now int64) bool {
	if t.at(row).generation != generation {
		return false
	}
	t.Count(row, d, octets, now)
	return true
}

// Read sets f to the flow in row; false if there is none.
func (t *Table) Read(row uint32, f *ruleset.Flow) bool {
	if row == 0 || int(row) > t.rows {
		return false
	}
	r := t.at(row)
	if r.shape == inactive {
		return false
	}
	l := t.layouts[r.shape]
	f.Shape = l.shape
	l.unpack(t.keys[l.words].at(r.key), &f.Key)
	f.Index = row
	f.FirstTime, f.LastTime = r.first, r.last
	f.ToPDUs, f.FromPDUs = r.pdus[Forward], r.pdus[Backward]
	f.ToOctets, f.FromOctets = r.octets[Forward], r.octets[Backward]
	return true
}

// Next returns the first row from row on whose flow was active, or changed,
// at or after time since; 0 if there is none.
func (t *Table) Next(row uint32, since int64) uint32 {
	for row = max(row, 1); int(row) <= t.rows; row++ {
		if t.latest[(row-1)/blockLen] < since {
			row += blockLen - (row-1)%blockLen - 1
			continue
		}
		if r := t.at(row); r.shape != inactive && r.changed() >= since {
			return row
		}
	}
	return 0
}

// NextOf returns the first row from row on whose flow is of the ruleset with
// this number and was active, or changed, at or after time since; 0 if there is
// none.
func (t *Table) NextOf(ruleSet int, row uint32, since int64) uint32 {
	for row = max(row, 1); int(row) <= t.rows; row++ {
		b := (row - 1) / blockLen
		if t.latest[b] < since || !t.has[b].has(ruleSet) {
			row += blockLen - (row-1)%blockLen - 1
			continue
		}
		if r := t.at(row); r.shape != inactive && r.changed() >= since && t.layouts[r.shape].shape.RuleSet == ruleSet {
			return row
		}
	}
	return 0
}

// Limits tells for each ruleset number before which time a flow must have
// changed last to be recovered.
type Limits [256]int64

// Blocks returns the number of blocks of records, the unit of Recover.
func (t *Table) Blocks() int { return len(t.blocks) }

// Recover looks at the next so many blocks of records, going round, and makes
// the flows inactive that have last changed before their ruleset's limit, but
// for those for whose row release, unless it is nil, returns false. It returns
// how many these were.
func (t *Table) Recover(blocks int, limits *Limits, release func(row uint32) bool) int {
	n := 0
	for range min(blocks, len(t.blocks)) {
		if t.cursor >= len(t.blocks) {
			t.cursor = 0
		}
		n += t.RecoverBlock(t.cursor, limits, release)
		t.cursor++
	}
	return n
}

// RecoverBlock is Recover for one block, counted from 0.
func (t *Table) RecoverBlock(number int, limits *Limits, release func(row uint32) bool) int {
	n := 0
	b := t.blocks[number]
	base := uint32(number*blockLen) + 1
	var has numbers
	for i := range b {
		r := &b[i]
		if base+uint32(i) > uint32(t.rows) {
			break
		}
		if r.shape == inactive {
			continue
		}
		ruleSet := t.layouts[r.shape].shape.RuleSet
		if r.changed() < limits[ruleSet&255] && (release == nil || release(base+uint32(i))) {
			t.remove(base+uint32(i), r)
			t.byRuleSet[ruleSet&255]--
			n++
		} else {
			has.add(ruleSet)
		}
	}
	t.has[number] = has
	t.recovered += uint64(n)
	return n
}

func (t *Table) remove(row uint32, r *record) {
	l := t.layouts[r.shape]
	keys := &t.keys[l.words]
	k := ruleset.FlowKey{Shape: l.shape}
	l.unpack(keys.at(r.key), &k.Key)
	t.index.remove(entry(k.Hash(t.seed), row))
	keys.remove(r.key)
	*r = record{shape: inactive, generation: r.generation + 1}
	if t.freeLast == 0 {
		t.freeFirst = row
	} else {
		t.at(t.freeLast).key = row
	}
	t.freeLast = row
	t.active--
}
