package cmd

import (
	"context"
	"io"
	"sync"
	"time"

	"rtfm/meter"
	"rtfm/reader/metrics"
	"rtfm/traces"
)

// Times of what is served of a running `rtfm run`.
const (
	// snapshotAge is for how long numbers are told again.
	snapshotAge = 100 * time.Millisecond
	// snapshotWait is for how long who asks waits for others. A source that has to
	// wait for packets gives none before.
	snapshotWait = 2 * time.Second
)

// snapshots are numbers of a meter in this process. Who asks has the source pause at its
// next batch, so that whoever meters puts them aside, ten times a second at most; it waits
// for nobody.
type snapshots struct {
	traces.Source
	meter    metered
	maxFlows int
	wanted   chan struct{} // has an element while numbers are asked for
	collects *metrics.Collected

	mu    sync.Mutex
	taken metrics.Numbers
	at    time.Time
	fresh chan struct{} // closed when there are others
}

// serving serves the numbers of a run, if that is asked for. It returns the source to
// meter, what runs that with its pauses, and what ends the serving.
func (o *runOptions) serving(src traces.Source, s *runSink, stderr io.Writer) (_ traces.Source, pausing func(run func() error) error, stop func()) {
	if !o.metrics.on() {
		return src, func(run func() error) error { return run() }, func() {}
	}
	shots := newSnapshots(src, s.meter.(metered), o.maxFlows, s.watched)
	tell := notes(stderr)
	stop = o.metrics.serve(func(err error) { tell(err.Error()) }, shots.gather)
	return shots, shots.run, stop
}

// newSnapshots returns numbers of what a meter makes of a source.
func newSnapshots(src traces.Source, m metered, maxFlows int, c *metrics.Collected) *snapshots {
	s := &snapshots{Source: src, meter: m, maxFlows: maxFlows, collects: c, wanted: make(chan struct{}, 1), fresh: make(chan struct{})}
	s.take()
	return s
}

// ReadBatch implements traces.Source.
func (s *snapshots) ReadBatch(b *traces.Batch) error {
	if len(s.wanted) > 0 {
		b.Packets = b.Packets[:0]
		return meter.ErrPause
	}
	return s.Source.ReadBatch(b)
}

// run has the meter run until it has ended, and puts numbers aside when they are asked for.
func (s *snapshots) run(run func() error) error {
	for {
		err := run()
		select {
		case <-s.wanted:
		default:
		}
		s.take()
		if err != meter.ErrPause {
			return err
		}
	}
}

// take puts the numbers aside. The meter must not be at work.
func (s *snapshots) take() {
	n := numbersOf(s.meter)
	n.MaxFlows = uint64(s.maxFlows)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken, s.at = n, time.Now()
	close(s.fresh)
	s.fresh = make(chan struct{})
}

// numbersOf returns what a meter in this process that is not at work has counted.
func numbersOf(m metered) metrics.Numbers {
	st := m.Stats()
	n := metrics.Numbers{InProcess: true, Created: st.Created, Recovered: st.Recovered, CutShort: st.CutHeaders, Malformed: st.Malformed, BackInTime: st.BackInTime}
	n.Counts, n.Levels = m.Counts()
	n.Names = make(map[int]string)
	for _, t := range st.Tasks {
		n.Names[t.RuleSet] = t.Name
	}
	for _, i := range st.Trace.PerInterface {
		n.AddInterface(i.String(), i.Lost)
	}
	return n
}

// gather adds the numbers to a set.
func (s *snapshots) gather(ctx context.Context, to *metrics.Set) {
	s.mu.Lock()
	fresh, old := s.fresh, time.Since(s.at) > snapshotAge
	s.mu.Unlock()
	if old {
		select {
		case s.wanted <- struct{}{}:
		default:
		}
		select {
		case <-fresh:
		case <-time.After(snapshotWait):
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	n, at := s.taken, s.at
	s.mu.Unlock()
	n.Add(to)
	now := time.Now()
	to.Gauge("rtfm_numbers_age_seconds", "How old the numbers of the meter are.", now.Sub(at).Seconds())
	s.collects.AddBeside(to, now)
}
