package lsp

import (
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// Limits of what is read beside the documents.
const (
	maxSources    = 1000     // files of one program
	maxSourceSize = 16 << 20 // of one of them, in octets
)

// pathOf returns the path of a URI's file, the URI itself if it is of none: one
// that was never saved, for instance.
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Path == "" {
		return uri
	}
	path := u.Path
	if runtime.GOOS == "windows" {
		path = strings.TrimPrefix(path, "/")
	}
	return filepath.Clean(filepath.FromSlash(path))
}

// uriOf returns the URI of a path.
func uriOf(path string) string {
	if path = filepath.ToSlash(path); !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// resolve returns the path of a file that another one names.
func resolve(from, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(filepath.Dir(from), name)
}

// A onDisk is a file that no document shows, as it was read.
type onDisk struct {
	*source
	size    int64
	changed time.Time
}

// source returns the file of this path: the document if it is open; nil if it
// cannot be read.
func (s *server) source(path string) *source {
	if d := s.byPath[path]; d != nil {
		return d.source
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSourceSize {
		delete(s.files, path)
		return nil
	}
	if f := s.files[path]; f != nil && f.size == info.Size() && f.changed.Equal(info.ModTime()) {
		return f.source
	}
	_, text, err := compile.Open("", path)
	if err != nil {
		return nil
	}
	if len(s.files) >= maxSources {
		clear(s.files)
	}
	f := &onDisk{newSource(uriOf(path), path, string(text)), info.Size(), info.ModTime()}
	s.files[path] = f
	return f.source
}

// closure returns a file and those that it includes, directly or not.
func (s *server) closure(root *source) []*source {
	all := []*source{root}
	for i := 0; i < len(all) && len(all) < maxSources; i++ {
		for _, w := range all[i].index.includes {
			path := resolve(all[i].path, unquote(all[i].index.at(w)))
			if slices.ContainsFunc(all, func(f *source) bool { return f.path == path }) {
				continue
			}
			if f := s.source(path); f != nil {
				all = append(all, f)
			}
		}
	}
	return all
}

func unquote(text string) string { return strings.Trim(text, `"`) }

// A program is a file with all those that are of one program with it: those that
// it includes, open ones that include it, and what these include.
type program struct {
	files   []*source       // the file itself first
	defines map[string]bool // the names of DEFINEs, in small letters
	subs    map[string]bool // likewise
}

// program returns the program of a file.
func (s *server) program(of *source) *program {
	p := &program{files: s.closure(of), defines: map[string]bool{}, subs: map[string]bool{}}
	for _, d := range s.open {
		if all := s.closure(d.source); slices.Contains(all, of) {
			for _, f := range all {
				if !slices.Contains(p.files, f) {
					p.files = append(p.files, f)
				}
			}
		}
	}
	for _, f := range p.files {
		for _, d := range f.index.defines {
			p.defines[f.index.lower(d.name)] = true
		}
		for _, d := range f.index.subs {
			p.subs[f.index.lower(d.name)] = true
		}
	}
	return p
}

// role is what a word is the name of.
type role uint8

const (
	roleNone role = iota
	roleDefine
	roleSub
	roleParam
	roleLabel
	roleAttribute // or what people call one
	roleValue     // the name of a value, or what is not known
	roleKeyword
)

// A symbol is what a word stands for. The same symbol, in whatever file, is equal.
type symbol struct {
	role role
	name string // in small letters
	// of is the file and sub the number of its subroutine (-1 for none) that a
	// parameter or a label belongs to.
	of  *source
	sub int
}

// symbol tells what word i of a file stands for.
func (p *program) symbol(f *source, i int) symbol {
	ix := f.index
	name := ix.lower(i)
	switch ix.kind(i) {
	case srl.Keyword:
		return symbol{role: roleKeyword, name: name}
	case srl.Name:
	default:
		return symbol{}
	}
	before := ix.lower(i - 1)
	if p.defines[name] && !(before == "include") {
		return symbol{role: roleDefine, name: name}
	}
	sub := ix.within(int(ix.words[i].at))
	switch {
	case before == "subroutine" || before == "call":
		return symbol{role: roleSub, name: name}
	case before == "exit", ix.is(i+1, ":") && ix.is(i+2, "{"):
		return symbol{role: roleLabel, name: name, of: f, sub: sub}
	case p.subs[name] && ix.is(i+1, ";") && ix.begins(i):
		return symbol{role: roleSub, name: name}
	}
	if sub >= 0 {
		for _, param := range ix.subs[sub].params {
			if ix.lower(param.name) == name {
				return symbol{role: roleParam, name: name, of: f, sub: sub}
			}
		}
	}
	if len(attributes(ix, i)) > 0 {
		return symbol{role: roleAttribute, name: name}
	}
	return symbol{role: roleValue, name: name}
}

// begins reports whether a statement may begin with word i, a name.
func (ix *index) begins(i int) bool {
	switch before := ix.lower(i - 1); before {
	case "save", "store", "=", ":=", "==", "!=", "<", "<=", ">", ">=", "&", "/", "..", "(", "!", "&&", "||":
		return false
	case ",":
		return ix.lower(i-2) == "save"
	}
	return true
}

// A use is where a word stands.
type use struct {
	in   *source
	word int
}

// uses returns all words that stand for a symbol, file by file.
func (p *program) uses(of symbol) (all []use) {
	for _, f := range p.files {
		if of.of != nil && of.of != f {
			continue
		}
		for i, w := range f.index.words {
			if w.kind == srl.Name && int(w.end-w.at) == len(of.name) && f.index.lower(i) == of.name && p.symbol(f, i) == of {
				all = append(all, use{f, i})
			}
		}
	}
	return all
}

// declares reports whether the word is where its symbol is declared.
func (u use) declares() bool {
	ix := u.in.index
	switch ix.lower(u.word - 1) {
	case "define", "subroutine", "address", "variable":
		return true
	}
	return ix.is(u.word+1, ":") && ix.is(u.word+2, "{")
}

// location returns where the word is.
func (u use) location() location {
	w := u.in.index.words[u.word]
	return location{u.in.uri, u.in.span(int(w.at), int(w.end))}
}
