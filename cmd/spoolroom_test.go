package cmd

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/reader/export"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
	"rtfm/ruleset/srl"
	"rtfm/traces/tracetest"
)

// flowSums adds up what collections count.
type flowSums struct {
	c       record.Collection
	ends    []int64
	put     int                 // how often collections were put off
	octets  map[[2]int64]uint64 // by index and first time
	total   map[[2]int64]uint64 // the flow's own counter, as it was last
	packets uint64              // of the collections' summaries
	t       *testing.T
}

func (s *flowSums) Begin(c *record.Collection) error {
	if len(s.ends) > 0 && c.From != s.c.To {
		s.t.Errorf("a collection begins at %d, the one before ended at %d", c.From, s.c.To)
	}
	s.c, s.ends = *c, append(s.ends, c.To)
	s.put += c.Postponed
	return nil
}

func (s *flowSums) Flow(f *match.Flow, counted *record.Counters) error {
	key := [2]int64{int64(f.Index), f.FirstTime}
	if counted == nil {
		s.t.Fatal("a flow without differences")
	}
	s.octets[key] += counted.ToOctets + counted.FromOctets
	s.total[key] = f.ToOctets + f.FromOctets
	return nil
}

func (s *flowSums) End(sum *record.Summary) error { s.packets += sum.Packets; return nil }

func (s *flowSums) Differences() bool { return true }

// failingSink fails in the middle of a collection now and then, as on a full disk.
type failingSink struct {
	*export.Sink
	r    *rand.Rand
	left int
	calm bool
}

func (s *failingSink) Begin(c *record.Collection) error {
	s.left = s.r.IntN(60)
	return s.Sink.Begin(c)
}

func (s *failingSink) Flow(f *match.Flow, counted *record.Counters) error {
	if s.left--; s.left == 0 && !s.calm {
		return export.ErrSegment
	}
	return s.Sink.Flow(f, counted)
}

// sentNow is a runSink that now and then takes what waits in a spool.
type sentNow struct {
	*runSink
	r       *rand.Rand
	t       *testing.T
	outlet  *spool.Outlet
	failing *failingSink
	to      *flowSums
}

func (s *sentNow) Collect(c meter.Collection) error {
	if s.failing.calm = c.Last; c.Last || s.r.IntN(4) == 0 {
		s.take()
	}
	return s.runSink.Collect(c)
}

func (s *sentNow) take() {
	for s.outlet.Waiting() > 0 {
		seg, _, err := s.outlet.Next(context.Background())
		if err != nil {
			s.t.Fatal(err)
		}
		f, err := seg.Open()
		if err != nil {
			s.t.Fatal(err)
		}
		from, err := flowfile.NewCollections(f).Next()
		if err == nil {
			_, err = record.Copy(s.to, from)
		}
		f.Close()
		if err := errors.Join(err, s.outlet.Done(seg.Number)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestSpoolRoom meters while the spool is full most of the time, and the disk now and
// then: fewer collections are made, which follow one another without a gap, and every
// packet counts in one, once, although idle flows are recovered.
func TestSpoolRoom(t *testing.T) {
	rules, err := loadRuleSet("ruleset/examples/services.srl", nil, srl.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &flowSums{octets: map[[2]int64]uint64{}, total: map[[2]int64]uint64{}, t: t}
	meterPipeline(t, rules, func(m *meter.Meter) meter.Sink { return newSumSink(t, m, rules, want) })
	seeds := uint64(1)
	if tracetest.Long() {
		seeds = 10
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 3))
		got := &flowSums{octets: map[[2]int64]uint64{}, total: map[[2]int64]uint64{}, t: t}
		s, err := spool.Open(t.TempDir(), spool.Config{Limit: 30_000})
		if err != nil {
			t.Fatal(err)
		}
		outlet, err := s.Outlet("test", "test")
		if err != nil {
			t.Fatal(err)
		}
		var sink *sentNow
		var told strings.Builder
		meterPipeline(t, rules, func(m *meter.Meter) meter.Sink {
			to := &failingSink{Sink: &export.Sink{Spool: s}, r: r}
			run := newSumSink(t, m, rules, to)
			run.process.Fails = true
			run.room = &spoolRoom{spool: s, grace: time.Minute, live: true, errors: &told}
			sink = &sentNow{run, r, t, outlet, to, got}
			return sink
		})
		sink.take()
		s.Close()
		if len(got.ends) == 0 || len(got.ends) >= len(want.ends) {
			t.Errorf("%d: %d collections, %d without a limit", seed, len(got.ends), len(want.ends))
		}
		// Each that was not made is told of by the next that was.
		if len(got.ends)+got.put != len(want.ends) {
			t.Errorf("%d: %d collections, put off %d times, want %d", seed, len(got.ends), got.put, len(want.ends))
		}
		for _, line := range []string{"rtfm: no collection: the spool is full (" + s.Folder() + "); the meter keeps the flows, and the next collection is longer\n",
			"rtfm: " + s.Folder() + ": collections are made again\n"} {
			if !strings.Contains(told.String(), line) {
				t.Errorf("%d: no line %s in\n%s", seed, line, &told)
			}
		}
		if got.packets != want.packets {
			t.Errorf("%d: %d packets, want %d", seed, got.packets, want.packets)
		}
		for key, n := range got.octets {
			if n != got.total[key] {
				t.Fatalf("%d: flow %v: the differences come to %d octets, its counters to %d", seed, key, n, got.total[key])
			}
		}
		if a, b := sumOf(got.octets), sumOf(want.octets); a != b {
			t.Errorf("%d: %d octets, want %d", seed, a, b)
		}
	}
}

func sumOf(of map[[2]int64]uint64) (sum uint64) {
	for _, n := range of {
		sum += n
	}
	return sum
}

func newSumSink(t *testing.T, m *meter.Meter, rules *ruleset.RuleSet, to record.Sink) *runSink {
	return &runSink{
		meter: metered{Meter: m}, process: record.Process{Differences: true}, to: to, name: "m", errors: t.Output(),
		ruleSets: running(m, []*ruleset.RuleSet{rules}),
	}
}

// meterPipeline meters the packets of pipelineTrace; flows are recovered soon.
func meterPipeline(t *testing.T, rules *ruleset.RuleSet, sink func(*meter.Meter) meter.Sink) {
	t.Helper()
	m, err := meter.New(meter.Config{
		RuleSets: []*ruleset.RuleSet{rules}, MaxFlows: 10_000, Interval: time.Second, InactivityTimeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context(), pipelineTrace(t), sink(m)); err != nil {
		t.Fatal(err)
	}
}
