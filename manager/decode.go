package manager

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"rtfm/mib/client"
	"rtfm/ruleset"
)

// Limits of configuration files.
const (
	maxConfig  = 8 << 20 // octets
	maxNesting = 50
)

// decoder reads the values of a YAML text and notes all that is wrong.
type decoder struct {
	file   string
	faults ruleset.Diagnostics
}

// parse returns the value of a YAML text, nil if it has none or is faulty.
func (d *decoder) parse(text []byte) ast.Node {
	if len(text) > maxConfig {
		d.errorAt(nil, "the file is larger than %d octets", maxConfig)
		return nil
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(text), "\ufeff")) // a byte order mark
	if !d.checkTokens(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0)
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax):
		d.errorAt(syntax.GetToken(), "%s", syntax.GetMessage())
		return nil
	case err != nil:
		d.errorAt(nil, "%v", err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			d.errorf(doc.Body, "a second document: the file can have one only")
			return nil
		default:
			body = doc.Body
		}
	}
	return body
}

// checkTokens refuses what the file does not need: nesting so deep that the
// parser would run out of stack, and what makes a short text stand for a long
// one.
func (d *decoder) checkTokens(tokens token.Tokens) bool {
	depth := 0
	lastLine, onLine := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if t.Position.Line != lastLine {
				lastLine, onLine = t.Position.Line, 0
			}
			onLine++
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType:
			d.errorAt(t, "%q: anchors, aliases, merge keys and tags are not used in this file", strings.TrimSpace(t.Origin))
			return false
		case token.InvalidType:
			d.errorAt(t, "%s", t.Error)
			return false
		}
		// A level of nesting in block style takes a column at least.
		if depth+onLine > maxNesting || depth == 0 && t.Type == token.SequenceEntryType && t.Position.Column > 1000 {
			d.errorAt(t, "too much on one line, or more than %d values within each other", maxNesting)
			return false
		}
	}
	return true
}

func (d *decoder) errorAt(t *token.Token, format string, args ...any) {
	line, col := 1, 1
	if t != nil && t.Position != nil {
		line, col = max(t.Position.Line, 1), max(t.Position.Column, 1)
	}
	d.faults = append(d.faults, ruleset.Diagnostic{File: d.file, Line: line, Col: col, Msg: fmt.Sprintf(format, args...)})
}

// errorf notes what is wrong with a value.
func (d *decoder) errorf(n ast.Node, format string, args ...any) {
	d.errorAt(begin(n), format, args...)
}

// begin returns the token with which a value begins.
func begin(n ast.Node) *token.Token {
	switch n := n.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return begin(n.Values[0])
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

// key is a key that a mapping may have, with what reads its value.
type key struct {
	name string
	read func(n ast.Node)
}

// mapping reads a mapping that has some of these keys. It returns where each
// of those that it has stands.
func (d *decoder) mapping(n ast.Node, what string, keys []key) map[string]ast.Node {
	seen := make(map[string]ast.Node)
	for _, v := range d.pairs(n, what) {
		name, ok := scalar(v.Key)
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
		switch {
		case !ok || i < 0:
			d.errorf(v.Key, "%s has no %q%s", what, name, didYouMean(name, keys))
		case seen[name] != nil:
			d.errorf(v.Key, "%q stands here twice", name)
		default:
			seen[name] = v.Key
			if v.Value.Type() == ast.NullType {
				d.errorf(v.Key, "%q has no value", name)
				continue
			}
			keys[i].read(v.Value)
		}
	}
	return seen
}

// pairs returns the keys and values of a mapping.
func (d *decoder) pairs(n ast.Node, what string) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	d.errorf(n, "%s has to be keys and their values", what)
	return nil
}

// list reads a list.
func (d *decoder) list(n ast.Node, what string, read func(n ast.Node)) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.errorf(n, "%s has to be a list", what)
		return
	}
	for _, v := range seq.Values {
		read(v)
	}
}

// scalar returns the text of a value that is neither a list nor a mapping.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// text returns a reader of a text.
func (d *decoder) text(to *string, check func(string) error) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := scalar(n)
		if !ok {
			d.errorf(n, "want a text here")
			return
		}
		if err := check(s); err != nil {
			d.errorf(n, "%v", err)
			return
		}
		*to = s
	}
}

