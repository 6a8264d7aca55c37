package poller

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
)

// plain are texts that YAML takes for such without quotes: OIDs, and words that are neither
// true nor false nor null in any of its versions.
var (
	plain    = regexp.MustCompile(`^(\d+(\.\d+){2,}|[A-Za-z][A-Za-z0-9_ .,()/]*[A-Za-z0-9_.()/])$`)
	notPlain = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|null)$`)
)

// writeYAML writes what encoding/json makes of a value as YAML, in the same order.
func writeYAML(w io.Writer, value any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return err
	}
	y := yamlWriter{bufio.NewWriter(w), json.NewDecoder(&text)}
	y.in.UseNumber()
	y.node(0, "")
	return y.out.Flush()
}

// yamlWriter turns the one into the other, token by token. They are encoding/json's own, so
// there is no error in them.
type yamlWriter struct {
	out *bufio.Writer
	in  *json.Decoder
}

// node writes the next value. It stands behind the colon of a name that is so far indented,
// the dash of an item, or nothing.
func (y yamlWriter) node(behind byte, indent string) {
	token, _ := y.in.Token()
	open, compound := token.(json.Delim)
	switch {
	case !compound:
		y.out.WriteString(" " + scalar(token) + "\n")
	case !y.in.More():
		end, _ := y.in.Token()
		y.out.WriteString(" " + open.String() + end.(json.Delim).String() + "\n")
	case open == '[':
		y.out.WriteString("\n")
		for y.in.More() {
			y.out.WriteString(indent + "-")
			y.node('-', indent)
		}
		y.in.Token()
	default:
		before := map[byte]string{'-': " ", ':': "\n" + indent + "  "}[behind]
		if behind != 0 {
			indent += "  "
		}
		for y.in.More() {
			name, _ := y.in.Token()
			y.out.WriteString(before + scalar(name) + ":")
			y.node(':', indent)
			before = indent
		}
		y.in.Token()
	}
}

// scalar returns how a text, number or truth is written. YAML has all quoted texts of JSON.
func scalar(token json.Token) string {
	if s, is := token.(string); is && plain.MatchString(s) && !notPlain.MatchString(s) {
		return s
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.Encode(token)
	return strings.TrimSuffix(text.String(), "\n")
}
