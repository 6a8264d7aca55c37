package feed_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/packet"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/rulesettest"
	"rtfm/traces"
	"rtfm/traces/tracetest"

	records "rtfm/traces/feed"
)

// sent is a packet, and what it has of TCP's flags as far as it was captured.
type sent struct {
	traces.Packet
	flags uint8
}

// randomPackets makes packets between a few hosts, most of them of connections that
// begin and end, at times that now and then leap ahead or go back.
func randomPackets(r *rand.Rand, n int) (all []sent) {
	now := int64(1_700_000_000_000_000_000)
	for range n {
		var f tracetest.Frame
		flags, backward, port := uint8(0), r.IntN(2), r.IntN(6)
		ends := [2]string{"10.0.0.1", fmt.Sprintf("10.0.%d.2", r.IntN(3))}
		ports := [2]int{1000 + port, 80}
		from, to := ends[backward], ends[1-backward]
		f = tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
		switch r.IntN(8) {
		case 0:
			f = f.IPv4(from, to).UDP(ports[backward], ports[1-backward])
		case 1:
			f = f.VLAN(7).IPv6("2001:db8::"+from[len(from)-1:], "2001:db8::"+to[len(to)-1:]).UDP(ports[backward], ports[1-backward])
		case 2:
			f = f.IPv4(from, to).ICMP(8, 0)
		default:
			if flags = 16; r.IntN(4) == 0 {
				flags |= uint8([]int{1, 1, 1, 2, 4}[r.IntN(5)])
			}
			f = f.IPv4(from, to).TCP(ports[backward], ports[1-backward], flags)
		}
		p := tracetest.Packets(f.Payload(r.IntN(1400)))[0]
		if r.IntN(10) == 0 {
			n := min(14+20+8+r.IntN(10), len(p.Data))
			if p.Data = p.Data[:n]; n < 14+20+14 {
				flags = 0
			}
		}
		switch r.IntN(60) {
		case 0:
			now += r.Int64N(int64(20 * time.Second))
		case 1:
			now -= r.Int64N(int64(time.Second))
		default:
			now += r.Int64N(int64(100 * time.Millisecond))
		}
		p.Time = now
		all = append(all, sent{p, flags})
	}
	return all
}

// saves returns a ruleset that saves these attributes whole.
func saves(name string, all ...attr.Attr) *ruleset.RuleSet {
	rs := &ruleset.RuleSet{Name: name, Rules: []ruleset.Rule{{Op: ruleset.OpGotoAct, Param: 2}}}
	for _, a := range all {
		rs.Rules = append(rs.Rules, ruleset.Rule{Attr: a, Mask: attr.Ones(a.Info().Size), Op: ruleset.OpPushPktToAct, Param: len(rs.Rules) + 2})
	}
	rs.Rules = append(rs.Rules, ruleset.Rule{Op: ruleset.OpCount})
	return rs
}

func connections(name string) *ruleset.RuleSet {
	return saves(name, attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransAddress, attr.DestTransAddress, attr.SourceTransType)
}

func randomRuleSet(r *rand.Rand, name string) *ruleset.RuleSet {
	switch r.IntN(5) {
	case 4: // as long as templates get
		var all []attr.Attr
		for _, in := range attr.All() {
			if in.Class == attr.ClassInteger && in.Size > 0 || in.Class == attr.ClassAddress {
				all = append(all, in.Attr)
			}
		}
		return saves(name+strings.Repeat("x", 200), all...)
	case 0:
		for {
			rs := rulesettest.Random(r)
			if _, err := meter.Prepare(rs); err != nil {
				continue
			}
			rs.Name = name
			try := &plain{Config: meter.Config{MaxFlows: 100, Interval: time.Hour}, flows: map[match.FlowKey]*plainFlow{}, sets: []running{{rs, 2}}}
			for _, p := range randomPackets(r, 10) {
				try.meter(&p)
			}
			if try.uncounted[9] == 0 { // does not stop at a limit, which takes long
				return rs
			}
		}
	case 1:
		return saves(name, attr.SourcePeerAddress, attr.DestPeerAddress)
	}
	return connections(name)
}

