package feature

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/feed"
	"rtfm/ruleset/attr"
	records "rtfm/traces/feed"
)

// tuples is the shape of flows that save the 5-tuple of IPv4.
var tuples = &records.Shape{RuleSet: 2, Name: "tuples", Saved: []records.Saved{
	{Attribute: uint16(attr.SourcePeerAddress), Mask: []byte{255, 255, 255, 255}},
	{Attribute: uint16(attr.DestPeerAddress), Mask: []byte{255, 255, 255, 255}},
	{Attribute: uint16(attr.SourceTransType), Mask: []byte{255}},
	{Attribute: uint16(attr.SourceTransAddress), Mask: []byte{255, 255}},
	{Attribute: uint16(attr.DestTransAddress), Mask: []byte{255, 255}},
}}

// newFlow returns the NEW of a TCP connection.
func newFlow(id uint64) *records.New {
	n := &records.New{Flow: id, Shape: tuples}
	values := map[attr.Attr][]byte{
		attr.SourcePeerAddress: {10, 1, byte(id >> 8), byte(id)}, attr.DestPeerAddress: {192, 0, 2, 1}, attr.SourceTransType: {6},
		attr.SourceTransAddress: {4, 0}, attr.DestTransAddress: {0, 80},
	}
	slices.SortFunc(tuples.Saved, func(a, b records.Saved) int { return int(a.Attribute) - int(b.Attribute) })
	for _, v := range tuples.Saved {
		n.Key = append(n.Key, values[attr.Attr(v.Attribute)]...)
	}
	return n
}

// kept are rows as words.
type kept struct {
	rows []string
	what func(r *Row) string
}

func (k *kept) Row(r *Row) error {
	k.rows = append(k.rows, k.what(r))
	return nil
}
func (k *kept) Flush() error { return nil }
func (k *kept) Close() error { return nil }

// TestWhy: when flows have rows.
func TestWhy(t *testing.T) {
	const s = 1e9
	for _, tc := range []struct {
		name   string
		script string // "id@seconds" a packet, "stats@seconds", "end id", "gone"
		want   string
	}{
		{"third packet", "1@0 1@0.1 1@0.2 1@0.3 end:1", "1 nth 3, 1 end 4"},
		{"ended before", "1@0 1@0.1 end:1", "1 end 2"},
		{"idle, told by another flow", "1@0 2@0.9 2@1.1 end:1 end:2", "1 idle 1, 1 end 1, 2 end 2"},
		{"idle, told by itself", "1@0 1@1 1@1.1 1@1.2 end:1", "1 idle 1, 1 end 4"},
		{"idle by a nanosecond", "1@0.05 1@1.049999999 1@2.05 end:1", "1 idle 2, 1 end 3"},
		{"not idle", "1@0.05 1@1.049999999 1@2.049999998 end:1", "1 nth 3, 1 end 3"},
		{"idle, told by STATS", "1@0 stats@1.1 end:1", "1 idle 1, 1 end 1"},
		{"idle at its end", "1@0.01 stats@1.0 2@1.05 end:1 end:2", "1 idle 1, 1 end 1, 2 end 1"},
		{"idle, as its end tells", "1@0 2@0.1 end:1:idle end:2:tcp", "1 idle 1, 1 end 1, 2 idle 1, 2 end 1"},
		{"long after", "1@0 2@0.5 stats@1000 end:1 end:2", "1 idle 1, 2 idle 1, 1 end 1, 2 end 1"},
		{"again, with the same id", "1@0 end:1 1@0.2 1@0.3 1@0.4 end:1", "1 end 1, 1 nth 3, 1 end 3"},
		{"meter gone", "2@0 1@0 1@0.1 gone", "1 gone 2, 2 gone 1"},
		{"left out", "1@0 2@0 3@0 3@0.1 end:3 end:1 end:2", "1 end 1, 2 end 1"},
	} {
		k := &kept{what: func(r *Row) string { return fmt.Sprint(r.Flow.Flow, " ", r.Why, " ", r.PDUs[0]+r.PDUs[1]) }}
		table := New(Config{First: 3, MaxFlows: 2, Rows: []Rows{k}})
		m := &feed.Meter{}
		at := func(text string) int64 {
			var seconds, nanos int64
			whole, part, _ := strings.Cut(text, ".")
			fmt.Sscan(whole, &seconds)
			fmt.Sscan(strings.TrimLeft((part + "000000000")[:9], "0")+" ", &nanos)
			return 1e15*s/s + seconds*s + nanos
		}
		counted := map[uint64]uint64{}
		last := map[uint64]int64{}
		for _, word := range strings.Fields(tc.script) {
			var id uint64
			switch {
			case word == "gone":
				table.Gone(m)
			case strings.HasPrefix(word, "stats@"):
				table.Stats(m, &records.Stats{Time: at(word[6:])})
			case strings.HasPrefix(word, "end:"):
				fmt.Sscan(strings.Split(word[4:], ":")[0], &id)
				reason := records.Forced
				if _, why, ok := strings.Cut(word[4:], ":"); ok {
					reason = map[string]records.Reason{"idle": records.Idle, "tcp": records.Ended}[why]
				}
				table.End(m, &records.End{New: *newFlow(id), Reason: reason, Last: last[id], PDUs: [2]uint64{counted[id], 0}})
				delete(counted, id)
			default:
				name, when, _ := strings.Cut(word, "@")
				fmt.Sscan(name, &id)
				if counted[id] == 0 {
					table.New(m, newFlow(id))
				}
				counted[id]++
				last[id] = at(when)
				table.Packet(m, &records.Packet{Flow: id, Time: at(when), Octets: 100})
			}
		}
		if got := strings.Join(k.rows, ", "); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		if tc.name == "left out" {
			if c := table.Counts(); c != (Counts{Rows: 2, Flows: 2, LeftOut: 1, Unknown: 3}) {
				t.Errorf("%+v", c)
			}
		}
	}
}

