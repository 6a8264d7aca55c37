package filter

import (
	"fmt"
	"slices"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/spell"
	"rtfm/ruleset/srl"
)

// maxNesting bounds how deep parentheses and negations nest.
const maxNesting = 200

// A parser reads tcpdump's words by recursive descent with two tokens of
// lookahead. The first fault ends it.
type parser struct {
	scanner
	tok, ahead token
	last       *qualifier // of the value read last, nil if what was there last has none
	nesting    int
	err        *wordsError
}

// wordsError is what is wrong with a filter in tcpdump's words.
type wordsError struct {
	ruleset.Diagnostic
	// refused is set for what tcpdump has, and meters have not.
	refused bool
}

// qualifier is the words before a value.
type qualifier struct {
	srl.Place
	proto string // "" if there is none
	dir   direction
	kind  string // host, net, port, portrange, proto
}

// direction says which end of a packet is asked of.
type direction uint8

const (
	eitherEnd direction = iota // src or dst
	sourceEnd
	destEnd
	bothEnds // src and dst
)

// parseWords reads a filter in tcpdump's words.
func parseWords(text string) (srl.Expr, *wordsError) {
	p := &parser{scanner: scanner{text: text}}
	p.tok, p.ahead = p.scanner.next(), p.scanner.next()
	n := p.expr()
	if p.err == nil && p.tok.text != "" {
		p.fault(p.tok, "expected and, or or the end of the filter, found %s%s", p.tok, p.meant(p.tok))
	}
	if p.err != nil {
		return nil, p.err
	}
	return n.tree(), nil
}

// next goes over the current token and returns it.
func (p *parser) next() token {
	t := p.tok
	p.tok, p.ahead = p.ahead, p.scanner.next()
	return t
}

// fault notes what is wrong at a token. The first fault holds.
func (p *parser) fault(at token, format string, args ...any) *node {
	if p.err == nil {
		p.err = &wordsError{Diagnostic: at.Diagnose(file, fmt.Sprintf(format, args...))}
	}
	return nil
}

// refuse notes that something of tcpdump's cannot be asked here.
func (p *parser) refuse(at token, format string, args ...any) *node {
	if p.err == nil {
		p.fault(at, format, args...)
		p.err.refused = true
	}
	return nil
}

// enter goes one level down; false if that is too deep.
func (p *parser) enter() bool {
	if p.nesting == maxNesting {
		p.fault(p.tok, "nested more than %d deep", maxNesting)
		return false
	}
	p.nesting++
	return true
}

// expr reads terms with and and or between them, which bind alike. It is nil
// after a fault.
func (p *parser) expr() *node {
	n := p.term()
	for p.err == nil {
		var op nodeOp
		switch {
		case p.tok.is("and"), p.tok.is("&&"):
			op = andOp
		case p.tok.is("or"), p.tok.is("||"):
			op = orOp
		default:
			return n
		}
		at := p.next()
		term := p.term()
		if p.err != nil {
			return nil
		}
		if op == andOp && n.tagged && term.tagged {
			return p.refuse(at, "vlan and vlan asks for the inner of two tags, which meters do not see: VLANid is that of the outer one")
		}
		n = join(op, n, term)
	}
	return nil
}

// term reads a primitive, a negation or what stands in parentheses.
func (p *parser) term() *node {
	if !p.enter() {
		return nil
	}
	defer func() { p.nesting-- }()
	switch t := p.tok; {
	case t.is("not"), t.is("!"):
		p.next()
		n := p.term()
		if p.err != nil {
			return nil
		}
		return &node{op: notOp, at: t.Place, kids: []*node{n}}
	case t.is("("):
		p.next()
		before := p.last
		n := p.expr()
		p.last = before
		if p.err == nil && !p.tok.is(")") {
			return p.fault(p.tok, "expected and, or or the ) for the ( at %d:%d, found %s%s", t.Line, t.Col, p.tok, p.meant(p.tok))
		}
		p.next()
		return n
	case p.isValue(t) && p.last != nil:
		return p.value(*p.last)
	}
	return p.primitive()
}

// isValue reports whether a token may be a value: it is no keyword and no mark.
func (p *parser) isValue(t token) bool {
	return t.text != "" && (t.escaped || strings.IndexByte(marks, t.text[0]) < 0 && t.text != "&&" && t.text != "||" && !isKeyword(t.key()))
}

