package lsp

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// at returns what stands at a position, with its word.
func (s *server) at(d *document, p position) (*program, symbol, int) {
	i := d.index.find(d.offset(p))
	if i < 0 {
		return nil, symbol{}, i
	}
	all := s.program(d.source)
	return all, all.symbol(d.source, i), i
}

// definition tells where a name is declared, or which file a directive names.
func (s *server) definition(d *document, p *documentParams) (any, error) {
	all, sym, i := s.at(d, p.Position)
	if i < 0 {
		return nil, nil
	}
	if slices.Contains(d.index.includes, i) || slices.Contains(d.index.tables, i) {
		path := resolve(d.path, unquote(d.index.at(i)))
		if _, err := os.Stat(path); err != nil && s.byPath[path] == nil {
			return nil, nil
		}
		return location{URI: uriOf(path)}, nil
	}
	f, _, name := all.declaration(sym)
	if f == nil {
		return nil, nil
	}
	return use{f, name}.location(), nil
}

// references tells where else what stands at a position does.
func (s *server) references(d *document, p *documentParams) (any, error) {
	all, sym, i := s.at(d, p.Position)
	list := []location{}
	if i < 0 || sym.role == roleNone || sym.role == roleKeyword {
		return list, nil
	}
	for _, u := range all.uses(sym) {
		if p.Context.IncludeDeclaration || !u.declares() {
			list = append(list, u.location())
		}
	}
	return list, nil
}

// highlights tells where else in the document what stands at a position does.
func (s *server) highlights(d *document, p *documentParams) (any, error) {
	type highlight struct {
		Range span `json:"range"`
	}
	all, sym, i := s.at(d, p.Position)
	list := []highlight{}
	if i < 0 || sym.role == roleNone || sym.role == roleKeyword {
		return list, nil
	}
	for _, u := range all.uses(sym) {
		if u.in == d.source {
			list = append(list, highlight{u.location().Range})
		}
	}
	return list, nil
}

// prepareRename tells whether what stands at a position may have another name.
func (s *server) prepareRename(d *document, p *documentParams) (any, error) {
	all, sym, i := s.at(d, p.Position)
	if i < 0 || !sym.named() {
		return nil, nil
	}
	if f, _, _ := all.declaration(sym); f == nil {
		return nil, nil
	}
	return use{d.source, i}.location().Range, nil
}

// named reports whether the program has given the symbol its name.
func (s symbol) named() bool {
	return s.role == roleDefine || s.role == roleSub || s.role == roleParam || s.role == roleLabel
}

// rename gives what stands at a position another name wherever it stands, unless
// that would change what the program does.
func (s *server) rename(d *document, p *documentParams) (any, error) {
	all, sym, i := s.at(d, p.Position)
	if i < 0 || !sym.named() {
		return nil, errors.New("only DEFINEs, subroutines, parameters and labels can be renamed")
	}
	if f, _, _ := all.declaration(sym); f == nil {
		return nil, fmt.Errorf("%s is not declared", d.index.at(i))
	}
	if !isName(p.NewName) {
		return nil, fmt.Errorf("%q is no name: those are letters, digits and _, with a letter first, and no keywords", clip(p.NewName))
	}
	edit := workspaceEdit{map[string][]textEdit{}}
	after := map[*source]*strings.Builder{}
	behind := map[*source]int{}
	for _, u := range all.uses(sym) {
		edit.Changes[u.in.uri] = append(edit.Changes[u.in.uri], textEdit{u.location().Range, p.NewName})
		if after[u.in] == nil {
			after[u.in] = new(strings.Builder)
		}
		w := u.in.index.words[u.word]
		after[u.in].WriteString(u.in.all[behind[u.in]:w.at] + p.NewName)
		behind[u.in] = int(w.end)
	}
	texts := map[string]string{}
	for f, b := range after {
		texts[f.path] = b.String() + f.all[behind[f]:]
	}
	if err := s.sameAfter(d, texts); err != nil {
		return nil, fmt.Errorf("%s cannot be called %s: %w", d.index.at(i), p.NewName, err)
	}
	return edit, nil
}

// isName reports whether a DEFINE or subroutine may be called so.
func isName(text string) bool {
	return srl.Word{Text: text}.IsName() && !slices.Contains(srl.Keywords(), strings.ToUpper(text))
}

// sameAfter returns an error if the programs that a document is part of become
// others with these texts: the new name may stand for something else.
func (s *server) sameAfter(d *document, texts map[string]string) error {
	for _, root := range s.roots() {
		if !slices.Contains(s.closure(root.source), d.source) {
			continue
		}
		c := s.newCheck(root, true)
		before, faults := c.compile()
		for path, text := range texts {
			c.texts[path] = text
		}
		after, more := c.compile()
		if len(more) > len(faults) {
			return errors.New(more[0].Msg)
		}
		if before != nil && after != nil && !slices.EqualFunc(before.Rules, after.Rules, sameRule) {
			return errors.New("the program would become another one")
		}
	}
	return nil
}

// compile returns what the program becomes, or its faults.
func (c *check) compile() (*ruleset.RuleSet, ruleset.Diagnostics) {
	rs, _, err := compile.Source(c.path, []byte(c.texts[c.path]), srl.Options{Strict: c.strict, Plain: true, Open: c.open})
	faults, _ := err.(ruleset.Diagnostics)
	return rs, faults
}

// sameRule compares rules without their places.
func sameRule(a, b ruleset.Rule) bool {
	return a.Attr == b.Attr && a.Mask == b.Mask && a.Value == b.Value && a.Op == b.Op && a.Param == b.Param
}

// symbols lists what a document declares.
func (s *server) symbols(d *document, _ *documentParams) (any, error) {
	ix := d.index
	list := []documentSymbol{}
	symbol := func(kind, name, from, to int, detail string) documentSymbol {
		w := ix.words[name]
		return documentSymbol{Name: ix.at(name), Detail: detail, Kind: kind, Range: d.span(from, to), SelectionRange: d.span(int(w.at), int(w.end))}
	}
	for _, def := range ix.defines {
		first, _, _ := strings.Cut(strings.TrimSpace(d.all[def.text:def.to]), "\n")
		list = append(list, symbol(symbolConstant, def.name, def.from, def.to, clip(strings.TrimSuffix(first, ";"))))
	}
	for _, sub := range ix.subs {
		sym := symbol(symbolFunction, sub.name, sub.from, sub.to, strings.TrimSpace(clip(d.all[ix.words[sub.name].end:sub.text])))
		for _, p := range sub.params {
			w := ix.words[p.name]
			sym.Children = append(sym.Children, symbol(symbolVariable, p.name, int(w.at), int(w.end), ix.lower(p.name-1)))
		}
		list = append(list, sym)
	}
	for _, label := range ix.labels {
		list = append(list, symbol(symbolKey, label.name, label.from, label.to, "label"))
	}
	slices.SortFunc(list, func(a, b documentSymbol) int {
		if a.Range.Start.Line != b.Range.Start.Line {
			return a.Range.Start.Line - b.Range.Start.Line
		}
		return a.Range.Start.Character - b.Range.Start.Character
	})
	return list, nil
}
