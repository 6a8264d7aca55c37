package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/store"
)

// storePrefix stands before the folder of a store whose packets are to be metered.
const storePrefix = "store:"

// storePeriod is which packets of a store are wanted.
type storePeriod struct{ from, to format.Limit }

// storeTrace reads a store as a trace. It is opened by the first ReadBatch.
type storeTrace struct {
	*store.Source
	dir    string
	period storePeriod
	wrap   func(n int, src traces.Source) traces.Source
	to     traces.Source // what wrap returns, nil before
}

// isStore reports whether the only trace is a store.
func isStore(names []string) bool { return len(names) == 1 && strings.HasPrefix(names[0], storePrefix) }

// checkStores finds stores among other traces, and times without a store.
func (o *traceOptions) checkStores() error {
	names := o.names()
	if isStore(names) {
		return nil
	}
	for _, name := range names {
		if strings.HasPrefix(name, storePrefix) {
			return errors.New(name + ": a store is metered alone, without other traces")
		}
	}
	if o.period != (storePeriod{}) {
		return errors.New("--from and --to are for a store, store:FOLDER; rtfm trace convert cuts a trace")
	}
	return nil
}

// OpenFiles implements files. Nothing is open yet.
func (s *storeTrace) OpenFiles() error { return nil }

// Wrap implements files.
func (s *storeTrace) Wrap(wrap func(n int, src traces.Source) traces.Source) { s.wrap = wrap }

// ReadBatch implements traces.Source.
func (s *storeTrace) ReadBatch(b *traces.Batch) error {
	if s.Source == nil {
		src, err := s.period.open(s.dir)
		if err != nil {
			s.Source = new(store.Source) // at its end
			var missing *fs.PathError
			if errors.As(err, &missing) {
				return err
			}
			return &format.Error{File: storePrefix + s.dir, Err: err}
		}
		s.Source, s.to = src, s.wrap(0, src)
	}
	if s.to == nil {
		return s.Source.ReadBatch(b)
	}
	return s.to.ReadBatch(b)
}

// open opens a store, of which the packets of the period are wanted.
func (p *storePeriod) open(dir string) (*store.Source, error) {
	q, err := p.query(dir)
	if err != nil {
		return nil, err
	}
	return store.Open(dir, q)
}

// query returns what is wanted of a store.
func (p *storePeriod) query(dir string) (store.Query, error) {
	files, err := store.Files(dir)
	q := store.Query{From: math.MinInt64, To: math.MaxInt64}
	if len(files) > 0 {
		q.From, q.To = p.from.After(files[0].Begins, q.From), p.to.After(files[0].Begins, q.To)
	}
	if err == nil && q.From >= q.To {
		return q, fmt.Errorf("no time is from %s to %s: want --from before --to", traces.TimeText(q.From), traces.TimeText(q.To))
	}
	return q, err
}

// Stats implements traces.Source.
func (s *storeTrace) Stats() traces.Stats {
	if s.Source == nil {
		return traces.Stats{}
	}
	return s.Source.Stats()
}

// Close implements traces.Source.
func (s *storeTrace) Close() error {
	if s.Source == nil {
		return nil
	}
	return s.Source.Close()
}
