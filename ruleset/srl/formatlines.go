package srl

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// item is a token, with the comments in front of it and the line breaks between it
// and what stands before it, a comment or a token.
type item struct {
	token
	comments []comment
	newlines int
}

// comment is a comment, and the line breaks in front of it.
type comment struct {
	text     string
	newlines int
	line     bool // it begins with # and ends with the line
}

// pieces returns a program's tokens with their comments, or false if there is
// something else in it.
func pieces(text string) (items []item, ok bool) {
	ok = true
	s := scanner{text: text, line: 1, report: func(Place, string, ...any) { ok = false }}
	for {
		var it item
		from := s.pos
		s.next(&it.token)
		it.gap(text[from : s.pos-len(it.text)])
		items = append(items, it)
		if it.kind == kEOF {
			return items, ok
		}
	}
}

// gap takes what stands in front of the token: white space and comments.
func (it *item) gap(text string) {
	for text != "" {
		n := 1
		switch text[0] {
		case '\n':
			it.newlines++
		case '#':
			if n = strings.IndexByte(text, '\n'); n < 0 {
				n = len(text)
			}
			it.comment(strings.TrimRight(text[:n], " \t\r\f\v"), true)
		case '/':
			n = len(text)
			if i := strings.Index(text[2:], "*/"); i >= 0 {
				n = i + 4
			}
			it.comment(strings.ReplaceAll(text[:n], "\r\n", "\n"), false)
		}
		text = text[n:]
	}
}

func (it *item) comment(text string, line bool) {
	it.comments = append(it.comments, comment{text, it.newlines, line})
	it.newlines = 0
}

// same reports whether two programs have the same tokens, but for the case of names,
// and the same comments.
func same(a, b []item) bool {
	return slices.EqualFunc(a, b, func(a, b item) bool {
		equal := a.text == b.text || a.kind == kName && strings.EqualFold(a.text, b.text)
		return a.kind == b.kind && equal && slices.EqualFunc(a.comments, b.comments, func(a, b comment) bool { return a.text == b.text })
	})
}

// spacing decides where blanks stand between tokens. The zero spacing is before the
// first token.
type spacing struct {
	last   token
	saving bool // behind SAVE, where a width stands apart
	inSave bool
	inText int // 1 in the text of a DEFINE
}

// after notes a token.
func (s *spacing) after(t *token) {
	switch {
	case t.key == kwSave:
		s.saving, s.inSave = true, true
	case t.kind == ';' || t.kind == kSemicolon || t.kind == '{' || s.last.key == kwSave && t.kind == ',':
		s.saving, s.inSave = false, false
	case t.kind == '=':
		s.saving = false
	case t.kind == ',':
		s.saving = s.inSave
	}
	s.last = *t
}

// between reports whether a blank stands between the last token and t.
func (s *spacing) between(t *token) bool {
	if s.last.text == "" {
		return true
	}
	return s.wanted(t) || glued(&s.last, t)
}

func (s *spacing) wanted(t *token) bool {
	switch s.last.kind {
	case '(', kNot:
		return false
	case '/':
		return false
	case kRange:
		return isAddress(&s.last) || isAddress(t)
	}
	switch t.kind {
	case ')', ',', ';', kSemicolon, ':':
		return false
	case '(':
		return s.inText == 0 || !strings.EqualFold(s.last.text, "file") // of a table
	case '/':
		return s.saving || s.last.kind == '='
	case kRange:
		return isAddress(&s.last)
	}
	return true
}

// isAddress reports whether a value, or the one in front of a range, is an address.
func isAddress(t *token) bool { return strings.ContainsAny(strings.TrimRight(t.text, "."), ".:") }

// glued reports whether two tokens would be others without a blank between them.
func glued(a, b *token) bool {
	switch a.kind {
	case '(', kRange:
		return false
	}
	s := scanner{text: a.text + b.text, line: 1, report: reported}
	if a.kind == kValue {
		s.last = kEqual
	}
	var t token
	s.next(&t)
	return t.text != a.text
}

// lines is a text in the making.
type lines struct {
	all    []textLine
	opened bool // a sequence of statements has just begun
	closed bool // or ends
}

// textLine is a line with the comment at its end. Only a comment in the code has
// line breaks.
type textLine struct {
	depth   int
	blank   bool // an empty line stands before it
	code    []byte
	comment []byte
}

func (l *lines) empty() bool { return len(l.all) == 0 }

// open and close say that no empty line may follow.
func (l *lines) open()  { l.opened = true }
func (l *lines) close() { l.closed = true }

// begin begins a line behind so many line breaks.
func (l *lines) begin(depth, newlines int) {
	l.all = append(l.all, textLine{depth: depth, blank: newlines > 1 && len(l.all) > 0 && !l.opened && !l.closed})
	l.opened = false
	l.closed = false
}

// add goes on with the line.
func (l *lines) add(text string, blank bool) {
	line := &l.all[len(l.all)-1]
	if blank {
		line.code = append(line.code, ' ')
	}
	line.code = append(line.code, text...)
}

// trail adds a comment at the end of the line.
func (l *lines) trail(text string) {
	line := &l.all[len(l.all)-1]
	if len(line.comment) > 0 {
		line.comment = append(line.comment, ' ')
	}
	line.comment = append(line.comment, text...)
}

// width returns the columns that the line's code ends at.
func (t *textLine) width() int {
	if n := bytes.LastIndexByte(t.code, '\n'); n >= 0 {
		return utf8.RuneCount(t.code[n+1:])
	}
	return len(indent)*t.depth + utf8.RuneCount(t.code)
}

// text returns all lines. Comments at the ends of lines that follow each other
// begin in the same column.
func (l *lines) text() string {
	var b strings.Builder
	column := 0
	for i := range l.all {
		t := &l.all[i]
		if i == 0 || t.blank || l.all[i-1].comment == nil {
			column = 0
			for _, t := range l.all[i:] {
				if t.comment == nil || column > 0 && t.blank {
					break
				}
				column = max(column, t.width()+2)
			}
		}
		if t.blank {
			b.WriteByte('\n')
		}
		b.WriteString(strings.Repeat(indent, t.depth))
		b.Write(t.code)
		if t.comment != nil {
			b.WriteString(strings.Repeat(" ", column-t.width()))
			b.Write(t.comment)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
