package client

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/meter/series"
	"rtfm/mib"
)

// tableMeter is a meter with a flow table that is full.
type tableMeter struct {
	mib.Meter
	mu      sync.Mutex
	control *mib.Control
	shape   *match.Shape
	flows   uint32

	counters [][]uint64 // of the shape's distributions
}

func newTableMeter(flows uint32) *tableMeter {
	m := &tableMeter{control: mib.NewControl(), flows: flows}
	var shapes match.Shapes
	m.shape = shapes.Intern(2, 4, 0, []match.Saved{
		{Attr: attr.SourcePeerType, Mask: attr.Ones(1)},
		{Attr: attr.SourcePeerAddress, Mask: attr.Ones(4)}, {Attr: attr.DestPeerAddress, Mask: attr.Ones(4)},
		{Attr: attr.SourceTransType, Mask: attr.Ones(1)},
		{Attr: attr.SourceTransAddress, Mask: attr.Ones(2)}, {Attr: attr.DestTransAddress, Mask: attr.Ones(2)},
	})
	m.control.RuleSets.Put(2, &mib.RuleSet{Row: mib.Row{Active: true}})
	return m
}

func (m *tableMeter) Do(f func())            { m.mu.Lock(); defer m.mu.Unlock(); f() }
func (m *tableMeter) Spend(int) bool         { return false }
func (m *tableMeter) Control() *mib.Control  { return m.control }
func (m *tableMeter) Start() int64           { return 0 }
func (m *tableMeter) Now() int64             { return 1e12 }
func (m *tableMeter) Identity() mib.Identity { return mib.Identity{} }
func (m *tableMeter) Ending() bool           { return false }

func (m *tableMeter) NextFlow(rs int, row uint32, since int64, f *match.Flow) int {
	if rs != 2 || row > m.flows {
		return 0
	}
	*f = match.Flow{
		FlowKey: match.FlowKey{Shape: m.shape}, Index: max(row, 1), FirstTime: 1e9, LastTime: 9e11,
		ToOctets: 1 << 33, ToPDUs: 1 << 20, FromOctets: 1 << 30, FromPDUs: 1 << 10, Counters: m.counters,
	}
	f.Key.SetPeerType(1)
	f.Key.SetTransType(6)
	binary.BigEndian.PutUint32(f.Key.Peer(attr.Source)[:], row)
	binary.BigEndian.PutUint16(f.Key.Trans(attr.Source)[:], uint16(row))
	return 2
}

// BenchmarkFlows reads flows of six saved attributes from a MIB without a
// meter behind it, through the embedded front end on loopback.
func BenchmarkFlows(b *testing.B) {
	for _, n := range []uint32{100_000, 1_000_000} {
		c := dial(b, serve(b, mib.New(newTableMeter(n))))
		for method, name := range []string{"blocks", "packages", "columns"} {
			if Method(method) == Columns && n > 100_000 {
				continue // takes minutes
			}
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				for b.Loop() {
					var got uint32
					q := FlowQuery{
						RuleSet: 2, Uptime: 1e5, Method: Method(method), MaxFlows: 1_000_000,
						Attrs: []attr.Attr{
							attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress,
							attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress,
						},
					}
					if err := c.Flows(b.Context(), &q, func(*match.Flow) error { got++; return nil }); err != nil {
						b.Fatal(err)
					}
					if got != n {
						b.Fatalf("read %d flows of %d", got, n)
					}
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "flows/s")
			})
		}
	}
}

func (m *tableMeter) Scan(rs int, row uint32, since int64, f *match.Flow, yield func() bool) {
	for m.NextFlow(rs, row, since, f) != 0 && yield() {
		row = f.Index + 1
	}
}

func (m *tableMeter) NextFlowID(uint64, int) mib.FlowPlace { return mib.FlowPlace{} }

func (m *tableMeter) SeriesFrom(uint64) (i series.Interval, ok bool) { return i, false }
func (m *tableMeter) PrefetchNext([]uint32)                          {}

func (m *tableMeter) Counts() mib.Counts { return mib.Counts{} }

func (m *tableMeter) Trace() mib.Trace { return mib.Trace{} }
func (m *tableMeter) Changed()         {}
func (m *tableMeter) Settle()          {}

// BenchmarkPulse asks a meter for its pulse.
func BenchmarkPulse(b *testing.B) {
	c := dial(b, serve(b, mib.New(newTableMeter(10))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Pulse(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
