package srl

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"rtfm/ruleset"
)

// kind is a kind of token. Punctuation marks of one octet are their own kind.
type kind uint8

const (
	kEOF          kind = iota
	kName              // identifier or keyword
	kValue             // number, address, mask
	kChar              // character constant with its apostrophes
	kString            // text with its quotation marks
	kAssign            // :=
	kEqual             // ==
	kAnd               // &&
	kOr                // ||
	kNot               // !
	kNotEqual          // !=
	kLess              // <
	kLessEqual         // <=
	kGreater           // >
	kGreaterEqual      // >=
	kRange             // ..
	kSemicolon         // \; which is a semicolon in a DEFINE's text
	kBad               // something that has been reported
	kStray             // likewise, and read over
)

// keyword is a reserved word, or none.
type keyword uint8

const (
	none keyword = iota
	kwAddress
	kwCall
	kwCount
	kwDefine
	kwElse
	kwEndcall
	kwEndsub
	kwExit
	kwIf
	kwIgnore
	kwNomatch
	kwReturn
	kwSave
	kwStore
	kwSubroutine
	kwVariable
)

var keywords = map[string]keyword{
	"address": kwAddress, "call": kwCall, "count": kwCount, "define": kwDefine,
	"else": kwElse, "endcall": kwEndcall, "endsub": kwEndsub, "exit": kwExit,
	"if": kwIf, "ignore": kwIgnore, "nomatch": kwNomatch, "return": kwReturn,
	"save": kwSave, "store": kwStore, "subroutine": kwSubroutine, "variable": kwVariable,
}

// longestKeyword is the length of the longest of them, SUBROUTINE.
const longestKeyword = 10

// keywordOf returns the keyword that a word is, whatever the case of its
// letters.
func keywordOf(text string) keyword {
	if len(text) > longestKeyword {
		return none
	}
	var lower [longestKeyword]byte
	for i := range len(text) {
		lower[i] = text[i] | 0x20 // which leaves digits as they are, and _ is in none
	}
	return keywords[string(lower[:len(text)])]
}

// nearKeyword returns the keyword from which a word differs by one letter:
// changed, missing, too many or swapped with its neighbour.
func nearKeyword(word string) (string, bool) {
	if len(word) > longest {
		return "", false
	}
	word = strings.ToLower(word)
	for k := range keywords {
		a, b := word, k
		for a != "" && b != "" && a[0] == b[0] {
			a, b = a[1:], b[1:]
		}
		for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
			a, b = a[:len(a)-1], b[:len(b)-1]
		}
		swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
		if len(a) <= 1 && len(b) <= 1 || swapped {
			return strings.ToUpper(k), true
		}
	}
	return "", false
}

// token is a token and where it stands.
type token struct {
	kind kind
	key  keyword // of a kName
	text string
	at   Place
}

// longest is the length up to which messages quote the text.
const longest = 40

func clip(s string) string {
	if len(s) > longest {
		return s[:longest] + "..."
	}
	return s
}

// String describes the token for a message.
func (t token) String() string {
	switch {
	case t.kind == kEOF:
		return "the end of the file"
	case t.key != none:
		return strings.ToUpper(t.text)
	case t.kind == kChar || t.kind == kString:
		return clip(t.text)
	}
	return `"` + clip(t.text) + `"`
}

// class is what an octet may be part of.
type class uint8

const (
	digit  class = 1 << iota
	letter       // a to z, of either case
	hex          // hexadecimal digit
	word         // identifiers and keywords
	fields       // values with fields
	colons       // IPv6 addresses
)

// classes holds the class of each octet.
var classes = classify()

func classify() (of [256]class) {
	for c := '0'; c <= '9'; c++ {
		of[c] = digit | hex | word | fields | colons
	}
	for c := 'a'; c <= 'z'; c++ {
		of[c] = letter | word | fields | colons
		if c <= 'f' {
			of[c] |= hex
		}
		of[c&^0x20] = of[c]
	}
	of['_'] = word | fields | colons
	of['.'] = fields | colons
	of['-'], of['!'] = fields, fields
	of[':'] = colons
	return of
}

// length returns of how many octets of a class s consists at its beginning.
func (in class) length(s string) int {
	n := 0
	for n < len(s) && classes[s[n]]&in != 0 {
		n++
	}
	return n
}

