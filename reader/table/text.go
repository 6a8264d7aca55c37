package table

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Options say how a table is written for people. The zero Options are for a pipe.
type Options struct {
	// Width is that of the terminal in columns: the widest columns of text are cut to
	// fit. 0 cuts nothing.
	Width int
	// Bold makes the header bold, which only a terminal understands.
	Bold bool
	// Exact shows all digits; the units stand in the header.
	Exact bool
	// Zone is that of the times, nil for UTC.
	Zone *time.Location
}

const (
	columnGap = 2 // blanks between columns
	narrowest = 8 // columns of text are not cut below this
)

// eachRow calls f with all lines of figures: rows, others, total.
func (t *Table) eachRow(f func([]Value)) {
	for _, row := range t.Rows {
		f(row)
	}
	if t.NumOthers > 0 {
		f(t.Others)
	}
	if t.Total != nil {
		f(t.Total)
	}
}

// Text writes the table for people: the title, a header, aligned rows, what the others
// come to, the total, and the notes.
func (t *Table) Text(w io.Writer, o Options) error {
	out := bufio.NewWriter(w)
	times := timesOf(t, &o)
	if title := t.titled(times); title != "" {
		out.WriteString(title + "\n")
	}
	if len(t.Columns) > 0 {
		t = t.fitting(&o, times)
		lines := t.lines(&o, times)
		widths := t.widths(lines, o.Width)
		for i, l := range lines {
			t.write(out, l, widths, o.Bold && i == 0)
		}
	}
	for _, note := range t.Notes {
		out.WriteString(Escape(note) + "\n")
	}
	return out.Flush()
}

// titled returns the title with the date of the times below, unless it has that date.
func (t *Table) titled(times *timeForm) string {
	title := Escape(t.Title)
	day, _, _ := strings.Cut(times.date, " ")
	switch {
	case title == "":
		return times.date
	case strings.Contains(title, day): // which may be ""
		return title
	}
	return title + ", " + times.date
}

// A line is what stands in one line of the table.
type line struct {
	cells []string
	// label says what a line of sums is. It stands over the first span cells.
	label string
	span  int
}

// lines returns the lines of the table, the header first.
func (t *Table) lines(o *Options, times *timeForm) []line {
	header := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = Escape(c.Title)
		if c.Title == "" {
			header[i] = Escape(c.Name)
		}
		if unit := c.Kind.unit(); o.Exact && unit != "" && unit != header[i] {
			header[i] += " (" + unit + ")"
		}
	}
	lines := []line{{cells: header}}
	t.eachRow(func(row []Value) {
		cells := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			cells[i] = c.Kind.cell(at(row, i), o, times)
		}
		lines = append(lines, line{cells: cells})
	})
	sums := len(lines)
	if t.Total != nil {
		sums--
		t.label(&lines[sums], t.Total, "total")
	}
	if t.NumOthers > 0 {
		sums--
		t.label(&lines[sums], t.Others, grouped(Int(int64(t.NumOthers)))+" "+plural(t.NumOthers, "other"))
	}
	return lines
}

// label writes what a line of sums is over its first cells without a sum, and takes the
// dashes from the others. A sum in the first column leaves it the next empty cell.
func (t *Table) label(l *line, row []Value, text string) {
	place := -1
	for i := range t.Columns {
		if !at(row, i).IsNothing() {
			continue
		}
		l.cells[i] = ""
		if i == l.span {
			l.span++
		}
		if place < 0 {
			place = i
		}
	}
	switch {
	case l.span > 0:
		l.label = text
	case place >= 0:
		l.cells[place] = text
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// fitting returns the table without optional columns for which there is no room.
func (t *Table) fitting(o *Options, times *timeForm) *Table {
	if o.Width <= 0 {
		return t
	}
	widths := t.widths(t.lines(o, times), 0)
	total := across(widths)
	for i := len(t.Columns) - 1; i >= 0 && total > o.Width; i-- {
		if t.Columns[i].Optional {
			t = t.without(i)
			total -= widths[i] + columnGap
		}
	}
	return t
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

// widths returns how wide each column is, so that a line has no more than most
// columns of the terminal, as far as cutting text allows.
func (t *Table) widths(lines []line, most int) []int {
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
	total := across(widths)
	if most <= 0 {
		return widths
	}
	for ; total > most; total-- {
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

// write writes one line.
func (t *Table) write(out *bufio.Writer, l line, widths []int, bold bool) {
	var b strings.Builder
	put := func(text string, most int, right bool) {
		text, width := cut(text, most)
		blanks := strings.Repeat(" ", most-width)
		if right {
			b.WriteString(blanks + text)
		} else {
			b.WriteString(text + blanks)
		}
	}
	if l.span > 0 {
		put(l.label, across(widths[:l.span]), false)
	}
	for i := l.span; i < len(t.Columns); i++ {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", columnGap))
		}
		c := t.Columns[i]
		put(l.cells[i], widths[i], c.Align == Right || c.Align == Auto && c.Kind != Text)
	}
	text := strings.TrimRight(b.String(), " ")
	if bold {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	out.WriteString(text + "\n")
}

// cut returns text that is no wider than a column, with an ellipsis where something is
// missing, and its width.
func cut(text string, most int) (string, int) {
	width := uniseg.StringWidth(text)
	if width <= most {
		return text, width
	}
	kept, width, state := 0, 0, -1
	for rest := text; rest != ""; {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if width+w > most-1 {
			break
		}
		kept += len(cluster)
		width += w
	}
	return text[:kept] + "…", width + 1
}

// Escape returns text as a terminal may show it: what is not printable is escaped as in
// a string of Go, \x1b, \n or \u202e.
func Escape(text string) string {
	clean := true
	for _, r := range text {
		clean = clean && unicode.IsPrint(r) && r != utf8.RuneError
	}
	if clean {
		return text
	}
	var b []byte
	for rest := text; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		if unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b = append(b, rest[:n]...)
		} else {
			quoted := strconv.Quote(rest[:n])
			b = append(b, quoted[1:len(quoted)-1]...)
		}
		rest = rest[n:]
	}
	return string(b)
}
