package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"rtfm/mib/client"
	"rtfm/reader"
	"rtfm/reader/metrics"
)

// reading is a running `rtfm reader`.
type reading struct {
	options   *readerOptions
	client    *client.Client
	collector *reader.Collector
	out       reader.Output
	file      *reader.File // out, if that is one
	rules     reader.Rules
	log       *slog.Logger
	stdout    io.Writer
	page      reader.Stream      // what print is to show
	hinted    bool               // at --passive
	full      bool               // the spool is
	result    *reader.Result     // of the latest collection
	watch     *metrics.Collected // nil if nobody asks for numbers
	parted    [8]byte            // the meter's boot identifier when it was collected before it ended
}

// run makes the collections that the options ask for.
func (r *reading) run(ctx context.Context) error {
	switch {
	case r.options.once:
		return r.print(ctx)
	case r.options.trace:
		return r.inStep(ctx)
	}
	return r.collect(ctx)
}

// sets returns the rulesets to collect.
func (r *reading) sets(ctx context.Context) ([]reader.RuleSet, error) {
	if r.options.ruleSet == 0 {
		return r.rules.Running(ctx, r.client)
	}
	sets, err := r.rules.One(ctx, r.client, r.options.ruleSet)
	if err == nil && len(sets) == 0 {
		err = fmt.Errorf("%s: the meter has no ruleset %d", r.client.Address(), r.options.ruleSet)
	}
	return sets, err
}

// collectOnce makes one collection.
func (r *reading) collectOnce(ctx context.Context) error {
	sets, err := r.sets(ctx)
	if err != nil {
		return err
	}
	result, err := r.collector.Collect(ctx, r.client, sets)
	if err != nil {
		return err
	}
	if r.full {
		r.full = false
		r.log.Info("the spool has room: collections are made again")
	}
	if r.result = result; result.Restarted {
		r.log.Warn("the meter was restarted")
		r.rules = reader.Rules{}
	}
	return nil
}

// collect makes collections until ctx ends, and a last one then.
func (r *reading) collect(ctx context.Context) error {
	if !r.options.watch {
		defer finishing(ctx)()
	}
	every := seconds(r.options.interval)
	for {
		var err error
		if r.options.watch {
			err = r.print(ctx)
		} else {
			err = r.collectOnce(ctx)
		}
		if err != nil && ctx.Err() == nil {
			r.noCollection(err)
			if r.watch != nil {
				r.watch.Reached(false)
			}
			if !r.hinted && !r.options.passive && mayNotWrite(err) {
				r.log.Warn("this reader may not write to the meter, where it registers (flowReaderInfoTable): let it, or have it only read, with --passive")
				r.hinted = true
			}
		}
		if r.await(ctx, reader.Next(time.Now(), every)) {
			continue
		}
		if r.options.watch {
			return nil
		}
		const grace = 30 * time.Second
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		return r.collectOnce(last)
	}
}

// noCollection logs why there is none; that the spool is full, once.
func (r *reading) noCollection(err error) {
	full := errors.Is(err, reader.ErrSpoolFull)
	if !full || !r.full {
		r.log.Error("no collection", "error", err)
	}
	r.full = r.full || full
}

// await waits until the next collection is due, and makes one earlier from a
// meter that is about to end. It returns false when ctx ends first.
func (r *reading) await(ctx context.Context, due time.Time) bool {
	for {
		pulse := !r.options.watch && time.Until(due) > client.PulseEvery
		wait := time.Until(due)
		if pulse {
			wait = client.PulseEvery
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
		if !pulse {
			return true
		}
		if p, err := r.client.Pulse(ctx); err == nil && p.Ending && r.parted != p.Boot() && r.collectOnce(ctx) == nil {
			r.parted = p.Boot()
			r.log.Warn("the meter is about to end: its flows were collected")
		}
	}
}
