package manager

import (
	"context"

	"rtfm/reader"
)

// inStep makes collections whenever a meter that meters a trace waits for one,
// until the trace or ctx ends. A meter that waits keeps its flows, so the end
// of ctx needs no last collection.
func (k *keeper) inStep(ctx, work context.Context) error {
	// What the meter is told while it waits holds from the next interval on, and
	// changes nothing of what is collected.
	sets := func() ([]reader.RuleSet, error) {
		if err := k.takeTurns(ctx, k.now()); err != nil {
			return nil, err
		}
		return k.control.collected(), k.look(ctx)
	}
	for {
		_, err := k.collector.Step(ctx, k.control.client, sets)
		switch {
		case k.collector.Ended():
			if err != nil {
				// It ends when it is told to go on, and may not answer that.
				k.log.Warn("the trace has ended, and was collected", "error", err)
				return nil
			}
			k.log.Info("the trace has ended")
			return nil
		case ctx.Err() != nil && k.remove.Load():
			return k.finish(work)
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		k.well()
	}
}
