package table

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Options say how a table is written for people. The zero Options are for a pipe.
type Options struct {
	// Width is that of the terminal in columns. A table that is wider has its header on
	// several lines, then goes without Optional columns, then has the widest columns of
	// text cut. 0 leaves it as it is.
	Width int
	// Bold makes the header bold, which only a terminal understands.
	Bold bool
	// Exact shows all digits; the units stand in the header.
	Exact bool
	// Zone is that of the times, nil for UTC.
	Zone *time.Location
}

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

// height returns how many lines eachRow has.
func (t *Table) height() (n int) {
	t.eachRow(func([]Value) { n++ })
	return n
}

// Text writes the table for people: the title, a header, aligned rows, what the others
// come to, the total, and the notes. Without rows it has `none` instead of them.
func (t *Table) Text(w io.Writer, o Options) error {
	out := bufio.NewWriter(w)
	times := timesOf(t, &o)
	if title := t.titled(times); title != "" {
		out.WriteString(title + "\n")
	}
	switch {
	case len(t.Rows) == 0 && t.NumOthers == 0:
		out.WriteString("none\n")
	case len(t.Columns) > 0:
		t, lines, widths := t.fit(&o, times)
		for i, l := range lines {
			t.write(out, l, widths, o.Bold && i < len(lines)-t.height())
		}
	}
	for _, note := range t.Notes {
		out.WriteString(escape(note) + "\n")
	}
	return out.Flush()
}

// titled returns the title with the date of the times below, unless it has that date.
func (t *Table) titled(times *timeForm) string {
	title := escape(t.Title)
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
		header[i] = escape(c.Title)
		if c.Title == "" {
			header[i] = escape(c.Name)
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
// dashes from the others. A sum in the first column leaves it the first column of text.
func (t *Table) label(l *line, row []Value, text string) {
	place := -1
	for i, c := range t.Columns {
		if !at(row, i).IsNothing() {
			continue
		}
		l.cells[i] = ""
		if i == l.span {
			l.span++
		}
		if place < 0 && c.Kind == Text {
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

// Cut returns text no wider than so many columns of a terminal, with an ellipsis where
// something is missing.
func Cut(text string, width int) string {
	text, _ = cut(text, width)
	return text
}

// Visible returns text as a terminal may show it: what is not printable is escaped as in
// a string of Go.
func Visible(text string) string { return escape(text) }

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

// escape returns text as a terminal may show it: what is not printable is escaped as in
// a string of Go, \x1b, \n or \u202e.
func escape(text string) string {
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
