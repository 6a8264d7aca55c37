package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rtfm/mib/client"
	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// reading is a collection of a meter over SNMP that is being read. It is a
// record.From.
type reading struct {
	*Collector
	ctx    context.Context
	client *client.Client
	in     *interval
	sets   []RuleSet
	// What is to be remembered before and after the collection.
	before, next *State
	levels       record.Levels

	alone uint64 // as Collector.alone once the collection has succeeded
	read  record.Readings
}

// Collection implements record.From.
func (r *reading) Collection() *record.Collection {
	c := &record.Collection{
		Meter: r.cfg.Header.Meter, Epoch: r.before.Epoch, From: r.before.ToNs, To: r.in.at,
		First: r.before.To == 0, Skipped: r.in.skipped,
	}
	if r.beside != nil {
		c.Postponed = r.beside.postponed
	}
	if c.First {
		c.From = c.Epoch
	}
	if c.Boot = r.before.Boot; c.Boot == "" {
		c.Boot = record.BootOf(c.Epoch)
	}
	if r.asRows() || r.cfg.Watch != nil {
		c.RuleSets = r.identities(r.sets)
	}
	return c
}

// identities returns what rows tell of rulesets.
func (k *Collector) identities(sets []RuleSet) (all []record.RuleSet) {
	known := make(map[*ruleset.RuleSet]record.RuleSet)
	for _, s := range sets {
		rs, ok := k.sets[s.Rules]
		if !ok {
			rs = record.RuleSetOf(s.Index, s.Rules)
		}
		rs.Number = s.Index
		known[s.Rules] = rs
		all = append(all, rs)
	}
	k.sets = known
	return all
}

// Flows implements record.From.
func (r *reading) Flows(put func(*match.Flow, *record.Counters) error) error {
	var flows int
	for i := range r.sets {
		since := r.before.Collected[r.sets[i].Index]
		err := r.client.Flows(r.ctx, r.query(r.in, &r.sets[i], r.sets), func(f *match.Flow) error {
			if r.in.to >= since+marks && match.Uptime(f.LastTime, r.next.Epoch) < since {
				return nil
			}
			if flows++; flows > r.maxFlows() {
				return fmt.Errorf("%w: it has more than %d flows: max-flows allows more", ErrLimit, r.maxFlows())
			}
			return put(f, r.counted(f))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// counted returns what f has counted in the interval, nil if that is not known or
// not asked for.
func (r *reading) counted(f *match.Flow) *record.Counters {
	if !r.differs {
		return nil
	}
	if !r.cfg.Once {
		r.read.Add(f)
	}
	if delta, exact := r.deltas.Peek(f); exact || match.Uptime(f.FirstTime, r.next.Epoch) >= r.alone {
		return &delta
	}
	return nil
}

// Summary implements record.From.
func (r *reading) Summary(collected func(ruleSet int) *uint64) (*record.Summary, error) {
	if err := r.same(r.ctx, r.client, r.in.status); err != nil {
		return nil, err
	}
	if err := r.intend(*r.before, r.next); err != nil {
		return nil, err
	}
	sum := record.Summarize(&r.next.Counts, &r.before.Counts, r.levels, collected)
	return &sum, nil
}

// intend remembers what is to be remembered once the end of the collection is
// written, so that nothing is lost if the process ends just after it.
func (k *Collector) intend(before State, next *State) error {
	before.Next = next
	if err := k.out.Remember(&before); err != nil {
		return fmt.Errorf("remembering what is collected: %w", err)
	}
	return nil
}

// same makes sure that the meter is still the same that it was when the
// collection began.
func (k *Collector) same(ctx context.Context, c *client.Client, before *client.Status) error {
	after, err := c.Status(ctx)
	if err == nil && after.Restarted(before) {
		err = fmt.Errorf("%s: %w", c.Address(), errRestarted)
	}
	return err
}

var errRestarted = errors.New("the meter was restarted while it was read")

// marks is how many Uptimes TimeTicks can tell apart. Beyond them only exact
// times tell which they are, and a TimeMark names none that is longer ago.
const marks = 1 << 32

// query returns what to read of a ruleset, given those that are read.
func (k *Collector) query(in *interval, s *RuleSet, sets []RuleSet) *client.FlowQuery {
	since := k.state.Collected[s.Index]
	if in.to >= since+marks {
		since = 0 // write leaves out what comes too much
	}
	q := &client.FlowQuery{
		RuleSet: s.Index, Since: since, Uptime: in.to, Epoch: k.state.Epoch,
		Attrs: s.Rules.Saves(), MaxFlows: in.status.MaxFlows, Method: client.Blocks,
		Exact: in.status.Extension && (k.asRows() || in.to >= marks || slices.ContainsFunc(k.columns(sets).Fields, func(fd ruleset.Field) bool {
			return fd.Attr >= attr.FirstTimeNs && fd.Attr <= attr.SavedAttributes
		})),
	}
	if !in.status.Extension {
		q.Method = client.Packages
	}
	if k.cfg.Format != nil && !k.asRows() {
		for _, fd := range k.cfg.Format.Fields {
			if fd.Attr.Readable() {
				q.Attrs = append(q.Attrs, fd.Attr)
			}
		}
	}
	return q
}
