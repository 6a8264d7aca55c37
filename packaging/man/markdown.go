package main

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// converter makes a page of a document.
type converter struct {
	*page
	source []byte
}

// documentPage returns the page of a document in Markdown.
func documentPage(date string, d document, source []byte) (*page, error) {
	c := &converter{newPage(date, d.name, d.section, d.about), source}
	c.macro("Sh", "DESCRIPTION")
	tree := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(source))
	if err := c.blocks(tree, true); err != nil {
		return nil, err
	}
	c.macro("Sh", "SEE ALSO")
	c.macro("Xr", "rtfm", "1")
	return c.page, nil
}

// blocks writes what is in a node. First is set where no paragraph is to begin.
func (c *converter) blocks(parent ast.Node, first bool) error {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			switch title := c.inline(n); n.Level {
			case 1: // is that of the document
			case 2:
				c.macro("Sh", upper(plain(title)))
			default:
				c.macro("Ss", title)
			}
			first = true
			continue
		case *ast.Paragraph, *ast.TextBlock:
			if !first {
				c.macro("Pp")
			}
			c.lines(c.inline(n))
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			c.literal(string(n.Lines().Value(c.source)))
		case *ast.List:
			if err := c.list(n); err != nil {
				return err
			}
		case *tables.Table:
			c.table(n)
		default:
			return fmt.Errorf("line %d: %v has no form in a manual page yet", c.line(n), n.Kind())
		}
		first = false
	}
	return nil
}

// line returns the number of the line where a block begins.
func (c *converter) line(n ast.Node) int {
	if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
		return 1 + strings.Count(string(c.source[:n.Lines().At(0).Start]), "\n")
	}
	return 0
}

func (c *converter) list(n *ast.List) error {
	kind := "-bullet"
	if n.IsOrdered() {
		kind = "-enum"
	}
	c.macro("Bl", kind)
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		c.macro("It")
		if err := c.blocks(item, true); err != nil {
			return err
		}
	}
	c.macro("El")
	return nil
}

// table writes a table for tbl. A header without words is left out, and the column
// that has most words gets what room there is.
func (c *converter) table(n *tables.Table) {
	header, widest, most := false, 0, 0
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		for cell, i := row.FirstChild(), 0; cell != nil; cell, i = cell.NextSibling(), i+1 {
			text := c.inline(cell)
			header = header || text != "" && row == n.FirstChild()
			if len(text) > most {
				widest, most = i, len(text)
			}
		}
	}
	format := slices.Repeat([]string{"l"}, len(n.Alignments))
	format[widest] = "lx"
	c.WriteString(".TS\nallbox;\n")
	if header {
		c.WriteString(strings.Join(slices.Repeat([]string{"lb"}, len(format)), " ") + "\n")
	}
	c.WriteString(strings.Join(format, " ") + ".\n")
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		if _, ok := row.(*tables.TableHeader); ok && !header {
			continue
		}
		for cell, i := row.FirstChild(), 0; cell != nil; cell, i = cell.NextSibling(), i+1 {
			if i > 0 {
				c.WriteByte('\t')
			}
			c.WriteString("T{\n")
			c.lines(c.inline(cell))
			c.WriteString("T}")
		}
		c.WriteByte('\n')
	}
	c.WriteString(".TE\n.sp\n")
}

// inline returns the text in a node, escaped.
func (c *converter) inline(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.WriteString(escape(string(n.Segment.Value(c.source))))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.WriteString(escape(string(n.Value)))
		case *ast.CodeSpan:
			var s strings.Builder
			for t := n.FirstChild(); t != nil; t = t.NextSibling() {
				s.Write(t.(*ast.Text).Segment.Value(c.source))
			}
			b.WriteString(bold(strings.ReplaceAll(strings.ReplaceAll(escape(s.String()), "-", `\-`), "\n", " ")))
		case *ast.Emphasis:
			if n.Level > 1 {
				b.WriteString(bold(c.inline(n)))
			} else {
				b.WriteString(italic(c.inline(n)))
			}
		case *ast.Link:
			b.WriteString(c.link(n))
		case *ast.AutoLink:
			b.WriteString(escape(string(n.URL(c.source))))
		default:
			b.WriteString(c.inline(n))
		}
	}
	return b.String()
}

// link returns a link: another page where there is one.
func (c *converter) link(n *ast.Link) string {
	to, _, _ := strings.Cut(string(n.Destination), "#")
	for _, d := range documents {
		if to != "" && path.Base(to) == path.Base(d.path) {
			return bold(escape(d.name)) + "(" + d.section + ")"
		}
	}
	return c.inline(n)
}

// escaped matches what stands for one character in escaped text.
var escaped = regexp.MustCompile(`\\(\(..|\[[^]]*\]|.)`)

// upper returns escaped text in capital letters.
func upper(text string) string {
	at, b := 0, strings.Builder{}
	for _, e := range escaped.FindAllStringIndex(text, -1) {
		b.WriteString(strings.ToUpper(text[at:e[0]]) + text[e[0]:e[1]])
		at = e[1]
	}
	return b.String() + strings.ToUpper(text[at:])
}

// plain returns escaped text without fonts, whose letters have another case then.
func plain(text string) string {
	return strings.NewReplacer(`\fB`, "", `\fI`, "", `\fR`, "").Replace(text)
}
