package live

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rtfm/traces"
)

// fakeRing is a ring that the test fills in the kernel's place.
type fakeRing struct {
	*ring
	at int // the block that is filled
}

func newFakeRing(blocks int) fakeRing {
	const size = 4096
	return fakeRing{ring: &ring{size: size, mem: make([]byte, blocks*size), seen: make([]time.Time, blocks), budget: -1}}
}

// fill puts packets of these times, in nanoseconds, into the block.
func (f *fakeRing) fill(times ...int) {
	block := f.mem[f.at*f.size:][:f.size]
	copy(block, makeBlock(len(times), []byte{1, 2, 3}))
	for i, t := range times {
		binary.NativeEndian.PutUint32(block[48+i*256+packetNanos:], uint32(t))
	}
}

// handOver gives the block to its reader.
func (f *fakeRing) handOver() {
	atomic.StoreUint32(f.status(f.at), unix.TP_STATUS_USER)
	f.at = (f.at + 1) % len(f.seen)
}

// merged is what a source merges of two rings at a time.
type merged struct {
	t     *testing.T
	s     *source
	batch *traces.Batch
	began time.Time
}

func newMerged(t *testing.T, rings ...fakeRing) *merged {
	m := &merged{t: t, s: new(source), batch: traces.NewBatch(100), began: time.Now()}
	i := &captured{device: device{link: traces.LinkEthernet}}
	for _, r := range rings {
		i.rings = append(i.rings, r.ring)
	}
	m.s.interfaces = []*captured{i}
	return m
}

// want merges so long after the begin, and wants packets of these times.
func (m *merged) want(after time.Duration, times ...int) {
	m.t.Helper()
	for _, r := range m.s.interfaces[0].rings {
		r.giveBack()
	}
	m.batch.Packets = m.batch.Packets[:0]
	m.s.merge(m.batch, m.began.Add(after))
	var got []int
	for _, p := range m.batch.Packets {
		got = append(got, int(p.Time-7e9))
	}
	if fmt.Sprint(got) != fmt.Sprint(times) {
		m.t.Errorf("after %v packets %v, want %v", after, got, times)
	}
}

// TestMergeLate has the kernel hand over the earliest packet long after others.
func TestMergeLate(t *testing.T) {
	a, b := newFakeRing(8), newFakeRing(8)
	m := newMerged(t, a, b)
	m.want(0)
	if !m.s.quiet.Equal(m.began) {
		t.Error("no packets are there, but it is not quiet")
	}
	a.fill(20, 40)
	b.fill(10)
	m.want(time.Millisecond)
	a.handOver()
	m.want(2 * time.Millisecond)
	m.want(holdBack + 3*time.Millisecond)
	m.want(patience / 2)
	if !m.s.quiet.Equal(m.began) {
		t.Error("it is quiet while packets wait")
	}
	b.fill(10, 30)
	b.handOver()
	m.want(patience/2, 10, 20, 30, 40)
	m.want(patience / 2)
	if !m.s.quiet.Equal(m.began.Add(patience / 2)) {
		t.Error("all packets have been read, but it is not quiet")
	}
}

// TestMergeSilent has nothing come to a ring, whose next block had packets the
// round before: the others' packets do not wait for long.
func TestMergeSilent(t *testing.T) {
	a, b := newFakeRing(2), newFakeRing(2)
	m := newMerged(t, a, b)
	for i := range 3 {
		b.fill(i)
		b.handOver()
		m.want(0)
		m.want(holdBack, i)
	}
	a.fill(20)
	a.handOver()
	m.want(0)
	m.want(holdBack - 1)
	m.want(holdBack, 20)
}

// TestMergeBounds has the kernel never hand over a block: the others' packets
// wait for a bounded time, and only as long as there is room for more.
func TestMergeBounds(t *testing.T) {
	a, b := newFakeRing(8), newFakeRing(8)
	m := newMerged(t, a, b)
	b.fill(10)
	a.fill(20)
	a.handOver()
	m.want(0)
	m.want(patience - 1)
	m.want(patience, 20)
	for i := range 4 {
		a.fill(30 + i)
		a.handOver()
	}
	m.want(patience)
	m.want(patience + holdBack)
	a.fill(34)
	a.handOver()
	m.want(patience+holdBack, 30, 31, 32, 33)
}

// TestMergeEnd ends while the kernel is late to hand over what came before. What
// comes later is not read.
func TestMergeEnd(t *testing.T) {
	a, b := newFakeRing(8), newFakeRing(8)
	m := newMerged(t, a, b)
	a.fill(20)
	a.handOver()
	b.fill(10)
	m.s.stop = m.began
	m.s.end(m.began.Add(holdBack))
	a.fill(50)
	a.handOver()
	over := func(after time.Duration, want bool) {
		t.Helper()
		if got := m.s.over(m.began.Add(after)); got != want {
			t.Errorf("after %v it is over: %v", after, got)
		}
	}
	m.want(patience - 1)
	over(patience-1, false)
	over(patience, true) // it never comes
	b.handOver()
	b.fill(60)
	m.want(patience-1, 10, 20)
	m.want(patience - 1)
	over(patience-1, true)
}
