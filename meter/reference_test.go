package meter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/meter/packet"
	"rtfm/meter/series"
	"rtfm/ruleset"
	"rtfm/ruleset/filter"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/rulesettest"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// plainMeter is a meter in the plainest form: the reference engine for every
// packet, a map for a flow table, and RFC 2722 section 4.3 as it stands there.
type plainMeter struct {
	cfg    Config
	shapes *match.Shapes
	flows  map[match.FlowKey]*plainFlow
	verdict
	filter                    *ruleset.RuleSet
	filtered                  uint64
	carried                   carried
	now, from, end, recoverAt int64
	packets                   int
	collections               []map[match.FlowKey]match.Flow
	series                    plainSeries
}

// plainFlow is a flow that remembers all of its packets.
type plainFlow struct {
	match.Flow
	packets []plainPacket
}

type plainPacket struct {
	time    int64
	forward bool
	octets  uint64
	detail  plainDetail
}

// verdict counts what became of packets.
type verdict struct{ counted, ignored, unmatched, stopped, uncounted uint64 }

// meter meters a packet, or a record, that has come out of VXLAN with this VNI if that
// is not 0.
func (m *plainMeter) meter(from *traces.Packet, record *traces.Record, vni uint32) {
	var p match.Packet
	packet.Decode(&p, from.Link, from.Data, from.Wire)
	m.carried.look(from, &p.Key)
	if from.Direction != traces.Outgoing {
		p.Key.SetInterface(attr.Source, uint16(from.Interface))
	}
	if from.Direction != traces.Incoming {
		p.Key.SetInterface(attr.Dest, uint16(from.Interface))
	}
	p.Key.SetDuplicate(uint8(from.Duplicate))
	if vni != 0 {
		p.Key.SetTunnel(uint8(packet.VXLAN), vni)
	}
	pdus, octets := uint64(1), uint64(p.FrameOctets)
	if record != nil {
		pdus, octets = record.PDUs, record.Octets
		p.Key.SetInterface(attr.Source, uint16(record.Input))
		p.Key.SetInterface(attr.Dest, uint16(record.Output))
		p.Key.SetASN(attr.Source, record.SourceASN, record.SourcePrefix)
		p.Key.SetASN(attr.Dest, record.DestASN, record.DestPrefix)
		p.Key.SetMeterID(record.Meter)
	}
	if m.packets == 0 {
		m.now = from.Time
		m.end = from.Time + int64(m.cfg.Interval)
	}
	m.passSeconds(from.Time)
	for from.Time >= m.end {
		m.collect(m.end)
		m.from, m.end = m.end, m.end+int64(m.cfg.Interval)
	}
	m.now = max(m.now, from.Time)
	if m.packets > 0 && from.Time >= m.recoverAt {
		m.recoverAt = m.now + recoverEvery
		limit := min(m.now-int64(m.cfg.InactivityTimeout), m.from)
		maps.DeleteFunc(m.flows, func(_ match.FlowKey, f *plainFlow) bool { return f.LastTime < limit })
	}
	m.packets++
	if m.filter != nil {
		key := p.Key
		if v, _ := pme.Reference(m.filter, 0, m.shapes, &p, &key, false); v != pme.Success {
			m.filtered += pdus
			m.series.of(from).Filtered += pdus
			return
		}
	}
	m.series.of(from).PDUs += pdus
	m.series.of(from).Octets += octets
	for i, rs := range m.cfg.RuleSets {
		m.match(rs, i+2, &p, pdus, octets, record != nil)
	}
}

