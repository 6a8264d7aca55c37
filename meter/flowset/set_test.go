package flowset

import (
	"math/rand/v2"
	"testing"

	"rtfm/meter/packet"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// decoded returns a packet of UDP, at a time.
func decoded(source, dest string, from, to int, at int64) *match.Packet {
	frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(source, dest).UDP(from, to).Payload(4).Bytes()
	var p match.Packet
	packet.Decode(&p, traces.LinkEthernet, frame, uint32(len(frame)))
	p.Time = at
	return &p
}

// flowOf returns what a ruleset that saves these attributes makes of a packet.
func flowOf(shapes *match.Shapes, p *match.Packet, saved ...match.Saved) *match.FlowKey {
	k := &match.FlowKey{Shape: shapes.InternLengths(2, p.Lengths(), saved)}
	for _, v := range k.Shape.Saved {
		at := v.Attr.Info().Offset
		for i := range k.Shape.Len(v.Attr) {
			k.Key[at+i] = p.Key[at+i] & v.Mask.At(i)
		}
	}
	return k
}

// whole are attributes, whole.
func whole(attrs ...attr.Attr) (saved []match.Saved) {
	for _, a := range attrs {
		saved = append(saved, match.Saved{Attr: a, Mask: attr.Ones(attr.MaxAddress)})
	}
	return saved
}

var tuple = whole(attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress)

func TestSet(t *testing.T) {
	var shapes match.Shapes
	s := New(false)
	there := decoded("10.0.0.1", "10.0.0.2", 1000, 53, 0)
	add := func(first, last int64, d Directions) {
		if !s.Add(flowOf(&shapes, there, tuple...), Period{first, last, d}) {
			t.Fatal("not added")
		}
	}
	add(100, 200, Both)
	add(500, 600, Forward)
	add(900, 900, Backward)
	add(700, 800, Both)
	add(150, 250, Both) // the same as the first, later
	add(750, 850, Both)
	s.Add(flowOf(&shapes, decoded("192.0.2.77", "10.9.9.9", 1, 2, 0), match.Saved{Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(24, 4)}), Period{1000, 1000, Both})
	if s.Len() != 2 {
		t.Errorf("%d flows, want 2", s.Len())
	}
	if first, last := s.Bounds(); first != 100 || last != 1000 {
		t.Errorf("from %d to %d", first, last)
	}
	for _, tt := range []struct {
		at          int64
		there, back bool
	}{
		{99, false, false}, {100, true, true}, {200, true, true}, {250, true, true}, {251, false, false}, {499, false, false},
		{500, true, false}, {600, true, false}, {601, false, false}, {699, false, false}, {700, true, true}, {850, true, true}, {851, false, false},
		{900, false, true}, {901, false, false}, {1000, false, false},
	} {
		back := decoded("10.0.0.2", "10.0.0.1", 53, 1000, tt.at)
		there.Time = tt.at
		if got := [2]bool{s.HasPacket(there, tt.at), s.HasPacket(back, tt.at)}; got != [2]bool{tt.there, tt.back} {
			t.Errorf("at %d: %v, want %v and %v", tt.at, got, tt.there, tt.back)
		}
	}
	for _, p := range []*match.Packet{
		decoded("10.0.0.1", "10.0.0.2", 1000, 54, 150), decoded("10.0.0.1", "10.0.0.3", 1000, 53, 150), decoded("10.0.0.1", "10.0.0.2", 53, 1000, 150),
		decoded("192.0.3.1", "10.0.0.2", 1, 2, 1000),
	} {
		if s.HasPacket(p, p.Time) {
			t.Errorf("% x is of a flow", p.Key)
		}
	}
	if !s.HasPacket(decoded("192.0.2.1", "10.0.0.2", 1, 2, 1000), 1000) || !s.HasPacket(decoded("10.0.0.2", "192.0.2.255", 1, 2, 1000), 1000) {
		t.Error("packets of the network are of no flow")
	}
	// A packet that has come late counts at the meter's time.
	if late := decoded("10.0.0.1", "10.0.0.2", 1000, 53, 95); !s.HasPacket(late, 101) {
		t.Error("a packet that has come late is of no flow")
	}
}

// TestUnusable adds flows of which packets tell nothing, or not all.
func TestUnusable(t *testing.T) {
	var shapes match.Shapes
	p := decoded("10.0.0.1", "10.0.0.2", 1000, 53, 5)
	p.Key.Computed()[0] = 7
	kind := flowOf(&shapes, p, whole(attr.FlowKind, attr.SourceClass, attr.SessionID)...)
	if New(false).Add(kind, Always) {
		t.Error("a flow of no attribute of packets was added")
	}
	mixed := flowOf(&shapes, p, whole(attr.FlowKind, attr.DestTransAddress)...)
	mixed.Key[attr.FlowKind.Info().Offset] = 7
	s, ruled := New(false), New(true)
	s.Add(mixed, Always)
	ruled.Add(mixed, Always)
	if !ruled.Add(kind, Always) {
		t.Error("a flow that a ruleset can be asked for was not added")
	}
	if !s.HasPacket(p, 5) {
		t.Error("the packet is not found without what it has not")
	}
	other := *mixed
	other.Key[attr.FlowKind.Info().Offset] = 8
	if !ruled.HasFlow(mixed, false, 5, 5) || ruled.HasFlow(&other, false, 5, 5) {
		t.Error("the ruleset's flow is not told from another")
	}
}

// TestRandom compares a set with what it should be, asked flow by flow.
func TestRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func() *match.Packet {
		ip := func() string { return [...]string{"10.0.0.1", "10.0.0.2", "10.0.1.1"}[rng.IntN(3)] }
		port := func() int { return rng.IntN(3) }
		return decoded(ip(), ip(), port(), port(), rng.Int64N(1000))
	}
	kinds := [][]match.Saved{
		tuple, whole(attr.SourcePeerAddress), whole(attr.DestTransAddress, attr.DestPeerAddress),
		{{Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(24, 4)}, {Attr: attr.DestPeerAddress, Mask: attr.WidthMask(24, 4)}},
	}
	type one struct {
		key    *match.FlowKey
		saved  []match.Saved
		period Period
	}
	for range 50 {
		var shapes match.Shapes
		s := New(false)
		var all []one
		for range rng.IntN(20) {
			saved := kinds[rng.IntN(len(kinds))]
			first := rng.Int64N(1000)
			f := one{flowOf(&shapes, random(), saved...), saved, Period{first, first + rng.Int64N(100), Both}}
			all = append(all, f)
			s.Add(f.key, f.period)
		}
		for range 100 {
			p := random()
			reverse := *p
			reverse.Key = p.Key.Reverse()
			want := false
			for _, f := range all {
				want = want || f.period.holds(Both, p.Time) && (*flowOf(&shapes, p, f.saved...) == *f.key || *flowOf(&shapes, &reverse, f.saved...) == *f.key)
			}
			if got := s.HasPacket(p, p.Time); got != want {
				t.Fatalf("%d flows: %v, want %v", len(all), got, want)
			}
		}
	}
}

