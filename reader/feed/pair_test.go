package feed

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rtfm/ruleset/attr"
	"rtfm/traces/feed"
	"rtfm/traces/ipfix"
)

// pairRun is a random stream of packets, two meters that lose, delay and restart, and
// what became of it.
type pairRun struct {
	*rand.Rand
	packets   []simPacket
	events    []simEvent
	delivered map[int][2]int64  // when the first and the last record of a packet came
	by        [2]map[simKey]int // how many records of a packet, and those like it, a meter has delivered
	counted   map[int]bool      // packets that some END has counted

	restart int // the receiver, before this event

	pair *Pair
	at   int64
	told map[simKey][]int64 // when what was told
	book map[uint64]*simBook
	t    *testing.T
}

type simPacket struct {
	at       int64
	flow     uint64
	backward bool
	key      simKey
}

// simKey is what packets are known by.
type simKey struct{ digest, octets uint32 }

type simEvent struct {
	at int64
	m  *Meter
	do func(*Meter) error
}

type simBook struct {
	isNew bool
	told  tally
	lacks int64
}

var simShape = &feed.Shape{RuleSet: 2, Name: "pairs", Saved: []feed.Saved{
	{Attribute: uint16(attr.SourcePeerAddress), Mask: []byte{255, 255, 255, 255}, Field: ipfix.Field{Element: 8}},
	{Attribute: uint16(attr.DestPeerAddress), Mask: []byte{255, 255, 255, 255}, Field: ipfix.Field{Element: 12}},
}}

// simFlow returns a flow as a meter has it that has first seen a packet of this direction.
func simFlow(flow uint64, backward bool, first int64) feed.New {
	b := binary.BigEndian.AppendUint32(nil, uint32(flow))
	b = binary.BigEndian.AppendUint32(b, 0xffffff00)
	if backward {
		b = append(b[4:8:8], b[:4]...)
	}
	return feed.New{Flow: flow, Shape: simShape, First: first, Key: b}
}

const ms = int64(time.Millisecond)

func (r *pairRun) between(a, b int64) int64 { return a + r.Int64N(b-a) }

// stream makes packets of some flows over so many milliseconds, some of them twice.
func (r *pairRun) stream(flows int, length int64) {
	start := int64(1e18)
	for f := range flows {
		id := uint64(1 + f)
		at := start + r.between(0, length*ms/2)
		end := start + r.between(length/2, length)*ms
		gap := r.between(2*ms, 100*ms)
		for n := uint32(0); at < end; n++ {
			p := simPacket{at, id, n%3 == 2, simKey{r.Uint32(), 60 + n%1000}}
			r.packets = append(r.packets, p)
			if r.IntN(20) == 0 { // it is sent again
				p.at += r.between(0, 15*ms)
				r.packets = append(r.packets, p)
			}
			at += 1 + r.Int64N(2*gap)
		}
	}
	slices.SortStableFunc(r.packets, func(a, b simPacket) int { return cmp.Compare(a.at, b.at) })
}

// meter is one that meters the stream.
type simMeter struct {
	r      *pairRun
	m      *Meter
	input  int
	skew   int64
	delay  int64 // of what it tells
	stop   [2]int64
	kill   [2]int64
	losses float64 // of its link; bursts of that
	lost   float64 // messages on the way
	flows  map[uint64]*simMetered
	batch  []func(*Meter) error
	which  []int // packets of that
	arrive int64 // of the latest message
}

type simMetered struct {
	backward, begun bool
	packets         []int
	sum             tally
}

