package mib

import (
	"errors"
	"fmt"
	"rtfm/meter/series"
	"sync"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// fakeMeter is a Meter over a list of flows.
type fakeMeter struct {
	mu      sync.Mutex
	control *Control
	flows   []fakeFlow        // in order of index
	flowIDs map[uint32]uint64 // by index of the flow
	start   int64
	uptime  uint64 // now, centiseconds
	changed int
	settled int
	trace   Trace
	refuse  bool // any ruleset
	feed    FeedStatus

	spent, prepared, forms int
	series                 series.Ring
}

type fakeFlow struct {
	match.Flow
	ruleSet int
}

const fakeStart = 1_000_000_000_000_000_000

func newFakeMeter() *fakeMeter {
	return &fakeMeter{control: NewControl(), start: fakeStart, uptime: 100_000, trace: Trace{State: TraceNone}}
}

func (m *fakeMeter) Do(f func()) { m.mu.Lock(); defer m.mu.Unlock(); f() }

func (m *fakeMeter) Control() *Control { return m.control }
func (m *fakeMeter) Changed()          { m.changed++ }
func (m *fakeMeter) Settle()           { m.settled++ }
func (m *fakeMeter) Start() int64      { return m.start }
func (m *fakeMeter) Now() int64        { return m.start + int64(m.uptime)*match.Centisecond }
func (m *fakeMeter) MaxFlows() int     { return 5000 }

func (m *fakeMeter) MakeRoom(int) bool { return true }

// Spend lets go after 100 operations, as long as nobody else wants the meter it
// has it back at once.
func (m *fakeMeter) Spend(n int) bool {
	if m.spent += n; m.spent < 100 {
		return false
	}
	m.spent = 0
	m.mu.Unlock()
	m.mu.Lock()
	return true
}

func (m *fakeMeter) Prepare(rs *ruleset.RuleSet) (Program, error) {
	if m.prepared++; m.refuse {
		return nil, errors.New("no")
	}
	return fakeProgram(m.forms), rs.Check()
}

// fakeProgram is a Program that has so many forms.
type fakeProgram int

func (p fakeProgram) Forms() int { return int(p) }

func (m *fakeMeter) NextFlow(rs int, row uint32, since int64, f *match.Flow) int {
	for i := range m.flows {
		if fl := &m.flows[i]; fl.Index >= row && (rs == 0 || fl.ruleSet == rs) && fl.LastTime >= since {
			*f = fl.Flow
			return fl.ruleSet
		}
	}
	return 0
}

func (m *fakeMeter) Scan(rs int, row uint32, since int64, f *match.Flow, yield func() bool) {
	for m.NextFlow(rs, row, since, f) != 0 && yield() {
		row = f.Index + 1
	}
}

func (m *fakeMeter) NextFlowID(id uint64, ruleSet int) (first FlowPlace) {
	for i := range m.flows {
		f := &m.flows[i]
		p := FlowPlace{m.flowIDs[f.Index], f.ruleSet, f.Index, f.FirstTime}
		after := func(id uint64, ruleSet int) bool { return p.ID > id || p.ID == id && p.RuleSet >= ruleSet }
		if p.ID != 0 && after(id, ruleSet) && (first.Row == 0 || !after(first.ID, first.RuleSet)) {
			first = p
		}
	}
	return first
}

func (m *fakeMeter) FeedStatus() FeedStatus { return m.feed }

func (m *fakeMeter) NextFeedFlow(id uint64) FlowPlace {
	p := m.NextFlowID(id, 0)
	return p
}

func (m *fakeMeter) PrefetchNext(rows []uint32) {}

func (m *fakeMeter) Flows(rs int) (n int) {
	for i := range m.flows {
		if rs == 0 || m.flows[i].ruleSet == rs {
			n++
		}
	}
	return n
}

func (m *fakeMeter) Ending() bool { return false }
func (m *fakeMeter) Identity() Identity {
	return Identity{Version: "rtfm 9", Boot: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}}
}

func (m *fakeMeter) Counts() Counts {
	return Counts{Packets: 1, Octets: 2, CutShort: 3, Malformed: 4, UnknownLink: 5, BackInTime: 6, Lost: 7, FlowsCreated: 8, FlowsRecovered: 9, Memory: 4095,
		Duplicates: 15, Floods: 17, SampledOut: 16, Outliers: 18, Clamped: 19, Filtered: 20,
		Decapsulated: 21, EnvelopeFragments: 22, EnvelopesCut: 23, EnvelopesUnknown: 24, DuplicatesRouted: 9,
		StreamsActive: 11, StreamsCreated: 1<<40 + 12, StreamsEnded: 13, Unstreamed: 14}
}

