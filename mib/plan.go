package mib

import "rtfm/mib/smi"

// plan is what a Set would do: it is made against the meter's present state
// and changes nothing until it is carried out.
type plan struct {
	h        *Handler
	control  *Control
	uptime   uint64
	ruleSets changes[RuleSet]
	readers  changes[Reader]
	managers changes[Manager]
	// swaps change something each, and change it back when called again.
	swaps []func()
	err   *smi.Error
}

// fail notes that the variable at place at, from 1, cannot be set. Of several
// the first counts.
func (p *plan) fail(st smi.Status, at int) {
	if st != smi.NoError && (p.err == nil || at < p.err.Index) {
		p.err = &smi.Error{Status: st, Index: at}
	}
}

// plan tests a Set (RFC 3416 section 4.2.5).
func (h *Handler) plan(vbs []smi.VarBind) (*plan, *smi.Error) {
	p := &plan{h: h, control: h.meter.Control(), uptime: h.uptime()}
	for i := range vbs {
		vb := &vbs[i]
		o, index := h.object(vb.Name)
		if o == nil || o.plan == nil {
			return nil, &smi.Error{Status: smi.NotWritable, Index: i + 1}
		}
		st := o.check(&vb.Value)
		if st == smi.NoError {
			st = o.plan(p, i+1, index, &vb.Value)
		}
		if st != smi.NoError {
			return nil, &smi.Error{Status: st, Index: i + 1}
		}
	}
	p.ruleSets.resolve(p, &p.control.RuleSets)
	p.readers.resolve(p, &p.control.Readers)
	p.managers.resolve(p, &p.control.Managers)
	if p.err == nil {
		p.checkReferences()
	}
	if p.err != nil {
		return nil, p.err
	}
	return p, nil
}

// set plans to give *to another value.
func set[T any](p *plan, to *T, value T) {
	p.swaps = append(p.swaps, func() { *to, value = value, *to })
}

// change is what a Set does with a row.
type change[T any] struct {
	table    *controlTable[T]
	index    int
	first    int       // place of the first variable
	status   rowStatus // that is asked for, 0 if none is
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
func (c *change[T]) place(column uint32) int {
	for _, s := range c.columns {
		if s.column.number == column {
			return s.at
		}
	}
	if c.status != 0 {
		return c.statusAt
	}
	return c.first
}

// sets tells whether a column is set.
func (c *change[T]) sets(column uint32) bool {
	for _, s := range c.columns {
		if s.column.number == column {
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
		if cs.byIndex == nil {
			cs.byIndex = make(map[int]*change[T])
		}
		c = &change[T]{table: t, index: index, first: at}
		cs.byIndex[index] = c
		cs.order = append(cs.order, c)
	}
	return c
}

// row returns the row with this index as it will be, nil for none.
func (cs *changes[T]) row(rows *Rows[T], index int) *T {
	if c := cs.byIndex[index]; c != nil {
		return c.new
	}
	return rows.At(index)
}

func (cs *changes[T]) resolve(p *plan, rows *Rows[T]) {
	for _, c := range cs.order {
		c.resolve(p, rows)
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
	create := c.status == statusCreateAndGo || c.status == statusCreateAndWait
	switch {
	case t.locked(c.index):
		p.fail(smi.NotWritable, c.first)
		return
	case c.status == statusDestroy:
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
	row.Active = c.status == statusActive || c.status == statusCreateAndGo || c.status == 0 && wasActive
	for _, s := range c.columns {
		if wasActive && row.Active && !s.column.whileActive {
			p.fail(t.refusal, s.at)
			continue
		}
		s.column.set(p, c.old, c.new, s.value)
	}
	t.finish(p, c)
	switch ready := t.ready(c.new); {
	case !ready && row.Active, !ready && c.status == statusNotInService:
		p.fail(smi.InconsistentValue, c.place(0))
	}
}

// checkReferences tests what rows say of rows in other tables.
func (p *plan) checkReferences() {
	for _, c := range p.managers.order {
		if c.new == nil {
			continue
		}
		p.checkTask(c, c.new.CurrentRuleSet, columnManagerCurrent)
		p.checkTask(c, c.new.StandbyRuleSet, columnManagerStandby)
	}
	for _, c := range p.readers.order {
		if c.new != nil && c.sets(columnReaderRuleSet) && p.ruleSets.row(&p.control.RuleSets, c.new.RuleSet) == nil {
			p.fail(smi.InconsistentValue, c.place(columnReaderRuleSet))
		}
	}
	for _, c := range p.ruleSets.order {
		if c.old != nil && c.old.Active && (c.new == nil || !c.new.Active) && p.referenced(c.index) {
			p.fail(smi.InconsistentValue, c.statusAt)
		}
	}
}

// checkTask tests that a task's ruleset is there and active.
func (p *plan) checkTask(c *change[Manager], ruleSet int, column uint32) {
	if ruleSet == 0 {
		return
	}
	if rs := p.ruleSets.row(&p.control.RuleSets, ruleSet); rs == nil || !rs.Active {
		if c.sets(column) || c.status != 0 {
			p.fail(smi.InconsistentValue, c.place(column))
		}
	}
}

// referenced tells whether a task will have this ruleset.
func (p *plan) referenced(ruleSet int) bool {
	has := func(m *Manager) bool {
		return m != nil && (m.CurrentRuleSet == ruleSet || m.StandbyRuleSet == ruleSet)
	}
	for i, m := range p.control.Managers.All {
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
	h    *Handler
	vbs  []smi.VarBind
	done *plan // nil until it is committed
}

// Test implements smi.Handler.
func (h *Handler) Test(vbs []smi.VarBind) (smi.Transaction, *smi.Error) {
	var err *smi.Error
	h.meter.Do(func() { _, err = h.plan(vbs) })
	if err != nil {
		return nil, err
	}
	return &transaction{h: h, vbs: vbs}, nil
}

// Commit implements smi.Transaction. It plans anew, since other front ends
// and the meter itself may have changed something since the test.
func (x *transaction) Commit() (err *smi.Error) {
	x.h.meter.Do(func() {
		p, refused := x.h.plan(x.vbs)
		if refused != nil {
			err = &smi.Error{Status: smi.CommitFailed, Index: refused.Index}
			return
		}
		for _, swap := range p.swaps {
			swap()
		}
		x.done = p
		x.h.open++
		x.h.meter.Changed()
	})
	return err
}

// Undo implements smi.Transaction.
func (x *transaction) Undo() *smi.Error {
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