// meter has a meter see the stream.
func (s *simMeter) meter() {
	r := s.r
	s.flows = make(map[uint64]*simMetered)
	s.m = &Meter{Name: fmt.Sprint("m", s.input), Input: s.input, Form: feed.Form{Digest: true}}
	last := map[uint64]int{}
	for i, p := range r.packets {
		last[p.flow] = i
	}
	losing, sendAt := false, int64(0)
	for i, p := range r.packets {
		if p.at >= s.kill[0] && p.at < s.kill[1] {
			if s.m != nil {
				s.batch, s.which = nil, nil // with what was not sent
				s.emit(s.kill[0], func(m *Meter) error { return r.pair.Gone(m) })
				s.flows, s.m = make(map[uint64]*simMetered), nil
			}
			continue
		}
		if s.m == nil {
			s.m = &Meter{Name: fmt.Sprint("m", s.input, "again"), Input: s.input, Form: feed.Form{Digest: true}}
		}
		if r.Float64() < 0.01 {
			losing = s.losses > 0 && r.Float64() < s.losses
		}
		if sendAt == 0 {
			sendAt = p.at + 20*ms
		}
		if !losing {
			s.see(i, &p)
		}
		if last[p.flow] == i {
			s.end(p.flow, p.at)
		}
		if p.at >= sendAt || len(s.batch) > 30 || i == len(r.packets)-1 {
			s.send(p.at)
			sendAt = 0
		}
	}
}

// see meters a packet.
func (s *simMeter) see(i int, p *simPacket) {
	f := s.flows[p.flow]
	if f == nil {
		f = &simMetered{backward: p.backward}
		s.flows[p.flow] = f
	}
	at := p.at + s.skew + s.r.between(0, ms)
	if !f.begun {
		f.begun = true
		n := simFlow(p.flow, f.backward, at)
		s.batch = append(s.batch, func(m *Meter) error { return s.r.pair.New(m, &n) })
	}
	rec := feed.Packet{Flow: p.flow, Time: at, Octets: p.key.octets, Digest: p.key.digest, Backward: p.backward != f.backward}
	f.packets = append(f.packets, i)
	f.sum.add(&rec, false)
	s.batch = append(s.batch, func(m *Meter) error { return s.r.pair.Packet(m, &rec) })
	s.which = append(s.which, i)
}

// end ends a flow.
func (s *simMeter) end(flow uint64, at int64) {
	f := s.flows[flow]
	if f == nil {
		return
	}
	e := feed.End{New: simFlow(flow, f.backward, 0), Reason: feed.Idle, Told: uint64(len(f.packets))}
	for d := range 2 {
		e.PDUs[d], e.Octets[d] = uint64(f.sum.pdus[d]), uint64(f.sum.octets[d])
	}
	delete(s.flows, flow)
	s.batch = append(s.batch, func(m *Meter) error { return s.r.pair.End(m, &e) })
	for _, i := range f.packets {
		s.r.counted[i] = true
	}
}

// send sends what there is as a message that is lost or comes later.
func (s *simMeter) send(at int64) {
	arrive := at + s.r.between(0, s.delay)
	if at >= s.stop[0] && at < s.stop[1] {
		arrive = s.stop[1] + 1
	}
	batch, which := s.batch, s.which
	s.batch, s.which = nil, nil
	if s.r.Float64() < s.lost {
		n := uint64(len(batch))
		batch = []func(*Meter) error{func(m *Meter) error { return s.r.pair.Missing(m, n) }}
		which = nil
	}
	s.arrive = max(s.arrive+1, arrive)
	for _, i := range which {
		s.r.by[s.input][s.r.packets[i].key]++
		at, ok := s.r.delivered[i]
		if !ok {
			at[0] = s.arrive
		}
		s.r.delivered[i] = [2]int64{min(at[0], s.arrive), max(at[1], s.arrive)}
	}
	for _, do := range batch {
		s.emit(s.arrive, do)
	}
}

func (s *simMeter) emit(at int64, do func(*Meter) error) {
	s.arrive = max(s.arrive, at)
	s.r.events = append(s.r.events, simEvent{at: s.arrive, m: s.m, do: do})
}

// run gives the Pair what has come, in the order in which it came.
func (r *pairRun) run() {
	r.pair = NewPair(r)
	slices.SortStableFunc(r.events, func(a, b simEvent) int { return cmp.Compare(a.at, b.at) })
	tick := int64(0)
	for i, e := range r.events {
		if i == r.restart {
			r.again()
		}
		if tick == 0 {
			tick = e.at
		}
		for ; tick <= e.at; tick += 20 * ms {
			r.at = tick
			r.check(r.pair.Tick(time.Unix(0, tick)))
		}
		r.at = e.at
		e.m.Heard = time.Unix(0, e.at)
		r.check(e.do(e.m))
	}
	for range 1000 {
		r.at = tick
		r.check(r.pair.Tick(time.Unix(0, tick)))
		tick += 20 * ms
	}
	r.check(r.pair.Close())
}