func (m *fakeMeter) RuleSetCounts(index int) RuleSetCounts {
	return RuleSetCounts{Packets: uint64(index)<<32 + 15, Matched: uint64(index)<<32 + 1, Ignored: 2, Unmatched: 3, Stopped: 4, Uncounted: 5}
}

func (m *fakeMeter) Trace() Trace { return m.trace }

var fakeShapes = func() map[int]*match.Shape {
	var shapes match.Shapes
	m := make(map[int]*match.Shape)
	for rs := 1; rs <= 3; rs++ {
		m[rs] = shapes.Intern(rs, 4, 6, []match.Saved{
			{Attr: attr.SourcePeerType, Mask: attr.Ones(1)},
			{Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(24, 4)},
			{Attr: attr.DestPeerAddress, Mask: attr.Ones(4)},
			{Attr: attr.DestTransAddress, Mask: attr.Ones(2)},
			{Attr: attr.SourceKind, Mask: attr.Ones(1)},
			{Attr: attr.SessionID, Mask: attr.Ones(10)},
			{Attr: attr.VLANid, Mask: attr.Ones(2)},
		})
	}
	return m
}()

// add puts a flow in the table: last is the Uptime of its last packet.
func (m *fakeMeter) add(ruleSet int, index uint32, last uint64) {
	var k attr.Key
	copy(k.Peer(attr.Source)[:], []byte{10, 1, 2, 0})
	copy(k.Peer(attr.Dest)[:], []byte{192, 168, byte(index >> 8), byte(index)})
	copy(k.Trans(attr.Dest)[:], []byte{0, 53})
	k.SetPeerType(1)
	k.SetVLAN(0x2123)
	k.Computed()[3] = 7
	copy(k[attr.SessionID.Info().Offset:], "abc")
	m.flows = append(m.flows, fakeFlow{ruleSet: ruleSet, Flow: match.Flow{
		FlowKey: match.FlowKey{Shape: fakeShapes[ruleSet], Key: k}, Index: index,
		FirstTime: m.start + 100*match.Centisecond, LastTime: m.start + int64(last)*match.Centisecond,
		ToOctets: 1 << 40, ToPDUs: 200, FromOctets: 127, FromPDUs: 1 << 63,
	}})
}

// putRuleSet puts an active ruleset of one rule in the meter.
func (m *fakeMeter) putRuleSet(index int) {
	m.control.RuleSets.Put(index, &RuleSet{
		Row: Row{Owner: "test", Active: true}, Name: fmt.Sprint("set ", index), RulesReady: true,
		Size: 1, Rules: []ruleset.Rule{{Attr: attr.SourcePeerType, Mask: attr.Ones(1), Value: attr.MakeValue(0), Op: ruleset.OpCountPkt}},
	})
}

// flowMeter has three rulesets and flows of them.
func flowMeter() *fakeMeter {
	m := newFakeMeter()
	m.putRuleSet(2)
	m.putRuleSet(3)
	m.add(2, 1, 500)
	m.add(3, 2, 900)
	m.add(2, 3, 1000)
	m.add(2, 4, 700)
	m.add(3, 5, 600)
	m.add(2, 7, 2000)
	return m
}

// get returns the variable of this name.
func get(t *testing.T, h *Handler, name smi.OID) smi.VarBind {
	t.Helper()
	out := make([]smi.VarBind, 1)
	if err := h.Get([]smi.OID{name}, out); err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// next returns the variable behind this name.
func next(t *testing.T, h *Handler, name smi.OID) smi.VarBind {
	t.Helper()
	out := make([]smi.VarBind, 1)
	if err := h.Next([]smi.Range{{Start: name}}, out); err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// walk returns the variables below root, found by Next from `from` on.
func walk(t *testing.T, h *Handler, root, from smi.OID) []smi.VarBind {
	t.Helper()
	var all []smi.VarBind
	for {
		vb := next(t, h, from)
		if vb.Value.Type == smi.EndOfMibView || !vb.Name.HasPrefix(root) {
			return all
		}
		if vb.Name.Compare(from) <= 0 {
			t.Fatalf("walk goes from %v back to %v", from, vb.Name)
		}
		if len(all) > 100_000 {
			t.Fatalf("the walk of %v does not end", root)
		}
		all = append(all, vb)
		from = vb.Name
		if g := get(t, h, vb.Name); !g.Equal(&vb) {
			t.Fatalf("get shows %v, next %v", &g, &vb)
		}
	}
}

const root = "1.3.6.1.2.1.40."

func (m *fakeMeter) SeriesFrom(number uint64) (series.Interval, bool) { return m.series.Next(number) }
