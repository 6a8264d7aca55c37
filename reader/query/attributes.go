package query

import (
	"encoding/binary"
	"strconv"
	"strings"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/spell"
	"rtfm/ruleset/srl"
)

// integers compiles the test of an attribute that is a number, or a port.
func (c *compiler) integers(t *srl.Test, a attr.Attr) predicate {
	in := a.Info()
	offset := in.Offset
	var get func(*Row) uint64
	switch in.Size {
	case 1:
		get = func(r *Row) uint64 { return uint64(r.Flow.Key[offset]) }
	case 2:
		get = func(r *Row) uint64 { return uint64(binary.BigEndian.Uint16(r.Flow.Key[offset:])) }
	default:
		get = func(r *Row) uint64 { return uint64(binary.BigEndian.Uint32(r.Flow.Key[offset:])) }
	}
	var list []interval
	var masked []predicate
	for i := range t.Operands {
		o := &t.Operands[i]
		first, ok := c.integer(a, &o.Value)
		if !ok {
			continue
		}
		switch {
		case o.To.Text != "":
			last, ok := c.integer(a, &o.To)
			if ok && last < first {
				c.fault(o.Value.Place, "this range ends before it begins")
			}
			list = append(list, interval{first, max(first, last)})
		case o.Mask.Text == "":
			list = append(list, above(t.Op, first)...)
		default:
			mask, ok := c.integerMask(a, o)
			switch rest := ^mask & (1<<(8*in.Size) - 1); {
			case !ok:
			case first&^mask != 0:
				c.fault(o.Value.Place, "this can never match: the value has bits outside of its mask")
			case rest&(rest+1) == 0:
				list = append(list, interval{first, first + rest})
			default:
				masked = append(masked, func(r *Row) bool { return get(r)&mask == first })
			}
		}
	}
	p := within(get, list)
	if len(masked) > 0 {
		p = anyOf(append(masked, p))
	}
	if t.Op == srl.NotEqual {
		return not(p)
	}
	return p
}

// integer reads a value of an attribute that is a number.
func (c *compiler) integer(a attr.Attr, w *srl.Word) (uint64, bool) {
	v, ok := c.value(a, w)
	if !ok {
		return 0, false
	}
	n := v.Uint()
	if b := a.Bits(); n>>b != 0 {
		c.fault(w.Place, "%s is more than the %d bits of %s hold: its greatest value is %d", w.Text, b, a, uint64(1)<<b-1)
		return 0, false
	}
	return n, true
}

// integerMask reads the mask of a number.
func (c *compiler) integerMask(a attr.Attr, o *srl.Operand) (uint64, bool) {
	m, ok := c.mask(a, o)
	return m.Resize(a.Info().Size).Uint(), ok
}

// value reads a value, or the name of one, as rules have it.
func (c *compiler) value(a attr.Attr, w *srl.Word) (attr.Value, bool) {
	text, in := w.Text, a.Info()
	if w.IsName() {
		v, ok := attr.ValueName(a, text)
		if !ok {
			c.fault(w.Place, "%s", spell.Unknown("value of "+a.String(), text, attr.ValueNames(a)))
		}
		return v, ok
	}
	if from, to, isRange := strings.Cut(text, "-"); isRange && !a.IsAdjacent() && !strings.Contains(to, "-") {
		c.fault(w.Place, "%s is no range: write %s..%s", text, from, to)
		return attr.Value{}, false
	}
	size := in.Size
	if in.Variable {
		size = 0
	}
	v, err := attr.ParseValue(text, size)
	if err != nil {
		c.fault(w.Place, "%s: %v", a, err)
		return v, false
	}
	fit, ok := v.Fit(a)
	if !ok || v.Len() > in.Size {
		c.fault(w.Place, "%s has %d octets, more than the %d of %s", text, v.Len(), in.Size, a)
		return v, false
	}
	return fit, true
}

// mask reads the mask of an operand, all ones without one.
func (c *compiler) mask(a attr.Attr, o *srl.Operand) (attr.Value, bool) {
	size := a.Info().Size
	switch {
	case o.Mask.Text == "":
		return attr.Ones(size), true
	case o.Width:
		w, err := strconv.Atoi(o.Mask.Text)
		if err != nil || w > 8*size {
			c.fault(o.Mask.Place, "/%s is wider than the %d bits of %s", o.Mask.Text, 8*size, a)
			return attr.Value{}, false
		}
		return attr.WidthMask(w, size), true
	case o.Mask.IsName():
		c.fault(o.Mask.Place, "expected a mask behind &, found %q", clip(o.Mask.Text))
		return attr.Value{}, false
	}
	return c.value(a, &o.Mask)
}
