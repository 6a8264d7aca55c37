package lsp

import "strings"

// longRun is the number of values in a row from which on they are left out.
const longRun = 64

// shorten returns a program's text in which long runs of values are blanked
// out, but for the first of each: what else there is keeps its place. Lists of
// networks are most of a long program and, value by value, as right or wrong as
// they were before.
func shorten(text string) string {
	if len(text) < 4*longRun {
		return text
	}
	var short []byte
	for i, listed := 0, false; i < len(text); {
		switch c := text[i]; c {
		case '(', ',':
			listed = true
			i++
		case ' ', '\t', '\r', '\n', '#', '/', '"', '\'':
			if n := blank(text[i:]); n > 0 {
				i += n
				continue
			}
			listed = false
			i += max(quoted(text[i:]), 1)
		default:
			n := operand(text[i:])
			if !listed || n == 0 {
				listed = false
				i += max(n, wordLen(text[i:]), 1)
				continue
			}
			from, end := i+n, run(text, i)
			if end > from {
				if short == nil {
					short = []byte(text)
				}
				for j := from; j < end; j++ {
					if text[j] != '\n' && text[j] != '\r' {
						short[j] = ' '
					}
				}
			}
			i, listed = max(from, end), false
		}
	}
	if short == nil {
		return text
	}
	return string(short)
}

// run returns where a run of values ends that begins at an offset, 0 if it is not
// long. A comma or parenthesis follows each of its values.
func run(text string, from int) (end int) {
	for n := 0; ; n++ {
		next := from + operand(text[from:])
		if next == from {
			break
		}
		after := next
		for k := blank(text[after:]); k > 0; k = blank(text[after:]) {
			after += k
		}
		if after == len(text) || text[after] != ',' && text[after] != ')' {
			break
		}
		if n >= longRun {
			end = next
		}
		if text[after] == ')' {
			break
		}
		from = after + 1
		for k := blank(text[from:]); k > 0; k = blank(text[from:]) {
			from += k
		}
	}
	return end
}

// operand returns the length of a number or address, with its width, at the
// beginning of a text.
func operand(s string) int {
	n, colon := 0, false
	for n < len(s) && (s[n]-'0' < 10 || (s[n]|0x20)-'a' < 6 || s[n] == '.' || s[n] == ':') {
		colon = colon || s[n] == ':'
		n++
	}
	if n == 0 || s[0]-'0' >= 10 && !colon {
		return 0
	}
	if n < len(s) && s[n] == '/' {
		n++
		for n < len(s) && s[n]-'0' < 10 {
			n++
		}
	}
	return n
}

// wordLen returns the length of what looks like a word at the beginning of a text.
func wordLen(s string) int {
	n := 0
	for n < len(s) && (isWordOctet(s[n]) || s[n] == '.' || s[n] == ':') {
		n++
	}
	return n
}

// blank returns the length of white space, or of a comment, at the beginning of a
// text.
func blank(s string) int {
	switch {
	case s == "":
	case s[0] == ' ', s[0] == '\t', s[0] == '\r', s[0] == '\n':
		return 1
	case s[0] == '#':
		if n := strings.IndexByte(s, '\n'); n >= 0 {
			return n
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		if n := strings.Index(s[2:], "*/"); n >= 0 {
			return n + 4
		}
		return len(s)
	}
	return 0
}

// quoted returns the length of a text or character with its marks at the beginning
// of a text; without its end it goes on to that of the line.
func quoted(s string) int {
	if s[0] != '"' && s[0] != '\'' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\n':
			return i
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return len(s)
}
