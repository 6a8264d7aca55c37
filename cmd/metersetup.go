package cmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/meter/series"
	"rtfm/mib"
	"rtfm/ruleset"
	"rtfm/traces"
)

// run opens what only a privileged user may, gives up the rights that this took,
// and serves.
func (o *meterOptions) run(cmd *cobra.Command) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	stderr := cmd.ErrOrStderr()
	log, file := newLog(o.log, stderr, slog.LevelInfo)
	defer file.giveUp(stderr)
	if o.user == "" {
		if err := file.reopen(); err != nil {
			return err
		}
	}
	written := newSeriesLog(&o.series, cmd.OutOrStdout())
	if o.user == "" {
		if err := written.reopen(); err != nil {
			return err
		}
	}
	told := &meterFeed{options: &o.feed, records: o.capture.isRecords() || o.traces.hasRecords(), live: o.capture.isLive() || o.pace, frames: o.octets != "ip", log: log, stdout: cmd.OutOrStdout()}
	if o.user == "" {
		if err := told.begin(); err != nil {
			return err
		}
	}
	var front fronts
	config := o.config(&front, log)
	config.Feed = told.config(o.pace)
	if written != nil && !config.Live { // traces wait for it
		config.Series.Take = func(i *series.Interval) error { written.write(i, log); return nil }
	}
	m := control.New(config)
	defer front.remove()
	if err := o.front.open(&front, m, log, stderr); err != nil {
		return err
	}
	if err := o.metrics.listen(func(message string) { log.Info(message) }); err != nil {
		return err
	}
	defer o.metrics.serve(func(err error) { log.Error("metrics", "error", err) }, meterMetrics(m))()
	// What ends the source ends metering: it may hold packets that are to be metered.
	metering, end := context.WithCancelCause(cmd.Context())
	defer end(nil)
	src, err := o.source(metering, log)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := o.capture.giveUpRights(o.user, front.secret); err != nil {
		return err
	}
	if o.user != "" {
		if err := file.reopen(); err != nil {
			return fmt.Errorf("--log, as user %s: %w", o.user, err)
		}
		if err := written.reopen(); err != nil {
			return fmt.Errorf("--series, as user %s: %w", o.user, err)
		}
		if err := told.begin(); err != nil {
			return fmt.Errorf("--feed, as user %s: %w", o.user, err)
		}
	}
	stored, err := o.store.open(config.Live, func(message string) { log.Warn(message) })
	if err != nil {
		return err
	}
	src = stored.tee(src)
	s := serving{meter: m, front: &front, log: log, file: file, series: written, feed: told, live: config.Live, grace: o.grace}
	return stored.finish(s.run(metering, end, src), func(text string) { log.Info(text) })
}

// config returns the meter that the options ask for. It logs to log, and tells
// front's managers what happens.
func (o *meterOptions) config(front *fronts, log *slog.Logger) control.Config {
	return control.Config{
		Config: meter.Config{
			MaxFlows: o.maxFlows, IPOctets: o.octets == "ip", Filter: o.filter.program, Tunnels: o.capture.tunnels.kinds, TunnelDepth: o.capture.tunnels.depth,
			Interval: seconds(o.interval), Intervals: o.intervals, Streams: o.streams.config(), Series: o.series.kept(),
		},
		Live: o.capture.isLive(), Version: "rtfm " + version(),
		Notify: func(n mib.Notification) { front.notify(log, n) },
		Prepared: func(rs *ruleset.RuleSet, warnings []string, err error) {
			logPrepared(log, rs, warnings, err)
		},
	}
}

// source opens the traces, or the interfaces. The source ends when ctx is done.
func (o *meterOptions) source(ctx context.Context, log *slog.Logger) (traces.Source, error) {
	if o.capture.isLive() {
		warn := func(message string) { log.Warn(message) }
		o.capture.idle = o.store.idle(0)
		src, err := o.capture.open(ctx, o.traces.exporters, warn)
		if err != nil {
			return nil, err
		}
		return o.traces.steady(src, warn), nil
	}
	files := o.traces.open(func(message string) { log.Info(message) })
	if o.user != "" { // who may not be allowed to
		if err := files.OpenFiles(); err != nil {
			return nil, err
		}
	}
	src := o.traces.plausible(withInterrupt(ctx, files, o.traces.names()), func(message string) { log.Warn(message) })
	src = o.capture.filter(src)
	src = &notifyEOF{src, func() {
		if ctx.Err() == nil {
			log.Info("the traces have ended; their flows can be read")
		}
	}}
	if o.pace {
		src = &paced{Source: src, ctx: ctx}
	}
	return src, nil
}

// notifyEOF is a Source that calls ended when it has no more packets.
type notifyEOF struct {
	traces.Source
	ended func()
}

// ReadBatch implements traces.Source.
func (s *notifyEOF) ReadBatch(b *traces.Batch) error {
	err := s.Source.ReadBatch(b)
	if err == io.EOF {
		s.ended()
	}
	return err
}
