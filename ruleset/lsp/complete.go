package lsp

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// wanted is what may stand at a place of a program.
type wanted uint16

const (
	wantStatement wanted = 1 << iota
	wantAfterTest        // && or || too
	wantAttribute        // that a test may have in front, or a parameter of a CALL
	wantSaved            // what may be saved
	wantColumn           // of a FORMAT
	wantVariable
	wantValue
	wantSub
	wantLabel
	wantParam // ADDRESS or VARIABLE
	wantDefine
)

// completion offers what may stand at a position.
func (s *server) completion(d *document, p *documentParams) (any, error) {
	offset := d.offset(p.Position)
	from := offset
	for from > 0 && isWordOctet(d.all[from-1]) {
		from--
	}
	ix := d.index
	i := ix.before(from)
	o := offering{edit: d.span(from, offset), list: []completionItem{}}
	if name, ok := ix.openText(i+1, offset); ok {
		o.files(d, i, name)
		return completionList{len(o.list) == maxOffered, o.list}, nil
	}
	if i+1 < len(ix.words) && int(ix.words[i+1].at) < from || d.commented(ix, i, from) {
		return completionList{Items: o.list}, nil
	}
	all := s.program(d.source)
	what := ix.wanted(i)
	o.words(what)
	o.attributes(what)
	if what&wantValue != 0 {
		a, known := ix.compared(i + 1)
		o.values(a, known)
	}
	o.declared(all, d.source, what, ix.within(from))
	return completionList{Items: o.list}, nil
}

func isWordOctet(c byte) bool {
	return c == '_' || c == '-' || c-'0' < 10 || (c|0x20)-'a' < 26
}

// commented reports whether an offset behind word i is in a comment.
func (d *document) commented(ix *index, i, offset int) bool {
	from := 0
	if i >= 0 {
		from = int(ix.words[i].end)
	}
	for gap := d.all[from:offset]; gap != ""; {
		n := blank(gap)
		if n == 0 {
			return false // what is no token
		}
		if n == len(gap) && (gap[0] == '#' || gap[0] == '/' && !strings.HasSuffix(gap, "*/")) {
			return true
		}
		gap = gap[n:]
	}
	return false
}

// openText returns the part of word i, a text in quotation marks that may be open,
// in front of an offset.
func (ix *index) openText(i, offset int) (string, bool) {
	text := ix.at(i)
	if !strings.HasPrefix(text, `"`) {
		return "", false
	}
	w := ix.words[i]
	if offset <= int(w.at) || offset >= int(w.end) && ix.kind(i) == srl.Text {
		return "", false
	}
	return text[1:min(offset-int(w.at), len(text))], true
}

// wanted tells what may stand behind word i.
func (ix *index) wanted(i int) wanted {
	switch ix.kind(i) {
	case srl.Keyword:
		return wantedBehind[ix.lower(i)]
	case srl.Value, srl.Character:
		return ix.wantedAfter(i)
	case srl.Name:
		switch ix.lower(i) {
		case "not", "and", "or":
			return wantAttribute | wantDefine
		}
		if len(ix.format(i)) > 0 {
			return wantColumn
		}
		return ix.wantedAfter(i)
	}
	switch ix.at(i) {
	case "", ";", "{", "}", ":", `\;`:
		return wantStatement
	case "!", "&&", "||":
		return wantAttribute | wantDefine
	case "==", "!=", "<", "<=", ">", ">=", "..", ":=":
		return wantValue | wantDefine
	case "=":
		if ix.lower(i-2) == "define" {
			return wantValue | wantAttribute | wantDefine
		}
		return wantValue | wantDefine
	case "(", ",":
		return ix.wantedListed(i)
	case ")":
		return ix.wantedAfter(i)
	}
	return 0
}

// wantedBehind tells what follows keywords.
var wantedBehind = map[string]wanted{
	"if": wantAttribute | wantDefine, "save": wantSaved | wantDefine, "store": wantVariable, "call": wantSub,
	"exit": wantLabel, "else": wantStatement,
}

