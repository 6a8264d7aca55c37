package lsp

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/lint"
	"rtfm/ruleset/srl"
)

// A check is a program whose faults are to be found, with the documents as they are
// now. It shares nothing that changes with the server.
type check struct {
	path   string // of the program
	whole  bool   // with all values of long lists and tables
	strict bool
	texts  map[string]string // of documents, by path
	tables map[string]bool   // paths of files that are tables

	changes int // that there had been of any document

	cut   bool // values were left out
	found []lint.Finding
}

// tableHead is how much is read of a table where not the whole is checked, in
// octets.
const tableHead = 4096

// run finds the faults of the program and, if it has none, what is hardly meant.
func (c *check) run() {
	text := []byte(c.texts[c.path])
	p, err := srl.Parse(c.path, text, srl.Options{Strict: c.strict, Plain: true, Open: c.open})
	c.add(err)
	if len(c.found) > srl.MaxErrors {
		return // the rest of the program is missing
	}
	rs, warnings, more := compile.Compile(p)
	c.add(more)
	switch {
	case len(p.Stmts) == 0: // it is for others to include
	case err == nil && more == nil && !c.cut && len(rs.Rules) <= maxLinted:
		c.found = append(c.found, lint.Program(p, text, rs, warnings)...)
	default:
		c.add(warnings)
	}
}

// maxLinted is the number of rules of the longest program that package lint looks at:
// it follows all ways through a program, which takes time.
const maxLinted = 1000

// add adds faults or warnings.
func (c *check) add(err error) {
	list, _ := err.(ruleset.Diagnostics)
	for _, d := range list {
		c.found = append(c.found, lint.Finding{Diagnostic: d})
	}
}

// open reads a file that the program includes, or a table.
func (c *check) open(from, name string) (path string, text []byte, err error) {
	path = resolve(from, name)
	if open, is := c.texts[path]; is {
		text = []byte(open)
	} else if path, text, err = compile.Open(from, name); err != nil {
		return path, nil, err
	}
	if c.whole {
		return path, text, nil
	}
	before := string(text)
	if !c.tables[path] {
		text = []byte(shorten(before))
	} else if len(text) > tableHead {
		text = text[:strings.LastIndexByte(before[:tableHead], '\n')+1]
	}
	c.cut = c.cut || string(text) != before
	return path, text, nil
}

// newCheck takes a program and all that it may need.
func (s *server) newCheck(d *document, whole bool) *check {
	c := &check{path: d.path, whole: whole, strict: s.opts.Strict, changes: s.changes, texts: map[string]string{}, tables: map[string]bool{}}
	for _, f := range s.closure(d.source) {
		for _, w := range f.index.tables {
			c.tables[resolve(f.path, unquote(f.index.at(w)))] = true
		}
	}
	for _, o := range s.open {
		c.texts[o.path] = o.all
		if !whole && !c.tables[o.path] {
			c.texts[o.path] = o.short
			c.cut = c.cut || o.short != o.all
		}
	}
	return c
}

// roots returns the documents that are programs: those that no other one includes.
func (s *server) roots() (list []*document) {
	closures := make([][]*source, len(s.open))
	for i, d := range s.open {
		closures[i] = s.closure(d.source)
	}
	for i, d := range s.open {
		part := false
		for j, other := range s.open {
			if i != j && slices.Contains(closures[j], d.source) {
				part = part || j < i || !slices.Contains(closures[i], other.source)
			}
		}
		if !part && !d.isTable() {
			list = append(list, d)
		}
	}
	return list
}

// isTable reports whether a document is no program by its name.
func (d *document) isTable() bool {
	switch strings.ToLower(filepath.Ext(d.path)) {
	case ".csv", ".tsv":
		return true
	}
	return false
}

// touch has all programs checked that a document is part of, nil for all programs,
// and the whole of them when it has been quiet for so long.
func (s *server) touch(d *document, quiet time.Duration) {
	roots := map[string]bool{}
	for _, root := range s.roots() {
		roots[root.path] = true
		closure := s.closure(root.source)
		concerned := d == nil || d.isTable() || slices.Contains(closure, d.source)
		if concerned && !slices.Contains(s.due, root.path) {
			s.due = append(s.due, root.path)
		}
	}
	maps.DeleteFunc(s.found, func(path string, _ []finding) bool { return !roots[path] })
	maps.DeleteFunc(s.quick, func(path string, _ []finding) bool { return !roots[path] })
	maps.DeleteFunc(s.mends, func(path string, _ *check) bool { return !roots[path] })
	s.calm = false
	s.changes++
	s.timer.Reset(quiet)
}

// next begins the checks that are due next: one of what was typed and, beside it, one
// of a whole program.
func (s *server) next() {
	s.begin(&s.due, false)
	if s.calm && len(s.due) == 0 {
		s.begin(&s.whole, true)
	}
}

// begin begins a check of the first program of a list, unless one is running.
func (s *server) begin(list *[]string, whole bool) {
	for !s.running[whole] && len(*list) > 0 {
		d := s.byPath[(*list)[0]]
		if *list = (*list)[1:]; d == nil {
			continue
		}
		c := s.newCheck(d, whole)
		s.running[whole] = true
		go func() {
			c.run()
			s.results <- c
		}()
	}
}

