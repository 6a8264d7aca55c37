package plot

import (
	"cmp"
	"fmt"
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

// sorted returns the intervals in the order of time, and where each has gone.
func (t *timeline) sorted() (all []Interval, moved []int, err error) {
	order := make([]int, len(t.all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.all[a].From, t.all[b].From) })
	moved = make([]int, len(order))
	for _, i := range order {
		in := t.all[i]
		switch n := len(all) - 1; {
		case n >= 0 && all[n].From == in.From && all[n].To == in.To:
			all[n].Lost += in.Lost
			all[n].Uncounted += in.Uncounted
		case n >= 0 && in.From < all[n].To:
			return nil, nil, fmt.Errorf("collections from %s to %s and from %s to %s overlap: draw one meter, or those whose intervals are the same",
				clockTime(all[n].From), clockTime(all[n].To), clockTime(in.From), clockTime(in.To))
		default:
			all = append(all, in)
		}
		moved[i] = len(all) - 1
	}
	return all, moved, nil
}

func clockTime(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.00") }
