// Package testfile reads files of tests of SRL programs, and has a meter run them: each
// test has packets, in words or of a trace, and the flows that are to come of them. A
// file may be brought up to what came of them.
//
//	program ports.srl
//
//	test requests and answers are one flow
//	   tcp 10.0.0.1:1234 > 10.0.0.2:443 [syn]
//	   tcp 10.0.0.1:1234 < 10.0.0.2:443 [syn ack] 60 octets x 3
//	flows
//	   DestTransAddress  ToPDUs  FromPDUs
//	   https             1       3
//
// SRL.md has the whole language.
package testfile

import (
	"fmt"
	"path/filepath"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/spell"
	"rtfm/ruleset/srl"
)

// Suffix is what names of files of tests end with: ports_test.txt has those of
// ports.srl.
const Suffix = "_test.txt"

// File is a file of tests.
type File struct {
	Name    string
	Program string // the path of the program, or the name of one that comes with rtfm
	Given   []*srl.Given
	Tests   []*Test
	lines   []string
}

// Test is one of them.
type Test struct {
	Name string
	Line int // where it begins, from 1

	packets  []packets
	trace    string // instead of packets: the path of a trace
	filter   string // which packets of it
	flows    int    // line of FLOWS, 0 if there is none
	columns  []column
	rows     []row
	leftOut  [numVerdicts]uint64
	verdicts int // the line of the first of those, 0 if there is none
	end      int // the line behind the last that says what is expected
}

// row is a flow that is expected.
type row struct {
	line  int
	cells []string
}

// verdict is why packets are in no flow.
type verdict int

const (
	ignored verdict = iota
	unmatched
	stopped
	numVerdicts
)

var verdicts = [numVerdicts]string{"ignored", "unmatched", "stopped"}

