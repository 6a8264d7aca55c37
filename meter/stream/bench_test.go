package stream

import (
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/attr"
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

// BenchmarkStatistics counts TCP segments, most of them in order, in flows of a
// stream each, more than caches hold, with nothing, with statistics of single
// packets, and with those of sequence numbers too.
func BenchmarkStatistics(b *testing.B) {
	for _, c := range []struct {
		name string
		all  []attr.Attr
	}{
		{"none", []attr.Attr{attr.FlowID}},
		{"sizes", []attr.Attr{attr.ToSizeStats, attr.FromSizeStats}},
		{"packets", ofPackets},
		{"sequences", append(slices.Clone(ofSequences), ofPackets...)},
	} {
		b.Run(c.name, func(b *testing.B) {
			const flows, batch = 20_000, 256
			w := NewWorker(Config{}, func(uint32, int64) {})
			shape := statisticShape(30, c.all...)
			r := rand.New(rand.NewPCG(1, 2))
			var packets Packets
			packets.Reset(batch, FormsOf(shape.Measures))
			frame := packetOf(tcp(false, flagACK, 1, 1, 100))
			for row := range uint32(flows) {
				w.Create(row+1, shape, frame, true, 0)
			}
			seq := make([]uint32, flows)
			var rows [batch]uint32
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += batch {
				b.StopTimer()
				for i := range rows {
					rows[i] = r.Uint32N(flows)
					p := tcp(false, flagACK, seq[rows[i]], 1, 100)
					p.IPHeader = 20
					packets.Set(i, p)
					seq[rows[i]] += 100 * uint32(r.IntN(20)/19+1)
				}
				b.StartTimer()
				for i, row := range rows {
					w.Packet(row+1, 0, packets.At(i), 140, int64(n+i)*1000)
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