// TestNothingAllocated: packets allocate nothing, nor do flows whose room was used
// before, but for what identifies them.
func TestNothingAllocated(t *testing.T) {
	table := New(Config{First: 30, MaxFlows: 1000})
	m := &feed.Meter{}
	for id := range uint64(1000) {
		table.New(m, newFlow(id))
	}
	p := records.Packet{Time: 1e15, Octets: 100, TCPFlags: 24}
	if n := testing.AllocsPerRun(10000, func() {
		p.Flow = (p.Flow + 7) % 1000
		p.Time += 1e6
		p.Backward = !p.Backward
		if err := table.Packet(m, &p); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

// BenchmarkPacket is what a packet takes, of one of so many flows.
func BenchmarkPacket(b *testing.B) {
	for _, flows := range []uint64{1, 1000, 1_000_000} {
		b.Run(fmt.Sprint(flows), func(b *testing.B) {
			table := New(Config{First: 30, MaxFlows: 1e6})
			m := &feed.Meter{}
			for id := range flows {
				table.New(m, newFlow(id))
			}
			r := rand.New(rand.NewPCG(1, 2))
			packets := make([]records.Packet, 1<<16)
			for i := range packets {
				packets[i] = records.Packet{Flow: r.Uint64N(flows), Octets: 64 + r.Uint32N(1400), TCPFlags: 16, Backward: r.Uint32()&1 != 0}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p := &packets[i&(1<<16-1)]
				p.Time = 1e15 + int64(i)*1000
				table.Packet(m, p)
			}
		})
	}
}

// BenchmarkFlow is what a flow of ten packets takes, with its rows.
func BenchmarkFlow(b *testing.B) {
	for name, rows := range map[string]Rows{"npy": &NPY{w: nowhere{}, cols: columns(30)}, "json": NewJSON(nowhere{})} {
		b.Run(name, func(b *testing.B) {
			table := New(Config{First: 30, MaxFlows: 1e6, Rows: []Rows{rows}})
			m := &feed.Meter{}
			n := newFlow(1)
			b.ReportAllocs()
			for i := int64(1e15); b.Loop(); i += 1e7 {
				table.New(m, n)
				for p := range int64(10) {
					table.Packet(m, &records.Packet{Flow: 1, Time: i + p, Octets: 100})
				}
				table.End(m, &records.End{New: *n, Begun: i, Last: i + 9})
			}
		})
	}
}

// nowhere takes what is written.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error)            { return len(p), nil }
func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
