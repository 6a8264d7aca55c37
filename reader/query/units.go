package query

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"rtfm/ruleset/srl"
)

// multiples are what may stand behind a number, each with what it is multiplied by.
var multiples = map[string]int64{
	"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}

// lengths are units of time in nanoseconds.
var lengths = map[string]int64{
	"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "min": 60e9, "h": 3600e9, "d": 86400e9,
}

// quantity reads a value of a number.
func (c *compiler) quantity(q *quantity, w *srl.Word) (uint64, bool) {
	n, err := q.unit.parse(w.Text)
	if err != nil {
		c.fault(w.Place, "%s: %v", q.name, err)
	}
	return n, err == nil
}

// parse reads a value with its unit. It returns what a quantity's get does for it.
func (u unit) parse(text string) (uint64, error) {
	if u&twice != 0 {
		n, err := (u &^ twice).parse(text)
		if err == nil && n>>63 != 0 {
			err = fmt.Errorf("%q is more than 63 bits hold", clip(text))
		}
		return 2 * n, err
	}
	text = unword(text)
	switch u {
	case duration:
		ns, err := nanoseconds(text, lengths["s"])
		return ordered(ns), err
	case instant:
		ns, err := timeOf(text)
		return ordered(ns), err
	case length:
		ns, err := nanoseconds(text, 1)
		if _, word := splitNumber(text); err == nil && word == "" && ns != 0 {
			err = fmt.Errorf("%q has no unit: write %[1]sns, %[1]sus or %[1]sms", clip(text))
		}
		return uint64(ns), err
	case uptime:
		const centisecond = 1e7
		ns, err := nanoseconds(text, centisecond)
		if err == nil && (ns < 0 || ns%centisecond != 0) {
			err = fmt.Errorf("%q is no whole number of centiseconds", text)
		}
		return uint64(ns / centisecond), err
	}
	digits, word := splitNumber(text)
	times, known := multiples[u.multiple(word)]
	if digits == "" || !known || u == plain && word != "" {
		return 0, fmt.Errorf("%q is not %s%s", clip(text), u.like(), u.hint(digits, word))
	}
	n, err := product(digits, times)
	if err != nil {
		return 0, err
	}
	if u == bitRate { // see bitsPerSecond
		if n.Lsh(n, 1); !n.IsUint64() {
			return 0, fmt.Errorf("%q is more than 63 bits hold", clip(text))
		}
	}
	return n.Uint64(), nil
}

// unword returns the value that words has made a word of, without quotation marks.
func unword(text string) string {
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') {
		return text[1 : n-1]
	}
	if isInstant(text) {
		return strings.NewReplacer("_", ":", "!", "+").Replace(text)
	}
	return strings.ReplaceAll(text, perSecondWord, perSecond)
}

// isInstant reports whether a value is a time with a date, in quotation marks or not.
func isInstant(text string) bool {
	text = strings.Trim(text, `"'`)
	const date = len("dddd-dd-dd")
	if len(text) < date {
		return false
	}
	return isTime(text[:date] + "T00:00") // other marks behind it are seen when it is read
}

// multiple takes the unit from a word such as MB or Gbit/s.
func (u unit) multiple(word string) string {
	endings := [...][]string{octets: {"B", "octets"}, bitRate: {"bit/s", "bps"}, packets: nil, plain: nil}[u]
	for _, e := range endings {
		if rest, ok := strings.CutSuffix(word, e); ok {
			return rest
		}
	}
	return word
}

// like names the unit with examples.
func (u unit) like() string {
	switch u {
	case octets:
		return "a number of octets, such as 1500, 100k, 10MB or 1GiB"
	case packets:
		return "a number of packets, such as 1500 or 10k"
	case bitRate:
		return "a number of bits a second, such as 64k or 1.5Gbit/s"
	}
	return "a number"
}

// hint tells what a unit was probably meant to be.
func (u unit) hint(digits, word string) string {
	if up := strings.ToUpper(word[:min(1, len(word))]); word != "" && u != plain {
		if _, known := multiples[u.multiple(up+word[1:])]; known {
			return "; did you mean " + digits + up + word[1:] + "?"
		}
	}
	return ""
}

// splitNumber returns the digits with which text begins, with a point among them, and
// the rest.
func splitNumber(text string) (digits, word string) {
	n := 0
	for n < len(text) && (isDigit(text[n]) || text[n] == '.') {
		n++
	}
	return text[:n], text[n:]
}

// maxDigits is how many digits a number may have: enough for all of 64 bits.
const maxDigits = 40

// product multiplies a decimal number, which must come to a whole one of 64 bits.
func product(digits string, times int64) (*big.Int, error) {
	if len(digits) > maxDigits {
		return nil, fmt.Errorf("%q has more than %d digits", clip(digits), maxDigits)
	}
	r, ok := new(big.Rat).SetString(digits)
	if !ok {
		return nil, fmt.Errorf("%q is not a number", digits)
	}
	r.Mul(r, new(big.Rat).SetInt64(times))
	switch {
	case !r.IsInt():
		return nil, fmt.Errorf("%q does not come to a whole number", digits)
	case !r.Num().IsUint64():
		return nil, fmt.Errorf("%q comes to more than 64 bits hold", digits)
	}
	return r.Num(), nil
}

// nanoseconds reads a length of time, such as 90, 1.5h or 1h30m. one is what a number
// without a unit stands for.
func nanoseconds(text string, one int64) (int64, error) {
	errWant := fmt.Errorf("%q is no length of time, such as 90, 1.5s, 5m or 1h30m", clip(text))
	digits, word := splitNumber(text)
	if word == "" {
		n, err := product(digits, one)
		if err != nil || !n.IsInt64() {
			return 0, errWant
		}
		return n.Int64(), nil
	}
	sum := int64(0)
	for rest := text; rest != ""; {
		digits, rest = splitNumber(rest)
		n := strings.IndexAny(rest, "0123456789.")
		if n < 0 {
			n = len(rest)
		}
		length, known := lengths[rest[:n]]
		rest = rest[n:]
		if digits == "" || !known {
			return 0, errWant
		}
		part, err := product(digits, length)
		if err != nil || !part.IsInt64() || sum+part.Int64() < sum {
			return 0, errWant
		}
		sum += part.Int64()
	}
	return sum, nil
}

// ParseTime reads a time as an Expr has it: 2026-11-21T09:14:25Z, or nanoseconds since
// 1970.
func ParseTime(text string) (int64, error) { return timeOf(text) }

// timeOf reads a time: with a date, in UTC if it has no zone, or nanoseconds since
// 1970.
func timeOf(text string) (int64, error) {
	if digits, word := splitNumber(text); word == "" && text != "" {
		n, err := product(digits, 1)
		if err == nil && !n.IsInt64() {
			err = errors.New("a time is before the year 2262")
		}
		if err != nil {
			return 0, err
		}
		return n.Int64(), nil
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if ns := t.UnixNano(); time.Unix(0, ns).Equal(t) {
			return ns, nil
		}
		return 0, fmt.Errorf("%q is not between 1678 and 2262", text)
	}
	return 0, fmt.Errorf("%q is no time, such as 2026-11-21T09:14:25Z", clip(text))
}
