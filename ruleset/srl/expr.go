package srl

import "strings"

// What RFC 2723 has instead of additions.
const (
	noNot     = "test for what is not wanted, and do the rest behind ELSE"
	noCompare = "compare with values and prefixes: 0/6 is the ports below 1024"
)

// added reports, to the strict, something that RFC 2723 does not have, and what
// it has instead.
func (p *parser) added(at Place, what, instead string) {
	if p.prog.Strict {
		p.report(at, notStrict, what, instead)
	}
}

const notStrict = "%s is not in RFC 2723 (--strict): %s"

// expr reads terms with || between them.
func (p *parser) expr() (Expr, bool) {
	at := p.tok.at
	first, ok := p.term()
	if !ok || !p.joins(kOr, "or", "||") {
		return first, ok
	}
	or := &Or{Place: at}
	for {
		if inner, is := first.(*Or); is && or.Terms == nil {
			or.Terms = inner.Terms
		} else if is {
			or.Terms = append(or.Terms, inner.Terms...)
		} else {
			or.Terms = append(or.Terms, first)
		}
		if !p.joins(kOr, "or", "||") {
			return or, true
		}
		p.next()
		if first, ok = p.term(); !ok {
			return nil, false
		}
	}
}

// term reads factors with && between them.
func (p *parser) term() (Expr, bool) {
	at := p.tok.at
	first, ok := p.factor()
	if !ok || !p.joins(kAnd, "and", "&&") {
		return first, ok
	}
	and := &And{Place: at}
	for {
		if inner, is := first.(*And); is && and.Factors == nil {
			and.Factors = inner.Factors
		} else if is {
			and.Factors = append(and.Factors, inner.Factors...)
		} else {
			and.Factors = append(and.Factors, first)
		}
		if !p.joins(kAnd, "and", "&&") {
			return and, true
		}
		p.next()
		if first, ok = p.factor(); !ok {
			return nil, false
		}
	}
}

// joins reports whether the current token is an operator between two tests, or
// the word for it.
func (p *parser) joins(operator kind, word, mark string) bool {
	if p.tok.kind == operator {
		return true
	}
	if !p.isWord(word) {
		return false
	}
	if p.prog.Strict {
		p.fault(notStrict, strings.ToUpper(word), "write "+mark)
	}
	return true
}

// isWord reports whether the current token is this word in front of a factor.
// In RFC 2723 no name in an expression has a name, a ( or a ! behind it.
func (p *parser) isWord(word string) bool {
	if p.tok.kind != kName || !strings.EqualFold(p.tok.text, word) {
		return false
	}
	return p.ahead.kind == kName && p.ahead.key == none || p.ahead.kind == '(' || p.ahead.kind == kNot
}

// not reads the negation of a factor.
func (p *parser) not() (Expr, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	t := p.next()
	p.added(t.at, strings.ToUpper(t.text), noNot)
	e := &Not{Place: t.at}
	var ok bool
	e.X, ok = p.factor()
	return e, ok
}

// factor reads a test, an expression in parentheses or the negation of one.
func (p *parser) factor() (Expr, bool) {
	if p.tok.kind == kNot || p.isWord("not") {
		return p.not()
	}
	if p.tok.kind == '(' {
		if !p.enter() {
			return nil, false
		}
		defer p.leave()
		at := p.next().at
		e, ok := p.expr()
		if !ok {
			return nil, false
		}
		if !p.take(')') {
			p.expected("&&, || or the ) for the ( at %s", at.Where())
			return nil, false
		}
		return e, true
	}
	t := &Test{Place: p.tok.at}
	var ok bool
	if p.valueFirst() {
		return nil, false
	}
	if t.Attr, ok = p.attribute("an attribute or ("); !ok {
		return nil, false
	}
	op, is := operators[p.tok.kind]
	if instead := foreignWords[strings.ToLower(t.Attr.Text)]; instead != "" && !is {
		p.report(t.Attr.Place, "SRL has no %s: %s", strings.ToUpper(t.Attr.Text), instead)
		return nil, false
	}
	if !is {
		p.noOperator(t.Attr)
		return nil, false
	}
	p.tested = t.Attr.Text
	t.Op = op
	at := p.next().at
	switch op {
	case Equal:
	case NotEqual:
		p.added(at, op.String(), noNot)
	default:
		p.added(at, op.String(), noCompare)
		value, ok := p.value("a value")
		if !ok {
			return nil, false
		}
		t.Operands = []Operand{{Value: value}}
		return t, p.alone(op)
	}
	if p.isTable() {
		if t.Table, ok = p.table(); ok {
			t.Operands = t.Table.Keys
		}
		return t, ok
	}
	ok = p.operands()
	t.Operands = p.list.take()
	return t, ok
}

