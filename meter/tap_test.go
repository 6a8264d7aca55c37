package meter

import (
	"math"
	"testing"
	"time"

	"rtfm/meter/feed"
	"rtfm/ruleset"
	"rtfm/traces"

	feedrecords "rtfm/traces/feed"
)

// heard is what a feed has told: a feedrecords.Handler.
type heard struct {
	t                      *testing.T
	reader                 feedrecords.Reader
	sums                   map[uint64]uint64 // of PACKETs since NEW, by flow
	packets, news, ends    int
	again, messages, stats int
}

// hear returns a feed that is heard.
func hear(t *testing.T, m *Meter, cfg feed.Config) (*heard, *feed.Tap) {
	h := &heard{t: t, reader: feedrecords.Reader{Ordered: true}, sums: map[uint64]uint64{}}
	return h, feed.New(cfg, m.Table(), func(b []byte, _ int) []byte {
		h.messages++
		if err := h.reader.Message(b, h); err != nil {
			t.Error(err)
		}
		return b
	}, func() (uint64, uint64) { return 0, 0 })
}

func (h *heard) Begin(uint32)               {}
func (h *heard) Shape(*feedrecords.Shape)   {}
func (h *heard) Stats(s *feedrecords.Stats) { h.stats++ }
func (h *heard) Missing(n uint32)           { h.t.Errorf("%d records are missing", n) }
func (h *heard) Packet(p *feedrecords.Packet) {
	if _, ok := h.sums[p.Flow]; !ok {
		h.t.Errorf("PACKET of flow %x before NEW", p.Flow)
	}
	h.packets++
	h.sums[p.Flow]++
}

func (h *heard) New(n *feedrecords.New) {
	if _, ok := h.sums[n.Flow]; ok {
		h.again++
		return
	}
	h.news++
	h.sums[n.Flow] = 0
}

func (h *heard) End(e *feedrecords.End) {
	h.ends++
	if n := h.sums[e.Flow]; n != e.PDUs[0]+e.PDUs[1] || n != e.Told {
		h.t.Errorf("END of %d PACKETs: %+v", n, e)
	}
	delete(h.sums, e.Flow)
}

// is fails the test unless so many packets and flows were heard, and all flows have ended.
func (h *heard) is(packets, news int) {
	h.t.Helper()
	if h.packets != packets || h.news != news || h.ends != news || len(h.sums) > 0 {
		h.t.Errorf("%d packets, %d NEW, %d END; want %d and %d", h.packets, h.news, h.ends, packets, news)
	}
}

// TestFeedOfAnyLength: however many packets there are, all are told of, those too that do
// not fill a message.
func TestFeedOfAnyLength(t *testing.T) {
	perMessage := 0
	for n := 0; n == 0 || n <= 3*perMessage; n++ {
		m, err := New(Config{MaxFlows: 10, RuleSets: []*ruleset.RuleSet{finest()}})
		if err != nil {
			t.Fatal(err)
		}
		cfg := aFeed
		perMessage = (cfg.MTU - 20) / 20
		h, tap := hear(t, m, cfg)
		m.SetFeed(tap)
		var packets []traces.Packet
		for range n {
			packets = append(packets, toHost(0, 1)...)
		}
		src := &attended{read: []func() []traces.Packet{func() []traces.Packet { return packets }}}
		if err := m.Run(t.Context(), src, src); err != nil {
			t.Fatal(err)
		}
		m.EndFeed()
		h.is(n, min(n, 1))
		if n == 3*perMessage && h.messages < 3 {
			t.Errorf("%d packets in %d messages", n, h.messages)
		}
	}
}

// TestFeedJoins has a feed begin while a meter runs, between batches and in the midst of
// one: it tells of the packets from then on, also of flows that were there.
func TestFeedJoins(t *testing.T) {
	a := newAttended(Config{MaxFlows: 1000})
	a.m.SetTasks([]*Task{a.task(t, finest(), 2)})
	var first, second *heard
	a.m.SetAlarm(math.MaxInt)
	a.full = func() { // behind the second packet of the third batch
		a.m.SetAlarm(math.MaxInt)
		a.m.EndFeed()
		h, tap := hear(t, a.m, aFeed)
		second = h
		a.m.SetFeed(tap)
	}
	a.read = []func() []traces.Packet{
		func() []traces.Packet { return toHost(0, 1, 1, 2) },
		func() []traces.Packet {
			h, tap := hear(t, a.m, aFeed)
			first = h
			a.m.SetFeed(tap)
			return toHost(1, 1, 2, 1, 3)
		},
		func() []traces.Packet {
			a.m.SetAlarm(4)
			return toHost(2, 1, 4, 1, 4, 5)
		},
	}
	a.run(t)
	a.m.EndFeed()
	first.is(6, 4)
	second.is(3, 3)
}

// TestFeedRepeats has NEW of a flow that lasts be told again, and templates.
func TestFeedRepeats(t *testing.T) {
	m, err := New(Config{MaxFlows: 10, RuleSets: []*ruleset.RuleSet{finest()}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := aFeed
	cfg.Repeat = 60 * time.Second
	h, tap := hear(t, m, cfg)
	m.SetFeed(tap)
	src := new(attended)
	for i := range 600 {
		src.read = append(src.read, func() []traces.Packet { return toHost(float64(i), 1, 2) })
	}
	if err := m.Run(t.Context(), src, src); err != nil {
		t.Fatal(err)
	}
	m.EndFeed()
	h.is(1200, 2)
	if h.again < 2*9 || h.again > 2*10 || h.stats < 599 || h.stats > 601 {
		t.Errorf("NEW was told again %d times, STATS %d", h.again, h.stats)
	}
}