// scanner makes tokens of a text.
type scanner struct {
	text   string
	pos    int
	bol    int // where the line begins
	line   int32
	last   kind // of the token before
	strict bool
	in     *ruleset.Define // the file that is included, nil for the program itself
	report func(at Place, format string, args ...any)
}

func (s *scanner) place() Place {
	return Place{Line: s.line, Col: int32(s.pos - s.bol + 1), Def: s.in}
}

// blanks goes over white space and comments.
func (s *scanner) blanks() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case '\n':
			s.line++
			s.bol = s.pos + 1
			s.pos++
		case ' ', '\t', '\r', '\f', '\v':
			s.pos++
		case '#':
			if n := strings.IndexByte(s.text[s.pos:], '\n'); n >= 0 {
				s.pos += n
			} else {
				s.pos = len(s.text)
			}
		case '/':
			if !strings.HasPrefix(s.text[s.pos:], "/*") {
				return
			}
			s.comment()
		default:
			return
		}
	}
}

// comment goes over a comment in /* and */, which does not nest.
func (s *scanner) comment() {
	at := s.place()
	text := s.text[s.pos:]
	n := strings.Index(text[2:], "*/")
	if n < 0 {
		s.report(at, "expected */ to close this comment, found the end of the file")
		n = len(text) - 4
	} else if s.strict {
		s.report(at, notStrict, "/*", "comments begin with # and end with the line")
	}
	text = text[:n+4]
	if lines := strings.Count(text, "\n"); lines > 0 {
		s.line += int32(lines)
		s.bol = s.pos + strings.LastIndexByte(text, '\n') + 1
	}
	s.pos += len(text)
}

// next makes t the next token.
func (s *scanner) next(t *token) {
	t.kind = kStray
	for t.kind == kStray {
		s.blanks()
		t.at = s.place()
		from := s.pos
		t.kind = s.token()
		t.text = s.text[from:s.pos]
	}
	t.key = none
	if t.kind == kName {
		t.key = keywordOf(t.text)
	}
	s.last = t.kind
}

// token goes over one token and returns its kind.
func (s *scanner) token() kind {
	rest := s.text[s.pos:]
	if rest == "" {
		return kEOF
	}
	c := rest[0]
	is := classes[c]
	// What follows may be long: it is looked through only where it is taken, or
	// once after a token after which a value may come.
	value, wanted := is&digit != 0 || isHexPair(rest), (is&hex != 0 || c == ':') && s.wantsValue()
	if value || wanted {
		n := beforeRange(rest, fields.length(rest))
		if wanted && n < len(rest) && rest[n] == ':' {
			if n := lenIPv6(rest); n > 0 {
				s.pos += n
				return kValue
			}
		}
		if value {
			s.pos += n
			return kValue
		}
	}
	if is&letter != 0 {
		n := word.length(rest)
		if hyphened := hyphenedLen(rest, n); hyphened > n {
			s.pos += hyphened
			return kValue
		}
		s.pos += n
		return kName
	}
	switch c {
	case '/':
		if len(rest) > 1 && rest[1] == '/' {
			break
		}
		fallthrough
	case '(', ')', '{', '}', ',', ';':
		s.pos++
		return kind(c)
	case '[':
		s.report(s.place(), "lists stand in ( ), not in [ ]")
		s.pos++
		return '('
	case ']':
		s.pos++
		return ')'
	case '.':
		dots := len(rest) - len(strings.TrimLeft(rest, "."))
		if dots > 2 && (s.last == kValue || s.last == kChar) {
			s.report(s.place(), "a range has two dots")
		} else if dots != 2 {
			break
		}
		s.pos += dots
		return kRange
	case '\'':
		return s.quoted(rest, c, kChar, "character constant")
	case '"':
		return s.quoted(rest, c, kString, "text")
	}
	return s.mark(rest)
}

// mark goes over an operator, or what is no token.
func (s *scanner) mark(rest string) kind {
	at := s.place()
	for _, m := range marks {
		if strings.HasPrefix(rest, m.text) {
			s.pos += len(m.text)
			if m.instead != "" {
				s.report(at, "SRL has no %s: %s", m.text, m.instead)
			}
			return m.kind
		}
	}
	_, n := utf8.DecodeRuneInString(rest)
	run := 0
	for strings.HasPrefix(rest[run:], rest[:n]) {
		run += n
	}
	s.pos += run
	instead := ""
	if rest[0] == '*' {
		instead = ": networks have a width, as 10.1/16"
	}
	s.report(at, "%s is no part of SRL%s", strconv.Quote(clip(rest[:run])), instead)
	return kStray
}

