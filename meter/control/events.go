package control

import "rtfm/mib"

// told is what was notified of the flow table, so that each change is told once.
type told struct {
	flood   bool
	floods  uint64                   // how often flood mode was entered
	standby map[int]mib.Notification // of the tasks that run their standby rulesets
}

// tellEnds tells of flood mode and standby rulesets that managers have ended,
// and of flood mode that one has begun.
func (c *Meter) tellEnds() {
	if c.control.FloodMode != c.told.flood {
		c.tellFlood()
	}
	for i, begun := range c.told.standby {
		if m := c.control.Managers.At(i); m != nil && m.Active && m.RunningStandby {
			continue
		}
		delete(c.told.standby, i)
		begun.Kind, begun.Count = mib.StandbyOver, uint64(c.meter.Table().Active())
		c.notify(begun)
	}
}

// tellFlood tells that flood mode has begun or ended.
func (c *Meter) tellFlood() {
	c.told.flood = c.control.FloodMode
	kind := mib.FloodOver
	if c.told.flood {
		kind = mib.Flood
		c.told.floods++
	}
	c.notify(mib.Notification{Kind: kind, Count: uint64(c.meter.Table().Active())})
}

// tellStandby tells that a task has gone to its standby ruleset.
func (c *Meter) tellStandby(i int, m *mib.Manager) {
	n := mib.Notification{
		Kind: mib.Standby, Index: i, RuleSet: m.CurrentRuleSet, StandbyRuleSet: m.StandbyRuleSet, Owner: m.Owner,
		Count: uint64(c.meter.Table().Active()),
	}
	if c.told.standby == nil {
		c.told.standby = make(map[int]mib.Notification)
	}
	c.told.standby[i] = n
	c.notify(n)
}

// tellFull tells of each ruleset whose packets found the flow table full, at
// once and then as often as tellLost does.
func (c *Meter) tellFull(up uint64) {
	for _, s := range c.slots {
		if s == nil || s.doomed {
			continue
		}
		n := s.past.Uncounted
		if s.task != nil {
			n += c.meter.TaskStats(s.task).Uncounted
		}
		if n > s.fullTold && (s.fullTold == 0 || up >= s.fullAt+lostEvery) {
			s.fullTold, s.fullAt = n, up
			c.notify(mib.Notification{Kind: mib.TableFull, Index: s.index, RuleSet: s.index, Count: n})
		}
	}
}
