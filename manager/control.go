package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/reader"
	"rtfm/ruleset"
)

// control brings a meter's control tables to where its configuration wants
// them, and finds out whether they are still there. All that it does can be
// done again: rows that are right are left alone, so a manager that was killed
// goes on where it was.
type control struct {
	meter  *Meter
	client *client.Client
	log    *slog.Logger

	// What was found or made in the meter:
	status   *client.Status
	ruleSets map[*ruleset.RuleSet]int // index of each
	tasks    []int                    // row of each of the Meter's
	// retired are rulesets of ours that the configuration has no more. They
	// stop at once, and go when their last flows were collected.
	retired []reader.RuleSet
	kept    []int // those of which it was told that they wait for others
	holds   holds
	entered uint64 // how often the meter went into flood mode and was not told of

	feed        *client.Feed // as it was when it was looked at last, nil if it was not
	feedRefused bool         // it cannot be set
}

// sets returns the rulesets to be collected.
func (c *control) sets() []reader.RuleSet {
	sets := slices.Clone(c.retired)
	for rs, i := range c.ruleSets {
		sets = append(sets, reader.RuleSet{Index: i, Rules: rs})
	}
	slices.SortFunc(sets, func(a, b reader.RuleSet) int { return cmp.Compare(a.Index, b.Index) })
	return sets
}

// collected returns the rulesets whose flows go into the file: those that the
// meter runs for this manager, and the built-in one, which counts what the meter
// sees before it has a task and in flood mode. That one needs a row for its
// reader as they do; where the configuration has none left it is not collected.
func (c *control) collected() []reader.RuleSet {
	sets := c.sets()
	if rows := c.meter.Rows.Readers; rows.Last-rows.First+1 <= len(sets) {
		return sets
	}
	return append([]reader.RuleSet{{Index: mib.BuiltIn, Rules: ruleset.Default(), Beside: true}}, sets...)
}

// nameOf returns the name that a ruleset has in meters. It tells by the rules
// themselves whether a ruleset of a meter is the one that is wanted.
func nameOf(rs *ruleset.RuleSet) string { return shortName(rs) + " " + rs.Hash() }

// shortName returns that name without what tells of the rules.
func shortName(rs *ruleset.RuleSet) string { return rs.Name[:min(len(rs.Name), longestName)] }

// longestName is what flowRuleInfoName, which has 127 octets, has room for beside a hash.
const longestName = 127 - ruleset.HashLen - 1

