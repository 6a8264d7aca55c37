package cmd

import (
	"bufio"
	"io"
	"unicode/utf8"

	"rtfm/reader/flowfile"
)

// writeTable writes flow data as a table for people: a line of column names and
// one for each flow. Of distributions it has what they come to. The flow data is
// read twice, for the widths of columns and for what stands there, so that a
// table takes no memory however long it is.
func writeTable(w io.Writer, flows func() io.Reader) error {
	var widths []int
	err := eachRow(flows(), func(cells []string) error {
		for i, cell := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
		return nil
	})
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	err = eachRow(flows(), func(cells []string) error {
		for i, cell := range cells {
			out.WriteString(cell)
			if i == len(cells)-1 {
				break
			}
			for range widths[i] - utf8.RuneCountInString(cell) + columnGap {
				out.WriteByte(' ')
			}
		}
		return out.WriteByte('\n') // which returns the errors before, too
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// columnGap is how many blanks stand between columns at least.
const columnGap = 2

// eachRow calls f with the cells of each line of the table, until it returns an
// error. The cells are those of the call before, changed.
func eachRow(flows io.Reader, f func(cells []string) error) error {
	lines := flowfile.NewReader(flows)
	var cells []string
	for {
		rec, err := lines.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		cells = cells[:0]
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
				cell, err := cellOf(rec, c.Attr, rec.Values[i])
				if err != nil {
					return err
				}
				cells = append(cells, cell)
			}
		default:
			continue
		}
		if err := f(cells); err != nil {
			return err
		}
	}
}
