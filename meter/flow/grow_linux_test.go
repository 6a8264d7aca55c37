package flow

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"rtfm/ruleset/match"

	"golang.org/x/sys/unix"
)

// BenchmarkGrow makes tables of a thousand to ten million flows, and beside them
// a hash table that only counts by the same keys. It tells the memory of a flow,
// and how long 64 flows took at most: time of the processor, since by the clock
// other programs would have their share in it.
func BenchmarkGrow(b *testing.B) {
	var shapes match.Shapes
	for _, flows := range []uint32{1_000, 10_000, 100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprint("table/", flows), func(b *testing.B) {
			grow(b, flows, func() (add func(i uint32), keep any) {
				tab := New(math.MaxInt32)
				var key Key
				k := full(&shapes, 0)
				return func(i uint32) {
					number(&k, i)
					tab.Prepare(&key, &k)
					tab.Count(tab.Create(&key, 1), Forward, 1, 60, 2)
				}, tab
			})
		})
		b.Run(fmt.Sprint("limit/", flows), func(b *testing.B) {
			grow(b, flows, func() (add func(i uint32), keep any) {
				p := &plain{slots: make([]plainFlow, 1024)}
				return p.count, p
			})
		})
	}
}

// grow measures adding flows, one after the other, to new tables.
func grow(b *testing.B, flows uint32, table func() (add func(i uint32), keep any)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var longest int64
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		add, keep := table()
		b.StartTimer()
		last := processorTime(b)
		for i := range flows {
			if add(i); i%64 == 63 {
				now := processorTime(b)
				longest = max(longest, now-last)
				last = now
			}
		}
		b.StopTimer()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(keep)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(flows), "ns/flow")
	b.ReportMetric(float64(longest)/1e6, "longest-ms")
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/float64(flows), "octets/flow")
	b.ReportMetric(0, "ns/op")
}

// processorTime returns the nanoseconds that the thread has had.
func processorTime(b *testing.B) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return t.Nano()
}

// plain is a hash table that doubles at once.
type plain struct {
	slots []plainFlow
	used  int
}

type plainFlow struct {
	key          [2]uint64
	pdus, octets [2]uint64
	first, last  int64
}

func (p *plain) slot(key [2]uint64) *plainFlow {
	for h := (key[0] ^ key[1]*0x9e3779b97f4a7c15) * 0xd1342543de82ef95 >> 20; ; h++ {
		if s := &p.slots[h%uint64(len(p.slots))]; s.key == key || s.pdus[0] == 0 {
			return s
		}
	}
}

func (p *plain) count(i uint32) {
	key := [2]uint64{uint64(i), 6}
	s := p.slot(key)
	if s.pdus[0] == 0 {
		s.key, s.first = key, 1
		if p.used++; 2*p.used > len(p.slots) {
			old := p.slots
			p.slots = make([]plainFlow, 2*len(old))
			for i := range old {
				if old[i].pdus[0] > 0 {
					*p.slot(old[i].key) = old[i]
				}
			}
			s = p.slot(key)
			s.key, s.first = key, 1
		}
	}
	s.pdus[0]++
	s.octets[0] += 60
	s.last = 2
}
