package client

import (
	"context"
	"fmt"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// Trace is how far a meter is with its trace.
type Trace struct {
	State mib.TraceState
	// Collections is the number of intervals that have ended, To the end of the
	// latest, in nanoseconds since 1970-01-01 00:00:00 UTC. PassedOver is how
	// many intervals just before it had no packets and were passed over.
	Collections uint64
	// Collected is the number of intervals that were collected, the last one
	// included; -1 if the meter does not tell.
	Collected  int64
	To         int64
	PassedOver int
}

// Trace reads how far the meter is with its trace. A meter without the
// extension is one that meters for itself.
func (c *Client) Trace(ctx context.Context) (*Trace, error) {
	vars, err := c.get(ctx, module.RtfmTraceState.At(0), module.RtfmTraceCollections.At(0), module.RtfmTraceToTime.At(0), module.RtfmTracePassedOver.At(0), module.RtfmTraceCollected.At(0), module.RtfmTraceToExact.At(0))
	if err != nil {
		return nil, err
	}
	if absent(&vars[0]) {
		return &Trace{State: mib.TraceNone}, nil
	}
	var r values
	t := &Trace{
		State:       mib.TraceState(r.int(&vars[0], int(mib.TraceNone), int(mib.TraceEnded))),
		Collections: r.uint(&vars[1], smi.Counter64),
		To:          r.time(&vars[5], &vars[2]),
		PassedOver:  int(r.count(&vars[3])),
		Collected:   -1,
	}
	if vars[4].Value.Type == smi.Gauge32 { // not of an older program
		t.Collected = int64(r.uint(&vars[4], smi.Gauge32))
	}
	if r.err != nil {
		return nil, c.wrap(fmt.Errorf("reading the trace's state: %w", r.err))
	}
	return t, nil
}

// ContinueTrace lets a meter that waits for its flows to be read go on, or end
// if its trace has ended. before is what Trace said. Should the request come to the
// meter twice, or be asked again for want of an answer, the second one changes
// nothing. An older meter is asked again only if it still waits with the same number
// of intervals, so that none is passed over.
func (c *Client) ContinueTrace(ctx context.Context, before *Trace) error {
	went := func() (bool, error) {
		t, err := c.Trace(ctx)
		return err == nil && (t.Collections != before.Collections || t.State == mib.TraceReading), err
	}
	goOn := integer(module.RtfmTraceState.At(0), int(mib.TraceReading))
	if before.Collected >= 0 {
		goOn = smi.VarBind{Name: module.RtfmTraceCollected.At(0)}
		goOn.Value.SetUint(smi.Gauge32, uint64(before.Collected)+1)
	}
	if err := c.set(ctx, went, goOn); err != nil {
		return fmt.Errorf("letting the trace go on: %w", err)
	}
	return nil
}