func (m *plainMeter) match(rs *ruleset.RuleSet, number int, p *match.Packet, pdus, octets uint64, record bool) {
	row := m.series.ruleSet(number)
	row.PDUs += pdus
	row.Octets += octets
	key := p.Key
	v, k := pme.Reference(rs, number, m.shapes, p, &key, false)
	reversed := v == pme.NoMatch
	if reversed {
		key = p.Key.Reverse()
		v, k = pme.Reference(rs, number, m.shapes, p, &key, true)
	}
	switch v {
	case pme.Ignore:
		m.ignored += pdus
		row.Ignored += pdus
		return
	case pme.NoMatch:
		m.unmatched += pdus
		row.Unmatched += pdus
		return
	case pme.Stopped:
		m.stopped += pdus
		row.Stopped += pdus
		return
	}
	f, forward := m.flows[k], !reversed
	if f == nil && !reversed {
		if f = m.flows[k.Reverse()]; f != nil {
			forward = false
		}
	}
	if f == nil {
		if len(m.flows) == m.cfg.MaxFlows {
			m.uncounted += pdus
			row.Uncounted += pdus
			return
		}
		f = &plainFlow{Flow: match.Flow{FlowKey: k, FirstTime: m.now}}
		m.flows[k] = f
		row.NewFlows++
	}
	m.series.counts(row, f)
	m.counted += pdus
	f.LastTime = m.now
	if !record {
		f.packets = append(f.packets, plainPacket{m.now, forward, octets, detailOf(p)})
	}
	if forward {
		f.ToPDUs += pdus
		f.ToOctets += octets
	} else {
		f.FromPDUs += pdus
		f.FromOctets += octets
	}
}

// counters returns the counters of the flow's distributions at time now, and the
// numbers of its statistics.
func (f *plainFlow) counters(now int64) (all [][]uint64) {
	for _, d := range f.Shape.Measures {
		if d.Attr.Form() != attr.FormBuckets {
			all = append(all, f.statistic(&d))
			continue
		}
		limits := d.Limits()
		counters := make([]uint64, len(limits)+1)
		count := func(v uint64) {
			i, _ := slices.BinarySearch(limits, v)
			counters[i]++
		}
		seconds, _, _ := d.Parameters()
		interval := int64(seconds) * 1e9
		amounts := map[int64]uint64{}
		before := int64(math.MinInt64)
		for _, p := range f.packets {
			switch {
			case p.forward && d.Attr == attr.ToPacketSize:
				count(p.octets)
			case !p.forward && d.Attr == attr.FromInterarrivalTime:
				if before != math.MinInt64 {
					count(uint64(p.time-before) / 1000)
				}
				before = p.time
			case p.forward && d.Attr == attr.ToBitRate:
				amounts[(p.time-f.FirstTime)/interval] += 8 * p.octets
			case !p.forward && d.Attr == attr.FromPDURate:
				amounts[(p.time-f.FirstTime)/interval]++
			}
		}
		if d.Attr == attr.ToBitRate || d.Attr == attr.FromPDURate {
			for i := range (now - f.FirstTime) / interval {
				count(amounts[i] / uint64(seconds))
			}
		}
		all = append(all, counters)
	}
	return all
}

func (m *plainMeter) collect(to int64) {
	c := make(map[match.FlowKey]match.Flow)
	for k, f := range m.flows {
		if f.LastTime >= m.from {
			flow := f.Flow
			flow.Counters = f.counters(to)
			c[k] = flow
		}
	}
	m.collections = append(m.collections, c)
}

// finest returns a ruleset that saves all that tells flows apart.
func finest(more ...attr.Attr) *ruleset.RuleSet {
	rs := &ruleset.RuleSet{Rules: []ruleset.Rule{{Op: ruleset.OpGotoAct, Param: 2}}}
	for _, a := range append([]attr.Attr{
		attr.SourcePeerType, attr.DestPeerType, attr.SourcePeerAddress, attr.DestPeerAddress,
		attr.SourceTransAddress, attr.DestTransAddress, attr.SourceTransType,
	}, more...) {
		rs.Rules = append(rs.Rules, ruleset.Rule{
			Attr: a, Mask: attr.Ones(a.Info().Size), Op: ruleset.OpPushPktToAct, Param: len(rs.Rules) + 2,
		})
	}
	rs.Rules = append(rs.Rules, ruleset.Rule{Op: ruleset.OpCount})
	return rs
}

// gather is a sink that keeps the collections of a meter.
type gather struct {
	m           *Meter
	collections []map[match.FlowKey]match.Flow
}

