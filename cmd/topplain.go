package cmd

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rtfm/reader/live"
	"rtfm/reader/query"
	"rtfm/reader/table"
)

// plain prints each interval as it comes, and tells stderr what goes wrong.
func (o *topCommandOptions) plain(ctx context.Context, w, stderr io.Writer, h *live.History) error {
	number, status := uint64(0), live.Status{State: live.Starting}
	for {
		n, err := h.Wait(ctx, number, status)
		if err != nil {
			return nil // a signal ended it
		}
		if n.Missed > 0 {
			fmt.Fprintf(stderr, "rtfm: %d intervals are missing here: they came faster than they were taken\n", n.Missed)
		}
		for _, i := range n.Intervals {
			number = i.Number
			if err := o.print(w, i); err != nil {
				return err
			}
		}
		if n.Status.State == live.Ended {
			return nil
		}
		if o.live.once && n.Status.State == live.Away {
			return errors.New(table.Visible(n.Status.Text))
		}
		if text := n.Status.Text; text != "" && text != status.Text {
			fmt.Fprintf(stderr, "rtfm: %s\n", table.Visible(text))
		}
		status = n.Status
	}
}

// print prints an interval.
func (o *topCommandOptions) print(w io.Writer, i *live.Interval) error {
	out := bufio.NewWriter(w)
	if o.json {
		out.Write(append(i.AppendJSON(nil), '\n'))
		return out.Flush()
	}
	losses := fmt.Sprintf("lost %d, uncounted %d, ignored %d, unmatched %d", i.Loss.Lost, i.Loss.Uncounted, i.Loss.Ignored, i.Loss.Unmatched)
	for k := range i.Sections {
		s := &i.Sections[k]
		t, _ := s.Shown(i.Length(), live.Look{Rows: cmp.Or(o.rows, mostRows), Sort: o.sort})
		t.Title, t.Dated = s.Name+", "+period(i.From, i.To, time.UTC), true
		t.Notes = []string{losses}
		if i.Loss.Unknown > 0 {
			t.Notes = append(t.Notes, query.UnknownNote(i.Loss.Unknown))
		}
		o.blankLine(out)
		if err := t.Text(out, styleOf(w)); err != nil {
			return err
		}
	}
	if len(i.Sections) == 0 {
		o.blankLine(out)
		fmt.Fprintf(out, "no ruleset runs, %s\n%s\n", period(i.From, i.To, time.UTC), losses)
	}
	return out.Flush()
}

// blankLine writes one between tables.
func (o *topCommandOptions) blankLine(out *bufio.Writer) {
	if o.printed {
		out.WriteString("\n")
	}
	o.printed = true
}
