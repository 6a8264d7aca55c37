package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rtfm/meter"
	"rtfm/reader/export"
	"rtfm/reader/record"
)

// meter tells what came of the meter that run runs. When ctx is done the source ends,
// and all that was read of it until then is metered.
func (o *runOptions) meter(ctx context.Context, m *meter.Meter, run func() error, s *runSink, stderr io.Writer) error {
	began := time.Now()
	if err := run(); err != nil {
		return err
	}
	if !s.begun && !s.damaged {
		if err := o.nothing(s); err != nil {
			return err
		}
	}
	took := time.Since(began)
	if stats := m.Stats(); !o.quiet && (stats.Packets > 0 || !s.damaged) {
		printSummary(stderr, &stats, took, m.Waited(), o.form.form(o.output) == formTable)
		s.feed.print(stderr)
		for _, text := range o.sample.notes() {
			fmt.Fprintln(stderr, text)
		}
		for _, note := range o.capture.anonymise.notes() {
			fmt.Fprintf(stderr, "note: %s\n", note)
		}
		if o.verbose {
			o.memory.print(stderr)
		}
	}
	return o.result(ctx, m, s)
}

// nothing writes what there is to be seen of a run without packets: that there are no
// rows, and CSV's header.
func (o *runOptions) nothing(s *runSink) error {
	to := s.to
	if x, ok := to.(*export.Sink); ok {
		to = x.Beside
	}
	if t, ok := to.(*tables); ok {
		return t.none(s.ruleSets)
	}
	if to == nil || o.form.form(o.output) != formCSV {
		return nil
	}
	if err := to.Begin(new(record.Collection)); err != nil {
		return err
	}
	return to.End(new(record.Summary))
}

// result returns an error that asks for the exit status of a run that has ended.
func (o *runOptions) result(ctx context.Context, m *meter.Meter, s *runSink) error {
	stats := m.Stats()
	full := joined(o.missing(&stats), s.feed.missing())
	switch {
	case s.faulty:
		return &exitError{status: StatusFault, err: full}
	case s.disorder != nil:
		return s.disorder
	case ctx.Err() != nil:
		err := errors.New("interrupted: the flow data ends here, the traces may not")
		return &exitError{status: StatusInterrupted, err: joined(err, full)}
	case s.damaged:
		return &exitError{status: StatusDamaged, err: full}
	case full != nil:
		return &exitError{status: StatusFull, err: full}
	}
	return nil
}

// missing returns an error if packets are missing from flows or distributions.
func (o *runOptions) missing(stats *meter.Stats) error {
	var stopped, flows, streams error
	if n := stats.Stopped(); n > 0 {
		stopped = fmt.Errorf("rules loop: %d packets were stopped by a limit of the engine and are in no flow", n)
	}
	if stats.Uncounted() > 0 {
		flows = fmt.Errorf("the flow table was full: %d packets are in no flow; -f makes the table larger than %d flows, coarser rules need fewer",
			stats.Uncounted(), o.maxFlows)
	}
	if n := stats.Streams.Unstreamed; n > 0 {
		streams = fmt.Errorf("the stream table was full: %d packets are in no stream, and missing from distributions; -t makes the table larger than %d streams",
			n, o.streams.max)
	}
	return joined(flows, stopped, streams)
}

// joined returns an error that tells of these in one line, nil if there are none.
func joined(errs ...error) (all error) {
	for _, err := range errs {
		switch {
		case err == nil:
		case all == nil:
			all = err
		default:
			all = fmt.Errorf("%w; %w", all, err)
		}
	}
	return all
}
