package manager

import (
	"context"
	"errors"
	"time"

	"rtfm/mib/client"
)

// feelPulse makes a last collection from a meter that is about to end, once, and
// returns errRestarted for one that is another. One that does not answer at once
// is left to those who have more patience.
func (k *keeper) feelPulse(ctx context.Context) error {
	p, err := k.control.client.Pulse(ctx)
	switch {
	case err != nil:
		return nil
	case p.Restarted(k.control.status):
		return errRestarted
	case !p.Ending || k.parted == p.Boot():
		return nil
	}
	if err := k.collectNow(ctx); err != nil {
		return err
	}
	k.parted = p.Boot()
	k.well()
	k.log.Warn("the meter is about to end: its flows were collected")
	return nil
}

// knock waits until the meter gives any answer, but not longer than for a time,
// nor beyond the end of ctx or when there is another configuration.
func (k *keeper) knock(ctx context.Context, longest time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	c, err := client.Dial(ctx, k.meter.SNMP.config(k.meter.Address))
	if err == nil {
		defer c.Close()
	}
	for {
		select {
		case <-time.After(client.PulseEvery):
		case m := <-k.news:
			k.meter = m
			return
		case <-ctx.Done():
			return
		}
		if c == nil {
			continue
		}
		if _, err := c.Pulse(ctx); !errors.Is(err, client.ErrNoAnswer) && !errors.Is(err, context.DeadlineExceeded) {
			return
		}
	}
}
