package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"rtfm/reader/flowfile"
	"rtfm/ruleset"
)

// writeTable writes flow data as a table for people: a line of column names and
// one for each flow. Of distributions it has what they come to.
func writeTable(w io.Writer, flows io.Reader) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	lines := flowfile.NewReader(flows)
	for {
		rec, err := lines.Next()
		if err == io.EOF {
			return t.Flush()
		} else if err != nil {
			return err
		}
		var cells []string
		switch rec.Kind {
		case flowfile.KindTime:
			for _, c := range rec.Columns {
				name := c.Name
				if unit := c.Attr.Unit(); unit != "" {
					name += "(" + unit + ")"
				}
				cells = append(cells, name)
			}
		case flowfile.KindFlow:
			for i, c := range rec.Columns {
				cell := rec.Values[i]
				if c.Attr.Unit() != "" {
					d, counters, err := rec.Distribution(c.Attr)
					if err != nil {
						return err
					}
					cell = summaryOf(&d, counters)
				}
				cells = append(cells, cell)
			}
		default:
			continue
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
}

// summaryOf returns count, mean and quantiles of a distribution as one word.
func summaryOf(d *ruleset.Distribution, counters []uint64) string {
	if counters == nil {
		return "-"
	}
	limits := d.Limits()
	s := ruleset.Summarise(limits, counters)
	text := "n=" + strconv.FormatUint(s.Count, 10)
	if s.Count == 0 {
		return text
	}
	text += ",mean=" + strconv.FormatFloat(s.Mean, 'f', 1, 64)
	for i, percent := range ruleset.Quantiles {
		limit := strconv.FormatUint(s.Quantiles[i], 10)
		if s.Quantiles[i] == ruleset.Overflow {
			limit = ">" + strconv.FormatUint(limits[len(limits)-1], 10)
		}
		text += fmt.Sprintf(",p%d=%s", percent, limit)
	}
	return text
}