// hyphenedLen returns the length of the name of a value, such as echo-reply, whose
// first word is n long: a letter follows each hyphen.
func hyphenedLen(s string, n int) int {
	for n+1 < len(s) && s[n] == '-' && classes[s[n+1]]&letter != 0 {
		n += 1 + word.length(s[n+1:])
	}
	return n
}

// marks are the operators, and those of other languages with what SRL has
// instead. None begins with one in front of it.
var marks = [...]struct {
	text    string
	kind    kind
	instead string
}{
	{"===", kBad, "write =="}, {":=", kAssign, ""}, {"==", kEqual, ""}, {"&&", kAnd, ""}, {"||", kOr, ""}, {`\;`, kSemicolon, ""},
	{"!=", kNotEqual, ""}, {"<=", kLessEqual, ""}, {">=", kGreaterEqual, ""},
	{"<>", kBad, "write !="}, {"=<", kBad, "write <="}, {"=>", kBad, "write >="}, {"|", kBad, "|| is its logical OR"},
	{"*/", kStray, "no comment is open here"},
	{"//", kBad, "comments begin with #, or stand between /* and */"},
	{":", ':', ""}, {"=", '=', ""}, {"&", '&', ""}, {"!", kNot, ""}, {"<", kLess, ""}, {">", kGreater, ""},
}

// foreignWords are words of other languages, in lower case.
var foreignWords = map[string]string{
	"then": "the statement stands behind the expression", "elseif": "write ELSE IF", "elsif": "write ELSE IF", "elif": "write ELSE IF",
	"in":     "write == and a list in parentheses",
	"import": `write INCLUDE "file";`,
	"let":    "write DEFINE, or STORE for a variable", "var": "write DEFINE, or STORE for a variable",
	"print": "COUNT counts in the flow of what was SAVEd, and FORMAT tells what is shown of it",
	"end":   "subroutines end with ENDSUB, CALLs with ENDCALL, and statements are grouped by { and }",
	"endif": "an IF has one statement; several are grouped by { and }", "while": "it has no loops", "for": "it has no loops",
	"goto": "EXIT leaves a labelled statement", "break": "EXIT leaves a labelled statement",
}

// wantsValue reports whether an IPv6 address may follow the last token. Where
// it cannot, `1:2:count` is two return labels and a statement.
func (s *scanner) wantsValue() bool {
	switch s.last {
	case kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kRange, kAssign, '=', '(', ',', '&':
		return true
	}
	return false
}

// lenIPv6 returns the length of what looks like an IPv6 address, which has two
// colons, 0 when nothing does.
func lenIPv6(s string) int {
	n := beforeRange(s, colons.length(s))
	if strings.Count(s[:n], ":") < 2 {
		return 0
	}
	return n
}

// beforeRange returns how many of n octets are in front of the dots of a range,
// which are no part of a value.
func beforeRange(s string, n int) int {
	if i := strings.Index(s[:n], ".."); i >= 0 {
		return i
	}
	return n
}

// isHexPair reports whether s begins with a hexadecimal field that begins with
// a letter, such as FF-00.
func isHexPair(s string) bool {
	n := hex.length(s[:min(len(s), 3)])
	return n > 0 && n <= 2 && n < len(s) && s[n] == '-'
}

// quoted goes over a text between two marks on one line, where a backslash
// keeps the next octet from closing it. Without its end, it is the rest of the
// line.
func (s *scanner) quoted(rest string, mark byte, k kind, what string) kind {
	for i := 1; i < len(rest) && rest[i] != '\n'; i++ {
		switch rest[i] {
		case '\\':
			i++
		case mark:
			s.pos += i + 1
			return k
		}
	}
	s.report(s.place(), "expected %c to close this %s on its line", mark, what)
	if n := strings.IndexByte(rest, '\n'); n >= 0 {
		s.pos += n
	} else {
		s.pos = len(s.text)
	}
	return kBad
}
