package stream

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"rtfm/ruleset/match"
)

// TestWorker tells an engine, and workers with and without another goroutine,
// the same, and asks the same of them: flows, packets and changes must come out
// the same, wherever batches end.
func TestWorker(t *testing.T) {
	for seed := range uint64(20) {
		want := work(t, seed, false, 1)
		for i, got := range []string{work(t, seed, false, 500), work(t, seed, true, 1), work(t, seed, true, 700)} {
			if got != want {
				t.Fatalf("seed %d: way %d differs:\n%s\nwant\n%s", seed, i, got, want)
			}
		}
	}
}

// work has a worker do things at random, with a Flush after so many, and returns
// what was seen of it.
func work(t *testing.T, seed uint64, fork bool, batch int) string {
	var seen strings.Builder
	w := NewWorker(Config{MaxStreams: 200, Timeout: second}, func(row uint32, now int64) { fmt.Fprintln(&seen, "changed", row, now) })
	w.engine.near, w.engine.singles.near = int(seed%2)*nearStreams, int(seed%2)*nearTallies
	if fork {
		defer w.Fork()()
	}
	shapes := [...]string{"ToTurnaroundTime = 4.tcp_data & 2.3.1!1000", "FlowTime = 4 & 1.3.0!3000", "ToPDURate = 3.1 & 1.0.0!10"}
	shape := withStatistics(shapeOf(t, shapes[:]...))
	r := rand.New(rand.NewPCG(seed, 3))
	live := map[uint32]bool{}
	now := int64(0)
	for i := range 5000 {
		now += r.Int64N(second / 50)
		row := uint32(1 + r.IntN(10))
		if !live[row] {
			w.Create(row, shape, Packet{}, false, now)
			live[row] = true
		}
		p := packetOf(host(protoTCP, uint32(r.IntN(50)), uint8(r.IntN(32))))
		d := p.digest()
		d.side = uint8(r.IntN(2))
		d.seq, d.ack, d.length = uint32(r.IntN(300)), uint32(r.IntN(300)), uint32(r.IntN(10))
		w.Packet(row, int(d.side), p, 100, now)
		w.Packet(row, 0, Packet{}, 100, now)
		switch r.IntN(200) {
		case 0:
			w.Advance(now)
		case 1:
			live[row] = !w.Release(row, now, all())
		case 2:
			fmt.Fprintln(&seen, now, w.Counters(row, now), w.Stats())
		}
		if i%batch == 0 {
			w.Flush()
		}
	}
	w.Finish(now)
	fmt.Fprintln(&seen, w.Stats())
	return seen.String()
}

// TestSingle tells engines of flows with one stream each, known to be single or
// not, and with streams fetched ahead or not: nothing that is seen depends on it.
func TestSingle(t *testing.T) {
	shape := shapeOf(t, "ToTurnaroundTime = 4.tcp_data & 2.3.1!1000", "FromTurnaroundTime = 4.plain & 2.3.1!1000",
		"FlowTime = 4 & 1.3.0!3000", "ToTCPSize = 4 & 1.0.0!3000", "ToPacketSize = 3 & 1.0.10!300", "ToTurnaroundTime1 = 4.dns & 2.3.1!1000")
	exact := sequenceShape()
	narrow := shapeOf(t, "ToTurnaroundTime = 4.tcp_data & 2.3.1!1000", "FromTurnaroundTime = 4.echo & 2.3.1!1000")
	run := func(shape *match.Shape, single bool, near int) string {
		var seen strings.Builder
		w := NewWorker(Config{MaxStreams: 90, Timeout: second}, func(row uint32, now int64) { fmt.Fprintln(&seen, "changed", row, now) })
		w.engine.near = near
		r := rand.New(rand.NewPCG(4, 5))
		const rows = 100
		for row := range uint32(rows) {
			w.Create(row+1, shape, packetOf(exchange(row, false)), single, 0)
		}
		now := int64(0)
		for i := range 30_000 {
			now += r.Int64N(second / 500)
			n, back := r.Uint32N(rows), r.IntN(2)
			p := packetOf(exchange(n, back == 1))
			if d := p.digest(); d.form == formSegment {
				d.seq, d.ack, d.length, d.flags = r.Uint32N(300), r.Uint32N(300), r.Uint32N(10), uint8(r.IntN(1+i%32))
				if i%50 == 0 {
					d.form = formCut
				}
			}
			w.Packet(n+1, back, p, r.Uint64N(400), now)
			if i%100 == 0 {
				w.Advance(now)
			}
			if i%700 == 0 {
				w.Flush()
			}
		}
		w.Sync()
		check(t, w.engine)
		w.Finish(now)
		for row := range uint32(rows) {
			fmt.Fprintln(&seen, row, w.Counters(row+1, now))
		}
		fmt.Fprintln(&seen, w.Stats())
		return seen.String()
	}
	for _, shape := range []*match.Shape{shape, narrow, exact, withStatistics(shape)} {
		want := run(shape, false, 1000)
		if run(shape, false, 0) != want || run(shape, true, 1000) != want || run(shape, true, 0) != want {
			t.Error("what is seen of single flows depends on being known to be")
		}
	}
}

// TestNothingWanted tells workers of flows of which no packet is wanted, in
// different ways, and sees which of them have anything to do.
func TestNothingWanted(t *testing.T) {
	for _, c := range []struct {
		distribution string
		single       bool
		first        *match.Packet
		want         int
	}{
		{"ToTurnaroundTime = 4.tcp_data & 2.3.1!1000", true, exchange(0, false), 0},
		{"ToTurnaroundTime = 4.tcp_data & 2.3.1!1000", true, exchange(1, false), 1},
		{"ToTurnaroundTime = 4.tcp_data & 2.3.1!1000", false, exchange(0, false), 1},
		{"ToTurnaroundTime = 4.dns & 2.3.1!1000", true, exchange(0, false), 1},
		{"ToTurnaroundTime = 4.dns & 2.3.1!1000", true, exchange(1, false), 0},
		{"ToTurnaroundTime = 4.plain & 2.3.1!1000", true, exchange(0, false), 1},
		{"FlowTime = 4 & 1.3.0!3000", true, exchange(0, false), 1},
		{"ToPacketSize = 3 & 1.0.10!300", false, exchange(0, false), 0},
	} {
		w := NewWorker(Config{}, nil)
		p := packetOf(c.first)
		w.Create(1, shapeOf(t, c.distribution), p, c.single, 0)
		w.Packet(1, 0, p, 100, 0)
		if got := len(w.jobs.list); got != c.want {
			t.Errorf("%s: %d packets to count of %v, single %v, want %d", c.distribution, got, p.key(), c.single, c.want)
		}
	}
}
