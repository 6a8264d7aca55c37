package srl

// addition reports whether one of NeTraMet's statements may stand here, once in
// a program, and reports it if not.
func (p *parser) addition(at Place, name string) bool {
	before, again := p.given[name]
	switch {
	case p.prog.Strict:
		p.report(at, "%s is not in RFC 2723 (--strict)", name)
	case p.nesting > 1 || p.sub != nil:
		p.report(at, "%s cannot stand inside another statement", name)
	case again:
		p.report(at, "%s is already given at %s", name, before.Where())
	default:
		p.given[name] = at
		return true
	}
	return false
}

func (p *parser) set(at Place) {
	n, ok := p.number("the ruleset's number behind SET,", 1, 255)
	if !ok {
		p.resume()
		return
	}
	p.end("SET")
	if p.addition(at, "SET") {
		p.prog.Set = &Set{at, n}
	}
}

func (p *parser) format(at Place) {
	f := &Format{Place: at}
	for p.tok.kind == kString || p.tok.kind == kName && p.tok.key == none {
		t := p.next()
		f.Items = append(f.Items, Word{t.at, t.text})
	}
	if len(f.Items) == 0 {
		p.expected("attributes behind FORMAT")
		p.resume()
		return
	}
	if !p.take(';') {
		p.expected("an attribute, a separator in quotation marks or ; in FORMAT")
		p.resume()
	}
	if p.addition(at, "FORMAT") {
		p.prog.Format = f
	}
}

func (p *parser) statistics(at Place) {
	p.end("STATISTICS")
	if p.addition(at, "STATISTICS") {
		p.prog.Statistics = &Statistics{at}
	}
}
