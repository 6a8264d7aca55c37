package cmd

import (
	"strings"
	"unicode/utf8"
)

// wrapped returns text in lines that fit the helpWidth, the first after lead and the
// others after next.
func wrapped(lead, next, text string) string {
	var b strings.Builder
	line := lead
	for i, word := range strings.Fields(text) {
		if i > 0 {
			if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > helpWidth {
				b.WriteString(line + "\n")
				line = next + word
				continue
			}
			line += " "
		}
		line += word
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return b.String()
}
