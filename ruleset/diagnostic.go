package ruleset

import (
	"fmt"
	"strings"
)

// Diagnostic is what is wrong, or doubtful, at one place of a text.
type Diagnostic struct {
	File      string
	Line, Col int // from 1; Col counts octets
	Warning   bool
	Msg       string
}

// Error returns `file:line:col: message`, the message of a warning behind
// `warning: `.
func (d Diagnostic) Error() string {
	kind := ""
	if d.Warning {
		kind = "warning: "
	}
	return fmt.Sprintf("%s:%d:%d: %s%s", d.File, d.Line, d.Col, kind, d.Msg)
}

// Diagnostics are in the order of the text. As an error they print one a
// line.
type Diagnostics []Diagnostic

// Error returns all diagnostics, one a line, without a line end behind the
// last.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}
