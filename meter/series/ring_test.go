package series

import (
	"testing"
)

// TestRing puts more intervals than there is room for: the oldest go, and what is
// asked for is there or later.
func TestRing(t *testing.T) {
	for rows, want := range map[int]int{1: MostIntervals, 50: MostRows / 50} {
		var r Ring
		if _, ok := r.Next(0); ok {
			t.Fatal("an empty ring has intervals")
		}
		const n = 10_000
		i := Interval{Rows: make([]Row, rows)}
		for i.Number = 1; i.Number <= n; i.Number++ {
			i.Rows[0].PDUs = i.Number
			r.Put(&i)
		}
		count, latest := 0, uint64(0)
		for at, ok := r.Next(0); ok; at, ok = r.Next(at.Number + 1) {
			if first := uint64(n - want + 1 + count); at.Number != first || at.Rows[0].PDUs != first {
				t.Fatalf("interval %d has %+v, want %d", at.Number, at.Rows[0], first)
			}
			count, latest = count+1, at.Number
		}
		if count != want || latest != n {
			t.Errorf("%d rows each: %d intervals, want %d; the latest is %d", rows, count, want, latest)
		}
	}
}

// TestAdded waits for an interval.
func TestAdded(t *testing.T) {
	var r Ring
	before, both := r.Added(), r.Added()
	select {
	case <-before:
		t.Fatal("nothing was added")
	default:
	}
	r.Put(&Interval{Number: 1})
	<-before
	<-both
	select {
	case <-r.Added():
		t.Error("it was added before it was waited for")
	default:
	}
}
