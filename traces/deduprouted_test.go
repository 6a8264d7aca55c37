package traces_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// hop is a packet on one side of a router.
type hop struct {
	from, to int // stations
	vlan     bool
	six, tcp bool
	limit    uint8
	id       uint16 // of IPv4
	tos      uint8
	fragment int // its offset
	seq      uint32
	payload  byte
	octets   int
	at       int64
	link     traces.LinkType // 0 stands for Ethernet
	seenAt   uint32
	cut      int // octets captured, 0 for all
}

func (h hop) packet() traces.Packet {
	station := func(i int) string { return fmt.Sprintf("02:00:00:00:00:%02x", i) }
	f := tracetest.Eth(station(h.from), station(h.to))
	if h.vlan {
		f = f.VLAN(5)
	}
	ip := tracetest.IP{TTL: h.limit, ID: h.id, TOS: h.tos, Offset: h.fragment}
	if h.six {
		f = f.IPv6("2001:db8::1", "2001:db8::2", ip)
	} else {
		f = f.IPv4("192.0.2.1", "198.51.100.2", ip)
	}
	if h.tcp {
		f = f.TCP(1000, 80, 0x10, h.seq, 7)
	} else {
		f = f.UDP(1000, 53)
	}
	f = f.Payload(h.octets)
	data := f.Bytes()
	if h.octets > 0 {
		data[len(data)-h.octets] += h.payload
	}
	p := traces.Packet{Time: h.at, Wire: uint32(len(data)), Data: data, Link: traces.LinkEthernet, Interface: h.seenAt}
	if h.cut > 0 {
		p.Data = data[:h.cut]
	}
	if h.link != 0 {
		p.Link = h.link
	}
	return p
}

// classes returns what Dedup says of packets.
func classes(t testing.TB, cfg traces.DedupConfig, packets []traces.Packet) (found []traces.Duplicate, st traces.Duplicates) {
	t.Helper()
	src := traces.Dedup(&given{packets}, cfg)
	got, err := tracetest.ReadAll(t, src)
	if err != io.EOF || len(got) != len(packets) {
		t.Fatalf("%d packets of %d, %v", len(got), len(packets), err)
	}
	for i := range got {
		found = append(found, got[i].Duplicate)
	}
	return found, src.Stats().Duplicates
}

func TestDedupRouted(t *testing.T) {
	const ms = 1_000_000
	for _, base := range []hop{
		{from: 1, to: 2, limit: 64, id: 77, octets: 100, at: 1e9, seenAt: 1},
		{from: 1, to: 2, limit: 64, id: 77, octets: 100, at: 1e9, seenAt: 1, tcp: true, seq: 5},
		{from: 1, to: 2, limit: 64, octets: 100, at: 1e9, seenAt: 1, six: true},
		{from: 1, to: 2, limit: 64, octets: 100, at: 1e9, seenAt: 1, six: true, tcp: true, seq: 5},
	} {
		passed := base
		passed.from, passed.to, passed.limit, passed.at, passed.seenAt = 3, 4, 63, base.at+ms, 2
		for name, tc := range map[string]struct {
			change func(h *hop)
			want   traces.Duplicate
		}{
			"passed on":            {func(h *hop) {}, traces.Routed},
			"by two routers":       {func(h *hop) { h.limit = 62 }, traces.Routed},
			"at the window's end":  {func(h *hop) { h.at = base.at + 200*ms }, traces.Routed},
			"behind it":            {func(h *hop) { h.at++; h.at += 199 * ms }, traces.NoDuplicate},
			"into a VLAN":          {func(h *hop) { h.vlan = true }, traces.Routed},
			"another class":        {func(h *hop) { h.tos = 0xb8 }, traces.Routed},
			"cut short":            {func(h *hop) { h.cut = 14 + 20 + 20 + 64 }, traces.Routed},
			"as many hops to go":   {func(h *hop) { h.limit = 64 }, traces.NoDuplicate},
			"more hops to go":      {func(h *hop) { h.limit = 65 }, traces.NoDuplicate},
			"the same source":      {func(h *hop) { h.from = 1 }, traces.NoDuplicate},
			"the same destination": {func(h *hop) { h.to = 2 }, traces.NoDuplicate},
			"longer":               {func(h *hop) { h.octets++ }, traces.NoDuplicate},
			"another identification": {func(h *hop) { h.id++ }, map[bool]traces.Duplicate{
				false: traces.NoDuplicate, true: traces.Routed}[base.six]},
			"another sequence number": {func(h *hop) { h.seq++ }, map[bool]traces.Duplicate{
				true: traces.NoDuplicate, false: traces.Routed}[base.tcp]},
			"other octets": {func(h *hop) { h.payload++ }, map[bool]traces.Duplicate{
				false: traces.NoDuplicate, true: traces.Routed}[base.tcp]},
			"too little captured": {func(h *hop) { h.cut = 14 + 20 + 15 }, traces.NoDuplicate},
			"the same again":      {func(h *hop) { at := h.at; *h = base; h.at = at }, traces.Switched},
			"another link":        {func(h *hop) { h.link = 113 }, traces.NoDuplicate},
		} {
			second := passed
			tc.change(&second)
			found, _ := classes(t, traces.DedupConfig{Switched: true, Routed: true}, []traces.Packet{base.packet(), second.packet()})
			if found[0] != traces.NoDuplicate || found[1] != tc.want {
				t.Errorf("%s (IPv6 %t, TCP %t): %v, want %v", name, base.six, base.tcp, found, tc.want)
			}
		}
	}
}

