package ruleset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is where something stands in a text. Line and Col count from 1, Col in
// octets; they are 0 if the place is not known. For what came from the text of
// a DEFINE they are the place where the DEFINE's name is used.
type Place struct {
	Line, Col int32
	// Def is where that comes from, nil for the program itself, DefLine and DefCol
	// the place within the text of a DEFINE.
	Def             *Define
	DefLine, DefCol int32
}

// Define is a DEFINE of a program, or one that is Given beside it, and tells the
// files in question. Without a Name it is a file that the program includes.
type Define struct {
	Name  string
	Given bool
	// File is where Line and Col of a place are, DefFile where DefLine and DefCol
	// are; empty for the program's own file.
	File, DefFile string
}

// Where returns the place as line:col, with its file in front if that is one
// which the program includes.
func (at Place) Where() string {
	if at.Def != nil && at.Def.File != "" {
		return fmt.Sprintf("%s:%d:%d", at.Def.File, at.Line, at.Col)
	}
	return fmt.Sprintf("%d:%d", at.Line, at.Col)
}

// At returns the place itself, for types that embed it.
func (at Place) At() Place { return at }

// Known reports whether the place is known.
func (at Place) Known() bool { return at.Line > 0 }

// Diagnose returns a diagnostic for this place of a file. If the place came
// from a DEFINE, the message ends with its name and the place there.
func (at Place) Diagnose(file, msg string) Diagnostic {
	own := file
	if at.Def != nil && at.Def.File != "" {
		file = at.Def.File
	}
	if at.Def != nil && at.Def.Name != "" {
		name := at.Def.Name
		if len(name) > longestName {
			name = name[:longestName] + "..."
		}
		option := "DEFINE"
		if at.Def.Given {
			option = "-D"
		}
		in := Place{Line: at.DefLine, Col: at.DefCol}
		if at.Def.DefFile != at.Def.File {
			in.Def = &Define{File: cmp.Or(at.Def.DefFile, own)}
		}
		msg += fmt.Sprintf(" (from %s %s, %s)", option, name, in.Where())
	}
	return Diagnostic{File: file, Line: int(at.Line), Col: int(at.Col), Msg: msg}
}

// longestName is the length up to which messages quote a name.
const longestName = 40

// Diagnostic is a fault, or a doubt, at one place of a text.
type Diagnostic struct {
	File      string
	Line, Col int // from 1; Col counts octets. 0 if the place is not known
	Warning   bool
	Number    int // of what package lint explains; 0 for faults
	Msg       string
}

// Error returns `file:line:col: message`, with `warning: ` before the message
// of a warning; without a place, `file: message`.
func (d Diagnostic) Error() string {
	kind := ""
	if d.Warning {
		kind = "warning: "
	}
	if d.Line == 0 {
		return fmt.Sprintf("%s: %s%s", d.File, kind, d.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s%s", d.File, d.Line, d.Col, kind, d.Msg)
}

// Diagnostics are in the order of the text. As an error they print one a
// line.
type Diagnostics []Diagnostic

// Sort puts diagnostics of one text in its order, file by file if it
// includes others.
func (ds Diagnostics) Sort() {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

// mostShown is how many diagnostics of a text Error shows.
const mostShown = 20

// Error returns the first diagnostics, one a line, without a line end after the
// last, and how many more there are.
func (ds Diagnostics) Error() string {
	var lines []string
	for i, d := range ds {
		if i == mostShown {
			lines = append(lines, fmt.Sprintf("%s: and %d more", d.File, len(ds)-i))
			break
		}
		lines = append(lines, d.Error())
	}
	return strings.Join(lines, "\n")
}