func (g *gather) Collect(Collection) error {
	c := make(map[match.FlowKey]match.Flow)
	var inParts []match.Flow // as they come
	parts, ok := g.m.Parts()
	for _, p := range parts {
		p.Flows(func(f *match.Flow) {
			copied := *f
			copied.Counters = nil
			for _, c := range f.Counters {
				copied.Counters = append(copied.Counters, slices.Clone(c))
			}
			inParts = append(inParts, copied)
		})
	}
	err := g.m.Flows(func(f *match.Flow) error {
		if ok {
			if len(inParts) == 0 || !reflect.DeepEqual(inParts[0], *f) {
				return fmt.Errorf("flow %v is not that of the parts, of which %d are left", f, len(inParts))
			}
			inParts = inParts[1:]
		}
		flow := *f
		flow.Index, flow.Counters = 0, nil
		for _, c := range f.Counters {
			flow.Counters = append(flow.Counters, slices.Clone(c))
		}
		c[f.FlowKey] = flow
		return nil
	})
	g.collections = append(g.collections, c)
	if len(inParts) > 0 {
		return fmt.Errorf("%d more flows in parts", len(inParts))
	}
	return err
}
func (g *gather) Damage(error)                    {}
func (g *gather) BackInTime(string, int64, int64) {}

// randomTrace makes packets between a handful of hosts, at times that now and
// then leap ahead, and sometimes go back.
func randomTrace(r *rand.Rand, n int) []traces.Packet {
	host := func() string {
		return fmt.Sprintf("%d.%d.0.%d", rulesettest.Octet(r), rulesettest.Octet(r), rulesettest.Octet(r))
	}
	port := func() int { return int(rulesettest.Octet(r))<<8 | int(rulesettest.Octet(r)) }
	mac := func() string {
		return fmt.Sprintf("%02x:00:00:00:00:%02x", rulesettest.Octet(r)&^1, rulesettest.Octet(r))
	}
	now := int64(1_000_000_000_000)
	var packets []traces.Packet
	for range n {
		f := tracetest.Eth(mac(), mac())
		switch r.IntN(4) {
		case 0:
			f = f.VLAN(r.IntN(3)).IPv4(host(), host()).UDP(port(), port())
		case 1:
			f = f.IPv6(fmt.Sprintf("%x::1", port()), "1::2").TCP(port(), port(), 2)
		default:
			f = f.IPv4(host(), host()).TCP(port(), port(), 16)
		}
		p := tracetest.Packets(f.Payload(r.IntN(30)))[0]
		switch r.IntN(40) {
		case 0:
			now += int64(r.IntN(30)) * int64(time.Second)
		case 1:
			now -= int64(r.IntN(int(time.Second)))
		default:
			now += int64(r.IntN(int(20 * time.Millisecond)))
		}
		p.Time = now
		p.Interface = uint32(1 + r.IntN(2))
		p.Direction, p.Duplicate = traces.Direction(r.IntN(3)), traces.Duplicate(r.IntN(3))
		packets = append(packets, p)
		if r.IntN(3) == 0 && len(packets) > 5 { // seen before, so that the memo is asked
			again := packets[len(packets)-1-r.IntN(5)]
			again.Time = now
			packets = append(packets, again)
		}
	}
	return packets
}

// randomRecords makes records of flows for packets, alike for packets that are
// alike in their beginning.
func randomRecords(r *rand.Rand, packets []traces.Packet) []traces.Record {
	octet := func() uint32 { return uint32(rulesettest.Octet(r)) }
	records := make([]traces.Record, len(packets))
	for i := range records {
		records[i] = traces.Record{
			PDUs: 1 + uint64(octet()), Octets: r.Uint64N(1 << 40), Meter: [4]byte{byte(octet()), 3: byte(octet())},
			Input: octet(), Output: octet(), SourceASN: octet() << 24, DestASN: octet()<<24 | octet(),
			SourcePrefix: uint8(octet()), DestPrefix: uint8(octet()),
		}
		if i > 0 && r.IntN(3) == 0 {
			records[i] = records[i-1]
		}
	}
	return records
}

// recorded is a source of packets in memory with their records, if there are any.
type recorded struct {
	memory
	records []traces.Record
}