// BenchmarkSet asks for packets in a set of a million flows of one kind.
func BenchmarkSet(b *testing.B) {
	var shapes match.Shapes
	s := New(false)
	p := decoded("10.0.0.1", "10.0.0.2", 1000, 53, 5)
	k := flowOf(&shapes, p, tuple...)
	for n := range 1_000_000 {
		at := attr.SourcePeerAddress.Info().Offset
		k.Key[at+1], k.Key[at+2], k.Key[at+3] = byte(n>>16), byte(n>>8), byte(n)
		s.Add(k, Always)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		p.Key.Peer(attr.Source)[3] = byte(n)
		if !s.HasPacket(p, 5) {
			b.Fatal("not found")
		}
	}
}

// TestAlike looks for packets by some of what flows have saved: none of the flows' is
// left out.
func TestAlike(t *testing.T) {
	var shapes match.Shapes
	s := New(false)
	p := decoded("10.0.0.1", "10.0.0.2", 1000, 53, 5)
	s.Add(flowOf(&shapes, p, tuple...), Period{1, 2, Forward})
	s.Add(flowOf(&shapes, decoded("192.0.2.77", "10.9.9.9", 1, 2, 0), match.Saved{Attr: attr.DestPeerAddress, Mask: attr.WidthMask(8, 4)}, match.Saved{Attr: attr.SourceAdjacentAddress, Mask: attr.Ones(6)}), Always)
	hasPeer := func(a attr.Attr) bool { return a.IsPeer() }
	alike := s.Alike(hasPeer)
	for _, q := range []*match.Packet{p, decoded("10.0.0.2", "10.0.0.1", 9, 9, 99), decoded("10.1.1.1", "192.0.2.1", 1, 1, 1)} {
		if !alike.HasPacket(q, 0) {
			t.Errorf("a packet is left out: % x", q.Key)
		}
	}
	if alike.HasPacket(decoded("192.0.2.77", "192.0.2.1", 1, 2, 0), 0) {
		t.Error("a packet of other hosts is not left out")
	}
	addresses, widths, ok := s.Ends(2)
	found := map[string]int{}
	for i, a := range addresses {
		found[a.String()] = widths[i]
	}
	if !ok || len(found) != 2 || found["10.0.0.0"] != 8 || found["10.0.0.1"] != 32 {
		t.Errorf("ends are %v", found)
	}
	if _, _, ok := s.Ends(1); ok {
		t.Error("there are more ends than that")
	}
	s.Add(flowOf(&shapes, p, whole(attr.DestTransAddress)...), Always)
	if _, _, ok := s.Ends(9); ok || s.Alike(hasPeer) != nil {
		t.Error("a flow without addresses is of some hosts only")
	}
}
