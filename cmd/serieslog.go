package cmd

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"rtfm/meter/series"
	"rtfm/reader/seriesfile"
)

// seriesLog is the file of a meter's series, which can be opened again after it was
// renamed. A nil one stands for none.
type seriesLog struct {
	options *seriesOptions
	file    *logFile // nil if it is standard output
	mu      sync.Mutex
	writer  *seriesfile.Writer
	failed  bool // the latest interval was not written
}

// newSeriesLog returns the file that the options ask for, which has to be opened with
// reopen.
func newSeriesLog(o *seriesOptions, stdout io.Writer) *seriesLog {
	switch o.file {
	case "":
		return nil
	case "-":
		return &seriesLog{options: o, writer: seriesfile.NewWriter(stdout, false, false)}
	}
	return &seriesLog{options: o, file: &logFile{name: o.file}}
}

// reopen opens the file of the series' name, and appends to what is there.
func (s *seriesLog) reopen() error {
	if s == nil || s.file == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.file.reopen(); err != nil {
		return err
	}
	st, err := s.file.f.Stat()
	s.writer = seriesfile.NewWriter(s.file, s.options.isCSV(), err == nil && st.Size() > 0)
	return nil
}

// write writes an interval. The first of several that cannot be written is told.
func (s *seriesLog) write(i *series.Interval, log *slog.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.writer.Write(i)
	if err != nil && !s.failed {
		log.Error("series not written", "error", err)
	}
	s.failed = err != nil
}

// follow writes what the ring gets until ctx is done, and then what it has. It keeps
// nobody waiting: what the ring has no room for any longer is lost.
func (s *seriesLog) follow(ctx context.Context, ring *series.Ring, log *slog.Logger) {
	next := uint64(1)
	for {
		added := ring.Added()
		for i, ok := ring.Next(next); ok; i, ok = ring.Next(next) {
			if i.Number > next {
				log.Error("series not written in time", "intervals", i.Number-next)
			}
			s.write(&i, log)
			next = i.Number + 1
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-added:
		case <-ctx.Done():
		}
	}
}