func (s *recorded) ReadBatch(b *traces.Batch) error {
	err := s.memory.ReadBatch(b)
	if err == nil && len(s.records) > 0 {
		n := len(b.Packets)
		b.Records, s.records = append(b.Records[:0], s.records[:n]...), s.records[n:]
	}
	return err
}

// memory is a source of packets in memory, in batches of varying length.
type memory struct {
	packets []traces.Packet
	r       *rand.Rand
}

func (s *memory) ReadBatch(b *traces.Batch) error {
	if len(s.packets) == 0 {
		return io.EOF
	}
	n := min(1+s.r.IntN(300), len(s.packets))
	b.Packets, s.packets = append(b.Packets[:0], s.packets[:n]...), s.packets[n:]
	return nil
}
func (s *memory) Stats() traces.Stats { return traces.Stats{} }
func (s *memory) Close() error        { return nil }

// TestMeterIsPlain holds the meter to plainMeter over random rulesets and
// packets, through intervals, recovery, a full table and reversed flows.
func TestMeterIsPlain(t *testing.T) {
	seeds := uint64(400)
	if testing.Short() {
		seeds = 40
	}
	var total verdict
	recovered := uint64(0)
	for seed := range seeds {
		v, n := plainDifference(t, seed)
		total.counted += v.counted
		total.ignored += v.ignored
		total.unmatched += v.unmatched
		total.uncounted += v.uncounted
		recovered += n
	}
	if total.counted == 0 || total.ignored == 0 || total.unmatched == 0 || total.uncounted == 0 || recovered == 0 {
		t.Errorf("%+v, %d recovered: the packets are not what they should be", total, recovered)
	}
}

// FuzzMeter is TestMeterIsPlain for as long as one likes.
func FuzzMeter(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { plainDifference(t, seed) })
}

