package cmd

import (
	"context"
	"io"
	"time"

	"rtfm/mib/client"
	"rtfm/reader"
	"rtfm/reader/flowfile"
	"rtfm/reader/live"
	"rtfm/reader/record"
)

// liveHost is a meter over SNMP, which is only read.
type liveHost struct {
	options *liveOptions
	config  client.Config
	host    string
}

func (l *liveHost) name() string { return l.host }

// waits implements liveSource.
func (l *liveHost) waits() bool { return false }

// open implements liveSource.
func (l *liveHost) open(context.Context) error { return nil }

// run implements liveSource. A meter that does not answer is asked again until ctx is
// done: what it has counted meanwhile is in the interval in which it answers.
func (l *liveHost) run(ctx context.Context, to *live.History) error {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	// The first interval is since the meter's start.
	wanted := l.options.wanted(to, enough, func(i *live.Interval) bool { return i.First })
	sink := l.options.sink(wanted.take)
	every := seconds(l.options.interval)
	var c *client.Client
	var collector *reader.Collector
	rules := reader.Rules{}
	for {
		err := l.once(ctx, &c, &collector, &rules, sink, to)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			before := to.After(0, 1).Status
			if before.State != live.Away || before.Text != err.Error() {
				to.Tell(live.Status{State: live.Away, Text: err.Error(), Since: time.Now().UnixNano()})
			}
		}
		select {
		case <-time.After(time.Until(reader.Next(time.Now(), every))):
			continue
		case <-ctx.Done():
		}
		break
	}
	if c != nil {
		c.Close()
	}
	return nil
}

// once makes a collection.
func (l *liveHost) once(ctx context.Context, c **client.Client, k **reader.Collector, rules *reader.Rules, sink *live.Sink, to *live.History) (err error) {
	if *c == nil {
		if *c, err = client.Dial(ctx, l.config); err != nil {
			*c = nil
			return err
		}
		*k = reader.New(reader.Config{
			Header: flowfile.Header{Version: flowfile.Release(version()), Meter: l.host}, JSON: true, Passive: true,
			Sink: func(io.Writer) record.Sink { return sink },
		}, &reader.Stream{W: io.Discard}, nil)
	}
	sets, err := rules.Running(ctx, *c)
	if err == nil && len(sets) == 0 {
		sets, err = rules.One(ctx, *c, 1) // what a meter counts by that nobody has managed
	}
	if err != nil {
		return err
	}
	result, err := (*k).Collect(ctx, *c, sets)
	if err == nil && result.Restarted {
		*rules = reader.Rules{}
		to.Tell(live.Status{State: live.Restarted, Text: "its counters began anew", Since: time.Now().UnixNano()})
	}
	return err
}
