package feed_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/feed"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
	"rtfm/traces"

	records "rtfm/traces/feed"
)

// source gives packets in batches of varying length, and pauses before those of these
// numbers.
type source struct {
	packets []sent
	r       *rand.Rand
	pauses  []int
	given   int
}

func (s *source) ReadBatch(b *traces.Batch) error {
	until := len(s.packets)
	if len(s.pauses) > 0 {
		until = s.pauses[0]
	}
	switch {
	case s.given == until && len(s.pauses) > 0:
		s.pauses = s.pauses[1:]
		return meter.ErrPause
	case s.given == until:
		return io.EOF
	}
	n := min(1+s.r.IntN(300), until-s.given)
	b.Packets = b.Packets[:0]
	for _, p := range s.packets[s.given : s.given+n] {
		b.Packets = append(b.Packets, p.Packet)
	}
	s.given += n
	return nil
}
func (s *source) Stats() traces.Stats { return traces.Stats{} }
func (s *source) Close() error        { return nil }

// nothing is a sink that does nothing.
type nothing struct{}

func (nothing) Collect(meter.Collection) error  { return nil }
func (nothing) Damage(error)                    {}
func (nothing) BackInTime(string, int64, int64) {}

// setting is what a round of TestTapIsPlain does.
type setting struct {
	meter.Config
	feed     feed.Config
	bits     int // of identifiers
	packets  []sent
	from     int // packets before the feed
	replaced int // packets before a ruleset is replaced, 0 if none is
	with     *ruleset.RuleSet
}

func randomSetting(r *rand.Rand) (s setting) {
	s.Config = meter.Config{
		RuleSets: []*ruleset.RuleSet{randomRuleSet(r, "a")}, MaxFlows: 3 + r.IntN(100),
		Interval: time.Duration(1+r.IntN(10)) * time.Second, InactivityTimeout: time.Duration(1+r.IntN(30)) * time.Second,
		IPOctets: r.IntN(2) == 0,
	}
	if r.IntN(2) == 0 {
		s.RuleSets = append(s.RuleSets, randomRuleSet(r, "b"))
	}
	s.feed = feed.Config{
		Form:   records.Form{Narrow: r.IntN(2) == 0, Frames: !s.IPOctets, Digest: r.IntN(3) == 0},
		Domain: 9, MTU: records.LeastMTU + r.IntN(300), Delay: time.Duration(1+r.IntN(500)) * time.Millisecond,
		Idle: time.Duration(1+r.IntN(20)) * time.Second,
	}
	if r.IntN(3) == 0 {
		s.feed.First = uint32(1 + r.IntN(4))
	}
	if r.IntN(3) == 0 {
		s.feed.RuleSet = "b"
	}
	s.bits = 10
	s.packets = randomPackets(r, 400+r.IntN(800))
	if r.IntN(3) == 0 {
		s.from = r.IntN(len(s.packets))
	}
	if r.IntN(3) == 0 {
		s.replaced = s.from + 1 + r.IntN(len(s.packets)-s.from)
		s.with = randomRuleSet(r, "b")
	}
	return s
}

// run meters the packets in batches as a seed has them, and by the model, and returns the
// feed's messages one behind the other.
func (s *setting) run(t *testing.T, seed uint64, m *plain) []byte {
	t.Helper()
	x, err := meter.New(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	tap := feed.New(s.feed, x.Table(), func(b []byte, _ int) []byte {
		if len(b) > s.feed.MTU {
			t.Fatalf("a message has %d octets of %d", len(b), s.feed.MTU)
		}
		all.Write(b)
		return b
	}, func() (uint64, uint64) { return 0, 0 })
	tap.SetBits(s.bits)
	src := &source{packets: s.packets, r: rand.New(rand.NewPCG(seed, 1)), pauses: []int{s.from}}
	if s.replaced > 0 {
		src.pauses = append(src.pauses, s.replaced)
	}
	run := func(want error) {
		if err := x.Run(t.Context(), src, nothing{}); err != want {
			t.Fatal(err)
		}
	}
	meterPlainly := func(packets []sent) {
		for i := range packets {
			m.meter(&packets[i])
		}
	}
	run(meter.ErrPause)
	meterPlainly(s.packets[:s.from])
	x.SetFeed(tap)
	m.fed = true
	at := s.from
	if s.replaced > 0 {
		run(meter.ErrPause)
		meterPlainly(s.packets[at:s.replaced])
		at = s.replaced
		p, err := meter.Prepare(s.with)
		if err != nil {
			t.Fatal(err)
		}
		number, err := x.Replace(m.sets[0].number, p, s.with.Name)
		if err != nil {
			t.Fatal(err)
		}
		m.left[m.sets[0].number] = m.now
		m.sets[0] = running{s.with, number}
	}
	run(nil)
	meterPlainly(s.packets[at:])
	x.EndFeed()
	names := 0
	for _, f := range m.flows {
		if f.counted != [2][2]uint64{} {
			names++
		}
	}
	if got := tap.Names(); s.replaced == 0 && got != names {
		t.Fatalf("%d flows have identifiers, not %d", got, names)
	}
	return all.Bytes()
}

// model returns the plain meter of a setting.
func (s *setting) model() *plain {
	m := &plain{Config: s.Config, flows: map[match.FlowKey]*plainFlow{}, left: map[int]int64{}, name: s.feed.RuleSet}
	for i, rs := range s.RuleSets {
		m.sets = append(m.sets, running{rs, i + 2})
	}
	return m
}

// TestTapIsPlain holds the feed to a plain one over random rulesets and packets: each
// packet of each flow in order, NEW before and END behind them with their sums, and the
// same octets whatever the batches and processors.
func TestTapIsPlain(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 20
	}
	var all follower
	for seed := range seeds {
		f := follow(t, seed)
		all.news, all.ends, all.packets, all.again, all.salted = all.news+f.news, all.ends+f.ends, all.packets+f.packets, all.again+f.again, all.salted+f.salted
		for i, n := range f.reasons {
			all.reasons[i] += n
		}
	}
	if all.again == 0 || all.salted == 0 || all.reasons[records.Idle] == 0 || all.reasons[records.Ended] == 0 || all.reasons[records.Forced] == 0 {
		t.Errorf("not all has happened: %d NEW, %d of them again, %d salted; ENDs by reason %v", all.news, all.again, all.salted, all.reasons)
	}
}

func follow(t *testing.T, seed uint64) *follower {
	s := randomSetting(rand.New(rand.NewPCG(seed, 2)))
	m := s.model()
	messages := s.run(t, seed, m)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, from %d, replaced %d, %+v", seed, s.from, s.replaced, s.feed)
		}
	}()
	processors := runtime.GOMAXPROCS(1 + int(seed%2))
	again := s.run(t, seed+1000, s.model())
	runtime.GOMAXPROCS(processors)
	if !bytes.Equal(messages, again) {
		t.Fatalf("%d octets in other batches, not %d", len(again), len(messages))
	}
	f := &follower{t: t, plain: m, idle: s.feed.Idle, first: uint64(s.feed.First), ids: map[uint64]*plainFlow{}}
	x := records.Reader{Ordered: true}
	for from := bytes.NewReader(messages); ; {
		b, err := records.ReadMessage(from, nil)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Message(b, f); err != nil {
			t.Fatal(err)
		}
	}
	f.finish()
	return f
}