// running is a ruleset that runs.
type running struct {
	*ruleset.RuleSet
	number int
}

// plain is the meter and its feed in the plainest form: the reference engine for each
// packet, and a map of flows.
type plain struct {
	meter.Config
	sets   []running
	shapes match.Shapes
	flows  map[match.FlowKey]*plainFlow
	left   map[int]int64 // when rulesets have ended that run no longer
	// Time, as meter.Meter has it.
	now, from, end, recoverAt int64
	fed                       bool
	name                      string // of the ruleset that is fed, "" for all
	clocks                    []int64
	ignored, uncounted        []uint64 // behind each packet
	counted                   []counted
}

// plainFlow is a flow, and what the feed should know of it.
type plainFlow struct {
	match.FlowKey
	first, last int64 // by the packets before the feed, too
	gone        int64 // when it was recovered; 0 if it was not
	id          uint64
	known       *open // nil if it is not open
	// What was counted since the feed, and told by ENDs.
	counted, told [2][2]uint64
}

// open is what a flow has had since NEW.
type open struct {
	begun, last, closed int64
	counted             [2][2]uint64
	packets             uint64
	fin                 [2]bool
}

// counted is a packet in a flow.
type counted struct {
	flow   *plainFlow
	number int // of the packet
	clock  int64
	records.Packet
}

// meter meters a packet.
func (m *plain) meter(s *sent) {
	var p match.Packet
	packet.Decode(&p, s.Link, s.Data, s.Wire)
	p.Key.SetInterface(attr.Source, uint16(s.Interface))
	p.Key.SetInterface(attr.Dest, uint16(s.Interface))
	octets := p.FrameOctets
	if m.IPOctets {
		octets = p.IPOctets
	}
	if len(m.clocks) == 0 {
		m.now, m.end = s.Time, s.Time+int64(m.Interval)
	}
	for s.Time >= m.end {
		m.from, m.end = m.end, m.end+int64(m.Interval)
	}
	m.now = max(m.now, s.Time)
	if len(m.clocks) > 0 && s.Time >= m.recoverAt {
		m.recoverAt = m.now + int64(meter.RecoverEvery)
		limit := min(m.now-int64(m.InactivityTimeout), m.from)
		maps.DeleteFunc(m.flows, func(_ match.FlowKey, f *plainFlow) bool {
			if f.last < limit {
				f.gone = m.now
			}
			return f.last < limit
		})
	}
	var ignored, uncounted uint64
	if n := len(m.clocks); n > 0 {
		ignored, uncounted = m.ignored[n-1], m.uncounted[n-1]
	}
	for _, rs := range m.sets {
		f, backward, v := m.match(rs, &p)
		switch {
		case v == pme.Stopped, v == pme.Success && f == nil:
			uncounted++
		case v != pme.Success:
			ignored++
		default:
			f.last = m.now
			if !m.fed || m.name != "" && rs.Name != m.name {
				continue
			}
			d := 0
			if backward {
				d = 1
			}
			f.counted[d][0]++
			f.counted[d][1] += uint64(octets)
			m.counted = append(m.counted, counted{f, len(m.clocks), m.now, records.Packet{
				Time: s.Time, Octets: octets, TCPFlags: s.flags, Backward: backward,
			}})
		}
	}
	m.clocks = append(m.clocks, m.now)
	m.ignored, m.uncounted = append(m.ignored, ignored), append(m.uncounted, uncounted)
}

// match returns the flow of a packet, nil if there is no room for it.
func (m *plain) match(rs running, p *match.Packet) (f *plainFlow, backward bool, v pme.Verdict) {
	key := p.Key
	v, k := pme.Reference(rs.RuleSet, rs.number, &m.shapes, p, &key, false)
	if v == pme.NoMatch {
		key, backward = p.Key.Reverse(), true
		v, k = pme.Reference(rs.RuleSet, rs.number, &m.shapes, p, &key, true)
	}
	if v != pme.Success {
		return nil, false, v
	}
	if f = m.flows[k]; f == nil && !backward {
		if f = m.flows[k.Reverse()]; f != nil {
			return f, true, v
		}
	}
	if f == nil && len(m.flows) < m.MaxFlows {
		f = &plainFlow{FlowKey: k, first: m.now}
		m.flows[k] = f
	}
	return f, backward, v
}

