package cover

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
)

// Report is what a program did with packets.
type Report struct {
	Program   string `json:"program"`
	Packets   uint64 `json:"packets"`
	Counted   uint64 `json:"counted"`     // as they came
	Back      uint64 `json:"countedBack"` // with source and destination changed over
	Ignored   uint64 `json:"ignored"`
	Unmatched uint64 `json:"unmatched"`
	Stopped   uint64 `json:"stopped"`
	Files     []File `json:"files"`
	// Left are the packets that were not counted, those of the most packets first.
	Left []Left `json:"left"`
}

// File is the text of a program, or of a file that it includes.
type File struct {
	Name  string `json:"name"`
	Lines []Line `json:"lines"`
}

// Line is one of a file's lines.
type Line struct {
	Line int    `json:"line"` // from 1
	Text string `json:"text"`
	// Code is set if something of the line is run, Runs how often it was: a packet that is
	// tried twice may have it run twice.
	Code  bool   `json:"code"`
	Runs  uint64 `json:"runs"`
	Tests []Test `json:"tests,omitempty"`
}

// Dead reports whether a line is never run.
func (l *Line) Dead() bool { return l.Code && l.Runs == 0 }

// Never reports whether a test was made and never held.
func (t *Test) Never() bool { return t.Held == 0 && t.Failed > 0 }