// oneWord refuses a text that is empty, has blanks or control characters, or
// is longer than max octets.
func oneWord(max int) func(string) error {
	return func(s string) error {
		switch {
		case s == "":
			return errors.New("the text is empty")
		case len(s) > max:
			return fmt.Errorf("the text is longer than %d octets", max)
		case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }):
			return fmt.Errorf("%q: blanks and control characters cannot stand here", s)
		}
		return nil
	}
}

// oneOf returns a reader of one of several words; letters' case is ignored.
func (d *decoder) oneOf(to *string, words ...string) func(ast.Node) {
	return func(n ast.Node) {
		s, _ := scalar(n)
		for _, w := range words {
			if strings.EqualFold(s, w) {
				*to = w
				return
			}
		}
		d.errorf(n, "%q: want %s%s", s, strings.Join(words, ", "), client.Weak(s))
	}
}

// boolean returns a reader of true or false.
func (d *decoder) boolean(to *bool) func(ast.Node) {
	return func(n ast.Node) {
		b, ok := n.(*ast.BoolNode)
		if !ok {
			d.errorf(n, "want true or false")
			return
		}
		*to = b.Value
	}
}

// number returns a reader of a whole number from low to high.
func (d *decoder) number(to *int, low, high int) func(ast.Node) {
	return func(n ast.Node) {
		s, _ := scalar(n)
		i, err := strconv.Atoi(s)
		if err != nil || i < low || i > high {
			d.errorf(n, "%q: want a number from %d to %d", s, low, high)
			return
		}
		*to = i
	}
}

// numberFor is number for a setting that may be absent.
func (d *decoder) numberFor(to **int, low, high int) func(ast.Node) {
	return func(n ast.Node) {
		i := low - 1
		if d.number(&i, low, high)(n); i >= low {
			*to = &i
		}
	}
}

// duration returns a reader of a time from low to high: with units, as 1h30m,
// or in seconds.
func (d *decoder) duration(to *time.Duration, low, high time.Duration) func(ast.Node) {
	return func(n ast.Node) {
		s, _ := scalar(n)
		v, err := time.ParseDuration(s)
		if secs, e := strconv.ParseFloat(s, 64); e == nil && math.Abs(secs) < 1e9 {
			v, err = time.Duration(secs*float64(time.Second)), nil
		}
		if err != nil || v < low || v > high {
			d.errorf(n, "%q: want a time from %s to %s, as 90s or 5m", s, shortDuration(low), shortDuration(high))
			return
		}
		*to = v
	}
}

// shortDuration returns d without units that are zero.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// rows returns a reader of a range of row indexes.
func (d *decoder) rows(to *Range, low, high int) func(ast.Node) {
	return func(n ast.Node) {
		s, _ := scalar(n)
		from, upto, ok := strings.Cut(s, "-")
		if !ok {
			upto = from
		}
		first, err1 := strconv.Atoi(strings.TrimSpace(from))
		last, err2 := strconv.Atoi(strings.TrimSpace(upto))
		if err1 != nil || err2 != nil || first < low || last > high || first > last {
			d.errorf(n, "%q: want a range of rows, as 10-19, from %d to %d", s, low, high)
			return
		}
		*to = Range{first, last}
	}
}

// secret returns a reader of where a secret is to be found.
func (d *decoder) secret(to *Secret, path func(string) string) func(ast.Node) {
	return func(n ast.Node) {
		if _, ok := scalar(n); ok {
			d.errorf(n, "secrets are not written into this file: say {file: NAME} or {env: NAME}")
			return
		}
		from := func(load func(string) (Secret, error)) func(ast.Node) {
			return func(n ast.Node) {
				var name string
				if d.text(&name, oneWord(4096))(n); name == "" {
					return
				}
				s, err := load(name)
				if err != nil {
					d.errorf(n, "%v", err)
					return
				}
				*to = s
			}
		}
		seen := d.mapping(n, "a secret", []key{
			{"file", from(func(name string) (Secret, error) { return SecretFromFile(path(name)) })},
			{"env", from(SecretFromEnv)},
		})
		if len(seen) == 2 {
			d.errorf(n, "a secret comes from a file or from the environment, not from both")
		}
	}
}
