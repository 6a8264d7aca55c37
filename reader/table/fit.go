package table

import (
	"slices"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

const (
	columnGap = 2                      // blanks between columns
	narrowest = len("255.255.255.255") // columns of text are not cut below this
)

// fit returns the table with the columns that it has on a terminal, its lines, and how
// wide each column is.
func (t *Table) fit(o *Options, times *timeForm) (*Table, []line, []int) {
	lines := t.lines(o, times)
	widths := t.widths(lines)
	if o.Width <= 0 || across(widths) <= o.Width {
		return t, lines, widths
	}
	lines = broken(lines[0].cells, t.widths(lines[1:]), lines[1:])
	widths = t.widths(lines)
	if across(widths) > o.Width {
		for i := len(t.Columns) - 1; i >= 0; i-- {
			if t.Columns[i].Optional {
				return t.without(i).fit(o, times)
			}
		}
	}
	for excess := across(widths) - o.Width; excess > 0; excess-- {
		widest := -1
		for i, c := range t.Columns {
			if c.Kind == Text && widths[i] > narrowest && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return t, lines, widths
}

// without returns the table without a column.
func (t *Table) without(column int) *Table {
	w := *t
	cut := func(row []Value) []Value {
		if column >= len(row) {
			return row
		}
		return slices.Delete(slices.Clone(row), column, column+1)
	}
	w.Columns = slices.Delete(slices.Clone(t.Columns), column, column+1)
	w.Rows = make([][]Value, len(t.Rows))
	for i, row := range t.Rows {
		w.Rows[i] = cut(row)
	}
	w.Others, w.Total = cut(t.Others), cut(t.Total)
	return &w
}

// widths returns how wide each column is to hold these lines.
func (t *Table) widths(lines []line) []int {
	widths := make([]int, len(t.Columns))
	for _, l := range lines {
		for i, cell := range l.cells {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	for _, l := range lines {
		if l.span > 0 {
			widths[l.span-1] += max(0, uniseg.StringWidth(l.label)-across(widths[:l.span]))
		}
	}
	return widths
}

// across returns how wide columns are together.
func across(widths []int) int {
	total := columnGap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	return total
}

// broken returns lines below a header whose words stand above each other where they are
// wider than the values below.
func broken(header []string, widths []int, lines []line) []line {
	var columns [][]string
	height := 1
	for i, title := range header {
		parts := breakTitle(title, widths[i])
		columns = append(columns, parts)
		height = max(height, len(parts))
	}
	all := make([]line, height, height+len(lines))
	for i := range all {
		all[i].cells = make([]string, len(header))
		for column, parts := range columns {
			if k := i - (height - len(parts)); k >= 0 {
				all[i].cells[column] = parts[k]
			}
		}
	}
	return append(all, lines...)
}

// breakTitle returns the words of a title, SourcePeerAddress or bit/s (exact), in lines of
// some width, or that of the longest word.
func breakTitle(title string, width int) []string {
	words := titleWords(title)
	for _, w := range words {
		width = max(width, uniseg.StringWidth(strings.TrimSpace(w)))
	}
	var lines []string
	for _, w := range words {
		if n := len(lines); n > 0 && uniseg.StringWidth(lines[n-1]+w) <= width {
			lines[n-1] += w
		} else {
			lines = append(lines, strings.TrimSpace(w))
		}
	}
	return lines
}

// titleWords divides a title before its blanks and before capital letters that follow
// small ones.
func titleWords(title string) (words []string) {
	start, before := 0, ' '
	for i, r := range title {
		if i > start && (r == ' ' || unicode.IsUpper(r) && unicode.IsLower(before)) {
			words = append(words, title[start:i])
			start = i
		}
		before = r
	}
	return append(words, title[start:])
}
