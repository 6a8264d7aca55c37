package srl

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// Token is a token of a text as it stands there: no DEFINE is replaced, no file
// included.
type Token struct {
	Kind   TokenKind
	Offset int // of its first octet in the text
	Text   string
}

// End returns the offset behind the token.
func (t Token) End() int { return t.Offset + len(t.Text) }

// TokenKind is a kind of Token.
type TokenKind uint8

// The kinds of tokens.
const (
	Mark      TokenKind = iota // an operator or punctuation mark, or part of what is no token
	Name                       // an identifier
	Keyword                    // a reserved word, of any case
	Value                      // a number, address or mask
	Character                  // a character constant with its apostrophes
	Text                       // a text with its quotation marks
)

// Tokens goes through the tokens of a text, whatever is wrong with it. White
// space and comments stand between them, and octets that no token has.
func Tokens(text string) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		s := scanner{text: text, line: 1, report: reported}
		for {
			var t token
			s.next(&t)
			if t.kind == kEOF || !yield(Token{t.public(), s.pos - len(t.text), t.text}) {
				return
			}
		}
	}
}

// public returns the kind of a token for those outside the package.
func (t *token) public() TokenKind {
	switch {
	case t.key != none:
		return Keyword
	case t.kind == kName:
		return Name
	case t.kind == kValue:
		return Value
	case t.kind == kChar:
		return Character
	case t.kind == kString:
		return Text
	}
	return Mark
}

// Keywords returns the reserved words in capitals, in alphabetical order.
func Keywords() []string {
	list := slices.Sorted(maps.Keys(keywords))
	for i, k := range list {
		list[i] = strings.ToUpper(k)
	}
	return list
}
