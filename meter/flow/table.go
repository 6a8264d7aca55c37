// Package flow is the meter's flow table: the records of all flows of all
// rulesets, an index to find them by their key, and their rows by number.
//
// It is built for millions of flows. Records and keys hold no pointers and
// stand in blocks that never move, so that the garbage collector skips them and
// nothing is ever copied to grow. A key is stored packed: only the octets that
// its shape saves (RFC 2123 section 2.3.4). The index grows one segment at a
// time. Finding, creating, counting and recovering a flow are constant time;
// see BenchmarkTable for what a flow costs in time and memory.
//
// A Table belongs to one goroutine. It reads no clock: times are those of
// packets, in nanoseconds since 1970-01-01 00:00:00 UTC.
package flow

import (
	"math"

	"rtfm/ruleset/match"

	"rtfm/meter/huge"
	"rtfm/ruleset/keyhash"
)

// Direction says which of a flow's counters a packet adds to.
type Direction uint8

// The directions.
const (
	Forward  Direction = iota // source to destination: ToPDUs, ToOctets
	Backward                  // FromPDUs, FromOctets
)

// record is one row. While the row is inactive, shape is inactive and key is
// the next inactive row of its block.
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

// Table is a flow table.
type Table struct {
	max                int
	layouts            []*layout // by shape ID, nil until a flow has it
	records            []*[blockLen]record
	slab               huge.Slab[[blockLen]record]
	latest             []int64 // of each block, last of the record that was active last
	blocks             []block
	waiting            [256]blockList            // blocks with inactive rows, by owner
	byRuleSet          [256]int                  // flows in the table
	active             int                       // rows in use
	keys               [maxKeyWords + 1]keyStore // by length in words
	index              index
	secret             keyhash.Secret
	cursor             int // block where recovery goes on
	cleared            int // block that was cleared last
	recovered, created uint64
	prefetched         uint64   // sink for prefetch reads, so the compiler keeps them
	prefetchRows       []uint32 // room for PrefetchKeys
	passed             int      // see Passed
	hidden             [256]bool
	// Flows that were not active since this time are counted when they are again, by
	// ruleset, see Since.
	since     int64
	activated [256]Activity
}

// Activity counts flows of a ruleset.
type Activity struct {
	// Created flows were made. Active ones were, or have counted a packet, the first
	// one since the time that Since was told last.
	Created, Active uint64
}

// mostFlows is the largest table: with a block begun for each ruleset, the
// numbers of its rows are still of 31 bits (FlowIndex, RFC 2720).
const mostFlows = math.MaxInt32 - 256*blockLen

// New returns an empty table for at most max flows. The shapes of all its
// flows must come from one match.Shapes.
func New(max int) *Table {
	// Whoever sends the packets cannot make keys that collide without knowing the
	// secret (see package keyhash), and nothing that is seen of a table depends on it.
	t := &Table{max: min(max, mostFlows), secret: keyhash.NewSecret(), since: math.MinInt64}
	t.index.init()
	for n := range t.keys {
		t.keys[n].words = n
	}
	t.keys[0].blocks = [][]uint64{nil} // the key of no octets
	return t
}

// Active returns the number of flows in the table.
func (t *Table) Active() int { return t.active }

// ActiveOf returns the number of flows in the table of the ruleset with this
// number.
func (t *Table) ActiveOf(ruleSet int) int { return t.byRuleSet[ruleSet&255] }

// Max returns the number of flows that the table can hold.
func (t *Table) Max() int { return t.max }

// Created and Recovered count flows since the table was made.
func (t *Table) Created() uint64   { return t.created }
func (t *Table) Recovered() uint64 { return t.recovered }

func (t *Table) at(row uint32) *record {
	return &t.records[(row-1)/blockLen][(row-1)%blockLen]
}

// Key is a flow key prepared for lookup.
type Key struct {
	words [maxKeyWords]uint64
	n     int
	shape int32
	hash  uint32
}

// Prepare sets key to the identity k.
func (t *Table) Prepare(key *Key, k *match.FlowKey) {
	l := t.layout(k.Shape)
	key.shape = int32(k.Shape.ID)
	key.n = l.words
	l.pack(&k.Key, &key.words)
	key.hash = k.Hash(&t.secret)
}

// PrepareReverse sets reverse to the identity of the flow in the direction
// opposite to that of key, which was prepared. Both are found at the same place,
// which is prefetched only once.
func (t *Table) PrepareReverse(reverse, key *Key) {
	l := t.layouts[key.shape]
	if l.mirror == nil {
		l.mirror = newMirror(l, t.layout(l.shape.Reverse))
	}
	clear(reverse.words[:key.n])
	for i := range l.mirror {
		m := &l.mirror[i]
		reverse.words[m.to%maxKeyWords] |= key.words[m.from%maxKeyWords] >> m.right & m.mask << m.left
	}
	reverse.n, reverse.shape, reverse.hash = key.n, int32(l.shape.Reverse.ID), key.hash
}

// Find returns the row of the flow with this key, or 0 if there is none.
func (t *Table) Find(key *Key) uint32 {
	for s := t.index.segment(key.hash); s != nil; s = s.more {
		for i := key.hash % segmentLen; s.slots[i] != 0; i = (i + 1) % segmentLen {
			if e := s.slots[i]; e.hash() == key.hash && t.is(e.row(), key) {
				return e.row()
			}
		}
	}
	return 0
}

// Alike reports whether there may be a flow with this key or the one prepared as
// its reverse: false if no flow has their hash.
func (t *Table) Alike(key *Key) bool { return t.index.segment(key.hash).first(key.hash) != 0 }