// valueFirst reports a value where an attribute must stand.
func (p *parser) valueFirst() bool {
	if p.tok.kind != kValue && p.tok.kind != kChar {
		return false
	}
	_, compared := operators[p.ahead.kind]
	switch {
	case compared:
		p.fault("expected an attribute, found %s: it stands in front of what it is compared with", *p.tok)
	case p.tested != "":
		p.fault("expected an attribute or (, found %s: several values are a list, %s == (A, B)", *p.tok, clip(p.tested))
	default:
		return false
	}
	return true
}

// noOperator reports an attribute without a comparison behind it.
func (p *parser) noOperator(w Word) {
	hint := ""
	if is := shorthand[strings.ToLower(w.Text)]; is != "" {
		hint = "; did you mean " + is + "?"
	}
	if strings.EqualFold(p.tok.text, "in") {
		hint = ": write == and a list in parentheses"
	}
	p.fault("expected == behind the attribute %s, found %s%s", clip(w.Text), p.found(), hint)
}

// shorthand are words of tcpdump that are a test of their own there.
var shorthand = map[string]string{
	"tcp": "SourceTransType == tcp", "udp": "SourceTransType == udp", "icmp": "SourceTransType == icmp", "icmp6": "SourceTransType == icmp6",
	"ip": "SourcePeerType == ipv4", "ipv4": "SourcePeerType == ipv4", "ip6": "SourcePeerType == ipv6", "ipv6": "SourcePeerType == ipv6",
}

// operators are the tokens between an attribute and what it is compared with.
var operators = map[kind]Op{
	kEqual: Equal, kNotEqual: NotEqual, kLess: Less, kLessEqual: LessEqual, kGreater: Greater, kGreaterEqual: GreaterEqual,
}

// alone reports whether nothing follows the value behind an operator of order
// that could belong to it, which it reports.
func (p *parser) alone(op Op) bool {
	switch p.tok.kind {
	case '/', '&':
		p.fault("a value behind %s has no mask", op)
	case kRange:
		p.fault("a value behind %s is no range; write == for one", op)
	default:
		return true
	}
	return false
}

// attribute reads an attribute's name, or two words for it as in dst port: in RFC
// 2723 no name has a name behind it there.
func (p *parser) attribute(what string) (Word, bool) {
	w, ok := p.name(what)
	if !ok || p.tok.kind != kName || p.tok.key != none {
		return w, ok
	}
	switch strings.ToLower(w.Text) {
	case "src", "source", "dst", "dest", "destination":
		w.Text += " " + p.tok.text
		p.added(w.Place, w.Text, "attributes have names of one word, such as SourcePeerAddress")
		p.next()
	}
	return w, true
}

// maxOperands bounds a list: each operand becomes a rule, of which a ruleset
// has no more.
const maxOperands = 1 << 20

const pieceLen = 64

// gathered is a list of which it is not known yet how long it becomes, in pieces.
type gathered struct {
	pieces []*[pieceLen]Operand
	n      int
}

