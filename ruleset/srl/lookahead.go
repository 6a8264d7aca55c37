package srl

import "strconv"

// next goes over the current token and returns it, valid until next is called
// once more.
func (p *parser) next() *token {
	t := p.tok
	p.taken++
	p.tok = p.ahead
	if p.ahead.kind != kEOF {
		p.ahead = &p.room[p.taken%len(p.room)]
		p.in.next(p.ahead)
	}
	return t
}

// restart reads the tokens that the expander has now.
func (p *parser) restart() {
	p.tok, p.ahead = new(token), new(token)
	p.in.next(p.tok)
	*p.ahead = *p.tok
	if p.tok.kind != kEOF {
		p.in.next(p.ahead)
	}
}

// take goes over the current token if it is of this kind.
func (p *parser) take(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.next()
	return true
}

func (p *parser) takeKey(k keyword) bool {
	if p.tok.key != k {
		return false
	}
	p.next()
	return true
}

// want goes over a token of this kind or reports that it is missing.
func (p *parser) want(k kind, where string) bool {
	if p.take(k) {
		return true
	}
	p.expected("%c %s", k, where)
	return false
}

// end wants the semicolon of a statement.
func (p *parser) end(behind string) {
	if !p.want(';', "behind "+behind) {
		p.resume()
	}
}

// name reads an identifier that is no keyword.
func (p *parser) name(what string) (Word, bool) {
	if p.tok.kind != kName || p.tok.key != none {
		if p.tok.key != none {
			what += " (keywords cannot be names)"
		}
		p.expected("%s", what)
		return Word{}, false
	}
	t := p.next()
	return Word{t.at, t.text}, true
}

// number reads a decimal number from first to last.
func (p *parser) number(what string, first, last int) (int, bool) {
	if p.tok.kind == kValue {
		n, err := strconv.Atoi(p.tok.text)
		if err == nil && n >= first && n <= last {
			p.next()
			return n, true
		}
	}
	p.expected("%s from %d to %d", what, first, last)
	return 0, false
}
