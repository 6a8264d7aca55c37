package reader

import (
	"context"

	"rtfm/mib/client"
)

// Register gives the Collector its rows in the meter for these rulesets: those
// that are there, else new ones. When that is done before a ruleset runs, the
// meter recovers no flow of it before the first collection.
func (k *Collector) Register(ctx context.Context, c *client.Client, sets []RuleSet) error {
	k.rows = nil
	for _, s := range sets {
		if _, err := k.row(ctx, c, s.Index); err != nil {
			return err
		}
	}
	return nil
}
