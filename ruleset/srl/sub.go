package srl

import "strings"

// subroutine reads the declaration of a subroutine into the program.
func (p *parser) subroutine() {
	at := p.tok.at
	if p.sub != nil || p.nesting > 1 {
		p.fault("a SUBROUTINE cannot stand inside another statement; is a } or ENDSUB missing?")
	}
	p.next()
	sub := &Subroutine{Place: at}
	name, ok := p.name("the subroutine's name")
	sub.Name = name
	if ok {
		ok = p.params(sub)
	}
	if !ok {
		for !p.begins() && !p.closes() && p.tok.kind != ')' && p.tok.kind != ';' {
			p.next()
		}
		p.take(')')
	}
	if name.Text != "" {
		key := strings.ToLower(name.Text)
		if before := p.subs[key]; before != nil {
			p.report(name.Place, "subroutine %s is already declared at %s", clip(name.Text), before.Where())
		} else {
			p.subs[key] = sub
			p.prog.Subs = append(p.prog.Subs, sub)
		}
	}
	outer, labels, open := p.sub, p.labels, p.open
	p.sub, p.labels, p.open = sub, map[string]Place{}, nil
	if p.tok.key == kwEndsub {
		p.fault("expected a statement, found ENDSUB; an empty statement is ;")
	}
	sub.Stmts = p.stmts(func() bool { return p.tok.key == kwEndsub || p.tok.key == kwSubroutine || p.tok.kind == kEOF })
	p.sub, p.labels, p.open = outer, labels, open
	if !p.takeKey(kwEndsub) {
		sub.Open = true
		p.expected("ENDSUB for the SUBROUTINE %s at %s", clip(name.Text), at.Where())
		return
	}
	p.end("ENDSUB")
}

// params reads a subroutine's parameters with their parentheses.
func (p *parser) params(sub *Subroutine) bool {
	if !p.want('(', "behind the subroutine's name") {
		return false
	}
	if p.take(')') {
		return true
	}
	for {
		par := Param{Variable: p.tok.key == kwVariable}
		switch {
		case par.Variable, p.tok.key == kwAddress:
			p.next()
		case p.tok.kind == kName && p.tok.key == none && (p.ahead.kind == ',' || p.ahead.kind == ')'):
			p.expected("ADDRESS or VARIABLE in front of a parameter") // the former is more usual
		default:
			p.expected("ADDRESS or VARIABLE in front of a parameter")
			return false
		}
		var ok bool
		if par.Name, ok = p.name("the parameter's name"); !ok {
			return false
		}
		for _, other := range sub.Params {
			if strings.EqualFold(other.Name.Text, par.Name.Text) {
				p.report(par.Name.Place, "parameter %s is already declared", clip(par.Name.Text))
			}
		}
		if len(sub.Params) == maxParams {
			p.fault("more than %d parameters", maxParams)
			return false
		}
		sub.Params = append(sub.Params, par)
		if p.take(')') {
			return true
		}
		if !p.take(',') {
			p.expected(", or ) behind the parameter %s", clip(par.Name.Text))
			return false
		}
	}
}

// maxParams bounds the parameters of one subroutine, far beyond the number of
// attributes there are to pass.
const maxParams = 100

func (p *parser) call() Stmt {
	c := &Call{Place: p.next().at}
	var ok bool
	if c.Sub, ok = p.name("a subroutine's name behind CALL"); ok {
		ok = p.args(c)
	}
	if !ok {
		for !p.begins() && !p.closes() && p.tok.kind != ')' && p.tok.kind != ';' {
			p.next()
		}
		p.take(')')
	}
	seen := map[int]Place{}
	for p.tok.key != kwEndcall {
		if p.tok.kind != kValue || p.ahead.kind != ':' {
			p.expected("a return label such as 1: or ENDCALL for the CALL at %s", c.Where())
			if !p.begins() && !p.closes() && p.tok.kind == ';' {
				p.next()
			}
			break
		}
		c.Returns = append(c.Returns, p.returned(seen))
	}
	if p.takeKey(kwEndcall) {
		p.end("ENDCALL")
	}
	if !ok {
		return nil
	}
	return c
}

// args reads a call's parameters with their parentheses.
func (p *parser) args(c *Call) bool {
	if !p.want('(', "behind the subroutine's name") {
		return false
	}
	if p.take(')') {
		return true
	}
	for {
		a, ok := p.name("an attribute as parameter")
		if !ok {
			return false
		}
		if len(c.Args) == maxParams {
			p.fault("more than %d parameters", maxParams)
			return false
		}
		c.Args = append(c.Args, a)
		if p.take(')') {
			return true
		}
		if !p.take(',') {
			p.expected(", or ) behind the parameter %s", clip(a.Text))
			return false
		}
	}
}

// returned reads return labels and their statement.
func (p *parser) returned(seen map[int]Place) Return {
	var r Return
	for p.tok.kind == kValue && p.ahead.kind == ':' {
		at := p.tok.at
		n, ok := p.number("a return label", 0, maxLabel)
		if !ok {
			p.next()
		}
		p.next()
		if before, dup := seen[n]; dup && ok {
			p.report(at, "return label %d is already used at %s", n, before.Where())
			continue
		}
		seen[n] = at
		if ok {
			r.Labels = append(r.Labels, Label{at, n})
		}
	}
	if p.closes() {
		p.expected("a statement behind the return label")
		return r
	}
	r.Stmt = p.stmt()
	return r
}

func (p *parser) back() Stmt {
	s := &Back{Place: p.tok.at}
	if p.sub == nil {
		p.fault("RETURN stands in a SUBROUTINE only")
	}
	p.next()
	ok := true
	if p.tok.kind != ';' {
		s.Labelled = true
		s.N, ok = p.number("a return label or ; behind RETURN, a number", 0, maxLabel)
	}
	if ok {
		p.end("RETURN")
	} else {
		p.resume()
	}
	if p.sub == nil {
		return nil
	}
	return s
}