// again has another Pair go on.
func (r *pairRun) again() {
	before := r.pair
	r.check(before.Close())
	var state bytes.Buffer
	r.check(before.Save(&state))
	for _, b := range r.book {
		b.isNew = false
	}
	r.pair = NewPair(r)
	r.check(r.pair.Tick(time.Unix(0, r.at)))
	r.check(r.pair.Load(&state))
	for m, h := range before.heard { // meters tell of all flows again
		for id, l := range h.flows {
			n := simFlow(id, false, 0)
			if l.flipped == bytes.Equal(n.Key, l.flow.Key) {
				n = simFlow(id, true, 0)
			}
			r.check(r.pair.New(m, &n))
		}
	}
}

func (r *pairRun) check(err error) {
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *pairRun) flow(id uint64) *simBook {
	if r.book[id] == nil {
		r.book[id] = &simBook{}
	}
	return r.book[id]
}

// Packet and the others are the Sink of the pair.
func (r *pairRun) Packet(_ *Meter, p *feed.Packet) error {
	k := simKey{p.Digest, p.Octets}
	r.told[k] = append(r.told[k], r.at)
	r.flow(p.Flow).told.add(p, false)
	return nil
}

func (r *pairRun) New(_ *Meter, n *feed.New) error {
	b := r.flow(n.Flow)
	if b.isNew {
		r.t.Errorf("flow %d begins twice", n.Flow)
	}
	b.isNew = true
	return nil
}

func (r *pairRun) End(_ *Meter, e *feed.End) error {
	b := r.flow(e.Flow)
	if !b.isNew {
		r.t.Errorf("flow %d ends, and has not begun", e.Flow)
		return nil
	}
	b.isNew = false
	for d := range 2 {
		b.lacks += int64(e.PDUs[d]) - b.told.pdus[d]
		if r.restart == 0 && e.PDUs[d] == uint64(b.told.pdus[d]) && e.Octets[d] != uint64(b.told.octets[d]) {
			r.t.Errorf("flow %d: END has %d octets, PACKETs %d", e.Flow, e.Octets, b.told.octets)
		}
	}
	b.told = tally{}
	return nil
}

func (r *pairRun) Stats(*Meter, *feed.Stats) error { return nil }
func (r *pairRun) Missing(*Meter, uint64) error    { return nil }
func (r *pairRun) Gone(*Meter) error               { return nil }

// TestPair has two meters meter random streams. What the pair tells is what either has
// delivered, each packet once and at most Hold and a tick later; ENDs lack what was
// counted and never delivered.
func TestPair(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { testPair(t, seed) })
	}
}

