package compile

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/srl"
)

// asRange reads a value that people write for a range of numbers or IPv4
// addresses, though to RFC 2723 the hyphen marks a hexadecimal octet. Numbers
// with leading zeros are none: they are octets, as in 00-16.
func asRange(text string) (from, to uint32, ok bool) {
	first, second, found := strings.Cut(text, "-")
	if !found || strings.Contains(second, "-") {
		return 0, 0, false
	}
	from, addresses, ok1 := rangeEnd(first)
	to, alike, ok2 := rangeEnd(second)
	return from, to, ok1 && ok2 && addresses == alike && from < to
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

// prefixes returns the operands that a range takes in an attribute of so many
// bits, as a list of SRL: the first few of them.
func prefixes(from, to uint32, size int, address bool) string {
	const most = 6
	var list []string
	for at, end := uint64(from), uint64(to)+1; at < end; {
		zeros := bits.Len64(end-at) - 1
		if at != 0 {
			zeros = min(zeros, bits.TrailingZeros64(at))
		}
		text := strconv.FormatUint(at, 10)
		if address {
			text = fmt.Sprintf("%d.%d.%d.%d", at>>24, at>>16&255, at>>8&255, at&255)
		}
		if zeros > 0 {
			text += "/" + strconv.Itoa(size-zeros)
		}
		if at += 1 << zeros; len(list) == most {
			list = append(list, "...")
			break
		}
		list = append(list, text)
	}
	if len(list) == 1 {
		return list[0]
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// noRange reports a value that is meant for a range.
func (c *compiler) noRange(ref reference, o *srl.Operand) bool {
	text := o.Value.Text
	from, to, is := asRange(text)
	if !is || c.prog.Strict || o.Mask.Text != "" || ref.any || ref.class() == attr.ClassDistrib {
		return false
	}
	address := strings.Contains(text, ".")
	size := 8 * ref.attr.Info().Size
	if ref.attr.Info().Variable {
		size = 32
	}
	instead := ""
	if address == ref.attr.IsPeer() && uint64(to)>>size == 0 {
		instead = ", as " + prefixes(from, to, size, address)
	}
	c.errorf(o.Value.Place, "%s is no range: the hyphen is for hexadecimal octets; write a list or prefixes%s", text, instead)
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
		c.warnf(o.Value.Place, "%s is the one address %s; a network has a width, as %[1]s/%[3]d", text, wholeAddress(ref, v, whole), 8*fields)
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