// Report returns what there is to tell so far. source returns the text of a file, the
// program's own or one that it includes.
func (c *Counter) Report(source func(file string) []byte) *Report {
	c.sum()
	r := &Report{
		Program: c.rs.File, Packets: c.Packets, Counted: c.Counted, Back: c.Back,
		Ignored: c.Ignored, Unmatched: c.Unmatched, Stopped: c.Stopped, Left: c.left(),
	}
	type fileLine struct {
		file string
		line int
	}
	code, runs := map[fileLine]bool{}, map[fileLine]uint64{}
	for i := range c.rs.Rules {
		if r := &c.rs.Rules[i]; !c.isEnd(r) && r.Op != ruleset.OpReturn {
			file, line := fileOf(c.at[i])
			code[fileLine{file, line}] = true
		}
	}
	for at := range c.ends.stmts {
		code[fileLine{at.file, int(at.line)}] = true
	}
	for at, n := range c.runs {
		line := fileLine{at.file, int(at.line)}
		runs[line] = max(runs[line], n)
	}
	names := []string{""}
	for at := range code {
		if !slices.Contains(names, at.file) {
			names = append(names, at.file)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		f := File{Name: cmp.Or(name, c.rs.File)}
		for i, text := range bytes.Split(bytes.TrimSuffix(source(f.Name), []byte("\n")), []byte("\n")) {
			at := fileLine{name, i + 1}
			f.Lines = append(f.Lines, Line{Line: i + 1, Text: string(bytes.TrimRight(text, "\r")), Code: code[at], Runs: runs[at]})
		}
		r.Files = append(r.Files, f)
	}
	r.addTests(c.tests)
	return r
}

// isEnd reports whether a rule is the program's end, which no line has: its place is the
// beginning of the text.
func (c *Counter) isEnd(r *ruleset.Rule) bool {
	return r.Op == ruleset.OpNoMatch && r.Attr == attr.Null && r.At.Line == 1 && r.At.Col == 1 && c.ends.stmts[placeOf(r.At)] == nil
}

// addTests has each line tell of its tests, in the order in which it names them.
func (r *Report) addTests(tests map[spot]*Test) {
	for at, t := range tests {
		for i := range r.Files {
			f := &r.Files[i]
			if f.Name == cmp.Or(at.file, r.Program) && at.line > 0 && at.line <= len(f.Lines) {
				f.Lines[at.line-1].Tests = append(f.Lines[at.line-1].Tests, *t)
			}
		}
	}
	for i := range r.Files {
		for j := range r.Files[i].Lines {
			l := &r.Files[i].Lines[j]
			slices.SortFunc(l.Tests, func(a, b Test) int {
				return cmp.Or(cmp.Compare(b.Held+b.Failed, a.Held+a.Failed), strings.Compare(a.Attr, b.Attr))
			})
		}
	}
}

// Dead returns how many lines can run, and the places of those that never did.
func (r *Report) Dead() (of int, places []string) {
	return r.find(func(l *Line) (bool, bool) { return l.Code, l.Dead() })
}

// Never returns how many tests were made, and the places of those that never held.
func (r *Report) Never() (of int, places []string) {
	for i := range r.Files {
		for j := range r.Files[i].Lines {
			l := &r.Files[i].Lines[j]
			for k := range l.Tests {
				if of++; l.Tests[k].Never() {
					places = append(places, r.place(i, l)+" "+l.Tests[k].Attr)
				}
			}
		}
	}
	return of, places
}

func (r *Report) find(is func(*Line) (counts, found bool)) (of int, places []string) {
	for i := range r.Files {
		for j := range r.Files[i].Lines {
			l := &r.Files[i].Lines[j]
			counts, found := is(l)
			if counts {
				of++
			}
			if found {
				places = append(places, r.place(i, l))
			}
		}
	}
	return of, places
}

// place names a line, with its file if that is not the program's own.
func (r *Report) place(file int, l *Line) string {
	if file == 0 {
		return strconv.Itoa(l.Line)
	}
	return r.Files[file].Name + ":" + strconv.Itoa(l.Line)
}

// Summary returns sentences of how much of the program was used.
func (r *Report) Summary() []string {
	lines := []string{fmt.Sprintf("%s packets: %s counted as they came, %s with source and destination changed over, %s ignored, %s unmatched",
		grouped(r.Packets), grouped(r.Counted), grouped(r.Back), grouped(r.Ignored), grouped(r.Unmatched))}
	if r.Stopped > 0 {
		lines[0] += fmt.Sprintf(", %s stopped by a limit", grouped(r.Stopped))
	}
	tell := func(of int, places []string, all, some string) {
		if len(places) == 0 {
			lines = append(lines, all)
			return
		}
		const most = 12
		n := len(places)
		if n > most {
			places = append(places[:most:most], "...")
		}
		lines = append(lines, fmt.Sprintf(some, n, of, strings.Join(places, ", ")))
	}
	of, places := r.Dead()
	tell(of, places, "all lines ran", "%d of %d lines never ran: %s")
	of, places = r.Never()
	tell(of, places, "all tests held with some packet", "%d of %d tests never held: %s")
	return lines
}

// WriteText writes the listing: how often each line ran, how often its test held and
// failed, and the line. Lines with several tests have one line more for each.
func (r *Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	for i := range r.Files {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "%12s%12s%12s  %s\n", "ran", "held", "failed", r.Files[i].Name)
		for j := range r.Files[i].Lines {
			r.Files[i].Lines[j].write(b)
		}
	}
	b.WriteByte('\n')
	for _, s := range r.Summary() {
		b.WriteString(s + "\n")
	}
	return b.Flush()
}

func (l *Line) write(b *bufio.Writer) {
	runs, held, failed, mark := "", "", "", " "
	if l.Code {
		runs = grouped(l.Runs)
	}
	if l.Dead() {
		mark = "!"
	}
	if len(l.Tests) == 1 {
		held, failed = grouped(l.Tests[0].Held), grouped(l.Tests[0].Failed)
		if l.Tests[0].Never() {
			mark = "!"
		}
	}
	text := fmt.Sprintf("%s%11s%12s%12s  %4d  %s", mark, runs, held, failed, l.Line, strings.ReplaceAll(l.Text, "\t", "   "))
	b.WriteString(strings.TrimRight(text, " ") + "\n")
	if len(l.Tests) < 2 {
		return
	}
	indent := strings.Repeat(" ", len(l.Text)-len(strings.TrimLeft(l.Text, " \t"))+3)
	for _, t := range l.Tests {
		mark = " "
		if t.Never() {
			mark = "!"
		}
		fmt.Fprintf(b, "%s%11s%12s%12s      %s%s\n", mark, "", grouped(t.Held), grouped(t.Failed), indent, t.Attr)
	}
}

// grouped writes a number with commas between thousands.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
