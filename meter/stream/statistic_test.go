package stream

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// sample is a packet of a flow, as a plain computation of statistics sees it.
type sample struct {
	now       int64
	direction int
	octets    uint64
}

// plainStatistic returns the numbers of a statistic after these packets.
func plainStatistic(d *attr.Measure, packets []sample) []uint64 {
	direction := 0
	what := d.Attr
	if what.IsFrom() {
		direction = 1
		what--
	}
	var values []uint64
	before := int64(-1)
	for _, p := range packets {
		if p.direction != direction {
			continue
		}
		switch what {
		case attr.ToSizeStats:
			values = append(values, p.octets)
		case attr.ToGapStats:
			if before >= 0 {
				values = append(values, uint64(p.now-before))
			}
			before = p.now
		}
	}
	return plainStats(values)
}

// plainStats returns the numbers of a FormStats of these values.
func plainStats(values []uint64) []uint64 {
	if len(values) == 0 {
		return make([]uint64, 6)
	}
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

// TestStatistics counts packets at random, in flows that are saved now and then, and
// compares their statistics with what a plain computation makes of the packets.
func TestStatistics(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 8))
		shape := statisticShape(5, attr.ToSizeStats, attr.FromSizeStats, attr.ToGapStats, attr.FromGapStats)
		e := New(Config{}, func(uint32, int64) {})
		e.Create(1, shape, false, 0)
		var packets []sample
		now := int64(0)
		for range 300 {
			now += r.Int64N(1 << r.IntN(45))
			s := sample{now, r.IntN(2), r.Uint64N(1 << 33)}
			packets = append(packets, s)
			e.Packet(1, s.direction, packetOf(udp(s.direction == 1, 1, 2)), 0, s.octets, s.now)
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
