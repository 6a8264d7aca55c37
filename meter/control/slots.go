package control

import (
	"slices"

	"rtfm/meter"
	"rtfm/mib"
	"rtfm/ruleset"
)

// slot is the place of a ruleset that has run. Its number is what the flows
// bear. A ruleset that is destroyed leaves flows behind, which take a while to
// be destroyed too; another that gets its index meanwhile has another slot.
type slot struct {
	id     uint64 // mib.RuleSet.ID
	index  int
	task   *meter.Task     // nil while it does not run
	past   meter.TaskStats // of tasks that have ended
	doomed bool            // its flows are being destroyed
	// What was last notified of uncounted packets, and at which Uptime.
	fullTold, fullAt uint64
}

// number returns the number of the slot that a ruleset has, 0 if it has none.
func (c *Meter) number(index int) int { return int(c.numbers[index]) }

// renumber notes which slots the rulesets in the table have.
func (c *Meter) renumber() {
	clear(c.numbers[:])
	for n, s := range c.slots {
		if s != nil && c.held(s) {
			c.numbers[s.index] = uint8(n)
		}
	}
}

// assign returns the number of a ruleset's slot, a new one if it has none, and 0 if
// there are none left.
func (c *Meter) assign(index int) int {
	if n := c.number(index); n != 0 {
		return n
	}
	n := index
	if c.slots[n] != nil {
		n = slices.Index(c.slots[1:], nil) + 1
	}
	if n == 0 {
		return 0 // MakeRoom was not asked for
	}
	c.slots[n] = &slot{id: c.control.RuleSets.At(index).ID, index: index}
	c.numbers[index], c.indexes[n] = uint8(n), uint8(index)
	return n
}

// wanted returns the indexes of the rulesets that are to run.
func (c *Meter) wanted() []int {
	if c.control.FloodMode {
		return []int{mib.BuiltIn}
	}
	var want []int
	for _, m := range c.control.Managers.All {
		if rs := m.RuleSet(); rs != 0 {
			want = append(want, rs)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	if !c.managed && !c.hasTask() && c.cfg.Interval == 0 {
		want = append(want, mib.BuiltIn)
	}
	return want
}

// hasTask reports whether any manager has a task.
func (c *Meter) hasTask() bool {
	for _, m := range c.control.Managers.All {
		if m.Active {
			return true
		}
	}
	return false
}

// Changed implements mib.Meter: it starts and stops tasks.
func (c *Meter) Changed() {
	c.renumber()
	want := c.wanted()
	for _, s := range c.slots {
		if s != nil && s.task != nil && !(slices.Contains(want, s.index) && c.slots[c.number(s.index)] == s) {
			s.past.Add(c.meter.TaskStats(s.task))
			s.task = nil
		}
	}
	c.tasks = c.tasks[:0]
	for _, index := range want {
		n := c.assign(index)
		p := c.programOf(index)
		if n == 0 || p == nil {
			continue
		}
		s := c.slots[n]
		if s.task == nil {
			s.task = c.meter.NewTask(p, c.control.RuleSets.At(index).Name, n)
		}
		c.tasks = append(c.tasks, s.task)
	}
	c.meter.SetTasks(c.tasks)
	c.meter.SetAlarm(c.firstAlarm())
	c.rouse()
}

// Settle implements mib.Meter.
func (c *Meter) Settle() {
	c.managed = c.managed || c.hasTask()
	c.tellEnds()
	c.settleFeed()
	for n, s := range c.slots {
		if s != nil && !s.doomed && !c.held(s) {
			s.doomed = true
			c.doomed++
			c.meter.Table().Hide(n, true)
		}
	}
	if c.control.TraceGo {
		c.control.TraceGo = false
		switch c.state {
		case mib.TraceWaitingForReader:
			c.state = mib.TraceReading
		case mib.TraceEnded:
			c.dismissed = true
		}
		c.rouse()
	}
}

// held reports whether the slot's ruleset is still in its table.
func (c *Meter) held(s *slot) bool {
	rs := c.control.RuleSets.At(s.index)
	return rs != nil && rs.ID == s.id
}

// programOf returns what was prepared for a ruleset, nil if it cannot run. Those
// that were not made by Sets, as the built-in one, are prepared here.
func (c *Meter) programOf(index int) *meter.Prepared {
	row := c.control.RuleSets.At(index)
	if row.Program == nil {
		p, err := meter.Prepare(&ruleset.RuleSet{Name: row.Name, Rules: row.Rules})
		if err != nil {
			return nil
		}
		row.Program = p
	}
	return row.Program.(*meter.Prepared)
}

// Prepare implements mib.Meter.
func (c *Meter) Prepare(rs *ruleset.RuleSet) (mib.Program, error) {
	p, err := meter.Prepare(rs)
	if c.cfg.Prepared != nil {
		c.cfg.Prepared(rs, rs.Warnings(), err)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// empty destroys some flows of a doomed slot, and takes the slots back that have
// none left.
func (c *Meter) empty() {
	t := c.meter.Table()
	cleared := false
	for n, s := range c.slots {
		if s == nil || !s.doomed {
			continue
		}
		if !cleared && t.ActiveOf(n) > 0 {
			c.meter.Destroy(n)
			c.spent += clearSpent
			cleared = true
		}
		if t.ActiveOf(n) == 0 {
			c.slots[n] = nil
			t.Hide(n, false)
			c.doomed--
		}
	}
}

// MakeRoom implements mib.Meter.
func (c *Meter) MakeRoom(ruleSets int) bool {
	if c.doomed > 0 {
		c.empty()
	}
	free := ruleset.MaxRuleSets - ruleSets
	for _, s := range c.slots[1:] {
		if s != nil {
			free--
		}
	}
	for i := range c.control.RuleSets.All {
		if c.number(i) == 0 {
			free--
		}
	}
	return free >= 0 || c.doomed == 0
}
