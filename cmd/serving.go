package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"rtfm/meter/control"
	"rtfm/traces"
)

// serving is a running `rtfm meter`.
type serving struct {
	meter  *control.Meter
	front  *fronts
	log    *slog.Logger
	file   *logFile   // nil if the log is no file
	series *seriesLog // nil without one
	feed   *meterFeed
	live   bool
	grace  float64 // seconds
}

// run runs the meter and its front ends until the traces have ended and were
// read, or a signal has ended ctx, and with it the source, and the grace time is
// over. It ends ctx itself when a front end has failed.
func (s *serving) run(ctx context.Context, end context.CancelCauseFunc, src traces.Source) error {
	defer finishing(ctx)()
	answering, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	s.front.start(answering, &wg, end)
	if s.file != nil || s.series != nil || s.feed.file != nil {
		hups, stopped := hangups(ctx)
		defer stopped()
		wg.Go(func() { s.followHangups(answering, hups) })
	}
	if s.series != nil && s.live {
		wg.Go(func() { s.series.follow(answering, s.meter.Series(), s.log) })
	}
	damaged := false
	err := s.meter.Run(ctx, src, func(err error) {
		if ctx.Err() == nil {
			damaged = true
			s.log.Error("trace damaged", "error", fmt.Sprint(err, hint(err)))
		}
	})
	s.feed.told(s.meter.FeedCounts())
	switch cause := context.Cause(ctx); {
	case err != nil:
		return err
	case cause == context.Canceled:
		s.log.Info("metering has ended; flows can still be read", "seconds", s.grace)
		s.lastGrace(ctx)
	case cause != nil:
		return cause
	}
	if damaged {
		return &exitError{status: StatusDamaged}
	}
	return nil
}

// followHangups opens files again at each signal, until ctx is done.
func (s *serving) followHangups(ctx context.Context, hups <-chan os.Signal) {
	for {
		select {
		case <-hups:
			s.file.again(s.log)
			if err := s.series.reopen(); err != nil {
				s.log.Error("series not opened again", "error", err)
			}
			s.feed.again(s.meter)
		case <-ctx.Done():
			return
		}
	}
}

// lastGrace waits for the grace time to pass, or a further signal.
func (s *serving) lastGrace(ctx context.Context) {
	select {
	case <-time.After(seconds(s.grace)):
	case <-furtherSignal(ctx):
	}
}
