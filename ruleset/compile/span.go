package compile

import (
	"encoding/binary"
	"math/bits"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/srl"
)

// wide is a number of up to 128 bits.
type wide struct{ high, low uint64 }

func (w wide) less(v wide) bool {
	return w.high < v.high || w.high == v.high && w.low < v.low
}

// ones returns the number whose lowest n bits are set.
func ones(n int) wide {
	if n > 64 {
		return wide{1<<(n-64) - 1, 1<<64 - 1}
	}
	return wide{0, 1<<n - 1}
}

func (w wide) or(v wide) wide { return wide{w.high | v.high, w.low | v.low} }

func (w wide) next() wide {
	low, carry := bits.Add64(w.low, 1, 0)
	return wide{w.high + carry, low}
}

func (w wide) previous() wide {
	low, borrow := bits.Sub64(w.low, 1, 0)
	return wide{w.high - borrow, low}
}

// zeros returns how many of the lowest bits are not set.
func (w wide) zeros() int {
	if w.low == 0 {
		return 64 + bits.TrailingZeros64(w.high)
	}
	return bits.TrailingZeros64(w.low)
}

// wideOf returns the number that a value of up to 16 octets is.
func wideOf(v attr.Value) wide {
	var b [16]byte
	octets := v.Append(nil)
	copy(b[16-len(octets):], octets)
	return wide{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}

// value returns the number as n octets.
func (w wide) value(n int) attr.Value {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], w.high)
	binary.BigEndian.PutUint64(b[8:], w.low)
	return attr.MakeValue(b[16-n:]...)
}

// span is a range of numbers in the leading octets of an attribute, which
// is empty if first is greater than last.
type span struct {
	first, last wide
	greatest    wide // that the octets can have
	octets      int
}

// prefixes calls use for each prefix of the fewest that the span takes, from the
// first number on, until it returns false. A prefix is its first number and
// how many bits follow it.
func (s span) prefixes(use func(at wide, free int) bool) {
	for at := s.first; !s.last.less(at); {
		free := min(at.zeros(), 8*s.octets)
		for s.last.less(at.or(ones(free))) {
			free--
		}
		end := at.or(ones(free))
		if !use(at, free) || end == s.last { // which may be the greatest number there is
			return
		}
		at = end.next()
	}
}

// count returns how many prefixes the span takes.
func (s span) count() (n int) {
	s.prefixes(func(wide, int) bool { n++; return true })
	return n
}

// outside returns the numbers below and above the span.
func (s span) outside() (out []span) {
	if s.first != (wide{}) {
		below := s
		below.first, below.last = wide{}, s.first.previous()
		out = append(out, below)
	}
	if s.last.less(s.greatest) {
		above := s
		above.first, above.last = s.last.next(), s.greatest
		out = append(out, above)
	}
	return out
}

// spans reads an operand that is a range or stands behind an operator of order:
// the numbers for which the test is true, unless inverted is set. Of one
// range alone it is those for which it is false if they take fewer rules.
func (c *compiler) spans(ref reference, e *srl.Test, o *srl.Operand) (list []span, inverted, ok bool) {
	s, ok := c.span(ref, e, o)
	if !ok || ref.any {
		return nil, false, false
	}
	if len(e.Operands) > 1 || e.Table != nil {
		return []span{s}, false, true
	}
	if s.last.less(s.first) {
		return nil, false, true
	}
	out := s.outside()
	n := 0
	for _, s := range out {
		n += s.count()
	}
	if n < s.count() {
		return out, true, true
	}
	return []span{s}, false, true
}

// span reads what spans does, without looking for what is shorter.
func (c *compiler) span(ref reference, e *srl.Test, o *srl.Operand) (span, bool) {
	if c.noRange(ref, o) {
		return span{}, false
	}
	address := !ref.any && (ref.attr.IsPeer() || ref.attr.IsAdjacent())
	switch {
	case ref.any: // of what size is not known
	case address && o.To.Text == "":
		c.errorf(e.Place, "%s is no number: it is compared by == with networks and ranges, not by %s", ref, e.Op)
		return span{}, false
	case !address && !isNumber(ref.attr):
		c.errorf(e.Place, "%s is no number: it is compared by == and != only", ref)
		return span{}, false
	}
	first, ok := c.end(ref, &o.Value, address)
	if !ok {
		return span{}, false
	}
	size := first.Len()
	s := span{first: wideOf(first), octets: size, greatest: ones(8 * size)}
	if !address && !ref.any {
		s.greatest = ones(ref.attr.Bits())
	}
	s.last = s.first
	switch {
	case o.To.Text != "":
		return c.upTo(ref, s, o, address)
	case ref.any:
		return s, true
	}
	s.order(e.Op)
	switch {
	case s.last.less(s.first):
		c.warnf(e.Place, NeverInOrder, "this can never hold: no %s is %s %s", ref, e.Op, o.Value.Text)
	case s.first == wide{} && !s.last.less(s.greatest):
		c.warnf(e.Place, AlwaysInOrder, "this always holds: every %s is %s %s", ref, e.Op, o.Value.Text)
	}
	return s, true
}

// isNumber reports whether an attribute's values have an order.
func isNumber(a attr.Attr) bool {
	const longest = 8
	switch in := a.Info(); in.Class {
	case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
		return !in.Variable && in.Size <= longest
	}
	return a == attr.FlowRuleSet
}

// order makes the span of one number that of those which stand to it as op
// says.
func (s *span) order(op srl.Op) {
	n := s.first
	switch op {
	case srl.Less, srl.LessEqual:
		s.first = wide{}
	default:
		s.last = s.greatest
	}
	switch {
	case op == srl.Less && n == wide{}, op == srl.Greater && !n.less(s.greatest):
		s.first, s.last = wide{0, 1}, wide{}
	case op == srl.Less:
		s.last = n.previous()
	case op == srl.Greater:
		s.first = n.next()
	}
}

// upTo reads the last value of a range of which s is the first.
func (c *compiler) upTo(ref reference, s span, o *srl.Operand, address bool) (span, bool) {
	last, ok := c.end(ref, &o.To, address)
	if !ok {
		return s, false
	}
	s.last = wideOf(last)
	switch {
	case ref.any:
		s.last, s.octets = s.first, 0 // whatever it will be
	case last.Len() != s.octets:
		c.errorf(o.To.Place, "%s and %s are addresses of different lengths", o.Value.Text, o.To.Text)
		return s, false
	case s.last.less(s.first):
		c.errorf(o.Value.Place, "a range begins with its smaller value: write %s .. %s", o.To.Text, o.Value.Text)
		return s, false
	}
	return s, true
}

// end reads one of a range's values. That of an address has all of its octets,
// since 10 .. 11 might be meant to end with any address of 11/8.
func (c *compiler) end(ref reference, w *srl.Word, address bool) (attr.Value, bool) {
	if !address {
		v, ok := c.value(ref, w)
		return v, ok && c.suspect(ref, &srl.Operand{Value: *w}, v)
	}
	v, err := attr.ParseValue(w.Text, 0)
	if err != nil {
		c.errorf(w.Place, "%s: %v", ref, err)
		return v, false
	}
	whole := []int{4, 16}
	if ref.attr.IsAdjacent() {
		whole = []int{6}
	}
	for _, n := range whole {
		if v.Len() == n {
			return v, true
		}
	}
	c.errorf(w.Place, "%s is no whole address, which both ends of a range are", w.Text)
	return v, false
}