func testPair(t *testing.T, seed uint64) {
	r := &pairRun{
		Rand: rand.New(rand.NewPCG(seed, 3)), t: t, delivered: map[int][2]int64{}, by: [2]map[simKey]int{{}, {}}, counted: map[int]bool{},
		told: map[simKey][]int64{}, book: map[uint64]*simBook{},
	}
	r.stream(20, 20_000)
	var skews [2]int64
	start, length := r.packets[0].at, 20_000*ms
	for input := range 2 {
		s := &simMeter{r: r, input: input, skew: r.between(-10_000*ms, 10_000*ms), delay: r.between(1, 50*ms)}
		at := start + r.between(2_000*ms, length/2)
		// What happens to one of them does not happen to the other at the same time, or
		// packets that are sent twice may be counted once.
		at += int64(input) * length / 3
		switch what := r.IntN(5); {
		case seed%8 == 7: // longer than records are known
			if input == 0 {
				s.stop = [2]int64{at, at + r.between(6_000*ms, 9_000*ms)}
			}
		case what == 0:
			s.kill = [2]int64{at, at + r.between(1, 5_000*ms)}
		case what == 1:
			s.stop = [2]int64{at, at + r.between(1, 4_000*ms)}
		case what == 2:
			if input == int(seed%2) {
				s.losses = 0.3
			}
		case what == 3:
			if input == int(seed%2) {
				s.lost = 0.1
			}
		}
		skews[input] = s.skew
		s.meter()
	}
	if seed%3 == 2 {
		r.restart = 1 + r.IntN(len(r.events)-1)
	}
	r.run()
	want, due, lost := map[simKey]int{}, map[simKey]int64{}, int64(0)
	for i := range r.packets {
		at, ok := r.delivered[i]
		k := r.packets[i].key
		switch {
		case ok && want[k] == 0:
			want[k], due[k] = 1, at[0]
		case ok: // any of them may be taken for any other
			want[k]++
			due[k] = max(due[k], at[1])
		case r.counted[i]:
			lost++
		}
	}
	for k, n := range want {
		// Of packets that are alike, each meter may have lost another one.
		if at := r.told[k]; len(at) > n || len(at) < max(r.by[0][k], r.by[1][k]) {
			t.Errorf("packet %v was told %d times, not %d", k, len(at), n)
		} else if late := slices.Max(at) - due[k]; late > int64(pairHold)+20*ms {
			t.Errorf("packet %v was told %v after it had come", k, time.Duration(late))
		}
		lost += int64(n - len(r.told[k]))
	}
	if len(r.told) > len(want) {
		t.Errorf("%d packets were told, of %d", len(r.told), len(want))
	}
	lacks := int64(0)
	for _, b := range r.book {
		lacks += b.lacks
		if b.isNew {
			t.Error("a flow has not ended")
		}
	}
	if c := r.pair.Count(); r.restart == 0 && (lacks > lost || lacks == 0 && lost > 0 || (c.Late != [2]uint64{}) != (seed%8 == 7)) {
		t.Errorf("ENDs lack %d packets, %d were lost: %+v", lacks, lost, c)
	}
	skew := time.Duration(skews[1] - skews[0])
	if c := r.pair.Count(); !c.Skewed || (c.Skew-skew).Abs() > time.Millisecond {
		t.Errorf("the skew is %v, not %v", c.Skew, skew)
	}
}

// pairMeters gives records of two meters to a Pair, and counts what it tells.
type pairMeters struct {
	*pairRun
	m   [2]Meter
	now int64
}

func newPairMeters(t *testing.T) *pairMeters {
	p := &pairMeters{pairRun: &pairRun{t: t, told: map[simKey][]int64{}, book: map[uint64]*simBook{}}, now: 1e18}
	p.pair = NewPair(p.pairRun)
	for i := range p.m {
		p.m[i] = Meter{Name: fmt.Sprint("m", i), Input: i, Form: feed.Form{Digest: true}}
		n := simFlow(1, false, p.now)
		p.check(p.pair.New(&p.m[i], &n))
	}
	return p
}

// tells has a meter tell of a packet, after some time.
func (p *pairMeters) tells(after time.Duration, meter int, digest uint32) {
	p.now += int64(after)
	p.m[meter].Heard = time.Unix(0, p.now)
	p.check(p.pair.Packet(&p.m[meter], &feed.Packet{Flow: 1, Time: p.now, Octets: 60, Digest: digest}))
}

func (p *pairMeters) want(digest uint32, times int) {
	p.t.Helper()
	if got := len(p.told[simKey{digest, 60}]); got != times {
		p.t.Errorf("packet %d was told %d times, not %d", digest, got, times)
	}
}

