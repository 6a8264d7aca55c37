package cmd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"rtfm/reader/live"
	"rtfm/reader/query"
	"rtfm/reader/table"
)

// plain prints each interval as it comes.
func (o *topCommandOptions) plain(ctx context.Context, cancel func(), w io.Writer, h *live.History, ended chan error) error {
	number, status := uint64(0), live.Status{State: live.Starting}
	for {
		n, err := h.Wait(ctx, number, status)
		if err != nil {
			break
		}
		status = n.Status
		for _, i := range n.Intervals {
			number = i.Number
			if o.once && i.First && i.Length() < int64(seconds(o.live.interval)) && status.State == live.Running && len(n.Intervals) == 1 {
				continue // the first whole one follows
			}
			if err := o.print(w, i); err != nil {
				return err
			}
			if o.once {
				cancel()
				<-ended
				return nil
			}
		}
		if status.State == live.Ended {
			break
		}
	}
	cancel()
	return <-ended
}

// print prints an interval.
func (o *topCommandOptions) print(w io.Writer, i *live.Interval) error {
	out := bufio.NewWriter(w)
	if o.json {
		out.Write(append(i.AppendJSON(nil), '\n'))
		return out.Flush()
	}
	for k := range i.Sections {
		s := &i.Sections[k]
		t, _ := s.Shown(i.Length(), live.Look{Rows: o.rows, Sort: o.sort})
		t.Title, t.Dated = s.Name+", "+period(i.From, i.To, time.UTC), true
		t.Notes = []string{fmt.Sprintf("lost %d, uncounted %d, ignored %d, unmatched %d", i.Loss.Lost, i.Loss.Uncounted, i.Loss.Ignored, i.Loss.Unmatched)}
		if i.Loss.Unknown > 0 {
			t.Notes = append(t.Notes, query.UnknownNote(i.Loss.Unknown))
		}
		if err := t.Text(out, table.Options{}); err != nil {
			return err
		}
		out.WriteString("\n")
	}
	return out.Flush()
}
