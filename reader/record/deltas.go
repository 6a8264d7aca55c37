package record

import (
	"math"

	"rtfm/ruleset/match"
)

// Deltas remembers what each flow had counted when it was read last, to tell
// what it counted since: flows' own counters only grow. The zero value
// remembers nothing.
//
// A meter may give its flows any indexes. So there is memory for those few rows
// only that are close to one which was read, whatever the indexes are.
type Deltas struct {
	pages map[uint32]*page // by the index of their first row, divided by pageRows
	page  *page            // the one that was used last
	at    uint32           // its index

	// distributions are the counters of the flows that have some.
	distributions map[uint32][]uint64
	octets        int // about what all takes
	most          int // octets that it may take, 0 for any number
}

// page has the readings of neighbouring rows, which mostly come one after the
// other.
type page [pageRows]reading

// Sizes of what is remembered.
const (
	pageRows   = 8
	pageOctets = pageRows*48 + 48 // about what one takes with its place in the map
	rowOctets  = 64               // a row of a collection under way
)

// reading is what was read of a flow last: its identity beside the row, and
// its counters. It has no pointers, which millions of flows would have the
// garbage collector follow. A row that was not read has ruleset 0.
type reading struct {
	firstTime                              int64
	toPDUs, fromPDUs, toOctets, fromOctets uint64
	ruleSet                                int32
	counters                               int32 // of distributions
}

// row returns the reading of a row, nil if its page is not there.
func (d *Deltas) row(index uint32) *reading {
	if at := index / pageRows; d.page == nil || d.at != at {
		p := d.pages[at]
		if p == nil {
			return nil
		}
		d.page, d.at = p, at
	}
	return &d.page[index%pageRows]
}

func readingOf(f *match.Flow) reading {
	r := reading{f.FirstTime, f.ToPDUs, f.FromPDUs, f.ToOctets, f.FromOctets, int32(f.Shape.RuleSet), 0}
	for _, c := range f.Counters {
		r.counters += int32(len(c))
	}
	return r
}

// NewDeltas returns Deltas that take so many octets at most, about; 0 means any
// number.
func NewDeltas(most int) *Deltas { return &Deltas{most: most} }

// Since returns what f has counted since it was given last, all of it the
// first time.
func (d *Deltas) Since(f *match.Flow) Counters {
	delta, _ := d.Take(f)
	return delta
}

// Take is Since, and reports whether f was given before.
func (d *Deltas) Take(f *match.Flow) (Counters, bool) {
	delta, known := d.Peek(f)
	d.keep(f.Index, readingOf(f), flatten(nil, f))
	return delta, known
}

// flatten appends the counters of all distributions of f.
func flatten(to []uint64, f *match.Flow) []uint64 {
	for _, c := range f.Counters {
		to = append(to, c...)
	}
	return to
}

// Peek returns what f has counted since it was kept last, all of it and false
// if it was not. It keeps nothing.
func (d *Deltas) Peek(f *match.Flow) (Counters, bool) {
	now := CountersOf(f)
	r := d.row(f.Index)
	if r == nil || int(r.ruleSet) != f.Shape.RuleSet || r.firstTime != f.FirstTime {
		return now, false
	}
	return now.Since(&Counters{
		ToPDUs: r.toPDUs, FromPDUs: r.fromPDUs, ToOctets: r.toOctets, FromOctets: r.fromOctets,
		Measures: d.distributions[f.Index],
	}, f.Shape), true
}

// Recall remembers what a flow had counted altogether when it was read last, which
// a file tells. Without room for it, it forgets everything and returns false.
func (d *Deltas) Recall(ruleSet int, index uint32, firstTime int64, c *Counters) bool {
	return d.keep(index, reading{
		firstTime: firstTime, toPDUs: c.ToPDUs, fromPDUs: c.FromPDUs, toOctets: c.ToOctets, fromOctets: c.FromOctets,
		ruleSet: int32(ruleSet), counters: int32(len(c.Measures)),
	}, c.Measures)
}

// keep remembers the reading of the flow in a row; counters is not modified
// from now on. Without room for it, it forgets everything and returns false.
func (d *Deltas) keep(index uint32, now reading, counters []uint64) bool {
	r := d.row(index)
	need := 8 * int(now.counters)
	if r == nil {
		need += pageOctets
	} else {
		need -= 8 * int(r.counters)
	}
	if d.octets += need; d.most > 0 && d.octets > d.most {
		*d = Deltas{most: d.most}
		return false
	}
	if r == nil {
		if d.pages == nil {
			d.pages = make(map[uint32]*page)
		}
		d.page, d.at = new(page), index/pageRows
		d.pages[d.at] = d.page
		r = &d.page[index%pageRows]
	}
	if len(counters) > 0 {
		if d.distributions == nil {
			d.distributions = make(map[uint32][]uint64)
		}
		d.distributions[index] = counters
	} else if r.counters > 0 {
		delete(d.distributions, index)
	}
	*r = now
	return true
}

// Readings are those of a collection that is under way: they are kept once it
// has succeeded.
type Readings struct {
	rows     []rowReading
	counters []uint64 // of distributions, of all rows
	room     int      // for so many more octets; less than 0 when something was left out
}

type rowReading struct {
	row uint32
	reading
}

// Readings returns none yet, with room for as much as d may take.
func (d *Deltas) Readings() Readings {
	if d.most == 0 {
		return Readings{room: math.MaxInt}
	}
	return Readings{room: d.most}
}

// Add adds the reading of f, if there is room.
func (r *Readings) Add(f *match.Flow) {
	now := readingOf(f)
	if r.room -= rowOctets + 8*int(now.counters); r.room < 0 {
		*r = Readings{room: -1}
		return
	}
	r.rows = append(r.rows, rowReading{f.Index, now})
	r.counters = flatten(r.counters, f)
}

// KeepAll keeps what was read by a collection. It returns false if there was no
// room for it, or for what was kept before, and something is forgotten: then it
// is whole flows.
func (d *Deltas) KeepAll(r *Readings) bool {
	if r.room < 0 {
		*d = Deltas{most: d.most}
		return false
	}
	all := true
	counters := r.counters
	for i := range r.rows {
		now := &r.rows[i]
		n := int(now.counters)
		all = d.keep(now.row, now.reading, append([]uint64(nil), counters[:n]...)) && all
		counters = counters[n:]
	}
	return all
}
