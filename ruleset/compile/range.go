package compile

import (
	"strconv"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/srl"
)

// isRange reports whether people write a value for a range of numbers or IPv4
// addresses, though to RFC 2723 the hyphen marks a hexadecimal octet. Numbers
// with leading zeros are none: they are octets, as in 00-16.
func isRange(text string) bool {
	first, second, found := strings.Cut(text, "-")
	if !found || strings.Contains(second, "-") {
		return false
	}
	from, addresses, ok1 := rangeEnd(first)
	to, alike, ok2 := rangeEnd(second)
	return ok1 && ok2 && addresses == alike && from < to
}

// rangeEnd reads a number without leading zeros or a whole IPv4 address.
func rangeEnd(text string) (n uint32, address, ok bool) {
	if strings.Count(text, ".") == 3 {
		v, err := attr.ParseValue(text, 0)
		return uint32(v.Uint()), true, err == nil && v.Len() == 4
	}
	u, err := strconv.ParseUint(text, 10, 32)
	return uint32(u), false, err == nil && (text == "0" || text[0] != '0')
}

// noRange reports a value that is meant for a range.
func (c *compiler) noRange(ref reference, o *srl.Operand) bool {
	text := o.Value.Text
	if c.prog.Strict || o.Mask.Text != "" || ref.any || ref.measure() || !isRange(text) {
		return false
	}
	first, last, _ := strings.Cut(text, "-")
	c.errorf(o.Value.Place, "%s is no range: the hyphen is for hexadecimal octets; a range is %s..%s", text, first, last)
	return true
}

// suspect warns of operands that compile to something else than was probably
// meant, and reports those that nothing can be meant by; false if so.
func (c *compiler) suspect(ref reference, o *srl.Operand, v attr.Value) bool {
	text := o.Value.Text
	if ref.any || o.Value.IsName() || text[0] == '\'' {
		return true
	}
	if b := ref.attr.Bits(); ref.class() == attr.ClassInteger && v.Uint()>>b != 0 {
		c.errorf(o.Value.Place, "%s is more than the %d bits of %s hold: its greatest value is %d", text, b, ref, 1<<b-1)
		return false
	}
	if !ref.attr.IsPeer() && !ref.attr.IsAdjacent() {
		return true
	}
	fields := 1 + strings.Count(text, ".") + strings.Count(text, "-") + strings.Count(text, "!")
	ipv6 := strings.Contains(text, ":")
	if o.Width && !c.prog.Strict {
		most := map[bool]int{true: 128}[ipv6]
		switch {
		case ref.attr.IsPeer() && strings.Count(text, ".") == 3 && fields == 4:
			most = 32
		case ref.attr.IsAdjacent() && strings.Count(text, "-") == 5 && fields == 6:
			most = 48
		}
		if w, err := strconv.Atoi(o.Mask.Text); err == nil && most > 0 && w > most {
			c.errorf(o.Mask.Place, "/%s is wider than the %d bits of %s", o.Mask.Text, most, text)
			return false
		}
	}
	whole := 4
	if ref.attr.IsAdjacent() {
		whole = 6
	}
	if o.Mask.Text == "" && !ipv6 && fields < whole && !strings.Contains(text, "!") && !v.Zero() {
		c.warnf(o.Value.Place, OneAddress, "%s is the one address %s; a network has a width, as %[1]s/%[3]d", text, wholeAddress(ref, v, whole), 8*fields)
	}
	return true
}

// wholeAddress returns an address with all of its octets, as it is usually written.
func wholeAddress(ref reference, v attr.Value, n int) string {
	if ref.attr.IsAdjacent() {
		return v.Resize(n).Hex()
	}
	return v.Resize(n).String()
}
