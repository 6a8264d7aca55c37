package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A page is a manual page that is being written, in mdoc.
type page struct {
	strings.Builder
}

// newPage begins the page of this name and section; about says in a line what it is
// about.
func newPage(date, name, section, about string) *page {
	p := &page{}
	p.WriteString("'\\\" t\n") // there may be tables
	p.macro("Dd", date)
	p.macro("Dt", strings.ToUpper(name), section)
	p.macro("Os", "rtfm")
	p.macro("Sh", "NAME")
	p.macro("Nm", name)
	p.macro("Nd", escape(about))
	return p
}

// macro writes a line that is a macro. Arguments are escaped, if they must be; they
// stand as they are, unless the first letter of one would make it a macro.
func (p *page) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		p.WriteString(" " + a)
	}
	p.WriteByte('\n')
}

// quoted returns escaped text as one argument of a macro.
func quoted(text string) string { return `"` + strings.ReplaceAll(escape(text), `"`, `\(dq`) + `"` }

// sentence matches the end of a sentence and blanks behind it.
var sentence = regexp.MustCompile(`([.!?](?:[)"\]]|\\fR|\\\(aq)*)[ \n]+`)

// lines writes escaped text, a sentence a line, as roff wants it.
func (p *page) lines(text string) {
	text = sentence.ReplaceAllString(strings.ReplaceAll(strings.TrimSpace(text), "\n", " "), "$1\n")
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if line[0] == '.' || line[0] == '\'' {
			line = `\&` + line
		}
		p.WriteString(line + "\n")
	}
}

// literal writes lines as they are.
func (p *page) literal(text string) {
	p.macro("Bd", "-literal", "-offset", "2n")
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = strings.ReplaceAll(escape(strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), " ")), "-", `\-`)
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		p.WriteString(line + "\n")
	}
	p.macro("Ed")
}

// escape returns text with what means something to roff escaped, and what is not
// ASCII by its number.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r >= utf8.RuneSelf:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// bold and italic return escaped text in another font.
func bold(text string) string   { return `\fB` + text + `\fR` }
func italic(text string) string { return `\fI` + text + `\fR` }
