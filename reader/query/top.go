package query

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Options say what a Top adds up and shows.
type Options struct {
	// By is what flows are added up by. Without it each flow is a row.
	By []Key
	// Once tells that there is one collection before Reset: then what flows have
	// counted in several need not be remembered.
	Once bool
	// Columns are the attributes of a row that is a flow; nil stands for those
	// that the flows have saved.
	Columns []attr.Attr
	// Sort is the sum by which rows are sorted, the largest first.
	Sort Sum
	// Rows is how many there are at most, 0 for any number: the rest are Others.
	Rows int
	// Total takes what flows have counted altogether. Otherwise it is what they
	// counted in the interval.
	Total bool
	// Numeric writes numbers where values have names.
	Numeric bool
	// Saved tells that flows say what they have saved, as those of a meter do: text
	// does not tell a value of 0 from none.
	Saved bool
	// Full adds the columns that people do not need, for programs.
	Full bool
	// Filter says which flows are taken, nil for all.
	Filter *Expr
}

// Top is a record.Sink that adds up what flows have counted, exactly, and makes tables
// of it: one for each ruleset that flows are of. A packet is in one flow of each
// ruleset, so that what two of them have counted must not be added.
//
// It holds the sums of each key, or of each flow: never all the records. A collection
// that fails adds nothing.
type Top struct {
	opts     Options
	names    namer
	sections map[int]*section // by ruleset
	// pending are those of the collection at hand: it may fail. current is one of them.
	pending map[int]*section
	current *section
	flows   map[int]*flowSums  // by ruleset, if rows are flows
	groups  map[int]*groups    // likewise, if they are not
	untold  map[attr.Attr]bool // counters that a collection does not tell
	long    bool               // there are addresses of 16 octets
	listed  map[attr.Attr]bool // lists of packets that flows have
	shape   *match.Shape       // of the flow before
	told    bool               // the flows of the collection can be told from each other
	c       record.Collection
	times   spans
	about   Summary
	unknown uint64 // of the collection at hand
	row     Row
	runs    Intervals // if it is Total
	before  *past
	taken   []taken // if it is Total: by the collection at hand
	whole   record.Counters
}

// Summary is what all collections come to.
type Summary struct {
	Collections int
	// Length is that of the time which their intervals cover, in nanoseconds.
	Length int64
	// Lost and Uncounted are packets, see record.Summary.
	Lost, Uncounted uint64
	// Unknown is the number of flow records that began before the first collection,
	// of which it is not known what they have added since: they are left out.
	Unknown uint64
}

// section is what the flows of one ruleset come to.
type section struct {
	ruleSet int
	all     sums
	flows   best               // if there is one collection
	sums    *flowSums          // if there may be several
	groups  *groups            // of all collections
	saved   map[attr.Attr]bool // by flows that are rows
	shape   *match.Shape       // of the flow before
}

// NewTop returns a Top of no collections yet.
func NewTop(opts Options) *Top {
	return &Top{opts: opts, names: namer{opts.Numeric, opts.Saved}, sections: map[int]*section{}, pending: map[int]*section{}, flows: map[int]*flowSums{}, groups: map[int]*groups{}, untold: map[attr.Attr]bool{}}
}

// Begin implements record.Sink.
func (t *Top) Begin(c *record.Collection) error {
	t.c = *c
	clear(t.pending)
	t.current, t.unknown = nil, 0
	t.row.begin(c, t.opts.Total)
	if t.told = tellsFlows(c); t.opts.Total && !t.told && t.about.Collections > 0 {
		return errUntold
	}
	for _, a := range c.Missing {
		t.untold[a] = true
	}
	for _, f := range t.flows {
		f.begin(c)
	}
	for _, g := range t.groups {
		g.begin()
	}
	if t.opts.Total {
		t.takeBack()
		t.before = t.runs.past(c)
	}
	return nil
}

// Flow implements record.Sink. Where it is not known what the flow counted in the
// interval, that is all if the flow began in it; others are left out.
func (t *Top) Flow(f *match.Flow, counted *record.Counters) error {
	switch {
	case t.opts.Total:
		return t.total(f)
	case counted == nil && (t.c.First || f.FirstTime > t.c.From):
		t.takeWhole(f)
		counted = &t.whole
	case counted == nil:
		t.unknown++
		return nil
	}
	if t.opts.Filter != nil {
		t.row.Flow, t.row.Counted = f, counted
		if !t.opts.Filter.Match(&t.row) {
			return nil
		}
	}
	return t.add(f, counted)
}

