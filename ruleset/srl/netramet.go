package srl

import "strings"

// addition reports what is wrong with one of NeTraMet's statements by its
// place or its being there at all.
func (p *parser) addition(at Place, name string, before Stmt) bool {
	switch {
	case p.prog.Strict:
		p.report(at, "%s is not in RFC 2723 (--strict)", name)
	case p.nesting > 1 || p.sub != nil:
		p.report(at, "%s cannot stand inside another statement", name)
	case before != nil:
		b := before.At()
		p.report(at, "%s is already given at %d:%d", name, b.Line, b.Col)
	default:
		return true
	}
	return false
}

func (p *parser) set(at Place) Stmt {
	n, ok := p.number("the ruleset's number behind SET,", 255)
	if !ok {
		p.resume()
		return nil
	}
	p.end("SET")
	var before Stmt
	if p.prog.Set != nil {
		before = p.prog.Set
	}
	if p.addition(at, "SET", before) {
		p.prog.Set = &Set{at, n}
	}
	return nil
}

func (p *parser) format(at Place) Stmt {
	f := &Format{Place: at}
	for p.tok.kind == kString || p.tok.kind == kName && p.tok.key == none {
		t := p.next()
		f.Items = append(f.Items, Word{t.at, t.text})
	}
	if len(f.Items) == 0 {
		p.expected("attributes behind FORMAT")
		p.resume()
		return nil
	}
	if p.tok.kind != ';' {
		p.expected("an attribute, a separator in quotation marks or ; in FORMAT")
		p.resume()
	} else {
		p.next()
	}
	var before Stmt
	if p.prog.Format != nil {
		before = p.prog.Format
	}
	if p.addition(at, "FORMAT", before) {
		p.prog.Format = f
	}
	return nil
}

func (p *parser) statistics(at Place) Stmt {
	p.end("STATISTICS")
	var before Stmt
	if p.prog.Statistics != nil {
		before = p.prog.Statistics
	}
	if p.addition(at, "STATISTICS", before) {
		p.prog.Statistics = &Statistics{at}
	}
	return nil
}

// nearKeyword returns the keyword from which a word differs by one letter:
// changed, missing, too many or changed over with its neighbour.
func nearKeyword(word string) (string, bool) {
	if len(word) > longest {
		return "", false
	}
	word = strings.ToLower(word)
	for k := range keywords {
		a, b := word, k
		for a != "" && b != "" && a[0] == b[0] {
			a, b = a[1:], b[1:]
		}
		for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
			a, b = a[:len(a)-1], b[:len(b)-1]
		}
		swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
		if len(a) <= 1 && len(b) <= 1 || swapped {
			return strings.ToUpper(k), true
		}
	}
	return "", false
}
