package srl

import (
	"bytes"
	"slices"
	"strings"

	"rtfm/ruleset"
)

// What a program may include, beyond any use and within what memory has.
const (
	maxIncluded = 20        // files inside each other
	maxFiles    = 10_000    // all together
	maxFileSize = 256 << 20 // of all together, in octets
)

// placeKey is a DEFINE and the file where its name stands.
type placeKey struct {
	file string
	def  *Define
}

// placeIn returns what the places in the text of a DEFINE tell of it.
func (x *expander) placeIn(f *frame) *ruleset.Define {
	if f.use.Def == nil || f.use.Def.File == "" {
		return &f.def.Define
	}
	key := placeKey{f.use.Def.File, f.def}
	d := x.places[key]
	if d == nil {
		d = new(ruleset.Define)
		*d = f.def.Define
		d.File = key.file
		x.places[key] = d
	}
	return d
}

// isInclude reports whether a token, after one of this kind, is the word INCLUDE
// where a statement begins: in RFC 2723 it may be a name.
func isInclude(t *token, before kind) bool {
	if t.kind != kName || !strings.EqualFold(t.text, "include") {
		return false
	}
	return before == kEOF || before == ';' || before == '{' || before == '}'
}

// include reads the directive after its word, if it is one, and looks through
// the file that it names.
func (x *expander) include(s *scanner, at Place, from string, depth int) {
	name, ok := x.fileName(s, at)
	if !ok {
		return
	}
	if x.prog.Strict {
		x.report(at, notStrict, "INCLUDE", "all of a program stands in one file")
	}
	s.last = ';'
	place := len(x.behind)
	x.behind = append(x.behind, directive{at: at, after: *s})
	if name.kind != kString {
		return
	}
	if path, text, ok := x.readFile(name, from, depth); ok {
		file := scanner{text: text, line: 1, strict: x.prog.Strict, report: x.report, in: &ruleset.Define{File: path}}
		if x.known[path] {
			file.report = reported
		}
		x.known[path] = true
		whole := file
		x.files = append(x.files, path)
		x.scan(&file, path, depth+1)
		x.files = x.files[:len(x.files)-1]
		whole.text, whole.report = file.text, reported
		x.behind[place].file = &whole
	}
}

// fileName reads a file's name and the semicolon behind it. False, with nothing
// read, is for an INCLUDE that is another name; another token for a fault.
func (x *expander) fileName(s *scanner, at Place) (name token, ok bool) {
	after := *s
	after.report = reported
	after.next(&name)
	switch name.kind {
	case kString:
		var end token
		*s, after.report = after, s.report
		after.next(&end)
		if end.kind != ';' {
			x.report(end.at, "expected ; behind INCLUDE %s, found %s", clip(name.text), end)
			return name, true
		}
		*s = after
		return name, true
	case kBad:
		after = *s
		after.next(&name) // for the fault
	case kName, kValue, '/', kRange:
		x.report(at, "INCLUDE has a file's name in quotation marks: include \"nets.srl\";")
	default:
		return name, false
	}
	if n := strings.IndexAny(s.text[s.pos:], ";\n"); n >= 0 {
		s.pos += n
		if s.text[s.pos] == ';' {
			s.pos++
		}
	} else {
		s.pos = len(s.text)
	}
	return token{}, true
}

// readFile reads a file that another one includes.
func (x *expander) readFile(name token, from string, depth int) (path, text string, ok bool) {
	switch {
	case x.read > maxFiles:
		return
	case x.open == nil:
		x.report(name.at, "there are no files to read here")
		return
	case depth == maxIncluded:
		x.report(name.at, "files include each other more than %d deep", maxIncluded)
		x.read = maxFiles + 1 // which is told once
		return
	case x.read == maxFiles:
		x.report(name.at, "the program reads more than %d files", maxFiles)
		x.read++
		return
	}
	x.read++
	path, b, err := x.open(from, name.text[1:len(name.text)-1])
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	x.size += len(b)
	switch {
	case err != nil:
		x.report(name.at, "%v", err)
	case path == x.prog.File || slices.Contains(x.files, path):
		x.report(name.at, "%s includes itself", path)
	case x.size > maxFileSize:
		x.report(name.at, "the files that the program reads have more than %d octets", maxFileSize)
	case bytes.IndexByte(b, 0) >= 0:
		x.report(name.at, "%s: no text", path)
	default:
		return path, string(b), true
	}
	return
}
