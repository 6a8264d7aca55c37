package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

var errNotObject = errors.New("this is not a JSON object")

// Fields calls put with the name and the JSON text of each field of a row, an object. They
// are valid until put returns.
func Fields(object []byte, put func(name, text []byte) error) error {
	if !json.Valid(object) || len(object) == 0 || object[0] != '{' {
		return errNotObject
	}
	// From here on it is known to be well-formed.
	rest := object[1:]
	for len(rest) > 0 && rest[0] != '}' {
		if rest[0] != '"' {
			return errNotObject // spaces: not of ours
		}
		n := textLen(rest)
		name := rest[1 : n-1]
		if rest = rest[n:]; len(rest) == 0 || rest[0] != ':' {
			return errNotObject
		}
		rest = rest[1:]
		n = textLen(rest)
		if err := put(name, rest[:n]); err != nil {
			return err
		}
		if rest = rest[n:]; len(rest) > 0 && rest[0] == ',' {
			rest = rest[1:]
		}
	}
	if len(rest) != 1 {
		return errNotObject
	}
	return nil
}

// textLen returns how long the value is that well-formed JSON begins with.
func textLen(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			if quoted = !quoted; !quoted && depth == 0 {
				return i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case (c == '}' || c == ']') && depth > 0:
			if depth--; depth == 0 {
				return i + 1
			}
		case depth == 0 && (c == ',' || c == '}' || c == ']' || c == ' '):
			return i
		}
	}
	return len(text)
}

// Unquote returns what a JSON string says. It may be a part of text.
func Unquote(text []byte) []byte {
	if !bytes.ContainsRune(text, '\\') && utf8.Valid(text) {
		return text[1 : len(text)-1]
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return text // Fields lets no such text through
	}
	return []byte(s)
}
