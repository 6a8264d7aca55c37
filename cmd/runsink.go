package cmd

import (
	"errors"
	"fmt"
	"io"

	"rtfm/meter"
	"rtfm/reader/record"
	"rtfm/traces/format"
)

// runSink writes the flow data file.
type runSink struct {
	engine  *meter.Meter
	meter   record.Meter // the same
	process record.Process
	to      record.Sink
	name    string // the meter's
	errors  io.Writer
	damaged bool
	faulty  bool // numbers did not add up
	// disorder is why the traces were not all read, nil if they were.
	disorder error
	stop     func() // ends the reading of the source, if that may wait
}

// Collect implements meter.Sink.
func (s *runSink) Collect(c meter.Collection) error {
	if c.Last && s.stop != nil {
		s.stop()
	}
	from := s.process.From(s.meter, record.Collection{Meter: s.name, Epoch: c.Start, To: c.To, Skipped: int(c.PassedOver)}, c.Last)
	sum, err := record.Copy(s.to, from)
	if err != nil {
		return err
	}
	s.check(sum)
	return nil
}

// Damage implements meter.Sink.
func (s *runSink) Damage(err error) {
	var order *format.OrderError
	if errors.As(err, &order) {
		s.disorder = fmt.Errorf("%w%s", err, hint(err))
		return
	}
	s.damaged = true
	fmt.Fprintf(s.errors, "rtfm: %v%s\n", err, hint(err))
}

// BackInTime implements meter.Sink.
func (s *runSink) BackInTime(file string, before, at int64) {
	fmt.Fprintf(s.errors, "rtfm: %s: warning: time goes back, from %s to %s; such packets count at the later time\n",
		file, utc(before), utc(at))
}