// is reports whether the flow in row has this key.
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

// Create adds a flow with this key, which Find must not have found, with all
// counters zero, and returns its row, or 0 if the table is full.
func (t *Table) Create(key *Key, now int64) uint32 {
	if t.active >= t.max {
		return 0
	}
	n := t.layouts[key.shape].shape.RuleSet & 255
	row := t.take(n)
	t.active++
	t.created++
	t.byRuleSet[n]++
	t.activated[n].Created++
	t.activated[n].Active++
	r := t.at(row)
	*r = record{
		first: now, last: now, shape: key.shape,
		key: t.keys[key.n].add(key.words[:key.n]), generation: r.generation,
	}
	t.latest[(row-1)/blockLen] = now
	t.index.insert(entry(key.hash, row))
	return row
}

// Count adds pdus PDUs with octets octets together, seen at time now, to the
// flow in row, which must be one that Find or Create returned. Times must not
// go back.
func (t *Table) Count(row uint32, d Direction, pdus, octets uint64, now int64) {
	r := t.at(row)
	if r.last < t.since {
		t.activate(row)
	}
	t.count(row, r, d, pdus, octets, now)
}

// count counts in the record r of a row.
func (t *Table) count(row uint32, r *record, d Direction, pdus, octets uint64, now int64) {
	r.pdus[d&1] += pdus
	r.octets[d&1] += octets
	r.last, r.later = now, 0
	t.latest[(row-1)/blockLen] = now
}

// activate counts the flow in row as active.
//
//go:noinline
func (t *Table) activate(row uint32) { t.activated[t.Owner(row)&255].Active++ }

// Since has flows be counted in Activity at their first packet from this time on. At
// first only those are that are made.
func (t *Table) Since(now int64) { t.since = now }

// Activity returns how many flows of a ruleset were made and have become active.
func (t *Table) Activity(ruleSet int) Activity { return t.activated[ruleSet&255] }

// Centisecond is how much later, in nanoseconds, a change may be recorded than
// it happened.
const Centisecond = match.Centisecond

// Change records that the flow in row has changed at time now, or up to a
// Centisecond later, without a packet.
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

// Backdate has the latest packet of the flow in row, which was counted at its
// LastTime, be of an earlier time: readers are told of it at LastTime still.
func (t *Table) Backdate(row uint32, to int64) {
	r := t.at(row)
	now := r.last
	r.first, r.last = min(r.first, to), to
	t.Change(row, now)
}

// Generation returns a number that changes when the flow in row is recovered,
// or Supersede is called for it.
func (t *Table) Generation(row uint32) uint32 { return t.at(row).generation }

// Prefetch prefetches the flows in these rows.
func (t *Table) Prefetch(rows []uint32) {
	sum := uint32(0)
	for _, row := range rows {
		sum += t.at(row).generation
	}
	t.prefetched = uint64(sum)
}

// PrefetchKeys prefetches what Find will need for n keys, as far as there are flows
// with them.
func (t *Table) PrefetchKeys(n int, key func(i int) *Key) {
	sum := uint64(0)
	for i := range n {
		hash := key(i).hash
		sum += uint64(t.index.segment(hash).slots[hash%segmentLen])
	}
	rows := t.prefetchRows[:0]
	for i := range n {
		row := t.index.segment(key(i).hash).first(key(i).hash)
		rows = append(rows, row)
		if row != 0 {
			sum += uint64(t.at(row).shape)
		}
	}
	for i, row := range rows {
		if k := key(i); row != 0 && k.n > 0 && t.at(row).shape == k.shape {
			sum += t.keys[k.n].at(t.at(row).key)[0]
		}
	}
	t.prefetchRows, t.prefetched = rows, sum
}

// Supersede changes the generation of row.
func (t *Table) Supersede(row uint32) { t.at(row).generation++ }

// CountIf is Count if the row is still of this generation; otherwise it returns
// false.
func (t *Table) CountIf(row, generation uint32, d Direction, pdus, octets uint64, now int64) bool {
	r := t.at(row)
	if r.generation != generation {
		return false
	}
	if r.last < t.since {
		t.activate(row)
	}
	t.count(row, r, d, pdus, octets, now)
	return true
}

// FirstTime returns the time of the first packet of the flow in row.
func (t *Table) FirstTime(row uint32) int64 { return t.at(row).first }

// LastTime returns the time of the latest packet of the flow in row.
func (t *Table) LastTime(row uint32) int64 { return t.at(row).last }

// Read sets f to the flow in row and returns false if there is none. It reuses
// f, which must be zero or come from an earlier Read.
func (t *Table) Read(row uint32, f *match.Flow) bool {
	if row == 0 || int(row) > len(t.records)*blockLen {
		return false
	}
	r := t.at(row)
	if row > t.BlockEnd(row) || r.shape == inactive {
		return false
	}
	t.read(r, f)
	f.Index = row
	return true
}

// read sets f, but for its index, to the flow in a record.
func (t *Table) read(r *record, f *match.Flow) {
	l := t.layouts[r.shape]
	if f.Shape != l.shape {
		f.FlowKey = match.FlowKey{Shape: l.shape}
	}
	l.unpack(t.keys[l.words].at(r.key), &f.Key)
	f.FirstTime, f.LastTime = r.first, r.last
	f.ToPDUs, f.FromPDUs = r.pdus[Forward], r.pdus[Backward]
	f.ToOctets, f.FromOctets = r.octets[Forward], r.octets[Backward]
}
