package mib

import (
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// plan is what a Set would do: it is made against what was seen of the meter,
// which does not stand still meanwhile, and changes nothing until it is carried
// out.
type plan struct {
	h       *Handler
	control *Control // the meter's: to be changed
	seen    view
	// prepared are programs of rulesets that are to become active, by index.
	prepared map[int]Program
	allRules int // see MaxAllRules
	uptime   uint64
	ruleSets changes[RuleSet]
	readers  changes[Reader]
	managers changes[Manager]
	// swaps change something each, and change it back when called again.
	swaps []func()
	err   *smi.Error
}

// view is a meter as it was seen. Rows do not change, and rules only by Sets, of
// which there is one at a time.
type view struct {
	stamp
	ruleSets   Rows[RuleSet]
	readers    Rows[Reader]
	managers   Rows[Manager]
	interfaces Rows[Interface]
	uptime     uint64
}

// stamp reports whether anything has changed that a Set may rest on.
type stamp struct {
	ruleSets, readers, managers, interfaces uint64
	trace                                   Trace
}

// stamp returns that of now. The meter stands still.
func (h *Handler) stamp() stamp {
	c := h.meter.Control()
	return stamp{c.RuleSets.puts, c.Readers.puts, c.Managers.puts, c.Interfaces.puts, h.meter.Trace()}
}

// look returns what is to be seen of the meter.
func (h *Handler) look() (v view) {
	h.meter.Do(func() {
		c := h.meter.Control()
		v = view{h.stamp(), c.RuleSets.clone(), c.Readers.clone(), c.Managers.clone(), c.Interfaces.clone(), h.uptime()}
	})
	return v
}

// fail notes that the variable at place at, from 1, cannot be set. Of several
// the first counts.
func (p *plan) fail(st smi.Status, at int) {
	if st != smi.NoError && (p.err == nil || at < p.err.Index) {
		p.err = &smi.Error{Status: st, Index: at}
	}
}

// plan tests a Set (RFC 3416 section 4.2.5). The programs are those that were
// prepared for it before.
func (h *Handler) plan(vbs []smi.VarBind, seen view, prepared map[int]Program) (*plan, error) {
	p := &plan{h: h, control: h.meter.Control(), seen: seen, prepared: prepared, uptime: seen.uptime}
	for i := range vbs {
		vb := &vbs[i]
		at := h.search(vb.Name)
		if at == len(h.objects) || !vb.Name.HasPrefix(h.objects[at].oid) || h.objects[at].plan == nil {
			return nil, &smi.Error{Status: smi.NotWritable, Index: i + 1}
		}
		o := &h.objects[at]
		st := o.check(&vb.Value)
		if st == smi.NoError {
			st = o.plan(p, i+1, vb.Name[len(o.oid):], &vb.Value)
		}
		if st != smi.NoError {
			return nil, &smi.Error{Status: st, Index: i + 1}
		}
	}
	for i, rs := range seen.ruleSets.All {
		if c := p.ruleSets.byIndex[i]; c == nil || c.status != smi.RowDestroy {
			p.allRules += len(rs.Rules) + rs.forms()
		}
	}
	p.ruleSets.resolve(p, &p.seen.ruleSets, &p.control.RuleSets)
	p.dismissReaders()
	p.readers.resolve(p, &p.seen.readers, &p.control.Readers)
	p.managers.resolve(p, &p.seen.managers, &p.control.Managers)
	if p.err == nil {
		p.checkReferences()
	}
	if p.err != nil {
		return nil, p.err
	}
	return p, nil
}

// dismissReaders plans that readers of rulesets that are destroyed go with them:
// they are no readers of another ruleset that gets the index.
func (p *plan) dismissReaders() {
	for _, c := range p.ruleSets.order {
		if c.old == nil || c.new != nil {
			continue
		}
		for i, r := range p.seen.readers.All {
			if r.RuleSet == c.index && p.readers.byIndex[i] == nil {
				set := &change[Reader]{index: i, first: c.first, status: smi.RowDestroy, statusAt: c.statusAt, table: p.h.readers}
				p.readers.add(set)
			}
		}
	}
}

// set plans to give *to another value.
func set[T any](p *plan, to *T, value T) {
	p.swaps = append(p.swaps, func() { *to, value = value, *to })
}

// change is what a Set does with a row.
type change[T any] struct {
	table    *controlTable[T]
	index    int
	first    int           // place of the first variable
	status   smi.RowStatus // that is asked for, 0 if none is
	statusAt int
	columns  []columnSet[T]
	edits    []ruleEdit
	old, new *T // nil: no row
}

type columnSet[T any] struct {
	column *controlColumn[T]
	value  *smi.Value
	at     int
}

// place returns which variable sets a column, the status or whatever comes
// first in the row if none does.
func (c *change[T]) place(column *module.Object) int {
	for _, s := range c.columns {
		if s.column.named == column {
			return s.at
		}
	}
	if c.status != 0 {
		return c.statusAt
	}
	return c.first
}

// sets reports whether a column is set.
func (c *change[T]) sets(column *module.Object) bool {
	for _, s := range c.columns {
		if s.column.named == column {
			return true
		}
	}
	return false
}

// changes are those of the rows of one table.
type changes[T any] struct {
	byIndex map[int]*change[T]
	order   []*change[T]
}

// at returns the change of the row with this index, which variable at is
// about.
func (cs *changes[T]) at(t *controlTable[T], index, at int) *change[T] {
	c := cs.byIndex[index]
	if c == nil {
		c = &change[T]{table: t, index: index, first: at}
		cs.add(c)
	}
	return c
}

func (cs *changes[T]) add(c *change[T]) {
	if cs.byIndex == nil {
		cs.byIndex = make(map[int]*change[T])
	}
	cs.byIndex[c.index] = c
	cs.order = append(cs.order, c)
}

// row returns the row with this index as it will be, nil for none.
func (cs *changes[T]) row(rows *Rows[T], index int) *T {
	if c := cs.byIndex[index]; c != nil {
		return c.new
	}
	return rows.At(index)
}

// resolve works out what becomes of the rows, seen as they were.
func (cs *changes[T]) resolve(p *plan, seen, rows *Rows[T]) {
	for _, c := range cs.order {
		c.resolve(p, seen)
		put := c.new
		p.swaps = append(p.swaps, func() {
			was := rows.At(c.index)
			rows.Put(c.index, put)
			put = was
		})
	}
}

// resolve works out what becomes of the row (RFC 2579, RowStatus).
func (c *change[T]) resolve(p *plan, rows *Rows[T]) {
	t := c.table
	c.old = rows.At(c.index)
	wasActive := c.old != nil && t.row(c.old).Active
	create := c.status == smi.RowCreateAndGo || c.status == smi.RowCreateAndWait
	switch {
	case t.locked(c.index):
		p.fail(smi.NotWritable, c.first)
		return
	case c.status == smi.RowDestroy:
		return
	case create && c.old != nil, c.old == nil && !create && c.status != 0:
		p.fail(smi.InconsistentValue, c.statusAt)
		return
	case c.old == nil && c.status == 0:
		p.fail(smi.InconsistentName, c.first)
		return
	case create && rows.Len() >= MaxRows:
		p.fail(smi.ResourceUnavailable, c.statusAt)
		return
	}
	c.new = new(T)
	if c.old != nil {
		*c.new = *c.old
	}
	row := t.row(c.new)
	row.Active = c.status == smi.RowActive || c.status == smi.RowCreateAndGo || c.status == 0 && wasActive
	for _, s := range c.columns {
		if wasActive && row.Active && !s.column.whileActive {
			p.fail(t.refusal, s.at)
			continue
		}
		s.column.set(p, c.old, c.new, s.value)
	}
	t.finish(p, c)
	switch ready := t.ready(c.new); {
	case !ready && row.Active, !ready && c.status == smi.RowNotInService:
		p.fail(smi.InconsistentValue, c.place(nil))
	}
}

// checkReferences tests what rows say of rows in other tables.
func (p *plan) checkReferences() {
	for _, c := range p.managers.order {
		if c.new == nil {
			continue
		}
		p.checkTask(c, c.new.CurrentRuleSet, module.FlowManagerCurrentRuleSet)
		p.checkTask(c, c.new.StandbyRuleSet, module.FlowManagerStandbyRuleSet)
	}
	for _, c := range p.readers.order {
		if c.new != nil && c.sets(module.FlowReaderRuleSet) && p.ruleSets.row(&p.seen.ruleSets, c.new.RuleSet) == nil {
			p.fail(smi.InconsistentValue, c.place(module.FlowReaderRuleSet))
		}
	}
	for _, c := range p.ruleSets.order {
		if c.old != nil && c.old.Active && (c.new == nil || !c.new.Active) && p.referenced(c.index) {
			p.fail(smi.InconsistentValue, c.statusAt)
		}
	}
}

// checkTask tests that a task's ruleset is there and active.
func (p *plan) checkTask(c *change[Manager], ruleSet int, column *module.Object) {
	if ruleSet == 0 {
		return
	}
	if rs := p.ruleSets.row(&p.seen.ruleSets, ruleSet); rs == nil || !rs.Active {
		if c.sets(column) || c.status != 0 {
			p.fail(smi.InconsistentValue, c.place(column))
		}
	}
}

// referenced reports whether a task will have this ruleset.
func (p *plan) referenced(ruleSet int) bool {
	has := func(m *Manager) bool {
		return m != nil && (m.CurrentRuleSet == ruleSet || m.StandbyRuleSet == ruleSet)
	}
	for i, m := range p.seen.managers.All {
		if p.managers.byIndex[i] == nil && has(m) {
			return true
		}
	}
	for _, c := range p.managers.order {
		if has(c.new) {
			return true
		}
	}
	return false
}

// transaction is a Set that was tested.
type transaction struct {
	h        *Handler
	vbs      []smi.VarBind
	seen     stamp           // when it was tested
	prepared map[int]Program // then
	done     *plan           // nil until it is committed
}

// Test implements smi.Handler.
func (h *Handler) Test(vbs []smi.VarBind) (smi.Transaction, error) {
	h.sets.Lock()
	defer h.sets.Unlock()
	x := &transaction{h: h, vbs: vbs, prepared: make(map[int]Program)}
	seen := h.look()
	if _, err := h.plan(vbs, seen, x.prepared); err != nil {
		return nil, err
	}
	x.seen = seen.stamp
	return x, nil
}

// commitTries is how often a Set is planned again because the meter itself has
// changed a row meanwhile, which it does now and then.
const commitTries = 10

// Commit implements smi.Transaction. It plans again, since other front ends and
// the meter itself may have changed something since the test; what was prepared
// then is used if no ruleset has changed.
func (x *transaction) Commit() error {
	h := x.h
	h.sets.Lock()
	defer h.sets.Unlock()
	for range commitTries {
		seen := h.look()
		if seen.stamp.ruleSets != x.seen.ruleSets {
			x.seen, x.prepared = seen.stamp, make(map[int]Program)
		}
		p, refused := h.plan(x.vbs, seen, x.prepared)
		if refused != nil {
			return &smi.Error{Status: smi.CommitFailed, Index: smi.Refusal(refused).Index}
		}
		p.makeRoom()
		h.meter.Do(func() {
			if h.stamp() != seen.stamp {
				return
			}
			h.work = workStatement * len(p.swaps)
			for _, swap := range p.swaps {
				swap()
			}
			x.done = p
			h.open++
			h.meter.Changed()
			h.spend()
		})
		if x.done != nil {
			return nil
		}
	}
	return &smi.Error{Status: smi.CommitFailed}
}

// makeRoom waits for the flows of rulesets that are gone to be destroyed, as far
// as they are in the way of one that is to be made.
func (p *plan) makeRoom() {
	n := 0
	for _, c := range p.ruleSets.order {
		if c.old == nil {
			n++
		}
	}
	for done := n == 0; !done; {
		p.h.meter.Do(func() { done = p.h.meter.MakeRoom(n) })
	}
}

// Undo implements smi.Transaction.
func (x *transaction) Undo() error {
	x.h.sets.Lock()
	defer x.h.sets.Unlock()
	x.h.meter.Do(func() {
		if x.done == nil {
			return
		}
		for i := len(x.done.swaps) - 1; i >= 0; i-- {
			x.done.swaps[i]()
		}
		x.done.swaps = nil
		x.h.meter.Changed()
	})
	return nil
}

// Cleanup implements smi.Transaction.
func (x *transaction) Cleanup() {
	x.h.meter.Do(func() {
		if x.done == nil {
			return
		}
		x.done = nil
		if x.h.open--; x.h.open == 0 {
			x.h.meter.Settle()
		}
	})
}
