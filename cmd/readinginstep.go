package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rtfm/mib/client"
	"rtfm/reader"
)

// inStep makes collections whenever the meter waits for one, until its trace
// ends.
func (r *reading) inStep(ctx context.Context) error {
	met := false // the meter has met a step
	said := ""
	for !r.collector.Ended() {
		_, err := r.collector.Step(ctx, r.client, func() ([]reader.RuleSet, error) { return r.sets(ctx) })
		switch {
		case ctx.Err() != nil:
			return nil // the meter waits, and keeps its flows
		case err == nil:
			met, said = true, ""
			continue
		case errors.Is(err, client.ErrNoAnswer), errors.Is(err, reader.ErrSpoolFull):
		case !met && !r.options.passive && mayNotWrite(err):
			return fmt.Errorf("%w; a reader in step writes to flowReaderInfoTable, unless it is --passive, and to rtfmTraceState", err)
		case !met || !mayPass(err):
			return err
		}
		if r.watch != nil {
			r.watch.Reached(false)
		}
		if err.Error() != said {
			said = err.Error()
			r.log.Error("no collection", "error", err)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	return nil
}

// mayPass reports whether an error is of an agent that is there again, but not yet
// with the meter behind it.
func mayPass(err error) bool {
	return client.Away(err) || errors.Is(err, client.ErrNonsense) || errors.Is(err, client.ErrAccess) || errors.Is(err, reader.ErrNoSteps)
}

// mayNotWrite reports whether the agent has refused to set something.
func mayNotWrite(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && errors.Is(refused, client.ErrAccess)
}