// add takes a flow that is wanted.
func (t *Top) add(f *match.Flow, counted *record.Counters) error {
	s := t.current
	if s == nil || s.ruleSet != f.Shape.RuleSet {
		s = t.section(f.Shape.RuleSet)
	}
	if err := s.all.addChecked(f, counted); err != nil {
		return err
	}
	if t.shape != f.Shape {
		t.shape = f.Shape
		t.noteLists()
	}
	if t.opts.By != nil {
		t.long = t.long || f.Shape.PeerLen > 4
		s.groups.add(f, counted, &t.c)
		return nil
	}
	if s.shape != f.Shape {
		s.shape = f.Shape
		for _, saved := range f.Shape.Saved {
			s.saved[saved.Attr] = true
		}
	}
	if t.opts.Once {
		s.flows.add(f, counted)
	} else {
		s.sums.add(f, counted, t.told)
	}
	return nil
}

// noteLists notes which lists of packets flows of the shape at hand have.
func (t *Top) noteLists() {
	for i := range t.shape.Measures {
		if a := t.shape.Measures[i].Attr; a.Form() == attr.FormPackets {
			if t.listed == nil {
				t.listed = map[attr.Attr]bool{}
			}
			t.listed[a] = true
		}
	}
}

// takeWhole makes whole what a flow has counted altogether.
func (t *Top) takeWhole(f *match.Flow) {
	measures := t.whole.Measures[:0]
	for _, numbers := range f.Counters {
		measures = append(measures, numbers...)
	}
	t.whole = record.Counters{ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets, Measures: measures}
}

// section returns the current section, that of this ruleset.
func (t *Top) section(ruleSet int) *section {
	s := t.pending[ruleSet]
	if s == nil {
		s = &section{ruleSet: ruleSet, saved: map[attr.Attr]bool{}, flows: best{by: t.opts.Sort, most: t.opts.Rows}}
		s.sums, s.groups = t.sumsOf(ruleSet), t.groupsOf(ruleSet)
		t.pending[ruleSet] = s
	}
	t.current = s
	return s
}

// sumsOf returns what the flows of a ruleset have counted, nil if rows are no flows.
func (t *Top) sumsOf(ruleSet int) *flowSums {
	if t.opts.By != nil || t.opts.Once {
		return nil
	}
	s := t.flows[ruleSet]
	if s == nil {
		s = &flowSums{best: best{by: t.opts.Sort, most: t.opts.Rows}}
		s.begin(&t.c)
		t.flows[ruleSet] = s
	}
	return s
}

// groupsOf returns the sums of a ruleset's flows by keys.
func (t *Top) groupsOf(ruleSet int) *groups {
	g := t.groups[ruleSet]
	if g == nil {
		g = &groups{by: t.opts.By}
		for i := range t.opts.By {
			g.named = append(g.named, !t.opts.Numeric && t.opts.By[i].isNamed())
		}
		g.begin()
		t.groups[ruleSet] = g
	}
	return g
}

// join adds a section of the same ruleset.
func (s *section) join(o *section) error {
	if _, over := bits.Add64(s.all.octets, o.all.octets, 0); over != 0 {
		return ErrOverflow
	}
	if _, over := bits.Add64(s.all.pdus, o.all.pdus, 0); over != 0 {
		return ErrOverflow
	}
	s.all.join(&o.all)
	maps.Copy(s.saved, o.saved)
	s.flows.join(&o.flows)
	return nil
}

// End implements record.Sink.
func (t *Top) End(sum *record.Summary) error {
	for n, s := range t.pending {
		if t.sections[n] == nil {
			t.sections[n] = s
		} else if err := t.sections[n].join(s); err != nil {
			return err
		}
	}
	clear(t.pending)
	t.taken = t.taken[:0]
	for _, f := range t.flows {
		f.end()
	}
	for _, g := range t.groups {
		g.end()
	}
	t.about.Unknown += t.unknown
	t.about.Collections++
	t.about.Lost += sum.Lost
	t.about.Uncounted += sum.Uncounted
	if t.opts.Total {
		t.times.add(t.c.Epoch, t.c.To)
	} else {
		t.times.add(t.c.From, t.c.To)
	}
	return nil
}

// Summary returns what has been read.
func (t *Top) Summary() Summary {
	t.about.Length = t.times.length()
	return t.about
}

// Reset forgets all collections, for tables of the next ones.
func (t *Top) Reset() { *t = *NewTop(t.opts) }

