package reader

import (
	"context"
	"fmt"
	"io"

	"rtfm/mib/client"
	"rtfm/ruleset"
)

// Rules reads rulesets from a meter, and again only when they have changed.
// The zero value is ready.
type Rules struct {
	known map[int]rules
}

type rules struct {
	changed uint32 // when, by the meter
	*ruleset.RuleSet
}

// Running returns the rulesets that the meter's tasks run, or have run when it
// was called before, in order of index: a ruleset that was stopped since has
// flows that are still to be read.
func (r *Rules) Running(ctx context.Context, c *client.Client) ([]RuleSet, error) {
	tasks, err := c.Managers(ctx)
	if err != nil {
		return nil, err
	}
	wanted := make(map[int]bool)
	for _, m := range tasks.All {
		if i := m.RuleSet(); i != 0 {
			wanted[i] = true
		}
	}
	for i := range r.known {
		wanted[i] = true
	}
	return r.choose(ctx, c, func(i int) bool { return wanted[i] })
}

// One returns the ruleset with this index; none if the meter has not got it.
func (r *Rules) One(ctx context.Context, c *client.Client, index int) ([]RuleSet, error) {
	return r.choose(ctx, c, func(i int) bool { return i == index })
}

func (r *Rules) choose(ctx context.Context, c *client.Client, wanted func(int) bool) ([]RuleSet, error) {
	infos, err := c.RuleSets(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[int]rules)
	var sets []RuleSet
	all := 0
	for i, info := range infos.All {
		if !wanted(i) {
			continue
		}
		rs, ok := r.known[i]
		if !ok || rs.changed != info.TimeStamp || rs.Name != info.Name || len(rs.Rules) != info.Size {
			rs.changed = info.TimeStamp
			if rs.RuleSet, err = c.RuleSet(ctx, i); err != nil {
				return nil, err
			}
		}
		if all += len(rs.Rules); all > client.MaxRules {
			return nil, fmt.Errorf("%s: %w", c.Address(), client.ErrManyRules)
		}
		known[i] = rs
		sets = append(sets, RuleSet{Index: i, Rules: rs.RuleSet})
	}
	r.known = known
	return sets, nil
}

// Stream is an Output that cannot go back: what is written of a collection
// that fails stays.
type Stream struct {
	W      io.Writer
	headed bool
}

// Append implements Output.
func (s *Stream) Append(write func(w io.Writer, fresh bool) error) error {
	err := write(s.W, !s.headed)
	s.headed = true
	return err
}

// Remember implements Output.
func (s *Stream) Remember(*State) error { return nil }
