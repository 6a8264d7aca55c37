package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// ofSequences are the statistics of sequence numbers, to the destination.
var ofSequences = []attr.Attr{
	attr.ToRetransmittedPDUs, attr.ToRetransmittedOctets, attr.ToOutOfOrderPDUs, attr.ToSequenceGaps, attr.ToMissingOctets,
}

// plainEnd is one end of a stream in the plainest form: the set of all numbers that
// were seen, from low up to next.
type plainEnd struct {
	seen                                    [1 << 14]bool
	low, next                               int
	pdus, octets, outOfOrder, gaps, missing uint64
	most                                    int // holes
}

// send counts a segment.
func (p *plainEnd) send(seq int, flags uint8, n int) {
	syn, fin := int(flags>>1&1), int(flags&1)
	if flags&flagRST != 0 || syn+n+fin == 0 {
		return
	}
	first := p.next == 0
	if !first && seq > p.next {
		p.gaps++
	}
	again, fills := uint64(0), false
	for i := seq + syn; i < seq+syn+n; i++ {
		if p.seen[i] {
			again++
		} else if !first && p.low <= i && i < p.next {
			fills = true
		}
	}
	if again > 0 {
		p.pdus, p.octets = p.pdus+1, p.octets+again
	}
	if fills {
		p.outOfOrder++
	}
	for i := seq; i < seq+syn+n+fin; i++ {
		p.seen[i] = true
	}
	if end := seq + syn + n + fin; first {
		p.low, p.next = seq, end
	} else {
		p.low, p.next = min(p.low, seq), max(p.next, end)
	}
	for p.holes() > maxHoles {
		p.giveUp()
	}
	p.most = max(p.most, p.holes())
}

// holes returns how many there are.
func (p *plainEnd) holes() (n int) {
	for i := p.low; i < p.next; i++ {
		if p.seen[i] && !p.seen[i+1] && i+1 < p.next {
			n++
		}
	}
	return n
}

// giveUp gives up the hole farthest behind, if there is one.
func (p *plainEnd) giveUp() bool {
	i := p.low
	for i < p.next && p.seen[i] {
		i++
	}
	if i == p.next {
		return false
	}
	for ; !p.seen[i]; i++ {
		p.seen[i] = true
		p.missing++
	}
	return true
}

// numbers returns what is wanted of ofSequences.
func (p *plainEnd) numbers() []uint64 {
	return []uint64{p.pdus, p.octets, p.outOfOrder, p.gaps, p.missing}
}

// sequenceShape is that of flows with statistics of sequence numbers in both
// directions.
func sequenceShape() *match.Shape {
	var both []attr.Attr
	for _, a := range ofSequences {
		both = append(both, a, a+1)
	}
	return statisticShape(0, both...)
}

// ofDirection returns the numbers of every second measure: those of a direction.
func ofDirection(counters [][]uint64, direction int) (numbers []uint64) {
	for i := direction; i < len(counters); i += 2 {
		numbers = append(numbers, counters[i][0])
	}
	return numbers
}

// TestSequences sends segments at random from both ends of a stream, in order and
// out of it, again and in parts, across the largest sequence number, and compares
// what is counted with a plain computation.
func TestSequences(t *testing.T) {
	var total [5]uint64
	most := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 11))
		e := New(Config{}, func(uint32, int64) {})
		shape := sequenceShape()
		e.Create(1, shape, false, 0)
		base := [2]uint32{r.Uint32(), -uint32(5000 + r.IntN(500))}
		ends := [2]*plainEnd{{}, {}}
		at := [2]int{5000, 5000}
		packets, spread, length, gaps := 400, 1+r.IntN(1500), 1+r.IntN(12), r.IntN(6)
		if seed%3 == 0 { // more holes than there may be, close together
			packets, spread, length, gaps = 1200, 300, 3, 2
		}
		for i := range packets {
			side := r.IntN(2)
			seq, n := at[side], r.IntN(length)
			flags := uint8(flagACK)
			if r.IntN(8) == 0 {
				flags |= uint8(r.IntN(8)) // FIN, SYN, RST
			}
			switch r.IntN(8) {
			case 0:
				seq += r.IntN(20) * gaps
			case 1, 2:
				seq -= r.IntN(1 + spread)
			case 3:
				n = r.IntN(length * length)
			case 4, 5, 6, 7:
				seq += r.IntN(gaps + 1)
			}
			p := ends[side]
			p.send(seq, flags, n)
			if p.next > 0 {
				at[side] = p.next
			}
			e.Packet(1, side, packetOf(tcp(side == 1, flags, base[side]+uint32(seq), 0, n)), 0, 100, int64(i))
			if r.IntN(50) == 0 {
				checkSequences(t, e)
			}
		}
		if n := e.Stats().Created; n != 1 {
			t.Fatalf("seed %d: %d streams", seed, n)
		}
		e.Finish(int64(packets))
		for direction, p := range ends {
			most = max(most, p.most)
			for p.giveUp() {
			}
			want := p.numbers()
			if got := ofDirection(e.Counters(1, int64(packets)), direction); !slices.Equal(got, want) {
				t.Fatalf("seed %d: direction %d: %d, want %d", seed, direction, got, want)
			}
			for i, n := range want {
				total[i] += n
			}
		}
	}
	if slices.Min(total[:]) == 0 || most != maxHoles {
		t.Errorf("%d in all, at most %d holes: the segments are not what they should be", total, most)
	}
}