// Parse reads a file of tests. err is a ruleset.Diagnostics.
func Parse(name string, text []byte) (*File, error) {
	f := &File{Name: name, lines: strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")}
	if base, ok := strings.CutSuffix(filepath.Base(name), Suffix); ok {
		f.Program = filepath.Join(filepath.Dir(name), base+".srl")
	}
	p := parser{file: f}
	for i := range f.lines {
		p.line = i + 1
		if words := split(f.lines[i]); len(words) > 0 {
			p.read(words)
		}
	}
	p.finish()
	if f.Program == "" && len(p.faults) == 0 {
		p.line = 1
		p.fault(1, "no PROGRAM given, and the file's name does not end in %s", Suffix)
	}
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	return f, nil
}

// parser reads a file line by line.
type parser struct {
	file   *File
	line   int
	test   *Test // that is being read, nil in front of the first
	clock  int64 // when the last packet was, in ns since the test began
	faults ruleset.Diagnostics
	before int // those in front of the test
}

// word is a word of a line and its column, from 1, in octets.
type word struct {
	text string
	col  int
}

// split returns a line's words up to a comment.
func split(line string) (words []word) {
	for i := 0; i < len(line); {
		n := strings.IndexAny(line[i:], " \t\r")
		if n < 0 {
			n = len(line) - i
		}
		if n > 0 && line[i] == '#' {
			break
		}
		if n > 0 {
			words = append(words, word{line[i : i+n], i + 1})
		}
		i += n + 1
	}
	return words
}

func (p *parser) fault(col int, format string, args ...any) {
	if len(p.faults) < srl.MaxErrors {
		at := ruleset.Place{Line: int32(p.line), Col: int32(col)}
		p.faults = append(p.faults, at.Diagnose(p.file.Name, fmt.Sprintf(format, args...)))
	}
}

// rest returns the line from a word on.
func (p *parser) rest(words []word) string {
	if len(words) == 0 {
		return ""
	}
	last := words[len(words)-1]
	return p.file.lines[p.line-1][words[0].col-1 : last.col-1+len(last.text)]
}

// read reads a line.
func (p *parser) read(words []word) {
	first, t := strings.ToLower(words[0].text), p.test
	switch {
	case first == "test":
		p.begin(words[1:])
	case t == nil:
		p.setting(first, words)
	case t.flows == 0 && first == "flows":
		t.flows, t.end = p.line, p.line+1
		p.no(words[1:])
	case t.flows > 0 && (first == verdicts[0] || first == verdicts[1] || first == verdicts[2]) && len(words) == 2:
		p.left(words)
	case t.flows == 0 && first == "trace":
		p.trace(words[1:], words[0].col)
	case t.flows == 0:
		if t.trace != "" {
			p.fault(words[0].col, "a test has a TRACE or packets, not both")
		}
		p.packets(words)
	case t.columns == nil:
		p.columns(words)
		t.end = p.line + 1
	case t.verdicts > 0:
		p.fault(words[0].col, "flows stand in front of %s", strings.ToUpper(verdicts[0]))
	default:
		p.row(words)
		t.end = p.line + 1
	}
}

// no reports words that stand where there are none.
func (p *parser) no(words []word) {
	if len(words) > 0 {
		p.fault(words[0].col, "expected the end of the line, found %s", words[0].text)
	}
}

// setting reads what stands in front of the first test.
func (p *parser) setting(first string, words []word) {
	text := p.rest(words[1:])
	switch {
	case first == "program" && text != "":
		if p.file.Program = text; !strings.HasPrefix(text, "@") && !filepath.IsAbs(text) {
			p.file.Program = filepath.Join(filepath.Dir(p.file.Name), text)
		}
	case first == "define" && text != "":
		g, err := srl.ParseGiven(text)
		if err != nil {
			p.fault(words[1].col, "%v", err)
			return
		}
		p.file.Given = append(p.file.Given, g)
	case first == "program" || first == "define":
		p.fault(words[0].col, "expected PROGRAM FILE, or DEFINE NAME = TEXT")
	default:
		p.fault(words[0].col, "expected PROGRAM, DEFINE or TEST, found %s%s", words[0].text, hint(first, "program", "define", "test"))
	}
}

// hint returns which of some words is meant, with what stands in front of it, or "".
func hint(word string, among ...string) string {
	if near, ok := spell.Nearest(word, among); ok {
		return "; did you mean " + near + "?"
	}
	return ""
}

func (p *parser) begin(name []word) {
	p.finish()
	p.test = &Test{Name: p.rest(name), Line: p.line}
	p.clock, p.before = -int64(gap), len(p.faults)
	p.file.Tests = append(p.file.Tests, p.test)
	if len(name) == 0 {
		p.fault(1, "expected a name behind TEST")
	}
	for _, other := range p.file.Tests[:len(p.file.Tests)-1] {
		if other.Name == p.test.Name && len(name) > 0 {
			p.fault(name[0].col, "there is a TEST of this name in line %d", other.Line)
		}
	}
}

// finish ends a test.
func (p *parser) finish() {
	t := p.test
	if t == nil {
		return
	}
	if t.flows == 0 {
		// What is expected will stand behind the last packet.
		t.end = t.Line + 1
		for i := t.Line; i < p.line; i++ {
			if words := split(p.file.lines[i]); len(words) > 0 && strings.ToLower(words[0].text) != "test" {
				t.end = i + 2
			}
		}
	}
	if len(t.packets) == 0 && t.trace == "" && len(p.faults) == p.before {
		was := p.line
		p.line = t.Line
		p.fault(1, "this TEST has no packets and no TRACE")
		p.line = was
	}
}

// trace reads the rest of a TRACE.
func (p *parser) trace(words []word, col int) {
	switch {
	case len(words) == 0:
		p.fault(col, "expected a file behind TRACE")
	case p.test.trace != "" || len(p.test.packets) > 0:
		p.fault(col, "a test has one TRACE, or packets")
	default:
		if p.test.trace = words[0].text; !filepath.IsAbs(p.test.trace) {
			p.test.trace = filepath.Join(filepath.Dir(p.file.Name), p.test.trace)
		}
		p.test.filter = p.rest(words[1:])
	}
}

// left reads how many packets are in no flow.
func (p *parser) left(words []word) {
	n, ok := p.number(words[1], "a number of packets", 0, 1<<62)
	if !ok {
		return
	}
	if p.test.verdicts == 0 {
		p.test.verdicts = p.line
	}
	for v, name := range verdicts {
		if strings.EqualFold(words[0].text, name) {
			p.test.leftOut[v] = n
		}
	}
	p.test.end = p.line + 1
}

func (p *parser) row(words []word) {
	r := row{line: p.line}
	for _, w := range words {
		r.cells = append(r.cells, w.text)
	}
	if len(r.cells) != len(p.test.columns) {
		p.fault(words[0].col, "%d values below %d columns; - stands for none", len(r.cells), len(p.test.columns))
	}
	p.test.rows = append(p.test.rows, r)
}
