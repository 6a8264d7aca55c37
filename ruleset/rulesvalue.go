package ruleset

import (
	"fmt"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/spell"
)

// valueText reads the text of a mask or value. A colon may be part of an IPv6
// address as well as end the value; in the latter case it is read too, and
// colon is true.
func (p *rulesParser) valueText() (text string, colon bool) {
	start := p.pos
	if p.pos < len(p.text) && p.text[p.pos] == '\'' {
		return p.charText(), false
	}
	for p.pos < len(p.text) && (spell.IsWordByte(p.text[p.pos]) || strings.IndexByte(".-!:", p.text[p.pos]) >= 0) {
		p.pos++
	}
	text = p.text[start:p.pos]
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, false
	}
	head, tail := text[:i], text[i+1:]
	if _, isOp := opcode(tail); !isOp && tail != "" {
		return text, false
	}
	if tail == "" && strings.HasSuffix(head, ":") {
		if _, err := attr.ParseValue(text, 0); err == nil {
			return text, false // an address that ends in `::`
		}
	}
	p.pos = start + i + 1
	return head, true
}

// charText reads a character constant with its apostrophes.
func (p *rulesParser) charText() string {
	start := p.pos
	for p.pos++; p.pos < len(p.text) && p.text[p.pos] != '\n'; p.pos++ {
		switch p.text[p.pos] {
		case '\\':
			if p.pos+1 < len(p.text) {
				p.pos++
			}
		case '\'':
			p.pos++
			return p.text[start:p.pos]
		}
	}
	return p.text[start:p.pos]
}

// values sets the rule's mask and value from their texts.
func (p *rulesParser) values(r *Rule, mask string, maskAt int, value string, valueAt int) {
	in := r.Attr.Info()
	size := in.Size
	if in.Variable {
		size = 0
	}
	m, err := lengthen(r.Attr, mask, size)
	if err != nil {
		p.errorf(maskAt, "mask: %v", err)
		return
	}
	if v, ok := attr.ValueName(r.Attr, value); ok {
		if in.Class == attr.ClassVariable {
			p.namedAt = valueAt
		}
		r.Mask, r.Value = m, v
		return
	}
	if known := attr.ValueNames(r.Attr); len(known) > 0 && spell.WordLen(value) == len(value) {
		p.errorf(valueAt, "%s", spell.Unknown("value of "+in.Name, value, known))
		return
	}
	if in.Variable {
		size = m.Len()
	}
	v, err := lengthen(r.Attr, value, size)
	if err != nil {
		p.errorf(valueAt, "value: %v", err)
		return
	}
	r.Mask, r.Value = fitBoth(r.Attr, m, v)
}

// lengthen reads a mask or value. A single number fills size octets; when
// that is 0 because addresses have various lengths, only zero makes sense,
// and has no octets.
func lengthen(a attr.Attr, text string, size int) (attr.Value, error) {
	in := a.Info()
	if in.Attr.IsMeasure() {
		return a.ParseMeasure(text)
	}
	v, err := attr.ParseValue(text, size)
	if err != nil {
		return v, err
	}
	if size == 0 && strings.Trim(text, "0123456789") == "" {
		if v.Zero() {
			return attr.Value{}, nil
		}
		if in.Class == attr.ClassAddress {
			return v, fmt.Errorf("%w: %q: addresses of %s have no fixed length; give each octet, as 10.0.0.0", attr.ErrValue, text, a)
		}
	}
	v, ok := v.Fit(a)
	if !ok {
		return v, fmt.Errorf("%w: %q: more than the %d octets of %s", attr.ErrValue, text, in.Size, a)
	}
	return v, nil
}

// fitBoth gives mask and value of an attribute without fixed length the
// longer one's length.
func fitBoth(a attr.Attr, m, v attr.Value) (attr.Value, attr.Value) {
	if in := a.Info(); !in.Variable {
		return m, v
	}
	n := max(m.Len(), v.Len())
	return m.Resize(n), v.Resize(n)
}
