package ruleset

import (
	"bytes"
	"fmt"
	"io"
)

// WriteListing writes rs as WriteTo does, with the lines of the source that rules
// come from in front of them as comments, "# 7: count;". source returns the text of
// a file that places are in, RuleSet.File or one that a program includes; of what it
// does not have only the numbers of lines are written.
func (rs *RuleSet) WriteListing(w io.Writer, source func(file string) []byte) error {
	lines := map[string][][]byte{}
	file, line := "", int32(0)
	_, err := rs.write(w, func(b []byte, r *Rule) []byte {
		at, in := r.At, rs.File
		if at.Def != nil && at.Def.File != "" {
			in = at.Def.File
		}
		if r.IsEnd() {
			file, line = "", 0
			return append(b, "# the end of the program\n"...)
		}
		if !at.Known() || in == file && at.Line == line {
			return b
		}
		file, line = in, at.Line
		text, ok := lines[in]
		if !ok {
			text = bytes.Split(source(in), []byte("\n"))
			lines[in] = text
		}
		b = append(b, "# "...)
		if in != rs.File {
			b = fmt.Appendf(b, "%s:", in)
		}
		b = fmt.Appendf(b, "%d:", line)
		if int(line) <= len(text) {
			b = append(append(b, ' '), bytes.TrimRight(text[line-1], " \t\r")...)
		}
		return append(b, '\n')
	})
	return err
}
