package testfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"rtfm/ruleset/attr"
)

// is reports whether a flow is the one that is expected.
func (r *row) is(flow []cell) bool {
	for i, c := range flow {
		if i >= len(r.cells) || !c.is(r.cells[i]) {
			return false
		}
	}
	return true
}

// is reports whether a value is what a test tells: as it is shown, its number, or
// another of its names.
func (c cell) is(told string) bool {
	if strings.EqualFold(told, c.text) || told == c.numeric {
		return true
	}
	v, named := attr.ValueName(c.of, told)
	return named && strconv.FormatUint(v.Uint(), 10) == c.numeric
}

// compare finds what is otherwise than expected. The order of flows does not matter.
func (r *Result) compare() {
	t := r.Test
	if t.flows == 0 {
		r.Line = t.Line
		r.Diff = "there is no FLOWS behind the packets (--update writes it); these came of them:\n"
		for _, line := range r.expected()[1:] {
			r.Diff += line + "\n"
		}
		return
	}
	missing := make([]bool, len(r.table))
	for i := range missing {
		missing[i] = i > 0
	}
	rows := [][]string{texts(r.table[0])}
	marks := []string{" "}
	put := func(mark string, row []string) {
		marks = append(marks, mark)
		rows = append(rows, row)
	}
	for i := range t.rows {
		k := 0
		for k < len(missing) && !(missing[k] && t.rows[i].is(r.table[k])) {
			k++
		}
		if k < len(missing) {
			missing[k] = false
			put(" ", t.rows[i].cells)
			continue
		}
		r.differs(t.rows[i].line)
		put("-", t.rows[i].cells)
	}
	for i, m := range missing {
		if m {
			r.differs(t.flows)
			put("+", texts(r.table[i]))
		}
	}
	if r.Line > 0 {
		r.Diff = aligned(marks, rows)
	}
	for v, n := range r.leftOut {
		if n != t.leftOut[v] {
			r.differs(max(t.verdicts, t.flows))
			r.Diff += fmt.Sprintf("- %s %d\n+ %s %d\n", verdicts[v], t.leftOut[v], verdicts[v], n)
		}
	}
}

// differs notes the line of a difference: the first, and rather that of a flow than
// that of the table.
func (r *Result) differs(line int) {
	if r.Line == 0 {
		r.Line = line
	}
}

func texts(row []cell) (all []string) {
	for _, c := range row {
		all = append(all, c.text)
	}
	return all
}

// aligned returns rows with their columns below each other, a mark in front of each.
func aligned(marks []string, rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for n, row := range rows {
		line := marks[n]
		for i, c := range row {
			line += " " + c + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+1)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// Update returns the file with what came of its tests in place of what was expected,
// where that has failed. Results are those of its tests, in their order.
func (f *File) Update(results []*Result) []byte {
	var out []string
	at := 0 // lines that were taken
	for _, r := range results {
		if r.Err != nil || r.Line == 0 {
			continue
		}
		from := r.Test.flows - 1
		if r.Test.flows == 0 {
			from = r.Test.end - 1
		}
		out = append(out, f.lines[at:from]...)
		out = append(out, r.expected()...)
		at = r.Test.end - 1
	}
	return []byte(strings.Join(append(out, f.lines[at:]...), "\n"))
}

// Updated says that what came of the test is what is expected now.
func (r *Result) Updated() { r.Line, r.Diff = 0, "" }

// expected returns the lines that expect what came of the test.
func (r *Result) expected() []string {
	lines := []string{"flows"}
	if len(r.table) > 1 || r.Test.columns != nil {
		var rows [][]string
		for _, row := range r.table {
			rows = append(rows, texts(row))
		}
		marks := slices.Repeat([]string{"  "}, len(rows))
		lines = append(lines, strings.Split(strings.TrimRight(aligned(marks, rows), "\n"), "\n")...)
	}
	for v, n := range r.leftOut {
		if n > 0 {
			lines = append(lines, fmt.Sprintf("%s %d", verdicts[v], n))
		}
	}
	return lines
}
