package plot

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"rtfm/reader/record"
)

// timeline has the intervals of the collections that were read, by their order.
type timeline struct {
	all []Interval
	now Interval // of the collection at hand
}

// begin begins a collection.
func (t *timeline) begin(c *record.Collection) { t.now = Interval{From: c.From, To: c.To} }

// end ends the collection, and returns the index of its interval.
func (t *timeline) end(sum *record.Summary) int {
	t.now.Lost, t.now.Uncounted = sum.Lost, sum.Uncounted
	t.all = append(t.all, t.now)
	return len(t.all) - 1
}

// shortest is what an interval lasts at least: the times of text are no finer.
const shortest = int64(10 * time.Millisecond)

// sorted returns the intervals in the order of time, and where each has gone. One that
// lasted no time is part of that beside it, or is made to last.
func (t *timeline) sorted() (all []Interval, moved []int, err error) {
	order := make([]int, len(t.all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.all[a].From, t.all[b].From), cmp.Compare(t.all[a].To, t.all[b].To))
	})
	moved = make([]int, len(order))
	for _, i := range order {
		in, last := t.all[i], &Interval{From: math.MinInt64, To: math.MinInt64}
		if len(all) > 0 {
			last = &all[len(all)-1]
		}
		switch {
		case last.From == in.From && (last.To == in.To || last.To <= last.From), in.To <= in.From && last.To == in.From:
			last.To = max(last.To, in.To)
			last.Lost += in.Lost
			last.Uncounted += in.Uncounted
		case in.From < last.To:
			return nil, nil, fmt.Errorf("collections from %s to %s and from %s to %s overlap: draw one meter, or those whose intervals are the same",
				clockTime(last.From), clockTime(last.To), clockTime(in.From), clockTime(in.To))
		default:
			all = append(all, in)
		}
		moved[i] = len(all) - 1
	}
	for i := range all {
		if in := &all[i]; in.To <= in.From {
			in.To = in.From + shortest
			if i+1 < len(all) {
				in.To = min(in.To, all[i+1].From)
			}
		}
	}
	return all, moved, nil
}

func clockTime(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.00") }
