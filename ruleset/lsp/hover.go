package lsp

import (
	"fmt"
	"strings"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// hover tells what stands at a position.
func (s *server) hover(d *document, p *documentParams) (any, error) {
	i := d.index.find(d.offset(p.Position))
	if i < 0 {
		return nil, nil
	}
	about := s.about(d, i)
	if about == "" {
		return nil, nil
	}
	w := d.index.words[i]
	return hover{markup{"markdown", about}, d.span(int(w.at), int(w.end))}, nil
}

// about tells what word i is, "" if there is nothing to tell.
func (s *server) about(d *document, i int) string {
	ix := d.index
	p := s.program(d.source)
	switch sym := p.symbol(d.source, i); sym.role {
	case roleKeyword:
		return keywordText(sym.name)
	case roleDefine, roleSub, roleParam, roleLabel:
		return p.declared(sym)
	case roleAttribute:
		var all []string
		for _, a := range attributes(ix, i) {
			all = append(all, aboutAttribute(a))
		}
		return strings.Join(all, "\n\n")
	case roleValue:
		if about := contextual[sym.name]; about != "" {
			return about
		}
		a, known := ix.compared(i)
		return aboutValue(ix.at(i), a, known)
	}
	if ix.kind(i) == srl.Value {
		return ix.aboutNumber(i)
	}
	return ""
}

// aboutNumber tells what people call a number that is compared with an attribute.
func (ix *index) aboutNumber(i int) string {
	a, known := ix.compared(i)
	if !known || a.IsPeer() || a.IsAdjacent() || ix.is(i-1, "/") || ix.is(i-1, "&") || ix.is(i+1, "/") || ix.is(i+1, "&") {
		return ""
	}
	v, err := attr.ParseValue(ix.at(i), a.Info().Size)
	if err != nil {
		return ""
	}
	var lines []string
	for _, n := range attr.NamedValues(a) {
		if uint64(n.Value) == v.Uint() {
			line := fmt.Sprintf("**%d** is %s of %v", n.Value, strings.Join(n.Names, ", "), a)
			if n.Of != "" {
				line += " (" + n.Of + ")"
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n\n")
}

// declared tells how a symbol is declared.
func (p *program) declared(sym symbol) string {
	f, d, name := p.declaration(sym)
	if f == nil {
		return ""
	}
	ix := f.index
	var shown string
	switch sym.role {
	case roleDefine:
		shown = "define " + ix.at(name) + " =" + clip(f.all[d.text:d.to])
	case roleSub:
		shown = f.all[d.from:d.text]
	case roleParam:
		return fmt.Sprintf("```srl\n%s %s\n```\nparameter of subroutine %s", ix.lower(name-1), ix.at(name), ix.at(ix.subs[sym.sub].name))
	case roleLabel:
		return "```srl\n" + ix.at(name) + ":\n```\nlabel, which EXIT leaves"
	}
	about := "```srl\n" + shown + "\n```"
	if comment := f.commentAbove(d.from); comment != "" {
		about += "\n" + comment
	}
	return about
}

// declaration finds where a symbol is declared, and the word that is its name there;
// f is nil if it is not.
func (p *program) declaration(sym symbol) (f *source, d declaration, name int) {
	for _, f := range p.files {
		lists := map[role][]declaration{roleDefine: f.index.defines, roleSub: f.index.subs, roleLabel: f.index.labels}
		for _, d := range lists[sym.role] {
			if f.index.lower(d.name) == sym.name && (sym.of == nil || sym.of == f && sym.sub == d.sub) {
				return f, d, d.name
			}
		}
		if sym.role == roleParam && sym.of == f {
			for _, param := range f.index.subs[sym.sub].params {
				if f.index.lower(param.name) == sym.name {
					return f, f.index.subs[sym.sub], param.name
				}
			}
		}
	}
	return nil, d, 0
}

// What is shown of a DEFINE's text.
const (
	shownLines  = 8
	shownOctets = 500
)

// clip returns as much of a text as is shown.
func clip(text string) string {
	rest := text
	for n := 0; n < shownLines; n++ {
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			rest = ""
			break
		}
		rest = rest[i+1:]
	}
	shown := text[:len(text)-len(rest)]
	if len(shown) > shownOctets {
		shown = strings.ToValidUTF8(shown[:shownOctets], "")
	}
	if len(shown) == len(text) {
		return text
	}
	return fmt.Sprintf("%s ...   # %d lines in all", strings.TrimRight(shown, "\n"), strings.Count(text, "\n")+1)
}

// commentAbove returns the lines of comment directly above the line of an offset.
func (t *text) commentAbove(offset int) string {
	var lines []string
	for n := t.position(offset).Line - 1; n >= 0 && len(lines) < shownLines; n-- {
		comment, is := strings.CutPrefix(strings.TrimSpace(t.all[t.lines[n]:t.lines[n+1]]), "#")
		if !is || len(comment) > shownOctets {
			break
		}
		lines = append([]string{strings.TrimSpace(comment)}, lines...)
	}
	return strings.Join(lines, "\n")
}

// keywordTexts tell how keywords are used and what for, several forms a line each.
var keywordTexts = map[string]string{
	"address":    "subroutine name (address a)|parameter that stands for any attribute but a variable",
	"call":       "call name (attribute, ...) 1: statement endcall;|goes through a subroutine, then to the statement of the number that it returns",
	"count":      "count;|counts the packet in the flow of all that was saved, and ends the program",
	"define":     "define name = text;|the text stands wherever the name does; `\\;` is a semicolon in it",
	"else":       "if test statement else statement|belongs to the nearest IF before it",
	"endcall":    "endcall;|ends a CALL",
	"endsub":     "endsub;|ends a SUBROUTINE, and returns",
	"exit":       "exit label;|goes on behind the statement of this label, which is around it",
	"if":         "if test save, statement else statement|SAVE saves the attributes by which the test became true",
	"ignore":     "ignore;|the packet is not counted; ends the program",
	"nomatch":    "nomatch;|does not match this way round: the packet is tried once more with source and destination changed over",
	"return":     "return n;|goes on behind `n:` in the CALL; without a number, behind its ENDCALL",
	"save":       "save attribute /width = value, ...;|the packet's value, under a mask if there is one, becomes part of the flow's identity",
	"store":      "store variable := value;|gives a variable, such as FlowKind, a value and saves it",
	"subroutine": "subroutine name (address a, variable v) statements endsub;|declares what CALL goes through",
	"variable":   "subroutine name (variable v)|parameter that stands for a variable, such as FlowKind",
}

// contextual are words with a meaning where they stand that are no keywords.
var contextual = map[string]string{
	"include":    "```srl\ninclude \"file\";\n```\nthe statements, subroutines and DEFINEs of another file stand here",
	"file":       "```srl\ndefine name = file(\"table.csv\");\n```\na table of values with names, from a file of comma-separated values",
	"set":        "```srl\nset 7;\n```\nthe ruleset's number, 1 to 255",
	"format":     "```srl\nformat FlowIndex \" \" SourcePeerAddress \"\\t\" ToOctets;\n```\nthe columns of flow data, and what stands between them",
	"statistics": "```srl\nstatistics;\n```\nwrites #Stats records to flow data too",
	"not":        "```srl\nif not test\n```\ntrue when the test is false: the same as `!`",
	"and":        "```srl\nif test and test\n```\nthe same as `&&`",
	"or":         "```srl\nif test or test\n```\nthe same as `||`",
}

// keywordText tells what a keyword does.
func keywordText(name string) string {
	form, means, _ := strings.Cut(keywordTexts[name], "|")
	return "```srl\n" + form + "\n```\n" + means
}