// follower holds what a feed tells to what plain says.
type follower struct {
	t *testing.T
	*plain
	idle  time.Duration
	first uint64
	at    int // packets of plain.counted that were told of
	ids   map[uint64]*plainFlow
	stats int
	// What happened.
	news, ends, packets, again, salted int
	reasons                            [8]int
}

func (f *follower) fail(format string, args ...any) {
	f.t.Helper()
	f.t.Fatalf("before packet %d of %d: %s", f.at, len(f.counted), fmt.Sprintf(format, args...))
}

// next returns the clock at the next packet that is told of, or the last time of all.
func (f *follower) next() int64 {
	if f.at < len(f.counted) {
		return f.counted[f.at].clock
	}
	return f.clocks[len(f.clocks)-1]
}

func (f *follower) Begin(before uint32) {
	if before != 0 {
		f.fail("%d records before", before)
	}
}
func (f *follower) Missing(records uint32) { f.fail("%d records are missing", records) }
func (f *follower) Shape(s *records.Shape) {}

// untold reports whether the next packet is one more than are told of its flow.
func (f *follower) untold() bool {
	return f.first > 0 && f.at < len(f.counted) && f.counted[f.at].flow.known != nil && f.counted[f.at].flow.known.packets >= f.first
}

// skip passes over packets that are not told of.
func (f *follower) skip() {
	for f.untold() {
		f.count(&f.counted[f.at])
	}
}

// count counts the next packet.
func (f *follower) count(c *counted) {
	d, o := 0, c.flow.known
	if c.Backward {
		d = 1
	}
	o.packets++
	o.counted[d][0]++
	o.counted[d][1] += uint64(c.Octets)
	o.last = c.clock
	o.fin[d] = o.fin[d] || c.TCPFlags&1 != 0
	if o.closed == 0 && (o.fin[0] && o.fin[1] || c.TCPFlags&4 != 0) && c.flow.Shape.SavesEnds() {
		o.closed = c.clock
	}
	f.at++
}

func (f *follower) New(n *records.New) {
	f.skip()
	f.news++
	if f.at == len(f.counted) {
		f.fail("NEW of %x", n.Flow)
	}
	flow := f.counted[f.at].flow
	if flow.known != nil {
		f.fail("NEW of a flow that is open")
	}
	if flow.id != 0 {
		f.again++
	}
	if other := f.ids[n.Flow]; other != nil && other != flow && (other.gone == 0 || other.gone > f.next()) && f.left[other.Shape.RuleSet] == 0 {
		f.fail("%x is the identifier of two flows", n.Flow)
	}
	if flow.id != 0 && flow.id != n.Flow {
		f.fail("a flow has the identifiers %x and %x", flow.id, n.Flow)
	}
	if n.Collisions > 0 {
		f.salted++
	}
	flow.id, f.ids[n.Flow] = n.Flow, flow
	flow.known = &open{begun: f.next(), last: f.next()}
	f.is(flow, n)
}

// is checks what NEW and END tell of a flow.
func (f *follower) is(flow *plainFlow, n *records.New) {
	f.t.Helper()
	name := ""
	for _, rs := range f.sets {
		if rs.number == flow.Shape.RuleSet {
			name = rs.Name
		}
	}
	if int(n.Shape.RuleSet) != flow.Shape.RuleSet || name != "" && n.Shape.Name != name || n.First != flow.first || len(n.Shape.Saved) != len(flow.Shape.Saved) {
		f.fail("flow %+v is told as %+v, %+v", flow, n, n.Shape)
	}
	key, of := n.Key, match.Flow{FlowKey: flow.FlowKey}
	for i, v := range flow.Shape.Saved {
		s := &n.Shape.Saved[i]
		if s.Attribute != uint16(v.Attr) || !bytes.Equal(s.Mask, v.Mask.Append(nil)) || !bytes.HasPrefix(key, of.Value(v.Attr)) {
			f.fail("attribute %d of %+v is told as %+v, %x", i, flow, s, key)
		}
		key = key[len(s.Mask):]
	}
}