// checkSequences checks that the holes of all sequences are in order and apart, and
// within what was seen.
func checkSequences(t *testing.T, e *Engine) {
	t.Helper()
	for _, b := range e.sequences.blocks {
		for i := range b {
			for side := range b[i] {
				q := &b[i][side]
				end := -int64(q.span) - 1 // what is farthest behind may be in a hole
				for _, h := range e.sequences.pools.all(&q.holes) {
					from, to := q.position(h.from), q.position(h.to)
					if from <= end || to <= from || to >= 0 {
						t.Fatalf("hole %d to %d behind %d of %+v", from, to, end, *q)
					}
					end = to
				}
			}
		}
	}
}

// TestSequencesFarApart has segments follow each other at any distance: nothing is
// lost of how many octets there were.
func TestSequencesFarApart(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 12))
		e := New(Config{}, func(uint32, int64) {})
		e.Create(1, sequenceShape(), false, 0)
		for i := range 1000 {
			p := packetOf(tcp(false, flagACK, r.Uint32()<<r.IntN(32), 0, 1+r.IntN(1<<r.IntN(31))))
			e.Packet(1, 0, p, 0, 100, int64(i))
			checkSequences(t, e)
		}
		e.Finish(1000)
		if e.sequences.pools[1].used == 0 || e.sequences.pools[3].used == 0 {
			t.Error("there were no holes")
		}
		for size := range e.sequences.pools {
			if p := &e.sequences.pools[size]; int(p.used) != len(p.free) {
				t.Errorf("%d chunks of size %d, %d are free", p.used, size, len(p.free))
			}
		}
	}
}

// TestSequenceOfLongStream sends 10 GB of which some octets are missing, and some
// sent again as long as they can be told from those ahead.
func TestSequenceOfLongStream(t *testing.T) {
	e := New(Config{}, func(uint32, int64) {})
	e.Create(1, sequenceShape(), false, 0)
	const step = 1 << 28
	send := func(seq uint64, n int) {
		e.Packet(1, 0, packetOf(tcp(false, flagACK, uint32(seq), 0, n)), 0, 100, 0)
	}
	want := func(numbers ...uint64) {
		t.Helper()
		if got := ofDirection(e.Counters(1, 0), 0); !slices.Equal(got, numbers) {
			t.Errorf("%d, want %d", got, numbers)
		}
	}
	send(0, step-10)
	for i := uint64(1); i < 8; i++ {
		send(i*step, step)
	}
	want(0, 0, 0, 1, 0)
	send(100, 50) // just not too far behind
	send(step-10, 4)
	want(1, 50, 1, 1, 0)
	send(8*step, step-10)
	want(1, 50, 1, 1, 0)
	send(9*step-10, 10) // now the hole is
	want(1, 50, 1, 1, 6)
	for i := uint64(9); i < 40; i++ {
		send(i*step, step)
	}
	send(39*step, 10)
	want(2, 60, 1, 1, 6)
}

// TestMissingIsAChange reads what is missing of streams that have ended, and no
// more than that is told to have changed.
func TestMissingIsAChange(t *testing.T) {
	var changed []string
	e := New(Config{}, func(row uint32, now int64) { changed = append(changed, fmt.Sprint(row, " ", now)) })
	for row := range uint32(3) {
		e.Create(row+1, sequenceShape(), true, 0)
	}
	e.Packet(1, 0, packetOf(tcp(false, flagACK, 10, 0, 10)), 0, 100, 1)
	e.Packet(2, 1, packetOf(tcp(false, flagACK, 10, 0, 10)), 0, 100, 1)
	e.Packet(2, 1, packetOf(tcp(false, flagACK, 25, 0, 10)), 0, 100, 2)
	e.Packet(3, 0, packetOf(udp(false, 1, 2, 3)), 0, 100, 2)
	if s := e.Stats(); s.Active != 2 {
		t.Errorf("%+v, want streams of TCP only", s)
	}
	e.Finish(9)
	if got := ofDirection(e.Counters(2, 9), 1); !slices.Equal(got, []uint64{0, 0, 0, 1, 5}) || !slices.Equal(changed, []string{"2 9"}) {
		t.Errorf("%d, changed %q", got, changed)
	}
}

// TestMostHoles makes more holes than one end may have: the farthest behind is
// given up, wherever the new one is, and what comes of it later was sent again.
func TestMostHoles(t *testing.T) {
	e := New(Config{}, func(uint32, int64) {})
	e.Create(1, sequenceShape(), false, 0)
	send := func(seq int, pdus, octets, outOfOrder, gaps, missing uint64) {
		t.Helper()
		e.Packet(1, 0, packetOf(tcp(false, flagACK, uint32(seq), 0, 1)), 0, 100, 0)
		if got, want := ofDirection(e.Counters(1, 0), 0), []uint64{pdus, octets, outOfOrder, gaps, missing}; !slices.Equal(got, want) {
			t.Errorf("after %d: %d, want %d", seq, got, want)
		}
	}
	for i := range 1 + maxHoles {
		send(10*i, 0, 0, 0, uint64(i), 0)
	}
	send(-5, 0, 0, 0, maxHoles, 4)
	send(-3, 1, 1, 0, maxHoles, 4)
	send(9, 1, 1, 1, maxHoles, 4) // in the first hole
	send(4, 1, 1, 2, maxHoles, 4+3)
	send(1, 2, 2, 2, maxHoles, 4+3)
	send(10*maxHoles+3, 2, 2, 2, maxHoles+1, 4+3+4)
	send(8, 3, 3, 2, maxHoles+1, 4+3+4)
	send(11, 3, 3, 3, maxHoles+1, 4+3+4)
}
