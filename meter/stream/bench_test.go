package stream

import (
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// BenchmarkTurnaround counts TCP segments of many streams of a flow each, as
// common as the n-th is rarer than the first, and their turnaround times.
func BenchmarkTurnaround(b *testing.B) {
	const streams, batch, batches = 80_000, 256, 32
	r := rand.New(rand.NewPCG(1, 2))
	w := NewWorker(Config{}, func(uint32, int64) {})
	shape := shapeOf(b, "ToTurnaroundTime1 = 50.tcp_data & 2.3.1!700", "FromTurnaroundTime1 = 50.tcp_data & 2.3.1!700")
	type ends struct{ seq [2]uint32 }
	state := make([]ends, streams)
	cumulated := make([]float64, streams)
	sum := 0.0
	for i := range cumulated {
		sum += 1 / float64(i+1)
		cumulated[i] = sum
	}
	order := r.Perm(streams)
	pick := func() int {
		v, low, high := r.Float64()*sum, 0, streams-1
		for low < high {
			if m := (low + high) / 2; cumulated[m] < v {
				low = m + 1
			} else {
				high = m
			}
		}
		return order[low]
	}
	now := int64(0)
	for i := range streams {
		w.Create(uint32(i+1), shape, Packet{}, true, now)
	}
	packets := make([]Packets, batches)
	type packet struct {
		row       uint32
		direction int
	}
	var told [batches][batch]packet
	b.ResetTimer()
	for n := 0; n < b.N; {
		b.StopTimer()
		for i := range packets {
			packets[i].Reset(batch, everyForm)
			for j := range batch {
				k, side := pick(), r.IntN(2)
				s := &state[k]
				length := uint32(r.IntN(1400))
				packets[i].digests[j] = digest{form: formSegment, side: uint8(side), flags: flagACK, seq: s.seq[side], ack: s.seq[1-side], length: length}
				packets[i].setKey(j, &key{ends: [2]address{{uint64(k), 1}, {2, 2}}, rest: newRest(1, 2, protoTCP, 1)})
				s.seq[side] += length
				told[i][j] = packet{uint32(k + 1), side}
			}
		}
		b.StartTimer()
		for i := range packets {
			for j := range batch {
				now += 6000
				w.Packet(told[i][j].row, told[i][j].direction, packets[i].At(j), 100, now)
			}
		}
		w.Sync()
		n += batch * batches
	}
}

// BenchmarkStatistics counts TCP segments, most of them in order and each an ACK of what
// came from the other end, in flows of a stream each, more than caches hold, with
// nothing, with statistics of single packets, with those of sequence numbers too, and
// with all.
func BenchmarkStatistics(b *testing.B) {
	turnaround := []attr.Measure{{Attr: attr.ToTurnaroundStats, Value: attr.MakeValue(0, byte(attr.PairTCPData), 0, 0, 0, 0)}, {Attr: attr.FromTurnaroundStats, Value: attr.MakeValue(0, byte(attr.PairTCPData), 0, 0, 0, 0)}}
	ofPackets := slices.DeleteFunc(slices.Clone(ofPackets), func(a attr.Attr) bool { return a.Form() == attr.FormPackets })
	for _, c := range []struct {
		name string
		all  []attr.Attr
		more []attr.Measure
	}{
		{"none", []attr.Attr{attr.FlowID}, nil},
		{"sizes", []attr.Attr{attr.ToSizeStats, attr.FromSizeStats}, nil},
		{"packets", ofPackets, nil},
		{"sequences", append(slices.Clone(ofSequences), ofPackets...), nil},
		{"all", append(slices.Clone(ofSequences), ofPackets...), turnaround},
	} {
		b.Run(c.name, func(b *testing.B) {
			const flows, batch, batches = 50_000, 256, 32
			w := NewWorker(Config{}, func(uint32, int64) {})
			var shapes match.Shapes
			shape := shapes.Intern(1, 4, 0, nil, append(c.more, statisticShape(0, c.all...).Measures...)...)
			r := rand.New(rand.NewPCG(1, 2))
			zipf := rand.NewZipf(r, 1.1, 20, flows-1)
			frame := packetOf(tcp(false, flagACK, 1, 1, 100))
			for row := range uint32(flows) {
				w.Create(row+1, shape, frame, true, 0)
			}
			seq := make([][2]uint32, flows)
			var packets [batches]Packets
			var rows [batches][batch]uint32
			var sides [batches][batch]int
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				b.StopTimer()
				for i := range packets {
					packets[i].Reset(batch, FormsOf(shape.Measures))
					for j := range batch {
						row, side := uint32(zipf.Uint64()*7919%flows), r.IntN(2)
						own := &seq[row]
						p := tcp(side == 1, flagACK, own[side], own[1-side], 100)
						p.IPHeader, p.Data[p.Transport+14] = 20, 1 // with a window
						packets[i].Set(j, p)
						own[side] += 100 * uint32(r.IntN(20)/19+1)
						rows[i][j], sides[i][j] = row, side
					}
				}
				b.StartTimer()
				for i := range packets {
					for j, row := range rows[i] {
						w.Packet(row+1, sides[i][j], packets[i].At(j), 140, int64(n)*1000)
						n++
					}
				}
				w.Sync()
			}
		})
	}
}

// TestStatisticsAllocateNothing counts what packets of known streams allocate.
func TestStatisticsAllocateNothing(t *testing.T) {
	e := New(Config{}, func(uint32, int64) {})
	e.Create(1, withStatistics(sequenceShape()), true, 0)
	seq := uint32(0)
	p := packetOf(tcp(false, flagACK, seq, 0, 10))
	send := func() {
		p.of.digests[0].seq = seq
		e.Packet(1, 0, p, 0, 100, int64(seq))
	}
	for range maxHoles + 10 { // each leaves a hole
		send()
		seq += 20
	}
	if n := testing.AllocsPerRun(1000, func() { send(); seq += 20 }); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