func (f *follower) Packet(p *records.Packet) {
	f.skip()
	f.packets++
	if f.at == len(f.counted) {
		f.fail("one more: %+v", p)
	}
	c := &f.counted[f.at]
	want := c.Packet
	want.Flow, want.Digest = c.flow.id, p.Digest
	if c.flow.known == nil || *p != want {
		f.fail("%+v, not %+v; known %t", *p, want, c.flow.known != nil)
	}
	f.overdue()
	f.count(c)
}

// Time in which the feed looks at all flows, and a tick.
const (
	sweep = int64(5 * time.Second)
	tick  = int64(100 * time.Millisecond)
)

// overdue fails if a flow is open that should have ended at the packet before.
func (f *follower) overdue() {
	if f.at == 0 || f.first > 0 {
		return
	}
	now := f.counted[f.at-1].clock
	for id, flow := range f.ids {
		o := flow.known
		if o == nil || flow.id != id {
			continue
		}
		left := f.left[flow.Shape.RuleSet]
		if left != 0 && now-left >= sweep+tick || flow.gone != 0 && flow.gone <= now || now-o.last >= int64(f.idle)+sweep+tick || o.closed != 0 && now >= o.closed+sweep+tick {
			f.fail("flow %x is open at %d: %+v", id, now, *o)
		}
	}
}

func (f *follower) End(e *records.End) {
	flow := f.ids[e.Flow]
	if flow == nil || flow.known == nil {
		f.fail("END of flow %x, which is not open", e.Flow)
	}
	for flow.known.packets < e.PDUs[0]+e.PDUs[1] && f.untold() {
		f.count(&f.counted[f.at])
	}
	f.ends++
	f.is(flow, &e.New)
	o := flow.known
	told := o.packets
	if f.first > 0 {
		told = min(told, f.first)
	}
	got := [2][2]uint64{{e.PDUs[0], e.Octets[0]}, {e.PDUs[1], e.Octets[1]}}
	if e.Begun != o.begun || e.Last != o.last || got != o.counted || e.Told != told {
		f.fail("END %+v, not %+v", *e, *o)
	}
	f.reasons[e.Reason&7]++
	now := f.next()
	gone := flow.gone != 0 && flow.gone <= now
	left := f.left[flow.Shape.RuleSet] != 0
	switch {
	case f.first > 0:
	case e.Reason == records.Idle && (gone || now-o.last >= int64(f.idle)):
	case e.Reason == records.Ended && o.closed != 0 && now-o.closed >= sweep:
	case e.Reason == records.Forced && (left || f.at == len(f.counted)):
	default:
		f.fail("END at %d by %d of %+v", now, e.Reason, *o)
	}
	for d := range 2 {
		for i := range 2 {
			flow.told[d][i] += o.counted[d][i]
		}
	}
	flow.known = nil
}

func (f *follower) Stats(s *records.Stats) {
	f.stats++
	n := int(s.Packets)
	if n == 0 || n > len(f.clocks) || s.Time < f.clocks[n-1] || n < len(f.clocks) && s.Time > f.clocks[n] {
		f.fail("STATS at %d of %d packets", s.Time, n)
	}
	if s.Ignored != f.ignored[n-1] || s.Uncounted != f.uncounted[n-1] || s.First != uint32(f.first) {
		f.fail("STATS %+v, not %d ignored and %d uncounted", *s, f.ignored[n-1], f.uncounted[n-1])
	}
}

// finish holds the sums of all ENDs to what was counted.
func (f *follower) finish() {
	f.skip()
	if f.at != len(f.counted) {
		f.fail("nothing more is told")
	}
	if f.stats == 0 && len(f.counted) > 0 {
		f.fail("there are no STATS")
	}
	for _, c := range f.counted {
		if c.flow.known != nil || c.flow.told != c.flow.counted {
			f.fail("flow %+v has %v counted, %v told", c.flow, c.flow.counted, c.flow.told)
		}
	}
}