// Tables returns a table for each ruleset that flows are of, in the order of their
// numbers; an empty one if there are no flows.
func (t *Top) Tables() []*table.Table {
	sections := slices.SortedFunc(maps.Values(t.sections), func(a, b *section) int { return cmp.Compare(a.ruleSet, b.ruleSet) })
	if len(sections) == 0 {
		sections = []*section{t.section(0)}
		clear(t.pending)
	}
	var tables []*table.Table
	for _, s := range sections {
		tb := t.table(s)
		if len(sections) > 1 {
			of(tb, s.ruleSet, t.opts.Full)
		}
		tables = append(tables, tb)
	}
	return tables
}

// of tells of which ruleset a table is: in its title, or in a column for programs, which
// get the rows of all tables.
func of(tb *table.Table, ruleSet int, full bool) {
	if tb.Title = fmt.Sprintf("ruleset %d", ruleSet); !full {
		return
	}
	tb.Columns = slices.Insert(tb.Columns, 0, columnOf(attr.FlowRuleSet))
	for i := range tb.Rows {
		tb.Rows[i] = slices.Insert(tb.Rows[i], 0, table.Uint(uint64(ruleSet)))
	}
}

// total returns the sums of all flows as rows by these keys have them: what hosts have
// sent is what they have received, all of it.
func (s *section) total(by []Key) *sums {
	all := s.all
	if isHosts(by) {
		all.toPDUs, all.fromPDUs, all.toOctets, all.fromOctets = all.pdus, all.pdus, all.octets, all.octets
	}
	return &all
}

// table returns the table of a section.
func (t *Top) table(s *section) *table.Table {
	all := *s.total(t.opts.By)
	measures := t.measures(&all)
	tb := new(table.Table)
	var keys int
	if t.opts.By != nil {
		keys = t.groupRows(tb, s, measures)
	} else {
		keys = t.flowRows(tb, s, measures)
	}
	for _, m := range measures {
		tb.Columns = append(tb.Columns, m.column)
	}
	tb.Total = measured(make([]table.Value, keys), measures, &all)
	return tb
}

// flowRows makes a row of each flow, and returns of how many attributes.
func (t *Top) flowRows(tb *table.Table, s *section, measures []measure) int {
	columns := t.opts.Columns
	if columns == nil {
		columns = columnsOf(slices.Collect(maps.Keys(s.saved)))
		if !t.opts.Full {
			columns = withoutFamily(columns)
		}
	}
	for _, a := range columns {
		tb.Columns = append(tb.Columns, columnOf(a))
	}
	shown, all := s.all, int(s.all.records)
	var flows []counted
	if s.sums != nil {
		flows, all = s.sums.sorted()
	} else {
		flows = s.flows.sorted()
	}
	titleICMP(tb.Columns, flows)
	spreads := spreadsOf(flows)
	tb.Columns = append(tb.Columns, spreads.columns()...)
	for i := range measures {
		measures[i].column.Optional = measures[i].column.Optional || len(spreads) > 0
	}
	for i := range flows {
		f := &flows[i]
		row := make([]table.Value, 0, len(tb.Columns)+len(measures))
		for _, a := range columns {
			cell := t.names.ofFlow(&f.flow, a, t.c.RuleSet(s.ruleSet).Names)
			if a == attr.SourcePeerAddress && cell.IsNothing() && !t.opts.Full {
				cell = noAddress(&f.flow)
			}
			row = append(row, cell)
		}
		row = spreads.append(row, f)
		tb.Rows = append(tb.Rows, measured(row, measures, &f.sums))
		shown.take(&f.sums)
	}
	tb.NumOthers = all - len(tb.Rows)
	tb.Others = measured(make([]table.Value, len(tb.Columns)), measures, &shown)
	return len(tb.Columns)
}

// spans are times without what they have in common.
type spans struct{ list []span }

type span struct{ from, to int64 }

// add adds a time. Most begin where the one before ended.
func (s *spans) add(from, to int64) {
	if n := len(s.list); n > 0 && s.list[n-1].to == from && to >= from {
		s.list[n-1].to = to
		return
	}
	s.list = append(s.list, span{from, max(from, to)})
}

// length returns that of all times.
func (s *spans) length() (sum int64) {
	slices.SortFunc(s.list, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var to int64
	for i, sp := range s.list {
		if i == 0 || sp.from > to {
			to = sp.from
		}
		if sp.to > to {
			sum += sp.to - to
			to = sp.to
		}
	}
	return sum
}
