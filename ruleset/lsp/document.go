package lsp

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// maxText bounds a document, in octets: it may grow by changes.
const maxText = maxMessage

// text is the text of a document with its lines.
type text struct {
	all   string
	lines []int // where each begins, as the protocol has them
	rows  []int // likewise, as SRL has them: \r is no line's end; the same slice if there is none of its own

	// marks tell how many UTF-16 units there are in front of some offsets, in their
	// order: a line may be long.
	marks []mark
}

// A mark is an offset with the number of UTF-16 units in front of it.
type mark struct{ at, units int }

// markDistance is how far marks are from each other, in octets.
const markDistance = 4096

// newText finds the lines of a text.
func newText(s string) *text {
	t := &text{all: s, rows: make([]int, 1, strings.Count(s, "\n")+1)}
	t.mark()
	lone := false
	for i := 0; ; {
		n := strings.IndexByte(s[i:], '\n')
		if n < 0 {
			break
		}
		i += n + 1
		t.rows = append(t.rows, i)
	}
	for i := strings.IndexByte(s, '\r'); i >= 0 && !lone; {
		lone = !strings.HasPrefix(s[i+1:], "\n")
		n := strings.IndexByte(s[i+1:], '\r')
		if n < 0 {
			break
		}
		i += n + 1
	}
	t.lines = t.rows
	if !lone {
		return t
	}
	t.lines = []int{0}
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' && !strings.HasPrefix(s[i+1:], "\n") {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// offset returns where a position is, the nearest place for one that does not
// exist: the end of the line, or of the text.
func (t *text) offset(p position) int {
	if p.Line < 0 {
		return 0
	}
	if p.Line >= len(t.lines) {
		return len(t.all)
	}
	at := t.lines[p.Line]
	end := len(t.all)
	if p.Line+1 < len(t.lines) {
		end = t.lines[p.Line+1]
	}
	for line := strings.TrimRight(t.all[at:end], "\r\n"); p.Character > 0 && line != ""; {
		r, n := utf8.DecodeRuneInString(line)
		if p.Character -= units(r); p.Character < 0 {
			break // within a character of two units
		}
		at, line = at+n, line[n:]
	}
	return at
}

// position returns the position of an offset.
func (t *text) position(offset int) position {
	line := sort.SearchInts(t.lines, offset+1) - 1
	return position{line, t.unitsBefore(offset) - t.unitsBefore(t.lines[line])}
}

// unitsBefore returns how many UTF-16 units there are in front of an offset.
func (t *text) unitsBefore(offset int) int {
	m := t.marks[sort.Search(len(t.marks), func(i int) bool { return t.marks[i].at > offset })-1]
	for _, r := range t.all[m.at:offset] {
		m.units += units(r)
	}
	return m.units
}

// mark sets the marks.
func (t *text) mark() {
	t.marks = make([]mark, 1, len(t.all)/markDistance+1)
	var next mark
	for at, r := range t.all {
		if at >= t.marks[len(t.marks)-1].at+markDistance {
			next.at = at
			t.marks = append(t.marks, next)
		}
		next.units += units(r)
	}
}

// units returns how many UTF-16 units a character takes: the first ones of other
// planes take two.
func units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// span returns the span from one offset to another.
func (t *text) span(from, to int) span { return span{t.position(from), t.position(to)} }

// place returns the offset of a line and column of SRL, both from 1, the column in
// octets behind any byte order mark.
func (t *text) place(line, col int) int {
	if line < 1 {
		return 0
	}
	if line > len(t.rows) {
		return len(t.all)
	}
	at := t.rows[line-1] + max(col, 1) - 1
	if line == 1 && strings.HasPrefix(t.all, bom) {
		at += len(bom)
	}
	return min(at, len(t.all))
}

const bom = "\ufeff"

// A source is the text of a file.
type source struct {
	uri, path string
	*text
	short string // see shorten
	index *index // of short
}

// newSource looks through the text of a file.
func newSource(uri, path, s string) *source {
	src := &source{uri: uri, path: path, text: newText(s), short: shorten(s)}
	src.index = newIndex(src.short)
	return src
}

// A document is a file that the client has open.
type document struct {
	*source
	version int
	large   bool // beyond maxText: it counts as empty
}

// set gives the document another text.
func (d *document) set(s string) {
	if d.large = len(s) > maxText; d.large {
		s = ""
	}
	d.source = newSource(d.uri, d.path, s)
}

// apply makes a change to the text of a document; set finds what else it is.
func (d *document) apply(c change) {
	if c.Range == nil {
		d.text = newText(c.Text)
		return
	}
	from := d.offset(c.Range.Start)
	to := max(d.offset(c.Range.End), from)
	if len(d.all)+len(c.Text) <= 2*maxText {
		d.text = newText(d.all[:from] + c.Text + d.all[to:])
	}
}
