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

// knock waits for the next attempt at a meter whose session ended with an error:
// for a time, but not beyond the end of ctx or when there is another configuration.
// A meter that was away is asked each second whether it is back, and is waited for
// no longer then.
func (k *keeper) knock(ctx context.Context, failed error, longest time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var c *client.Client
	silent, away := errors.Is(failed, client.ErrNoAnswer), client.Away(failed)
	if silent || away {
		var err error
		if c, err = client.Dial(ctx, k.meter.SNMP.config(k.meter.Address)); err == nil {
			defer c.Close()
			if away && isBack(ctx, c, away) {
				away = false // what it refuses is something else
			}
		}
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
		if c != nil && (silent || away) && isBack(ctx, c, away) {
			return
		}
	}
}

// isBack reports whether a meter that gave no answer gives any. Of one that was away
// snmpd gives some: it is back when it has our objects. One that is not ours never
// has, and is left to the time that knock waits.
func isBack(ctx context.Context, c *client.Client, away bool) bool {
	p, err := c.Pulse(ctx)
	if away {
		return err == nil && p.Boot() != [8]byte{}
	}
	return !errors.Is(err, client.ErrNoAnswer) && !errors.Is(err, context.DeadlineExceeded)
}