// TestPairLead has the second meter lead while the first is silent: it is told of at once.
// Only the same packet at about the same time is the same.
func TestPairLead(t *testing.T) {
	p := newPairMeters(t)
	for i := range uint32(2 * skewEnough) {
		p.tells(time.Millisecond, 0, i)
		p.tells(time.Millisecond, 1, i)
		p.want(i, 1)
	}
	p.tells(time.Millisecond, 1, 1000)
	p.want(1000, 0)
	p.tells(pairHold, 1, 1001) // the first meter has been silent for so long
	p.want(1000, 1)
	p.tells(time.Millisecond, 1, 1002)
	p.want(1002, 1)
	p.tells(time.Millisecond, 0, 1003) // it does not lead again
	p.want(1003, 0)
	p.tells(time.Second, 1, 1003) // which is another one
	p.want(1003, 1)
	p.check(p.pair.Tick(time.Unix(0, p.now+int64(pairHold))))
	p.want(1003, 2)
	if c := p.pair.Count(); c.Changes != 3 || c.Both != 2*skewEnough || c.Only != [2]uint64{1, 4} {
		t.Errorf("%+v", c)
	}
}

// TestPairForm refuses meters that cannot be paired.
func TestPairForm(t *testing.T) {
	p := newPairMeters(t)
	n := simFlow(1, false, 0)
	for _, m := range []*Meter{{Name: "m"}, {Name: "m", Form: feed.Form{Digest: true, Narrow: true}}, {Name: "m", Form: feed.Form{Digest: true}, Input: 2}} {
		if err := p.pair.New(m, &n); err == nil {
			t.Errorf("%+v is paired", m.Form)
		}
	}
}

// TestPairBounds has only one meter tell, of more packets than are known.
func TestPairBounds(t *testing.T) {
	p := newPairMeters(t)
	p.pair.table.most = 100
	for i := range uint32(1000) {
		p.tells(0, 1, i)
	}
	if told := int(p.pair.Count().Told); told != 900 || len(p.pair.table.ring) > 1024 || len(p.pair.table.chains[1]) != 100 {
		t.Errorf("%d told, room for %d, %d known", told, len(p.pair.table.ring), len(p.pair.table.chains[1]))
	}
	p.check(p.pair.Close())
	if told := p.pair.Count().Told; told != 1000 {
		t.Errorf("%d told in the end", told)
	}
}

// TestPairFlows has meters tell of more flows than there is room for: their packets are
// told once all the same.
func TestPairFlows(t *testing.T) {
	p := newPairMeters(t)
	p.pair.MaxFlows = 2
	for id := range uint64(10) {
		n := simFlow(2+id, false, p.now)
		for i := range p.m {
			p.check(p.pair.New(&p.m[i], &n))
			p.check(p.pair.Packet(&p.m[i], &feed.Packet{Flow: n.Flow, Time: p.now, Octets: 60, Digest: uint32(n.Flow)}))
		}
		p.want(uint32(n.Flow), 1)
	}
	for id := range uint64(10) {
		for i := range p.m {
			e := feed.End{New: simFlow(2+id, false, p.now), PDUs: [2]uint64{1}, Octets: [2]uint64{60}, Told: 1, Reason: feed.Idle}
			p.check(p.pair.End(&p.m[i], &e))
		}
	}
	if h := p.pair.heard[&p.m[0]]; len(h.flows) > 2 || len(p.pair.flows.byID) > 4 {
		t.Errorf("%d flows are known, and %d of a meter", len(p.pair.flows.byID), len(h.flows))
	}
}

// BenchmarkPair is of a packet that both meters tell.
func BenchmarkPair(b *testing.B) {
	p := NewPair(Tee{})
	m := [2]Meter{{Form: feed.Form{Digest: true}}, {Input: 1, Form: feed.Form{Digest: true}}}
	n := simFlow(1, false, 0)
	for i := range m {
		if err := p.New(&m[i], &n); err != nil {
			b.Fatal(err)
		}
	}
	packet := &feed.Packet{Flow: 1, Octets: 60}
	b.ReportAllocs()
	for b.Loop() {
		packet.Digest++
		packet.Time += 1000
		for i := range m {
			m[i].Heard = time.Unix(0, packet.Time)
			if err := p.Packet(&m[i], packet); err != nil {
				b.Fatal(err)
			}
		}
	}
	if c := p.Count(); c.Both != c.Told {
		b.Fatalf("%+v", c)
	}
}