// TestDedupRoutedFrames: what no router has passed on, or cannot be told from what is.
func TestDedupRoutedFrames(t *testing.T) {
	for name, f := range map[string]func(e tracetest.Frame, hops uint8) tracetest.Frame{
		"no IP": func(e tracetest.Frame, hops uint8) tracetest.Frame { return e.Payload(60) },
		"five tags": func(e tracetest.Frame, hops uint8) tracetest.Frame {
			return e.VLAN(1).VLAN(2).VLAN(3).VLAN(4).VLAN(5).IPv4("192.0.2.1", "192.0.2.2", tracetest.IP{TTL: hops}).UDP(1, 2)
		},
	} {
		a := tracetest.Packets(f(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02"), 64), f(tracetest.Eth("02:00:00:00:00:03", "02:00:00:00:00:04"), 63))
		if found, _ := classes(t, traces.DedupConfig{Routed: true}, a); found[1] != traces.NoDuplicate {
			t.Errorf("%s: %v", name, found)
		}
	}
	// Cut anywhere: it is read as far as it goes.
	for _, base := range []hop{{limit: 64, octets: 40, tcp: true}, {limit: 64, six: true, vlan: true, octets: 40}, {limit: 64, fragment: 8}} {
		p := base.packet()
		for n := range len(p.Data) {
			q := p
			q.Data = bytes.Clone(p.Data[:n])
			classes(t, traces.DedupConfig{Switched: true, Routed: true}, []traces.Packet{q, q})
		}
	}
}

// TestDedupClassesAreExact compares with a filter that knows what the packets were made of
// and looks at all that are remembered, on traffic with few different packets.
func TestDedupClassesAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	const records, window = 200, 100_000_000
	var hops []hop
	var packets []traces.Packet
	now := int64(1e9)
	for range 20_000 {
		now += r.Int64N(3_000_000) - 500_000
		h := hop{
			from: r.IntN(3), to: 3 + r.IntN(3), vlan: r.IntN(2) == 0, six: r.IntN(2) == 0, tcp: r.IntN(2) == 0, limit: uint8(62 + r.IntN(3)),
			seq: 1, octets: 70 + r.IntN(2), at: now, seenAt: uint32(1 + r.IntN(2)), payload: byte(r.IntN(2)),
		}
		if !h.six {
			h.id = uint16(r.IntN(2))
		}
		hops, packets = append(hops, h), append(packets, h.packet())
	}
	alike := func(a, b *hop) bool {
		return a.six == b.six && a.tcp == b.tcp && a.id == b.id && a.octets == b.octets && (a.tcp || a.payload == b.payload)
	}
	for _, cfg := range []traces.DedupConfig{{Switched: true, Routed: true}, {Routed: true}, {Switched: true}} {
		cfg.Records, cfg.Window = records, window
		found, st := classes(t, cfg, packets)
		want := make([]traces.Duplicate, len(packets))
		first := make([]uint32, len(packets))
		pairs := make(map[traces.DuplicatePair]uint64)
		near := func(i, j int) bool { return max(hops[i].at, hops[j].at)-min(hops[i].at, hops[j].at) <= window }
		for i := range packets {
			p := &packets[i]
			first[i] = p.Interface
			for j := i - 1; cfg.Switched && j >= max(0, i-records); j-- {
				q := &packets[j]
				if p.Wire == q.Wire && bytes.Equal(p.Data[:70], q.Data[:70]) {
					if near(i, j) {
						want[i], first[i] = traces.Switched, first[j]
					}
					break
				}
			}
			looks := 0
			for j := i - 1; cfg.Routed && want[i] == traces.NoDuplicate && j >= max(0, i-records); j-- {
				a, b := &hops[i], &hops[j]
				if want[j] == traces.NoDuplicate && alike(a, b) && looks < 8 {
					if near(i, j) && a.limit < b.limit && a.from != b.from && a.to != b.to {
						want[i], first[i] = traces.Routed, first[j]
					}
					looks++
				}
			}
			if found[i] != want[i] {
				t.Fatalf("%+v: packet %d is %v, want %v", cfg, i, found[i], want[i])
			}
			if want[i] != traces.NoDuplicate {
				pairs[traces.DuplicatePair{Class: want[i], First: first[i], Again: p.Interface}]++
			}
		}
		var sum traces.Duplicates
		for pair, n := range pairs {
			sum.By[pair.Class] += n
			pair.Packets = n
			if !slices.Contains(st.Pairs, pair) {
				t.Errorf("%+v: %+v, not among %+v", cfg, pair, st.Pairs)
			}
		}
		if st.By != sum.By || len(st.Pairs) != len(pairs) || cfg.Routed && sum.By[traces.Routed] < 500 || cfg.Switched && sum.By[traces.Switched] < 500 {
			t.Errorf("%+v: %+v, want %v", cfg, st, sum.By)
		}
	}
}

// TestDuplicatePairs has more pairs of interfaces than are told apart.
func TestDuplicatePairs(t *testing.T) {
	var packets []traces.Packet
	for i := range uint32(100) {
		data := fmt.Appendf(nil, "%d", i)
		packets = append(packets, traces.Packet{Data: data, Interface: i + 1}, traces.Packet{Data: data, Interface: i + 2})
	}
	_, st := classes(t, traces.DedupConfig{Switched: true}, packets)
	if n := len(st.Pairs); n != traces.MaxDuplicatePairs+1 || st.By[traces.Switched] != 100 {
		t.Fatalf("%d pairs, %v", n, st.By)
	}
	if last := st.Pairs[traces.MaxDuplicatePairs]; last != (traces.DuplicatePair{Class: traces.Switched, Packets: 100 - traces.MaxDuplicatePairs}) {
		t.Errorf("the others are %+v", last)
	}
}

// TestDuplicatesStay: what was counted once is not changed by packets that come later.
func TestDuplicatesStay(t *testing.T) {
	g := &given{}
	src := traces.Dedup(g, traces.DedupConfig{Switched: true})
	b := traces.NewBatch(4)
	var before traces.Duplicates
	for i := range 3 {
		g.rest = []traces.Packet{{Data: []byte("a")}, {Data: []byte("a")}}
		if err := src.ReadBatch(b); err != nil {
			t.Fatal(err)
		}
		if i > 0 && before.Pairs[0].Packets != uint64(2*i-1) {
			t.Errorf("%d at once, %+v later", 2*i-1, before.Pairs)
		}
		before = src.Stats().Duplicates
	}
}

// failing is a mapping of a file that fails when it is looked at for the n-th time.
type failing struct{ n int }

var errFailed = errors.New("the file fails")

func (f *failing) Guard(use func()) error {
	use()
	if f.n--; f.n == 0 {
		return errFailed
	}
	return nil
}

// mapped is a source whose packets lie in a mapping.
type mapped struct {
	given
	in traces.Mapping
}

func (m *mapped) ReadBatch(b *traces.Batch) error {
	err := m.given.ReadBatch(b)
	b.File, b.Mapping = "x.pcap", m.in
	if !b.MayMap {
		b.Mapping = nil
	}
	return err
}

// TestDedupMapped: packets are looked at with the mapping's guard only. Of those of a
// file that fails there is an error instead, and nothing is remembered.
func TestDedupMapped(t *testing.T) {
	for _, mayMap := range []bool{false, true} {
		m := &mapped{given{[]traces.Packet{{Data: []byte("a")}, {Data: []byte("b")}, {Data: []byte("c")}, {Data: []byte("b")}, {Data: []byte("a")}}}, &failing{2}}
		src := traces.Dedup(m, traces.DedupConfig{Switched: true})
		b := traces.NewBatch(1)
		b.MayMap = mayMap
		var got []string
		for {
			err := src.ReadBatch(b)
			if err == io.EOF {
				break
			}
			if err != nil {
				if len(b.Packets) > 0 || b.Mapping != nil || !errors.Is(err, errFailed) || err.Error() != "x.pcap: 1 packets are not counted: the file fails" {
					t.Errorf("%v, with %d packets", err, len(b.Packets))
				}
				got = append(got, "failed")
				continue
			}
			got = append(got, fmt.Sprintf("%s %v", b.Packets[0].Data, b.Packets[0].Duplicate))
		}
		want := []string{"a none", "b none", "c none", "b switched", "a switched"}
		if mayMap {
			want = []string{"a none", "failed", "c none", "b none", "a switched"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("mapped %t: %q, want %q", mayMap, got, want)
		}
	}
}
