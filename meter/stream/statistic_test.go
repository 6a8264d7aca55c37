package stream

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// sample is a packet of a flow, as a plain computation of statistics sees it: as it
// was made, and how many octets of its IP header and of what follows were captured.
type sample struct {
	now         int64
	direction   int
	octets      uint64
	v6          bool
	proto       uint8
	fragment    bool // not the first
	header      int  // octets, of TCP
	payload     int
	id, window  uint16
	hops, flags uint8
	ip, rest    int // captured
}

// payloadOf returns the octets of payload, false if they are not known.
func (s *sample) payloadOf() (int, bool) {
	switch {
	case s.fragment || s.rest == 0:
		return 0, false
	case s.proto == protoTCP:
		return s.payload, s.rest >= 13 && s.header >= 20
	}
	return s.payload, s.proto == protoUDP || s.proto == protoUDPLite
}

// tcp reports whether octet n of a TCP header was captured.
func (s *sample) tcp(n int) bool { return s.proto == protoTCP && !s.fragment && s.rest > n }

// randomSample returns a packet that was captured whole or cut anywhere.
func randomSample(r *rand.Rand, now int64) sample {
	s := sample{
		now: now, direction: r.IntN(2), octets: r.Uint64N(1 << 32), v6: r.IntN(3) == 0, fragment: r.IntN(8) == 0,
		proto:  []uint8{protoTCP, protoTCP, protoUDP, protoUDPLite, protoICMP, 132}[r.IntN(6)],
		header: 4 * (4 + r.IntN(8)), payload: r.IntN(3) * r.IntN(1500),
		id: uint16(r.Uint32()), window: uint16(r.Uint32()) * uint16(r.IntN(2)), hops: uint8(r.Uint32()), flags: uint8(1 << r.IntN(8) * r.IntN(3)),
		ip: 20, rest: 60,
	}
	if s.v6 {
		s.ip = 40
	}
	switch r.IntN(4) {
	case 0:
		s.rest = r.IntN(20)
	case 1:
		s.ip, s.rest = r.IntN(s.ip), 0
	}
	return s
}

// packet returns the packet as it is decoded.
func (s *sample) packet() *match.Packet {
	p := &match.Packet{PeerLen: 4, Flags: match.IsIP, IPHeader: uint8(s.ip)}
	p.Key.SetPeerType(1)
	if s.v6 {
		p.Key.SetPeerType(2)
	}
	if s.ip >= 6 && !s.v6 {
		p.IPID = s.id
	}
	p.Key.SetHopLimit(s.hops)
	p.Key.SetTransType(s.proto)
	b := make([]byte, 60)
	p.TransportOctets = uint32(8 + s.payload)
	if s.proto == protoTCP {
		b[12], b[13] = byte(s.header/4<<4), s.flags
		binary.BigEndian.PutUint16(b[14:], s.window)
		p.TransportOctets = uint32(s.header + s.payload)
	}
	p.Data = b[:s.rest]
	switch {
	case s.fragment:
		p.Flags |= match.Fragment
	case s.rest > 0:
		p.Flags |= match.HasTransport
	}
	return p
}

// plainStatistic returns the numbers of a statistic after these packets.
func plainStatistic(d *attr.Measure, packets []sample) []uint64 {
	direction, what := 0, d.Attr
	if what.IsFrom() {
		direction, what = 1, what-1
	}
	var values, listed []uint64
	numbers := make([]uint64, d.Counters())
	before, latest := int64(-1), int64(-1)
	list := func(p *sample, octets uint64) {
		if len(listed) < d.Packets() {
			if latest < 0 {
				latest = p.now
			}
			flags := p.flags
			if !p.tcp(13) {
				flags = 0
			}
			listed = append(listed, uint64(attr.NewListed(octets, flags, p.now-latest, p.direction == 1)))
			latest = p.now
		}
	}
	for i := range packets {
		p := &packets[i]
		payload, known := p.payloadOf()
		switch {
		case d.Attr == attr.FirstPackets:
			list(p, p.octets)
		case d.Attr == attr.FirstPayloads && known && payload > 0:
			list(p, uint64(payload))
		}
		if p.direction != direction {
			continue
		}
		switch {
		case what == attr.ToSizeStats:
			values = append(values, p.octets)
		case what == attr.ToGapStats:
			if before >= 0 {
				values = append(values, uint64(p.now-before))
			}
			before = p.now
		case what == attr.ToPayloadStats && known:
			values = append(values, uint64(payload))
		case what == attr.ToWindowStats && p.tcp(15):
			values = append(values, uint64(p.window))
		case what == attr.ToHopLimitRange && (!p.v6 && p.ip > 8 || p.v6 && p.ip > 7):
			values = append(values, uint64(p.hops))
		case what == attr.ToIPIDRange && !p.v6 && p.ip > 5:
			values = append(values, uint64(p.id))
		case what == attr.ToTCPFlags && p.tcp(13):
			numbers[0] |= uint64(p.flags)
			for bit := range 8 {
				numbers[1+bit] += uint64(p.flags >> bit & 1)
			}
		case what == attr.ToZeroWindows && p.tcp(15) && p.window == 0 && p.flags&7 == 0,
			what == attr.ToResets && p.tcp(13) && p.flags&4 != 0:
			numbers[0]++
		}
	}
	switch form := d.Attr.Form(); {
	case form == attr.FormPackets:
		numbers[0] = uint64(len(listed))
		copy(numbers[1:], listed)
	case form == attr.FormStats && len(values) > 0:
		return plainStats(values)
	case form == attr.FormRange && len(values) > 0:
		return []uint64{uint64(len(values)), slices.Min(values), slices.Max(values)}
	}
	return numbers
}

