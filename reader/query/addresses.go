package query

import (
	"encoding/binary"
	"strconv"
	"strings"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// words160 are the 20 octets of an address, zeros behind it, as numbers.
type words160 [3]uint64

// wordsAt returns the address at the beginning of 20 octets.
func wordsAt(octets []byte) words160 {
	return words160{
		binary.BigEndian.Uint64(octets), binary.BigEndian.Uint64(octets[8:]), uint64(binary.BigEndian.Uint32(octets[16:])) << 32,
	}
}

func wordsOf(v attr.Value) words160 {
	octets := v.Padded()
	return wordsAt(octets[:])
}

func (w words160) and(m words160) words160 { return words160{w[0] & m[0], w[1] & m[1], w[2] & m[2]} }

// less reports whether w comes before o.
func (w words160) less(o words160) bool {
	for i := range w {
		if w[i] != o[i] {
			return w[i] < o[i]
		}
	}
	return false
}

// maskedSet is addresses under a mask. length is that of the addresses in octets, 0 for
// any.
type maskedSet struct {
	length int
	mask   words160
	values map[words160]struct{}
}

// span160 is addresses of one length in an order: those of an op compared with the
// first, or from the first to the last if that is Equal.
type span160 struct {
	length      int
	op          srl.Op
	first, last words160
}

func (s *span160) holds(w words160) bool {
	switch s.op {
	case srl.Less:
		return w.less(s.first)
	case srl.LessEqual:
		return !s.first.less(w)
	case srl.Greater:
		return s.first.less(w)
	case srl.GreaterEqual:
		return !w.less(s.first)
	}
	return !w.less(s.first) && !s.last.less(w)
}

// addressTest is what an address is compared with.
type addressTest struct {
	attr   attr.Attr
	offset int
	ones   words160 // as many as the attribute has octets
	nets   []maskedSet
	spans  []span160
}

// match reports whether a flow's address is one of those that are wanted.
func (t *addressTest) match(r *Row) bool {
	key := r.Flow.Key[:]
	w := wordsAt(key[t.offset : t.offset+attr.MaxAddress]).and(t.ones)
	length := r.Flow.Shape.Len(t.attr)
	for i := range t.nets {
		if n := &t.nets[i]; n.length == 0 || n.length == length {
			if _, ok := n.values[w.and(n.mask)]; ok {
				return true
			}
		}
	}
	for i := range t.spans {
		if s := &t.spans[i]; (s.length == 0 || s.length == length) && s.holds(w) {
			return true
		}
	}
	return false
}

// add adds the addresses under a mask.
func (t *addressTest) add(length int, mask, value words160) {
	for i := range t.nets {
		if n := &t.nets[i]; n.length == length && n.mask == mask {
			n.values[value] = struct{}{}
			return
		}
	}
	t.nets = append(t.nets, maskedSet{length, mask, map[words160]struct{}{value: {}}})
}

// addresses compiles the test of an address.
func (c *compiler) addresses(t *srl.Test, a attr.Attr) predicate {
	in := a.Info()
	at := &addressTest{attr: a, offset: in.Offset, ones: wordsOf(attr.Ones(in.Size))}
	for i := range t.Operands {
		c.address(at, t.Op, &t.Operands[i])
	}
	if t.Op == srl.NotEqual {
		return not(at.match)
	}
	return at.match
}

// address adds an operand.
func (c *compiler) address(at *addressTest, op srl.Op, o *srl.Operand) {
	v, ok := c.value(at.attr, &o.Value)
	m, mok := c.mask(at.attr, o)
	if !ok || !mok || !c.sound(at.attr, o, v) {
		return
	}
	length, value := lengthOf(at.attr, o.Value.Text, v), wordsOf(v)
	switch {
	case o.To.Text != "":
		to, ok := c.value(at.attr, &o.To)
		if last := wordsOf(to); ok && lengthOf(at.attr, o.To.Text, to) == length && !last.less(value) {
			at.spans = append(at.spans, span160{length, srl.Equal, value, last})
		} else if ok {
			c.fault(o.Value.Place, "this range ends before it begins, or in addresses of another kind")
		}
	case op != srl.Equal && op != srl.NotEqual:
		at.spans = append(at.spans, span160{length: length, op: op, first: value})
	default:
		mask := wordsOf(m)
		if value.and(mask) != value {
			c.fault(o.Value.Place, "this can never match: the value has bits outside of its mask")
			return
		}
		if v.Zero() && o.Value.Text == "0" {
			length = 0 // what has no address
		}
		at.add(length, mask, value)
	}
}

// lengthOf returns the octets of the addresses that a value is one of, 0 if that may be
// any.
func lengthOf(a attr.Attr, text string, v attr.Value) int {
	switch n := v.Len(); {
	case !a.IsPeer():
		return 0
	case strings.Contains(text, ":"), n > 4 && n <= 16:
		return 16
	case n <= 4:
		return 4
	default:
		return n
	}
}

// sound reports operands of peer addresses that can hardly be meant.
func (c *compiler) sound(a attr.Attr, o *srl.Operand, v attr.Value) bool {
	text := o.Value.Text
	if !a.IsPeer() || strings.Contains(text, "!") {
		return true
	}
	length := lengthOf(a, text, v)
	if w, err := strconv.Atoi(o.Mask.Text); o.Width && err == nil && length > 0 && w > 8*length {
		c.fault(o.Mask.Place, "/%s is wider than the %d bits of %s", o.Mask.Text, 8*length, text)
		return false
	}
	if length == 4 && o.Mask.Text == "" && v.Len() < 4 && text != "0" {
		c.fault(o.Value.Place, "%s is the one address %s; a network has a width, as %[1]s/%[3]d", text, v.Resize(4), 8*v.Len())
		return false
	}
	return true
}
