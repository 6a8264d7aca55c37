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

// mostShown is how many diagnostics of a text Error shows.
const mostShown = 20

// Error returns the first diagnostics, one a line, without a line end behind
// the last, and how many more there are.
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
