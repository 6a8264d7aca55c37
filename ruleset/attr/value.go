package attr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// Value is a rule's mask or value: 0 to 20 octets, from the left. The zero
// Value is empty. Values compare with ==.
type Value struct {
	b [MaxAddress]byte
	n uint8
}

// MakeValue returns the Value of these octets; only the first 20 count.
func MakeValue(b ...byte) Value {
	var v Value
	v.n = uint8(copy(v.b[:], b))
	return v
}

// Ones returns a mask of n octets with all bits set.
func Ones(n int) Value { return WidthMask(8*n, n) }

// WidthMask returns a mask of n octets whose first width bits are set.
func WidthMask(width, n int) Value {
	v := Value{n: uint8(min(n, MaxAddress))}
	for i := range v.b[:v.n] {
		if w := width - 8*i; w >= 8 {
			v.b[i] = 0xff
		} else if w > 0 {
			v.b[i] = byte(0xff << (8 - w))
		}
	}
	return v
}

// Len returns the number of octets.
func (v Value) Len() int { return int(v.n) }

// At returns octet i, or 0 beyond the value's end.
func (v Value) At(i int) byte {
	if i < len(v.b) {
		return v.b[i]
	}
	return 0
}

// Append appends the octets to b.
func (v Value) Append(b []byte) []byte { return append(b, v.b[:v.n]...) }

// Padded returns the octets followed by zeros.
func (v Value) Padded() [MaxAddress]byte { return v.b }

// Zero reports whether no bit is set.
func (v Value) Zero() bool { return v.b == [MaxAddress]byte{} }

// Resize returns v with n octets, cut or filled with zeros on the right.
func (v Value) Resize(n int) Value {
	if n == int(v.n) {
		return v
	}
	var r Value
	r.n = uint8(min(n, MaxAddress))
	copy(r.b[:r.n], v.b[:])
	return r
}

// And returns v with all bits cleared that are not set in m.
func (v Value) And(m Value) Value {
	order := binary.NativeEndian
	order.PutUint64(v.b[:], order.Uint64(v.b[:])&order.Uint64(m.b[:]))
	order.PutUint64(v.b[8:], order.Uint64(v.b[8:])&order.Uint64(m.b[8:]))
	order.PutUint32(v.b[16:], order.Uint32(v.b[16:])&order.Uint32(m.b[16:]))
	return v
}

// words returns the octets followed by zeros as numbers.
func (v *Value) words() [3]uint64 {
	return [...]uint64{
		binary.BigEndian.Uint64(v.b[:]),
		binary.BigEndian.Uint64(v.b[8:]),
		uint64(binary.BigEndian.Uint32(v.b[16:])) << 32,
	}
}

// Width returns the number of leading ones, and false if any other bit of the
// mask is set.
func (v Value) Width() (int, bool) {
	w, i := v.words(), 0
	for ^w[i] == 0 {
		i++ // not beyond the last one, which ends in zeros
	}
	ones := bits.LeadingZeros64(^w[i])
	rest := w[i] << ones
	for _, b := range w[i+1:] {
		rest |= b
	}
	return 64*i + ones, rest == 0
}

// Fit returns v with the length that a rule on attribute a gives it: numbers
// are filled with zeros on the left or keep their low-order octets; addresses
// and parameters of distributions are filled with zeros on the right. It
// returns false if bits would be lost.
func (v Value) Fit(a Attr) (Value, bool) {
	in := a.info()
	switch {
	case in.Class == ClassNull || in.Class == ClassVariable:
		return v, true
	case in.Variable && !in.Class.IsMeasure():
		if int(v.n) <= in.Size {
			return v, true
		}
		r := v.Resize(in.Size)
		return r, r.b == v.b
	case in.Class == ClassAddress || in.Class.IsMeasure():
		return v.Resize(in.Size), v.Resize(in.Size).b == v.b
	}
	n, size := int(v.n), in.Size
	var r Value
	r.n = uint8(size)
	for i := range n {
		j := size - n + i
		if j >= 0 {
			r.b[j] = v.b[i]
		} else if v.b[i] != 0 {
			return r, false
		}
	}
	return r, true
}

// ErrValue is wrapped by all errors of ParseValue.
var ErrValue = errors.New("not a value")

func valueErr(s, format string, args ...any) error {
	return fmt.Errorf("%w: %q: %s", ErrValue, s, fmt.Sprintf(format, args...))
}

// ParseValue reads the notation of RFC 2723 appendix B: numeric fields, each
// followed by its type: '.' one octet decimal, '-' one octet hexadecimal, '!'
// two octets decimal; the last field is like the one before it. An IPv6
// address may stand for 16 octets, a character between apostrophes for one.
//
// A single field is a number that fills all size octets, so that 23 and 0.23
// are the same for a size of 2; size 0 stands for a value of unknown length,
// where the number takes as many octets as it needs, at least one.
func ParseValue(s string, size int) (Value, error) {
	var v Value
	if len(s) > 256 {
		return v, valueErr(s[:32]+"...", "too long")
	}
	if len(s) >= 3 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return parseChar(s, size)
	}
	if strings.IndexByte(s, ':') >= 0 {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return v, valueErr(s, "not an IPv6 address, and hexadecimal octets have hyphens between them")
		}
		b := a.As16()
		return MakeValue(b[:]...), nil
	}
	last := byte(0)
	for rest := s; ; {
		i := 0
		for i < len(rest) && rest[i] != '.' && rest[i] != '-' && rest[i] != '!' {
			i++
		}
		field := rest[:i]
		if i < len(rest) {
			last = rest[i]
		}
		if last == 0 {
			return parseNumber(s, size)
		}
		base, bits, width := 10, 8, 1
		switch last {
		case '-':
			base = 16
		case '!':
			bits, width = 16, 2
		}
		u, ok := parseField(field, base, bits)
		if !ok {
			return v, valueErr(s, "%s", fieldFault(field, base, bits))
		}
		if int(v.n)+width > MaxAddress {
			return v, valueErr(s, "more than %d octets", MaxAddress)
		}
		if width == 2 {
			v.b[v.n] = byte(u >> 8)
			v.n++
		}
		v.b[v.n] = byte(u)
		v.n++
		if i+1 >= len(rest) { // the last field, or a trailing field character as in "10."
			return v, nil
		}
		rest = rest[i+1:]
	}
}

