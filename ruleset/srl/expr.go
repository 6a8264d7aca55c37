package srl

import "strings"

// expr reads terms with || between them.
func (p *parser) expr() (Expr, bool) {
	at := p.tok.at
	first, ok := p.term()
	if !ok || !p.joins(kOr, "or") {
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
		if !p.joins(kOr, "or") {
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
	if !ok || !p.joins(kAnd, "and") {
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
		if !p.joins(kAnd, "and") {
			return and, true
		}
		p.next()
		if first, ok = p.factor(); !ok {
			return nil, false
		}
	}
}

// joins reports whether the current token is an operator between two tests, or
// the word for it, which it reports.
func (p *parser) joins(operator kind, word string) bool {
	if p.tok.kind == operator {
		return true
	}
	if p.tok.kind != kName || p.ahead.kind != kName && p.ahead.kind != '(' || !strings.EqualFold(p.tok.text, word) {
		return false
	}
	p.fault("SRL has no %s: %s", strings.ToUpper(word), foreignWords[word])
	return true
}

// factor reads a test or an expression in parentheses.
func (p *parser) factor() (Expr, bool) {
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
			p.expected("&&, || or the ) for the ( at %d:%d", at.Line, at.Col)
			return nil, false
		}
		return e, true
	}
	t := &Test{Place: p.tok.at}
	var ok bool
	if t.Attr, ok = p.name("an attribute or ("); !ok {
		return nil, false
	}
	if instead := foreignWords[strings.ToLower(t.Attr.Text)]; instead != "" && p.tok.kind != kEqual {
		p.report(t.Attr.Place, "SRL has no %s: %s", strings.ToUpper(t.Attr.Text), instead)
		return nil, false
	}
	if !p.take(kEqual) {
		p.expected("== behind the attribute %s", clip(t.Attr.Text))
		return nil, false
	}
	ok = p.operands()
	t.Operands = p.list.take()
	return t, ok
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
			p.expected(", or the ) for the ( at %d:%d", at.Line, at.Col)
			return false
		}
	}
}

// operand reads a value and its mask, if there is one.
func (p *parser) operand() (o Operand, ok bool) {
	if o.Value, ok = p.value("a value"); !ok {
		return o, false
	}
	return o, p.mask(&o)
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
		p.expected("a width in bits behind /")
		return false
	case p.take('&'):
		o.Mask, ok = p.value("a mask behind &")
		return ok
	}
	return true
}

// value reads a number, address, character constant or the name of a value.
func (p *parser) value(what string) (Word, bool) {
	switch p.tok.kind {
	case kValue, kChar:
		t := p.next()
		return Word{t.at, t.text}, true
	}
	return p.name(what)
}