// take shows what a check has found, unless it is out of date.
func (s *server) take(c *check) error {
	d := s.byPath[c.path]
	if d == nil || slices.Contains(s.due, c.path) || !slices.Contains(s.roots(), d) {
		return nil
	}
	s.whole = slices.DeleteFunc(s.whole, func(path string) bool { return path == c.path })
	stale := c.whole && c.changes != s.changes // what was typed meanwhile has been checked
	if c.cut || stale {
		s.whole = append(s.whole, c.path)
	}
	if stale {
		return nil
	}
	s.found[c.path] = s.carry(c)
	s.mends[c.path] = c
	return s.publish(c.path)
}

// A finding is a diagnostic of a program's check, in a document or another file.
type finding struct {
	ruleset.Diagnostic
	note    bool // it may well be meant
	carried bool // of the last whole check; what values were left out does not find it
}

// place tells where a finding is, as far as its file can be read.
func (s *server) place(path string, f finding) diagnostic {
	d := diagnostic{Severity: severityError, Source: "rtfm", Message: f.Msg}
	if f.Warning {
		d.Severity = severityWarning
	}
	if f.note {
		d.Severity = severityHint
	}
	if kind, is := lint.KindOf(f.Number); is {
		d.Code = kind.Name
	}
	if src := s.source(path); src != nil {
		from := src.text.place(f.Line, f.Col)
		to := src.wordEnd(from)
		if n := len(src.index.words); from == len(src.all) && n > 0 {
			from, to = int(src.index.words[n-1].at), int(src.index.words[n-1].end)
		}
		if f.Line > 0 {
			d.Range = src.span(from, to)
		}
	} else {
		at := position{max(f.Line-1, 0), max(f.Col-1, 0)}
		d.Range = span{at, at}
	}
	m := fromDefine.FindStringSubmatch(f.Msg)
	if m == nil {
		return d
	}
	file := path
	if m[2] != "" {
		file = m[2]
	}
	if src := s.source(file); src != nil {
		line, _ := strconv.Atoi(m[3])
		col, _ := strconv.Atoi(m[4])
		at := src.text.place(line, col)
		d.Message = strings.TrimSuffix(d.Message, m[0])
		d.Related = []related{{location{src.uri, src.span(at, src.wordEnd(at))}, "in the text of DEFINE " + m[1]}}
	}
	return d
}

// fromDefine matches what ends the message of something that stands in a DEFINE: its
// name, and where.
var fromDefine = regexp.MustCompile(` \(from DEFINE (\S+), (?:(.+):)?(\d+):(\d+)\)$`)

// wordEnd returns where the word ends that begins at an offset of a text.
func (src *source) wordEnd(from int) int {
	if i := src.index.find(from); i >= 0 && int(src.index.words[i].at) == from {
		return int(src.index.words[i].end)
	}
	if n := operand(src.all[from:]); n > 0 {
		return from + n // which a long list left out
	}
	return from
}

// publish sends what has been found, of each file whose findings have changed, and of
// the one at a path in any case.
func (s *server) publish(path string) error {
	files := map[string][]finding{path: nil}
	for path := range s.shown {
		files[path] = nil
	}
	for _, list := range s.found {
		for _, f := range list {
			f.carried = false
			if !slices.Contains(files[f.File], f) {
				files[f.File] = append(files[f.File], f)
			}
		}
	}
	for _, of := range slices.Sorted(maps.Keys(files)) {
		if err := s.show(of, files[of], of == path); err != nil {
			return err
		}
	}
	return nil
}

// show sends the findings of a file, unless they are what the client has.
func (s *server) show(path string, list []finding, anyway bool) error {
	slices.SortStableFunc(list, func(a, b finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	p := publishParams{URI: uriOf(path), Diagnostics: make([]diagnostic, 0, len(list))}
	if d := s.byPath[path]; d != nil {
		p.URI, p.Version = d.uri, &d.version
	}
	for _, f := range list {
		p.Diagnostics = append(p.Diagnostics, s.place(path, f))
	}
	if before, ok := s.shown[path]; !anyway && ok && slices.EqualFunc(before, p.Diagnostics, sameDiagnostic) {
		return nil
	}
	s.shown[path] = p.Diagnostics
	if len(list) == 0 && s.byPath[path] == nil {
		delete(s.shown, path)
	}
	return s.notify("textDocument/publishDiagnostics", p)
}

func sameDiagnostic(a, b diagnostic) bool {
	return a.Range == b.Range && a.Severity == b.Severity && a.Message == b.Message && slices.Equal(a.Related, b.Related)
}

// carry returns what a check has found. Where values were left out, what only the
// last whole check could find is found still.
func (s *server) carry(c *check) (list []finding) {
	for _, f := range c.found {
		list = append(list, finding{Diagnostic: f.Diagnostic, note: f.Note})
	}
	if c.cut {
		s.quick[c.path] = list
		for _, f := range s.found[c.path] {
			if f.carried {
				list = append(list, f)
			}
		}
		return list
	}
	for i, f := range list {
		list[i].carried = c.whole && !slices.Contains(s.quick[c.path], f)
	}
	return list
}

// change changes a document. What was found only in the whole of it keeps its place
// when lines are added or taken away, and is forgotten if its line is replaced.
func (s *server) change(d *document, changes []change) {
	for _, c := range changes {
		lines := len(d.lines)
		first, last := 0, lines
		if c.Range != nil {
			first, last = c.Range.Start.Line, c.Range.End.Line
		}
		d.apply(c)
		for path, list := range s.found {
			kept := list[:0]
			for _, f := range list {
				line := f.Line - 1
				if f.carried && f.File == d.path && line >= first {
					if line <= last {
						continue
					}
					f.Line += len(d.lines) - lines
				}
				kept = append(kept, f)
			}
			s.found[path] = kept
		}
	}
	d.set(d.all)
}