// plainStats returns the numbers of a FormStats of these values.
func plainStats(values []uint64) []uint64 {
	sum, squares, mask := uint64(0), new(big.Int), new(big.Int).SetUint64(1<<64-1)
	for _, v := range values {
		sum += v
		b := new(big.Int).SetUint64(v)
		squares.Add(squares, b.Mul(b, b))
	}
	low, high := new(big.Int).And(squares, mask).Uint64(), new(big.Int).Rsh(squares, 64).Uint64()
	return []uint64{uint64(len(values)), sum, low, high, slices.Min(values), slices.Max(values)}
}

// statisticShape returns the shape of flows with these statistics, some of which
// list so many packets.
func statisticShape(list byte, all ...attr.Attr) *match.Shape {
	var ds []attr.Measure
	for _, a := range all {
		d := attr.Measure{Attr: a, Mask: attr.MakeValue(make([]byte, attr.DistributionSize)...), Value: attr.MakeValue(make([]byte, attr.DistributionSize)...)}
		if a.Form() == attr.FormPackets {
			d.Value = attr.MakeValue(list, 0, 0, 0, 0, 0)
		}
		ds = append(ds, d)
	}
	var shapes match.Shapes
	return shapes.Intern(1, 4, 0, nil, ds...)
}

// withStatistics returns a shape that has all statistics besides what s has.
func withStatistics(s *match.Shape) *match.Shape {
	all := append(slices.Clone(s.Measures), statisticShape(7, ofPackets...).Measures...)
	all = append(all, sequenceShape().Measures...)
	all = append(all, statisticShape(0, attr.ToTurnaroundStats, attr.FromTurnaroundStats).Measures...)
	var shapes match.Shapes
	return shapes.Intern(1, 4, 0, nil, all...)
}

// ofPackets are the statistics of single packets.
var ofPackets = []attr.Attr{
	attr.ToSizeStats, attr.FromSizeStats, attr.ToGapStats, attr.FromGapStats, attr.ToPayloadStats, attr.FromPayloadStats,
	attr.ToWindowStats, attr.FromWindowStats, attr.ToHopLimitRange, attr.FromHopLimitRange, attr.ToIPIDRange, attr.FromIPIDRange,
	attr.ToTCPFlags, attr.FromTCPFlags, attr.ToZeroWindows, attr.FromZeroWindows, attr.ToResets, attr.FromResets,
	attr.FirstPackets, attr.FirstPayloads,
}

// TestStatistics counts packets at random in a flow with some or all statistics of
// single packets, and compares these now and then with what a plain computation
// makes of the packets.
func TestStatistics(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 8))
		some := slices.Clone(ofPackets)
		if seed%2 == 1 {
			r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			some = some[:1+r.IntN(4)]
		}
		shape := statisticShape(byte(1+r.IntN(64)), some...)
		e := New(Config{}, func(uint32, int64) {})
		e.Create(1, shape, false, 0)
		var packets []sample
		now := int64(0)
		for range 300 {
			now += r.Int64N(1 << r.IntN(51))
			s := randomSample(r, now)
			packets = append(packets, s)
			e.Packet(1, s.direction, packetOf(s.packet()), 0, s.octets, s.now)
			if r.IntN(50) > 0 {
				continue
			}
			for i, got := range e.Counters(1, now) {
				d := &shape.Measures[i]
				if want := plainStatistic(d, packets); !slices.Equal(got, want) {
					t.Fatalf("seed %d: %v is %d, want %d", seed, d.Attr, got, want)
				}
			}
		}
		if n := e.Stats().Created; n > 0 {
			t.Fatalf("%d streams for statistics of single packets", n)
		}
	}
}

// TestManyPackets counts packets in a flow that has had almost 2^32.
func TestManyPackets(t *testing.T) {
	shape := statisticShape(0, attr.ToSizeStats, attr.ToGapStats, attr.ToWindowStats, attr.ToHopLimitRange, attr.ToTCPFlags)
	e := New(Config{}, func(uint32, int64) {})
	e.Create(1, shape, true, 0)
	p := tcp(false, flagACK|flagPSH, 1, 1, 0)
	p.IPHeader = 20
	for now, kind := range []uint8{1, 1, 1, 1, 2} {
		p.Key.SetPeerType(kind) // in the end one of which less is known
		e.Packet(1, 0, packetOf(p), 0, 100, int64(now))
		if now == 1 {
			tally, traits := e.singles.store.tallyOf(0, 0)
			tally.packets, traits.pushes = math.MaxUint32, math.MaxUint32
		}
	}
	const most = math.MaxUint32 + 3
	got := e.Counters(1, 4)
	if got[0][attr.StatCount] != most || got[1][attr.StatCount] != most-1 || got[1][attr.StatSum] != 4 || got[2][attr.StatCount] != most || got[3][attr.RangeCount] != most ||
		got[4][1+pshBit] != most || got[4][1+ackBit] != most {
		t.Errorf("%d", got)
	}
}