// wantedAfter tells what may follow an operand, or a parenthesis: of a test.
func (ix *index) wantedAfter(i int) wanted {
	for ; i >= 0; i-- {
		switch {
		case ix.is(i, ";"), ix.is(i, "{"), ix.is(i, "}"):
			return 0
		case ix.kind(i) == srl.Keyword:
			if ix.lower(i) == "if" {
				return wantStatement | wantAfterTest
			}
			return 0
		}
		if len(ix.format(i)) > 0 {
			return wantColumn
		}
	}
	return 0
}

// format returns the word FORMAT if word i is it, at the beginning of a statement.
func (ix *index) format(i int) string {
	if ix.lower(i) == "format" && (i == 0 || ix.is(i-1, ";") || ix.is(i-1, "}")) {
		return ix.at(i)
	}
	return ""
}

// wantedListed tells what may follow a comma or an open parenthesis.
func (ix *index) wantedListed(i int) wanted {
	for depth := 0; i >= 0; i-- {
		switch at := ix.at(i); {
		case at == ")":
			depth++
		case at == "(" && depth > 0:
			depth--
		case at == "(":
			switch {
			case ix.lower(i-2) == "subroutine":
				return wantParam
			case ix.lower(i-2) == "call":
				return wantAttribute | wantVariable
			case ix.lower(i-2) == "define" && ix.is(i-1, "="), ix.is(i-1, "=") && ix.lower(i-3) == "define":
				return wantValue | wantAttribute | wantDefine
			}
			switch ix.at(i - 1) {
			case "==", "!=":
				return wantValue | wantDefine
			case "(", ",": // a list in a list, or parentheses of tests
			default:
				return wantAttribute | wantDefine
			}
		case at == ";", at == "{", at == "}":
			return 0
		case ix.kind(i) == srl.Keyword && depth == 0:
			if ix.lower(i) == "save" && ix.is(i+1, ",") {
				return wantStatement
			}
			return wantedBehind[ix.lower(i)]
		}
	}
	return 0
}

// An offering is what a client is offered.
type offering struct {
	edit span
	list []completionItem
}

func (o *offering) add(kind int, label, detail, sort string) {
	o.list = append(o.list, completionItem{Label: label, Kind: kind, Detail: detail, SortText: sort + label, TextEdit: &textEdit{o.edit, label}})
}

// What is offered first has the lowest of these in front.
const (
	first  = "1"
	second = "2"
	third  = "3"
)

// statementWords begin statements, beside those of keywordTexts.
var statementWords = []string{
	"if", "save", "count", "ignore", "nomatch", "store", "call", "exit", "return", "else", "define", "subroutine", "endsub", "endcall",
	"include", "format", "set", "statistics",
}

// words offers keywords.
func (o *offering) words(what wanted) {
	var list []string
	switch {
	case what&wantStatement != 0:
		list = statementWords
		if what&wantAfterTest != 0 {
			list = append([]string{"and", "or"}, statementWords[:9]...)
		}
	case what&wantParam != 0:
		list = []string{"address", "variable"}
	case what&wantAttribute != 0:
		list = []string{"not"}
	}
	for _, w := range list {
		means := keywordText(w)
		if about := contextual[w]; about != "" {
			means = about
		}
		o.add(itemKeyword, w, means[strings.LastIndexByte(means, '\n')+1:], second)
	}
}

// attributes offers attributes and, where they are tested or saved, what people
// call them.
func (o *offering) attributes(what wanted) {
	for _, in := range attr.All() {
		a := in.Attr
		var fits bool
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress:
			fits = what&(wantAttribute|wantSaved) != 0
		case attr.ClassComputed:
			fits = what&(wantAttribute|wantSaved|wantVariable) != 0
		case attr.ClassMatching, attr.ClassNull:
			fits = what&wantAttribute != 0
		case attr.ClassDistrib, attr.ClassStatistic:
			fits = what&wantSaved != 0
		}
		if fits || what&wantColumn != 0 && a.IsColumn() {
			about := a.About()
			o.add(itemField, in.Name, strings.TrimPrefix(a.Width()+", "+about.Meaning, ", "), second)
		}
	}
	if what&(wantAttribute|wantSaved) == 0 {
		return
	}
	for _, w := range attr.Words() {
		var names []string
		for _, a := range attr.ByWord(w) {
			names = append(names, a.String())
		}
		if _, is := attr.ByName(w); !is {
			o.add(itemField, w, strings.Join(names, " or "), third)
		}
	}
}