// primitive reads one that begins with a word.
func (p *parser) primitive() *node {
	t := p.tok
	word := t.key()
	p.last = nil
	if p.ahead.is("[") && (isKeyword(word) || word == "icmp6" || word == "ether") {
		return p.refuse(t, "%s[...]: octets of headers cannot be tested, only attributes; \"rtfm srl attributes\" lists them", t)
	}
	if why := refused[word]; why != "" {
		return p.refuse(t, "%s cannot be asked of a meter: %s", t, why)
	}
	if word == "vlan" {
		return p.vlan()
	}
	q := qualifier{Place: t.Place}
	if protos[word] != nil || word == "ether" {
		p.next()
		if !p.qualifies(p.tok) {
			if word == "ether" {
				return p.fault(p.tok, "expected host, src, dst or proto behind ether, found %s", p.tok)
			}
			return leafOf(t.Place, head{kind: protoKind, proto: word})
		}
		q.proto = word
	}
	if !p.qualifies(p.tok) {
		return p.noPrimitive()
	}
	q.dir = p.direction()
	q.kind = "host"
	if k := p.tok.key(); slices.Contains(kinds, k) {
		q.kind = k
		p.next()
	} else if why := refused[k]; why != "" {
		return p.refuse(p.tok, "%s cannot be asked of a meter: %s", p.tok, why)
	}
	if !p.check(t, &q) {
		return nil
	}
	p.last = &q
	if p.tok.is("(") || p.tok.is("not") || p.tok.is("!") {
		return p.term()
	}
	if q.kind == "proto" && p.tok.text != "" && strings.IndexByte(marks, p.tok.text[0]) < 0 {
		return p.value(q)
	}
	if _, isPort := port(p.tok.text); !p.isValue(p.tok) && !(isPort && q.kind == "port") { // geneve and vxlan are words too
		return p.fault(p.tok, "expected %s behind %s, found %s", wanted[q.kind], q.kind, p.tok)
	}
	return p.value(q)
}

// noPrimitive reports a token with which no primitive begins.
func (p *parser) noPrimitive() *node {
	t := p.tok
	switch {
	case t.text == "":
		return p.fault(t, "expected a word such as host, port or tcp, found the end of the filter")
	case strings.ContainsAny(t.text, ".:") && t.text[0] != '.':
		return p.fault(t, "expected a word such as host, net or port before %s", t)
	}
	return p.fault(t, "expected a word such as host, port or tcp, found %s%s", t, p.meant(t))
}

// meant returns what was probably meant by a word that is none, for the end of a
// message.
func (p *parser) meant(t token) string {
	if word, ok := spell.Nearest(t.text, keywords); ok && !isKeyword(t.key()) {
		return "; did you mean " + word + "?"
	}
	return ""
}

// kinds are the words that say what a value is.
var kinds = []string{"host", "net", "port", "portrange", "proto"}

// wanted is what stands behind them.
var wanted = map[string]string{
	"host": "an address", "net": "a network", "port": "a port", "portrange": "ports such as 6000-6008", "proto": "a protocol",
}

// qualifies reports whether a value or a further word may follow this one.
func (p *parser) qualifies(t token) bool {
	k := t.key()
	return k == "src" || k == "dst" || slices.Contains(kinds, k) || k == "gateway" || k == "protochain" || k == "broadcast" || k == "multicast"
}

// direction reads src, dst, or both with or or and between them.
func (p *parser) direction() direction {
	first := p.tok.key()
	if first != "src" && first != "dst" {
		return eitherEnd
	}
	p.next()
	other := map[string]string{"src": "dst", "dst": "src"}[first]
	if between := p.tok.key(); p.ahead.is(other) && (between == "or" || between == "||" || between == "and" || between == "&&") {
		p.next()
		p.next()
		if between[0] == 'o' || between[0] == '|' {
			return eitherEnd
		}
		return bothEnds
	}
	if first == "src" {
		return sourceEnd
	}
	return destEnd
}

// check reports whether these words go together.
func (p *parser) check(at token, q *qualifier) bool {
	family := q.proto == "ip" || q.proto == "ip6"
	switch {
	case q.kind == "proto" && q.dir != eitherEnd:
		p.fault(at, "a packet has one protocol, none of src or dst")
	case q.proto == "":
	case q.kind == "proto" && (family || q.proto == "ether"):
	case q.kind == "proto":
		p.fault(at, "proto goes with ip, ip6 or ether, not with %s", q.proto)
	case q.proto == "ether" && q.kind != "host":
		p.fault(at, "ether goes with host, not with %s", q.kind)
	case (q.kind == "host" || q.kind == "net") && !family && q.proto != "ether":
		p.fault(at, "%s has ports, no addresses: write %s and %s ...", q.proto, q.proto, q.kind)
	case (q.kind == "port" || q.kind == "portrange") && !slices.Contains(portProtos, q.proto):
		p.fault(at, "%s has no ports of its own: write %s and %s ...", q.proto, q.proto, q.kind)
	}
	return p.err == nil
}
