package query

import (
	"cmp"
	"slices"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// flowSums are what each flow of a ruleset has counted in all collections, and those
// that counted most. Flows are told from each other by the meter's run, FlowIndex and
// FirstTime. What a collection that fails has added is taken back.
type flowSums struct {
	best   best
	slabs  []*[rowsLen]flowSum
	n      int
	spread map[*flowSum]*spreadSum // of those that have distributions

	runs map[run]sumPages
	in   sumPages // those of the run at hand
	page *sumPage // the one that was used last
	at   uint32   // its number

	collection uint32 // the number of the one at hand
	open       bool   // which has not ended
	failed     map[uint32]bool
	before     []counted // best when it began
}

// sumPages have the flow that was read last with an index, nil if there is none, by
// index divided by sumPageRows.
type (
	sumPages map[uint32]*sumPage
	sumPage  [sumPageRows]*flowSum
)

// sumPageRows is how many neighbouring indexes have a page: flows mostly come in
// their order.
const sumPageRows = 16

// flowSum is what a flow has counted.
type flowSum struct {
	first      int64
	n          int32  // its place among all flows
	place      int32  // in best, from 1
	collection uint32 // which has added to it last
	// now is with that collection, before without it.
	now, before flowCounted
}

type flowCounted struct {
	last                                   int64
	records                                uint32
	toPDUs, fromPDUs, toOctets, fromOctets uint64
}

// spreadSum are the counters of a flow's distributions.
type spreadSum struct{ now, before []uint64 }

// begin begins a collection.
func (s *flowSums) begin(c *record.Collection) {
	s.abandon()
	key := run{c.Meter, c.Epoch}
	if s.runs == nil {
		s.runs = map[run]sumPages{}
	}
	if s.runs[key] == nil {
		s.runs[key] = sumPages{}
	}
	s.in, s.page = s.runs[key], nil
	s.collection++
	s.open = true
	if s.best.most > 0 {
		s.before = append(s.before[:0], s.best.heap...)
	}
}

// abandon makes best again what it was before a collection that has not ended. If it
// has all flows, those without records are left out in the end.
func (s *flowSums) abandon() {
	if !s.open {
		return
	}
	if s.open = false; s.failed == nil {
		s.failed = map[uint32]bool{}
	}
	s.failed[s.collection] = true
	if s.best.most == 0 {
		return
	}
	for i := range s.best.heap {
		s.best.heap[i].row.place = 0
	}
	s.best.heap = s.best.heap[:0]
	for i := range s.before {
		s.best.heap = append(s.best.heap, counted{})
		s.best.set(i, s.before[i])
	}
}

// end ends it.
func (s *flowSums) end() { s.open = false }

// settle takes back what a collection has added that failed.
func (s *flowSums) settle(row *flowSum) {
	if row.collection == s.collection && s.open {
		return
	}
	if s.failed[row.collection] {
		row.now = row.before
		if spread := s.spread[row]; spread != nil {
			spread.now = spread.before
		}
	}
	if row.before = row.now; s.spread[row] != nil {
		s.spread[row].before = slices.Clone(s.spread[row].now)
	}
	row.collection = s.collection
}

// row returns that of a flow; a new one if flows cannot be told from each other.
func (s *flowSums) row(f *match.Flow, told bool) *flowSum {
	if !told {
		return s.newRow(f)
	}
	if at := f.Index / sumPageRows; s.page == nil || s.at != at {
		if s.page, s.at = s.in[at], at; s.page == nil {
			s.page = new(sumPage)
			s.in[at] = s.page
		}
	}
	place := &s.page[f.Index%sumPageRows]
	if *place == nil || (*place).first != f.FirstTime {
		*place = s.newRow(f)
	}
	return *place
}

// newRow makes the row of a flow.
func (s *flowSums) newRow(f *match.Flow) *flowSum {
	if s.n%rowsLen == 0 {
		s.slabs = append(s.slabs, new([rowsLen]flowSum))
	}
	row := &s.slabs[s.n/rowsLen][s.n%rowsLen]
	*row = flowSum{first: f.FirstTime, n: int32(s.n), collection: s.collection}
	s.n++
	return row
}

// add adds what a flow has counted. told says that flows can be told from each other.
func (s *flowSums) add(f *match.Flow, c *record.Counters, told bool) {
	row := s.row(f, told)
	s.settle(row)
	now := &row.now
	now.records++
	now.last = max(now.last, f.LastTime)
	now.toPDUs += c.ToPDUs
	now.fromPDUs += c.FromPDUs
	now.toOctets += c.ToOctets
	now.fromOctets += c.FromOctets
	if len(f.Shape.Measures) > 0 {
		s.addSpread(row, f, c)
	}
	s.best.update(row, f)
}

// addSpread adds the numbers of what a flow measures. Where it is not known what the
// interval added, they are those of all intervals already.
func (s *flowSums) addSpread(row *flowSum, f *match.Flow, c *record.Counters) {
	to := s.spread[row]
	if to == nil {
		if s.spread == nil {
			s.spread = map[*flowSum]*spreadSum{}
		}
		to = new(spreadSum)
		s.spread[row] = to
	}
	if len(to.now) == 0 || len(c.Measures) == 0 {
		to.now = spreadOf(f, c)
		return
	}
	addMeasures(f.Shape, to.now, c.Measures)
}

// count returns how many flows have counted anything.
func (s *flowSums) count() (n int) {
	for i := range s.n {
		row := &s.slabs[i/rowsLen][i%rowsLen]
		if s.settle(row); row.now.records > 0 {
			n++
		}
	}
	return n
}

// sums returns what a flow has counted as tables have it.
func (r *flowSum) sums() sums {
	c := &r.now
	return sums{
		records: uint64(c.records), pdus: c.toPDUs + c.fromPDUs, octets: c.toOctets + c.fromOctets,
		toPDUs: c.toPDUs, fromPDUs: c.fromPDUs, toOctets: c.toOctets, fromOctets: c.fromOctets,
		first: r.first, last: c.last,
	}
}

// sorted returns the flows that counted most, and how many there are altogether.
func (s *flowSums) sorted() (flows []counted, all int) {
	s.abandon()
	all = s.count()
	for _, f := range s.best.heap {
		if f.row.now.records == 0 {
			continue
		}
		f.sums = f.row.sums()
		f.value = s.best.by.of(&f.sums)
		f.flow.LastTime = f.sums.last
		if spread := s.spread[f.row]; spread != nil {
			f.spread = spread.now
		}
		flows = append(flows, f)
	}
	slices.SortFunc(flows, func(c, d counted) int {
		return cmp.Or(cmp.Compare(d.value, c.value), cmp.Compare(c.n, d.n))
	})
	return flows, all
}

// tellsFlows reports whether the flows of a collection can be told from each other.
func tellsFlows(c *record.Collection) bool {
	return !slices.Contains(c.Missing, attr.FlowIndex) &&
		!(slices.Contains(c.Missing, attr.FirstTime) && slices.Contains(c.Missing, attr.FirstTimeNs))
}
