package control

import (
	"math"

	"rtfm/ruleset/match"

	"rtfm/meter/flow"
	"rtfm/mib"
)

// ticksPerSecond is how many centiseconds of Uptime a second has.
const ticksPerSecond = 100

// upkeep does what is due at fixed times, and sets limits to the times before
// which flows must have been active last to be recovered.
//
// A flow is recovered once it has been idle for InactivityTimeout and every
// reader of its ruleset has begun two collections since its last packet: then
// the first of them has ended (RFC 2720, flowReaderLastTime; RFC 2123 section
// 2.3.6). Where no reader is registered, being idle is enough (RFC 2720: the
// meter is not aware of others). While the table is fuller than a mark, and
// from then on until it is far below, flows that all readers have collected need
// not be idle as long (RFC 2722 section 4.6); one that a reader still has to
// collect is never given up.
func (c *Meter) upkeep(limits *flow.Limits) {
	now := c.Now()
	up := match.Uptime(now, c.Start())
	for i, r := range c.control.Readers.All {
		if r.Active && r.Timeout > 0 && up > r.Seen+uint64(r.Timeout)*ticksPerSecond {
			c.control.Readers.Put(i, nil)
			c.notify(mib.Notification{Kind: mib.ReaderTimedOut, Index: i, RuleSet: r.RuleSet, Owner: r.Owner})
		}
	}
	c.interfaces.tellLost(up, func(number int, lost uint64) {
		c.notify(mib.Notification{Kind: mib.PacketsLost, Index: number, Count: lost})
	})
	c.tellFull(up)
	idle := now - int64(c.control.InactivityTimeout)*1e9
	collected := c.collected()
	full := c.full()
	for number, s := range c.slots {
		switch {
		case s == nil:
			limits[number] = math.MinInt64
		case s.doomed:
			limits[number] = math.MaxInt64
		default:
			before, read := collected[s.index]
			switch {
			case !read:
				limits[number] = idle
			case full:
				limits[number] = before
			default:
				limits[number] = min(idle, before)
			}
		}
	}
}

// collected returns for each ruleset that has readers the time before which
// flows must have been active last to have been collected by all of them.
func (c *Meter) collected() map[int]int64 {
	before := make(map[int]int64)
	for _, r := range c.control.Readers.All {
		if !r.Active {
			continue
		}
		t := c.Start() + int64(r.PreviousTime)*(1e9/ticksPerSecond)
		if b, ok := before[r.RuleSet]; !ok || t < b {
			before[r.RuleSet] = t
		}
	}
	return before
}

// over returns the number of flows that is more than this percentage of the
// flow table; 0 and 100 percent are no marks (RFC 2720).
func (c *Meter) over(percent int) int {
	if percent <= 0 || percent >= 100 {
		return math.MaxInt
	}
	return int(int64(c.meter.Table().Max())*int64(percent)/100) + 1
}

// firstAlarm returns the number of flows at which a task goes to its standby
// ruleset, or the meter into flood mode.
func (c *Meter) firstAlarm() int {
	if c.control.FloodMode {
		return math.MaxInt
	}
	first := c.over(c.control.FloodMark)
	for _, m := range c.control.Managers.All {
		if c.mayStandBy(m) {
			first = min(first, c.over(m.HighWaterMark))
		}
	}
	return first
}

// full reports whether flows that were collected are to go before they are idle:
// the table is fuller than a mark, or was when a task went to its standby ruleset
// or the meter into flood mode, and is fuller than half of that mark still.
// Otherwise the table would stay just below the mark for the inactivity timeout,
// and no manager would end what it has begun.
func (c *Meter) full() bool {
	active, mark := c.meter.Table().Active(), c.lowestMark()
	if active >= mark {
		return true
	}
	flooded := c.control.FloodMode
	for _, m := range c.control.Managers.All {
		flooded = flooded || m.Active && m.RunningStandby
	}
	return flooded && mark < math.MaxInt && active >= mark/2
}

// lowestMark returns the number of flows that is over the lowest mark of all,
// whether it has been acted on or not.
func (c *Meter) lowestMark() int {
	first := c.over(c.control.FloodMark)
	for _, m := range c.control.Managers.All {
		if m.Active {
			first = min(first, c.over(m.HighWaterMark))
		}
	}
	return first
}

func (c *Meter) mayStandBy(m *mib.Manager) bool {
	return m.Active && !m.RunningStandby && m.CurrentRuleSet != 0
}

// filled does what the alarm is for: tasks whose HighWaterMark is passed go to
// their standby rulesets, and if FloodMark is passed only the built-in ruleset
// runs on.
func (c *Meter) filled() {
	flows := c.meter.Table().Active()
	for i, m := range c.control.Managers.All {
		if c.mayStandBy(m) && flows >= c.over(m.HighWaterMark) {
			standby := *m
			standby.RunningStandby = true
			c.control.Managers.Put(i, &standby)
			c.tellStandby(i, m)
		}
	}
	if !c.control.FloodMode && flows >= c.over(c.control.FloodMark) {
		c.control.FloodMode = true
		c.tellFlood()
	}
	c.Changed()
}
