package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rtfm/ruleset/match"

	"rtfm/mib"
	"rtfm/mib/client"
)

// ErrNoSteps is for a meter that does not wait for its reader.
var ErrNoSteps = errors.New("the meter does not meter a trace in step with a reader")

// Step waits until the meter, which meters a trace in step with its reader,
// has come to the end of an interval, collects it, and lets the trace go on.
// Ended tells when that was the last one. sets is asked for the rulesets of each collection.
//
// The collections are those of the trace's own intervals. While the meter
// waits, nothing changes; so the collector's rows are told that everything was
// collected once it is safely written.
func (k *Collector) Step(ctx context.Context, c *client.Client, sets func() ([]RuleSet, error)) (*Result, error) {
	if k.idle {
		// It has been told to go on, and has not: it may say the same for ever.
		if err := k.sleep(ctx, time.Second); err != nil {
			return nil, err
		}
	}
	t, err := k.await(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := k.beside.room(); err != nil {
		return nil, err
	}
	number := t.Collections
	if t.State == mib.TraceEnded {
		number++ // the last one is not among them
	}
	st, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	result := &Result{Status: st}
	k.idle = true
	if !st.Begun() {
		// The trace has no packets.
	} else if k.restarted(st) || k.state.Intervals < number {
		chosen, err := sets()
		if err != nil {
			return nil, err
		}
		if result, err = k.collectStep(ctx, c, st, t, number, chosen); err != nil {
			return nil, err
		}
		k.idle = false
	} else {
		result.From, result.To = k.state.To, k.state.To
	}
	if t.State == mib.TraceEnded {
		k.ended = true
	}
	err = c.ContinueTrace(ctx, t)
	if k.ended && errors.Is(err, client.ErrNoAnswer) {
		err = nil // it has ended already
	}
	return result, err
}

// await waits until the trace waits for its reader.
func (k *Collector) await(ctx context.Context, c *client.Client) (*client.Trace, error) {
	const longest = time.Second
	for pause := time.Millisecond; ; pause = min(2*pause, longest) {
		t, err := c.Trace(ctx)
		switch {
		case err != nil:
			return nil, err
		case t.State == mib.TraceNone:
			return nil, fmt.Errorf("%s: %w", c.Address(), ErrNoSteps)
		case t.State == mib.TraceWaitingForReader, t.State == mib.TraceEnded:
			return t, nil
		}
		if err := k.sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// sleep waits for some time, or returns why ctx has ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// collectStep collects a trace's interval.
func (k *Collector) collectStep(ctx context.Context, c *client.Client, st *client.Status, t *client.Trace, number uint64, sets []RuleSet) (*Result, error) {
	in := &interval{
		status: st, collected: make(map[int]uint64), number: number, at: t.To, skipped: t.PassedOver,
		restarted: k.restarted(st), to: match.Uptime(t.To, st.Start),
	}
	if err := k.forward(in); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Address(), err)
	}
	for _, s := range sets {
		in.collected[s.Index] = in.to
		if k.cfg.Passive {
			continue
		}
		r, err := k.row(ctx, c, s.Index)
		if err != nil {
			return nil, err
		}
		if r.Timeout != k.cfg.Timeout { // of an older program
			if err := c.SetReaderTimeout(ctx, r.index, k.cfg.Timeout); err != nil {
				return nil, fmt.Errorf("setting the timeout of reader %d: %w", r.index, err)
			}
		}
	}
	result, err := k.write(ctx, c, in, sets)
	if err != nil || k.cfg.Passive {
		return result, err
	}
	for _, s := range sets {
		if err := c.Collected(ctx, k.rows[s.Index].index); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// Ended tells that the last interval of the meter's trace was collected.
func (k *Collector) Ended() bool { return k.ended }