// settings makes the settings of the whole meter those of the configuration.
func (c *control) settings(ctx context.Context) (err error) {
	if c.status, err = c.client.Status(ctx); err != nil {
		return err
	}
	if n := c.meter.FloodMark; n != nil && *n != c.status.FloodMark {
		if err := c.client.SetFloodMark(ctx, *n); err != nil {
			return err
		}
	}
	if n := c.meter.InactivityTimeout; n != nil && *n != c.status.InactivityTimeout {
		if err := c.client.SetInactivityTimeout(ctx, *n); err != nil {
			return err
		}
	}
	if err := c.setFeed(ctx); err != nil {
		return err
	}
	if len(c.meter.Sampling) == 0 {
		return nil
	}
	interfaces, err := c.client.Interfaces(ctx)
	if err != nil {
		return err
	}
	for i, n := range c.meter.Sampling {
		switch is := interfaces.At(i); {
		case is == nil:
			c.log.Warn("the meter has no such interface to sample", "interface", i)
		case is.SampleRate != n:
			if err := c.client.SetSampleRate(ctx, i, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// download finds the rulesets in the meter, and puts there those that are
// missing. Others of the same owner are retired, half a ruleset is removed.
func (c *control) download(ctx context.Context) error {
	rows, err := c.client.RuleSets(ctx)
	if err != nil {
		return err
	}
	wanted := c.meter.RuleSets()
	before := c.sets()
	c.ruleSets = make(map[*ruleset.RuleSet]int)
	c.retired = nil
	rules := 0 // that were read
	for i, row := range rows.All {
		if row.Owner != c.meter.Owner || !c.meter.Rows.RuleSets.Contains(i) {
			continue
		}
		at := slices.IndexFunc(wanted, func(rs *ruleset.RuleSet) bool {
			return c.ruleSets[rs] == 0 && row.Name == nameOf(rs) && row.Size == len(rs.Rules)
		})
		switch {
		case row.Active && at >= 0:
			c.ruleSets[wanted[at]] = i
		case row.Active:
			// Its FORMAT is known only if this manager put it there.
			old := reader.RuleSet{Index: i}
			if at := slices.IndexFunc(before, func(s reader.RuleSet) bool { return s.Index == i && nameOf(s.Rules) == row.Name }); at >= 0 {
				old.Rules = before[at].Rules
			} else if old.Rules, err = c.client.RuleSet(ctx, i); err != nil {
				return err
			}
			if rules += len(old.Rules.Rules); rules > client.MaxRules {
				return fmt.Errorf("%s: %w", c.client.Address(), client.ErrManyRules)
			}
			c.retired = append(c.retired, old)
		default:
			if err := c.client.DestroyRuleSet(ctx, i); err != nil {
				return err
			}
			rows.Put(i, nil)
		}
	}
	for _, rs := range wanted {
		if c.ruleSets[rs] != 0 {
			continue
		}
		i, err := c.put(ctx, rs, func(i int) bool {
			// Number i is free, and no other ruleset's own.
			return rows.At(i) == nil && (i == rs.Number || !slices.ContainsFunc(wanted, func(o *ruleset.RuleSet) bool { return o.Number == i }))
		})
		if err != nil {
			return err
		}
		c.ruleSets[rs] = i
		rows.Put(i, &client.RuleSetInfo{})
		c.log.Info("ruleset downloaded", "ruleset", rs.Name, "index", i, "rules", len(rs.Rules))
	}
	return nil
}

// put downloads a ruleset to a free row: its own number if it can be had.
func (c *control) put(ctx context.Context, rs *ruleset.RuleSet, free func(int) bool) (int, error) {
	named := *rs
	named.Name = nameOf(rs)
	return c.create(c.meter.Rows.RuleSets, rs.Number, "ruleset", free, func(i int) error {
		return c.client.PutRuleSet(ctx, i, c.meter.Owner, &named)
	})
}

// create makes a row with the index preferred if that is free, else with the
// first in the range that is. Rows that others make meanwhile are passed over.
func (c *control) create(r Range, preferred int, what string, free func(int) bool, put func(int) error) (int, error) {
	try := func(i int) (bool, error) {
		if !free(i) {
			return false, nil
		}
		err := put(i)
		if errors.Is(err, client.ErrExists) {
			return false, nil
		}
		return err == nil, err
	}
	if r.Contains(preferred) {
		if ok, err := try(preferred); ok || err != nil {
			return preferred, err
		}
	}
	for i := r.First; i <= r.Last; i++ {
		if ok, err := try(i); ok || err != nil {
			return i, err
		}
	}
	return 0, fmt.Errorf("%s: no row is free for another %s, of those from %d to %d", c.client.Address(), what, r.First, r.Last)
}

// want returns the task as it should be at a time.
func (c *control) want(t *Task, at time.Time) mib.Manager {
	return mib.Manager{
		Row:            mib.Row{Owner: c.meter.Owner, Active: true},
		CurrentRuleSet: c.ruleSets[t.Current(at)], StandbyRuleSet: c.ruleSets[t.Standby],
		HighWaterMark: t.HighWaterMark,
	}
}

// run makes the meter's tasks those of the configuration, as they should be at
// a time; others of the same owner end.
func (c *control) run(ctx context.Context, at time.Time) error {
	rows, err := c.client.Managers(ctx)
	if err != nil {
		return err
	}
	var ours []int
	for i, row := range rows.All {
		if row.Owner == c.meter.Owner && c.meter.Rows.Tasks.Contains(i) {
			ours = append(ours, i)
		}
	}
	c.tasks = c.tasks[:0]
	var idle []int // to be started, all at once: a trace waits for one only
	for n := range c.meter.Tasks {
		want := c.want(&c.meter.Tasks[n], at)
		if n < len(ours) {
			started, err := c.adopt(ctx, ours[n], rows.At(ours[n]), want)
			if err != nil {
				return err
			}
			if !started {
				idle = append(idle, ours[n])
			}
			c.tasks = append(c.tasks, ours[n])
			continue
		}
		i, err := c.create(c.meter.Rows.Tasks, 0, "task",
			func(i int) bool { return rows.At(i) == nil },
			func(i int) error { return c.client.CreateManager(ctx, i, &want) })
		if err != nil {
			return err
		}
		rows.Put(i, &want)
		c.tasks, idle = append(c.tasks, i), append(idle, i)
	}
	if len(idle) > 0 {
		if err := c.client.StartManagers(ctx, idle...); err != nil {
			return err
		}
		for n, i := range c.tasks {
			if slices.Contains(idle, i) {
				want := c.want(&c.meter.Tasks[n], at)
				c.log.Info("task started", "task", i, "ruleset", want.CurrentRuleSet, "standby", want.StandbyRuleSet)
			}
		}
	}
	for _, i := range ours[min(len(c.tasks), len(ours)):] {
		if err := c.client.DestroyManager(ctx, i); err != nil {
			return err
		}
		c.log.Info("task ended", "task", i)
	}
	return nil
}

// adopt makes a task that is there the one that is wanted, and reports whether it
// is started.
func (c *control) adopt(ctx context.Context, i int, is *mib.Manager, want mib.Manager) (started bool, err error) {
	want.RunningStandby = is.RunningStandby && want.StandbyRuleSet != 0
	switch {
	case !is.Active:
		// It never ran, or does no more: make it again.
		if err := c.client.DestroyManager(ctx, i); err != nil {
			return false, err
		}
		return false, c.client.CreateManager(ctx, i, &want)
	case sameTask(is, &want) && is.RunningStandby == want.RunningStandby:
		return true, nil
	}
	c.log.Info("task changed", "task", i, "ruleset", want.CurrentRuleSet, "standby", want.StandbyRuleSet)
	return true, c.client.SetManager(ctx, i, &want)
}

// sameTask reports whether two tasks run the same; which of their rulesets does
// is left aside.
func sameTask(a, b *mib.Manager) bool {
	return a.Active == b.Active && a.Owner == b.Owner && a.CurrentRuleSet == b.CurrentRuleSet &&
		a.StandbyRuleSet == b.StandbyRuleSet && a.HighWaterMark == b.HighWaterMark
}

// floodsSince adds the floods since before, which was made of the meter earlier,
// if it was, to those that are to be told.
func (c *control) floodsSince(before *control) {
	switch {
	case before == nil || before.status == nil:
	case c.status.Restarted(before.status):
		c.entered += c.status.Counts.Floods
	default:
		c.entered += c.status.Counts.Floods - before.status.Counts.Floods
	}
}

// errRowsChanged means that the meter's tables are not as they were left.
var errRowsChanged = errors.New("the meter's tasks are not as they were left")

// errRestarted means that the meter was started again.
var errRestarted = errors.New("the meter was restarted")

// condition is how full a meter's flow table is.
type condition struct {
	flood   bool
	standby bool // a task of ours runs its standby ruleset
}

// watch finds out how the meter is: errRestarted if it must be told everything
// anew, errRowsChanged if something that it was told has gone. It ends standby
// and flood mode when the flood has receded.
func (c *control) watch(ctx context.Context, at time.Time) (condition, error) {
	var now condition
	before := c.status
	st, err := c.client.Status(ctx)
	if err != nil {
		return now, err
	}
	if st.Restarted(before) {
		return now, errRestarted
	}
	c.status = st
	c.entered += st.Counts.Floods - before.Counts.Floods
	if err := c.setFeed(ctx); err != nil {
		return now, err
	}
	rows, err := c.client.Managers(ctx)
	if err != nil {
		return now, err
	}
	if st.FloodMode {
		now.flood = true
		if c.mayEnd(wholeMeter, st.FloodMark, at) {
			if err := c.client.SetFloodMode(ctx, false); err != nil {
				return now, err
			}
			now.flood = false
			c.holds.end(wholeMeter, at)
			c.log.Info("the flood has receded: the meter runs all tasks again", "flows", st.ActiveFlows)
		}
	} else {
		c.holds.end(wholeMeter, at)
	}
	for n, i := range c.tasks {
		row := rows.At(i)
		want := c.want(&c.meter.Tasks[n], at)
		if row == nil || !sameTask(row, &want) {
			return now, errRowsChanged
		}
		if !row.RunningStandby {
			c.holds.end(n, at)
			continue
		}
		if !c.mayEnd(n, row.HighWaterMark, at) || now.flood {
			now.standby = true
			continue
		}
		if err := c.client.SetRunningStandby(ctx, i, false); err != nil {
			return now, err
		}
		c.holds.end(n, at)
		c.log.Info("the flood has receded: task runs its current ruleset again", "task", i, "flows", st.ActiveFlows)
	}
	return now, nil
}

// mayEnd reports whether a task may return from its standby ruleset, or the whole
// meter from flood mode: the flow table has receded from the mark, and what was
// ended too early before is held longer.
func (c *control) mayEnd(what, mark int, at time.Time) bool {
	interval := c.meter.Interval
	if c.meter.Trace {
		interval = 0 // it is looked at once an interval of the trace
	}
	held := !c.holds.over(what, at, interval)
	return !held && c.receded(mark)
}

// receded reports whether the flow table is so much emptier than a mark, in
// percent, that it will not be crossed again at once.
func (c *control) receded(mark int) bool {
	return c.status.ActiveFlows*400 < c.status.MaxFlows*mark*3
}

// removeRetired removes the rulesets that were retired, and with them what is
// left of their flows, and the rows of their readers. A ruleset waits while it
// has flows and readers of others: the meter recovers the flows when all readers
// have collected them, and forgets readers that do not come. At the end, when
// there is no more waiting, only our readers go: what began with this owner is
// found again by its next manager.
func (c *control) removeRetired(ctx context.Context, end bool) error {
	if len(c.retired) == 0 {
		return nil
	}
	readers, err := c.client.Readers(ctx)
	if err != nil {
		return err
	}
	sets, err := c.client.RuleSets(ctx)
	if err != nil {
		return err
	}
	for n := 0; n < len(c.retired); {
		old := c.retired[n].Index
		var ours []int
		var waits *mib.Reader
		for i, r := range readers.All {
			switch {
			case r.RuleSet != old || !r.Active:
			case r.Owner == c.meter.Owner && c.meter.Rows.Readers.Contains(i):
				ours = append(ours, i)
			case sets.At(old) != nil && sets.At(old).Flows > 0:
				waits = r
			}
		}
		if waits == nil || end {
			for _, i := range ours {
				if err := c.client.DestroyReader(ctx, i); err != nil {
					return err
				}
			}
		}
		if waits != nil {
			if !slices.Contains(c.kept, old) {
				c.kept = append(c.kept, old)
				c.log.Warn("ruleset stays in the meter until another reader has collected its flows", "index", old, "reader", waits.Owner)
			}
			n++
			continue
		}
		if err := c.client.DestroyRuleSet(ctx, old); err != nil {
			return err
		}
		c.log.Info("ruleset removed", "index", old)
		c.retired = slices.Delete(c.retired, n, n+1)
	}
	return nil
}

// leaveBuiltIn removes our reader of the built-in ruleset.
func (c *control) leaveBuiltIn(ctx context.Context) error {
	readers, err := c.client.Readers(ctx)
	if err != nil {
		return err
	}
	for i, r := range readers.All {
		if r.RuleSet == mib.BuiltIn && r.Owner == c.meter.Owner && c.meter.Rows.Readers.Contains(i) {
			if err := c.client.DestroyReader(ctx, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// endTasks ends all tasks of ours: nothing more is counted.
func (c *control) endTasks(ctx context.Context) error {
	for len(c.tasks) > 0 {
		if err := c.client.DestroyManager(ctx, c.tasks[0]); err != nil {
			return err
		}
		c.tasks = c.tasks[1:]
	}
	return nil
}

// retireAll marks all rulesets of ours to be removed.
func (c *control) retireAll() {
	c.retired, c.ruleSets = c.sets(), nil
}