// values offers the names of an attribute's values, of all if it is not known.
func (o *offering) values(a attr.Attr, known bool) {
	if class := a.Info().Class; class != attr.ClassDistrib && class != attr.ClassStatistic {
		o.add(itemKeyword, "file", "a table of values with names, from a file", third)
	}
	among, order := attr.Named(), third
	if known {
		among, order = []attr.Attr{a}, first
		for _, kind := range pairKinds(a) {
			o.add(itemValue, kind.String(), fmt.Sprintf("%d, kind of packet pairs", kind), first)
		}
	}
	for _, a := range among {
		for _, v := range attr.NamedValues(a) {
			for _, name := range v.Names {
				detail, order := fmt.Sprintf("%d, %v", v.Value, a), order
				if v.Of != "" {
					detail, order = detail+", "+v.Of, third
				}
				o.add(itemValue, name, detail, order)
			}
		}
	}
}

// declared offers what the program has given names.
func (o *offering) declared(p *program, f *source, what wanted, sub int) {
	for _, file := range p.files {
		ix := file.index
		for _, d := range ix.defines {
			if what&wantDefine != 0 {
				line, _, _ := strings.Cut(strings.TrimSpace(file.all[d.text:d.to]), "\n")
				o.add(itemConstant, ix.at(d.name), clip(strings.TrimSuffix(line, ";")), first)
			}
		}
		for _, d := range ix.subs {
			if what&wantSub != 0 || what&wantStatement != 0 && len(d.params) == 0 {
				o.add(itemFunction, ix.at(d.name), "subroutine", first)
			}
		}
	}
	if sub >= 0 {
		for _, param := range f.index.subs[sub].params {
			if !param.variable && what&(wantAttribute|wantSaved) != 0 || param.variable && what&(wantVariable|wantAttribute) != 0 {
				o.add(itemVariable, f.index.at(param.name), "parameter", first)
			}
		}
	}
	for _, d := range f.index.labels {
		if what&wantLabel != 0 && d.sub == sub {
			o.add(itemConstant, f.index.at(d.name), "label", first)
		}
	}
}

// maxOffered bounds how many files are offered.
const maxOffered = 500

// files offers files for the text behind word i: programs behind INCLUDE, tables in
// FILE. What is typed already is a part of the name.
func (o *offering) files(d *document, i int, typed string) {
	table := d.index.is(i, "(") && d.index.lower(i-1) == "file"
	if !table && d.index.lower(i) != "include" {
		return
	}
	folder, begun := filepath.Split(filepath.FromSlash(typed))
	o.edit.Start.Character = o.edit.End.Character - len(utf16.Encode([]rune(begun)))
	f, err := os.Open(resolve(d.path, folder+"."))
	if err != nil {
		return
	}
	defer f.Close()
	entries, _ := f.ReadDir(10 * maxOffered) // no more than can be looked through
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		name := e.Name()
		isTable := slices.Contains([]string{".csv", ".tsv", ".txt"}, strings.ToLower(filepath.Ext(name)))
		isProgram := strings.EqualFold(filepath.Ext(name), ".srl")
		switch {
		case strings.HasPrefix(name, "."), len(o.list) == maxOffered:
		case e.IsDir():
			o.add(itemFile, name+"/", "", second)
		case table && isTable, !table && isProgram && filepath.Join(filepath.Dir(d.path), folder, name) != d.path:
			o.add(itemFile, name, "", first)
		}
	}
}
