package filter

import (
	"strings"

	"rtfm/ruleset/srl"
)

// token is a word or mark of a filter.
type token struct {
	srl.Place
	text    string // empty at the end
	escaped bool   // it had a \ before it, which makes no keyword of it
}

// marks are those of one octet; && and || are two.
const marks = "()![]/&|=<>+*^%,;{}\"'"

// scanner makes tokens of a text.
type scanner struct {
	text      string
	pos       int
	line, bol int // where the line begins
}

func (s *scanner) next() token {
	for s.pos < len(s.text) && s.text[s.pos] <= ' ' {
		if s.pos++; s.text[s.pos-1] == '\n' {
			s.line++
			s.bol = s.pos
		}
	}
	from := s.pos
	t := token{Place: srl.Place{Line: int32(s.line + 1), Col: int32(from - s.bol + 1)}}
	switch rest := s.text[from:]; {
	case rest == "":
	case strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "||"):
		s.pos += 2
	case strings.IndexByte(marks, rest[0]) >= 0:
		s.pos++
	default:
		for s.pos < len(s.text) && s.text[s.pos] > ' ' && strings.IndexByte(marks, s.text[s.pos]) < 0 {
			s.pos++
		}
	}
	t.text = s.text[from:s.pos]
	if len(t.text) > 1 && t.text[0] == '\\' {
		t.text, t.escaped = t.text[1:], true
	}
	return t
}

// String returns the token for a message.
func (t token) String() string {
	const longest = 40
	switch {
	case t.text == "":
		return "the end of the filter"
	case len(t.text) > longest:
		return strings.ToValidUTF8(t.text[:longest], "") + "..."
	}
	return t.text
}

// is reports whether the token is this word or mark.
func (t token) is(word string) bool { return !t.escaped && strings.EqualFold(t.text, word) }

// key returns the word as tables have it.
func (t token) key() string {
	if t.escaped {
		return ""
	}
	return strings.ToLower(t.text)
}