func plainDifference(t *testing.T, seed uint64) (verdict, uint64) {
	r := rand.New(rand.NewPCG(seed, 4))
	cfg := Config{
		RuleSets: []*ruleset.RuleSet{rulesettest.Random(r)}, MaxFlows: 1 + r.IntN(250),
		Interval: time.Duration(1+r.IntN(10)) * time.Second, InactivityTimeout: time.Duration(r.IntN(10)) * time.Second,
	}
	switch r.IntN(3) {
	case 0:
		cfg.RuleSets = append(cfg.RuleSets, rulesettest.Random(r))
	case 1:
		cfg.RuleSets = append(cfg.RuleSets, exact())
	case 2:
		if r.IntN(3) == 0 { // whose view is of tuples
			cfg.RuleSets = []*ruleset.RuleSet{exact()}
		}
	}
	if r.IntN(3) == 0 { // two that see the same
		cfg.RuleSets = append(cfg.RuleSets, cfg.RuleSets[0])
	}
	var screened *ruleset.RuleSet
	if r.IntN(3) == 0 {
		screened = rulesettest.Random(r)
		if texts := []string{"tcp", "src net 10 or not ip", "port 80 or 53", "dst net 0.0.0.0/1"}; r.IntN(2) == 0 {
			screened, _, _ = filter.Compile(texts[r.IntN(len(texts))])
		}
		if seed%4 == 1 && r.IntN(2) == 0 {
			screened = tunnelsOnly()
		}
		p, err := pme.Compile(screened, 0, nil)
		if err != nil {
			return verdict{}, 0
		}
		cfg.Filter = p
	}
	if seed%4 == 2 {
		cfg.Tunnels, cfg.TunnelDepth = packet.PlainTunnels, 2
		cfg.RuleSets = append(cfg.RuleSets, finest(attr.TunnelID, attr.TunnelKind))
	}
	if seed%4 == 1 && r.IntN(2) == 0 {
		cfg.RuleSets = append(cfg.RuleSets, insides())
	}
	var intervals []series.Interval
	if length := []time.Duration{0, 7 * time.Millisecond, time.Second, 3 * time.Second}[r.IntN(4)]; length > 0 {
		cfg.Series = SeriesConfig{length, func(i *series.Interval) error {
			intervals = append(intervals, *i)
			intervals[len(intervals)-1].Rows = slices.Clone(i.Rows)
			return nil
		}}
	}
	m, err := New(cfg)
	if err != nil {
		return verdict{}, 0 // a ruleset that loops
	}
	if r.IntN(2) == 0 {
		for _, t := range m.tasks {
			t.near = 0 // flows are fetched ahead however few they are
		}
	}
	packets := randomTrace(r, 300)
	if vary(r, packets); cfg.Tunnels == 0 && seed%4 != 1 {
		cut(r, packets)
	}
	withoutSeries := cfg
	withoutSeries.Series = SeriesConfig{}
	if stopped(t, withoutSeries, packets) > 20 {
		packets = packets[:20] // the plain meter takes a millisecond for each
	}
	given, vnis, found := packets, make([]uint32, len(packets)), TunnelStats{}
	if cfg.Tunnels != 0 {
		given, packets, vnis, found = tunnelled(r, packets)
	}
	inner := halfCarried(packets)
	if seed%4 == 1 {
		given, inner = carrying(r, packets)
	}
	var records []traces.Record
	if seed%4 == 3 {
		records = randomRecords(r, packets)
	}
	got := &gather{m: m}
	if err := m.Run(context.Background(), &recorded{memory{given, r}, records}, got); err != nil {
		t.Fatal(err)
	}
	want := &plainMeter{carried: inner, cfg: cfg, filter: screened, shapes: &m.shapes, flows: make(map[match.FlowKey]*plainFlow)}
	for i := range packets {
		var record *traces.Record
		if records != nil {
			record = &records[i]
		}
		want.meter(&packets[i], record, vnis[i])
	}
	want.collect(want.now)
	if want.passSeconds(math.MaxInt64); !reflect.DeepEqual(intervals, want.series.intervals) {
		t.Fatalf("seed %d: series\n%v\nwant\n%v", seed, intervals, want.series.intervals)
	}
	var sum verdict
	for _, t := range m.Stats().Tasks {
		sum.counted += t.Counted
		sum.ignored += t.Ignored
		sum.unmatched += t.Unmatched
		sum.stopped += t.Stopped
		sum.uncounted += t.Uncounted
	}
	if n := m.Stats().Filtered; n != want.filtered {
		t.Fatalf("seed %d: %d packets do not pass the filter, want %d", seed, n, want.filtered)
	}
	if n := m.Stats().Tunnels; n != found {
		t.Fatalf("seed %d: %+v, want %+v", seed, n, found)
	}
	if sum != want.verdict {
		t.Fatalf("seed %d: %+v, want %+v", seed, sum, want.verdict)
	}
	if len(got.collections) != len(want.collections) {
		t.Fatalf("seed %d: %d collections, want %d", seed, len(got.collections), len(want.collections))
	}
	for i := range want.collections {
		if !maps.EqualFunc(got.collections[i], want.collections[i], sameFlow) {
			t.Fatalf("seed %d: collection %d of %d:\n%v\nwant\n%v", seed, i, len(want.collections), show(got.collections[i]), show(want.collections[i]))
		}
	}
	return sum, m.Stats().Recovered
}

// stopped returns for how many of the packets a ruleset loops.
func stopped(t *testing.T, cfg Config, packets []traces.Packet) (n uint64) {
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background(), &memory{packets, rand.New(rand.NewPCG(1, 1))}, &gather{m: m}); err != nil {
		t.Fatal(err)
	}
	for _, s := range m.Stats().Tasks {
		n += s.Stopped
	}
	return n
}

func sameFlow(a, b match.Flow) bool { return reflect.DeepEqual(a, b) }

func show(flows map[match.FlowKey]match.Flow) string {
	var b bytes.Buffer
	for k, f := range flows {
		fmt.Fprintf(&b, "%+v %x: to %d/%d from %d/%d, %d to %d, %v\n", k.Shape.Saved, k.Key[:100], f.ToPDUs, f.ToOctets, f.FromPDUs, f.FromOctets, f.FirstTime, f.LastTime, f.Counters)
	}
	return b.String()
}