// TestManyFlags counts more segments with each flag than a flow has room for, and then
// does the same with a flow that has the place of the first one.
func TestManyFlags(t *testing.T) {
	shape := statisticShape(0, attr.ToTCPFlags, attr.ToZeroWindows, attr.ToResets)
	e := New(Config{}, func(uint32, int64) {})
	e.Create(1, shape, true, 0)
	e.Create(2, shape, true, 0) // so that the memory of the other is kept
	r := rand.New(rand.NewPCG(3, 8))
	for range 2 {
		var packets []sample
		for range 8000 {
			s := randomSample(r, 0)
			s.proto, s.fragment, s.ip, s.rest, s.header, s.direction = protoTCP, false, 20, 60, 20, 0
			packets = append(packets, s)
			e.Packet(1, 0, packetOf(s.packet()), 0, s.octets, 0)
		}
		for i, got := range e.Counters(1, 0) {
			if want := plainStatistic(&shape.Measures[i], packets); !slices.Equal(got, want) || i == 0 && slices.Min(got[1:]) < 256 {
				t.Errorf("%v is %d, want %d", shape.Measures[i].Attr, got, want)
			}
		}
		most := 10
		if !e.Release(1, 0, &most) {
			t.Fatal("the flow was not released")
		}
		if e.singles.store.blocks[0].rests[0] != nil {
			t.Error("a rest is left")
		}
		e.Create(1, shape, true, 0)
	}
}

// TestTurnaroundStats asks and answers at random, in whole milliseconds, and
// computes the statistics from a distribution that has a bucket for each: they are
// the same with it and alone.
func TestTurnaroundStats(t *testing.T) {
	for _, kind := range []attr.PairKind{attr.PairPlain, attr.PairTCPSyn, attr.PairTCPData, attr.PairDNS, attr.PairEcho} {
		name := kind.String()
		buckets := shapeOf(t, "ToTurnaroundTime1 = 255."+name+" & 1.3.0!254", "FromTurnaroundTime1 = 255."+name+" & 1.3.0!254").Measures
		value := attr.MakeValue(0, byte(kind), 0, 0, 0, 0)
		stats := []attr.Measure{{Attr: attr.ToTurnaroundStats, Value: value}, {Attr: attr.FromTurnaroundStats, Value: value}}
		var shapes match.Shapes
		both, alone := New(Config{}, func(uint32, int64) {}), New(Config{}, func(uint32, int64) {})
		both.Create(1, shapes.Intern(1, 4, 0, nil, append(buckets, stats...)...), false, 0)
		alone.Create(1, shapes.Intern(1, 4, 0, nil, stats...), false, 0)
		r := rand.New(rand.NewPCG(uint64(kind), 9))
		now, pairs, sent := int64(0), 0, [2]uint32{}
		for range 2000 {
			now += r.Int64N(3) * millisecond
			n, back := r.Uint32N(10), r.IntN(2) == 1
			p := exchange(n, back)
			switch {
			case kind == attr.PairEcho:
				p = echoAt(0, byte(8*(1-r.IntN(2))), back, uint16(n)).p
			case kind == attr.PairTCPSyn:
				p = tcp(back, uint8(flagSYN+flagACK*r.IntN(2)), 9*n, 9*n+1, 0)
			case kind == attr.PairTCPData:
				p = tcp(back, flagACK, sent[direction(back)], sent[1-direction(back)], 10)
				sent[direction(back)] += 10
			}
			for _, e := range []*Engine{both, alone} {
				e.Packet(1, direction(back), packetOf(p), 0, 100, now)
			}
		}
		counters, found := both.Counters(1, now), alone.Counters(1, now)
		for i := range 2 {
			var values []uint64
			for ms, n := range counters[i] {
				for range n {
					values = append(values, uint64(ms)*millisecond)
				}
			}
			want := make([]uint64, 6)
			if pairs += len(values); len(values) > 0 {
				want = plainStats(values)
			}
			if !slices.Equal(counters[2+i], want) || !slices.Equal(found[i], want) {
				t.Errorf("%v: %d, alone %d, want %d", kind, counters[2+i], found[i], want)
			}
		}
		if pairs < 50 || counters[0][255]+counters[1][255] > 0 {
			t.Errorf("%v: %d pairs, %d took too long", kind, pairs, counters[0][255]+counters[1][255])
		}
	}
}

// direction is 1 if a packet goes back.
func direction(back bool) int {
	if back {
		return 1
	}
	return 0
}