func (g *gathered) add(o *Operand) {
	at := g.n / pieceLen
	if at == len(g.pieces) {
		g.pieces = append(g.pieces, new([pieceLen]Operand))
	}
	g.pieces[at][g.n%pieceLen] = *o
	g.n++
}

// take empties the list and returns what it had.
func (g *gathered) take() []Operand {
	list := make([]Operand, 0, g.n)
	for _, piece := range g.pieces {
		list = append(list, piece[:min(len(piece), g.n-len(list))]...)
	}
	g.n = 0
	return list
}

// operands reads an operand, or a list of them in parentheses, into p.list.
// Lists may hold lists: RFC 2723's own example puts a DEFINE that is a list
// into one.
func (p *parser) operands() bool {
	if p.isTable() {
		p.fault("a table stands alone behind == or !=, not in a list")
		return false
	}
	if p.tok.kind != '(' {
		if p.list.n == maxOperands {
			p.fault("this list has more than %d values, the most that a ruleset has rules", maxOperands)
			return false
		}
		o, ok := p.operand()
		if ok {
			p.list.add(&o)
		}
		return ok
	}
	if !p.enter() {
		return false
	}
	defer p.leave()
	at := p.next().at
	for {
		if !p.operands() {
			return false
		}
		if p.take(')') {
			return true
		}
		if !p.take(',') {
			p.expected(", or the ) for the ( at %s", at.Where())
			return false
		}
	}
}

// operand reads a value and its mask, if there is one, or a range.
func (p *parser) operand() (o Operand, ok bool) {
	if o.Value, ok = p.value("a value"); !ok {
		return o, false
	}
	if p.tok.kind == ':' {
		instead := ""
		if o.Value.Text == "1" {
			instead = "; a Community ID stands in quotation marks"
		}
		p.fault("an IPv6 address has :: where zeros are left out, as 2001:db8::/32%s", instead)
		return o, false
	}
	if p.tok.kind != kRange {
		if ok = p.mask(&o); ok && p.tok.kind == kRange {
			p.fault("a range has no mask: write its first and its last address")
			ok = false
		}
		return o, ok
	}
	p.added(p.next().at, "a range", noCompare)
	if o.To, ok = p.value("a range's last value behind .."); ok && (p.tok.kind == '/' || p.tok.kind == '&') {
		p.fault("a range has no mask")
		ok = false
	}
	return o, ok
}

// mask reads a width or mask, if there is one.
func (p *parser) mask(o *Operand) (ok bool) {
	switch {
	case p.take('/'):
		o.Width = true
		if p.tok.kind == kValue {
			if n := digit.length(p.tok.text); n == len(p.tok.text) && n <= 3 {
				t := p.next()
				o.Mask = Word{t.at, t.text}
				return true
			}
		}
		hint := ""
		if p.tok.kind == kValue {
			hint = "; a mask has & in front of it"
		}
		p.fault("expected a width in bits behind /, found %s%s", p.found(), hint)
		return false
	case p.take('&'):
		if p.tok.kind == '/' {
			p.fault("expected a mask behind &, found /; a width has no & in front of it")
			return false
		}
		o.Mask, ok = p.value("a mask behind &")
		return ok
	}
	return true
}

// value reads a number, address, character constant or the name of a value.
func (p *parser) value(what string) (Word, bool) {
	switch {
	case p.tok.kind == kValue, p.tok.kind == kChar, p.tok.kind == kString && p.single:
		t := p.next()
		return Word{t.at, t.text}, true
	case p.tok.kind == kString:
		p.fault("values have no quotation marks, found %s", *p.tok)
		return Word{}, false
	case p.tok.kind == kNot, p.tok.kind == kName && strings.EqualFold(p.tok.text, "not") && p.ahead.kind == kValue:
		p.fault("expected %s, found %s: write != for not equal", what, *p.tok)
		return Word{}, false
	}
	return p.name(what)
}