// parseField reads a number of no more than so many bits.
func parseField(field string, base, bits int) (u int, ok bool) {
	for _, c := range []byte(field) {
		d := base
		switch {
		case c >= '0' && c <= '9':
			d = int(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			d = int(c|0x20-'a') + 10
		}
		if u = u*base + d; d >= base || u>>bits != 0 {
			return 0, false
		}
	}
	return u, field != ""
}

func fieldFault(field string, base, bits int) string {
	if field == "" {
		return "a field is empty"
	}
	if base == 16 {
		return "field " + strconv.Quote(field) + " is not hexadecimal, 00 to FF"
	}
	return fmt.Sprintf("field %q is not a number from 0 to %d", field, 1<<bits-1)
}

func parseChar(s string, size int) (Value, error) {
	c := s[1 : len(s)-1]
	if len(c) > 1 && c[0] == '\\' {
		u, ok := escaped(c[1:])
		if !ok {
			return Value{}, valueErr(s, `behind a backslash a character constant has one of abfnrtv'"?\, up to three octal digits up to 377, or x and one or two hexadecimal digits`)
		}
		return number(u, max(size, 1)), nil
	}
	if len(c) != 1 {
		return Value{}, valueErr(s, "a character constant holds one character of one octet")
	}
	return number(uint64(c[0]), max(size, 1)), nil
}

// escaped reads what stands after the backslash of a character constant of C.
func escaped(c string) (u uint64, ok bool) {
	if len(c) == 1 {
		if i := strings.IndexByte("abtnvfr", c[0]); i >= 0 {
			return uint64(7 + i), true
		}
		if strings.IndexByte(`'"?\`, c[0]) >= 0 {
			return uint64(c[0]), true
		}
	}
	digits, base, most := c, 8, 3
	if c[0] == 'x' {
		digits, base, most = c[1:], 16, 2
	}
	if len(digits) > most || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return 0, false
	}
	u, err := strconv.ParseUint(digits, base, 8)
	return u, err == nil
}

func parseNumber(s string, size int) (Value, error) {
	if s == "" {
		return Value{}, valueErr(s, "empty")
	}
	u, err := strconv.ParseUint(s, 10, 64)
	if err != nil || s[0] == '+' {
		return Value{}, valueErr(s, "want a number, or fields with . - or ! behind them")
	}
	n := 1
	for n < 8 && u>>(8*n) != 0 {
		n++
	}
	if size != 0 && n > size {
		return Value{}, valueErr(s, "greater than %d, the most that %d octets hold", uint64(1)<<(8*size)-1, size)
	}
	return number(u, max(n, size)), nil
}

// number returns u in n octets, high-order octet first.
func number(u uint64, n int) Value {
	v := Value{n: uint8(min(n, MaxAddress))}
	for i := int(v.n) - 1; i >= 0; i-- {
		v.b[i] = byte(u)
		u >>= 8
	}
	return v
}

// Uint returns the last eight octets as a number.
func (v Value) Uint() uint64 {
	var u uint64
	for _, b := range v.b[:v.n] {
		u = u<<8 | uint64(b)
	}
	return u
}

// String returns the octets in decimal, as `130.216.0.0`.
func (v Value) String() string { return string(AppendDotted(nil, v.b[:v.n])) }

// Hex returns the octets in hexadecimal, as `FF-FF-00`.
func (v Value) Hex() string { return string(AppendHex(nil, v.b[:v.n])) }

// AppendDotted appends octets in decimal with periods between them.
func AppendDotted(dst, octets []byte) []byte {
	for i, o := range octets {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = appendOctet(dst, o)
	}
	return dst
}

func appendOctet(dst []byte, o byte) []byte {
	if o >= 100 {
		dst = append(dst, '0'+o/100)
	}
	if o >= 10 {
		dst = append(dst, '0'+o/10%10)
	}
	return append(dst, '0'+o%10)
}

// AppendHex appends octets as two upper-case hexadecimal digits each with
// hyphens between them, the way flow data shows adjacent addresses. A single one has
// a hyphen behind it, as `BE-`, without which it would be read as a decimal number.
func AppendHex(dst, octets []byte) []byte {
	const digits = "0123456789ABCDEF"
	for i, o := range octets {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[o>>4], digits[o&15])
	}
	if len(octets) == 1 {
		dst = append(dst, '-')
	}
	return dst
}

// AttrValue returns the value by which an Assign rule names attribute a: its
// number in one octet, or two for the private ones.
func AttrValue(a Attr) Value {
	if a < 256 {
		return number(uint64(a), 1)
	}
	return number(uint64(a), 2)
}
