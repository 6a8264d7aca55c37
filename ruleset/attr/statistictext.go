package attr

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// AppendStatistic appends the numbers of a statistic of this form as one word, as
// flow data has it:
//
//	FormStats    n:sum:sum of squares:min:max
//	FormRange    n:min:max
//	FormFlags    flags seen:FIN:SYN:RST:PSH:ACK:URG:ECE:CWR
//	FormCount    n
//	FormEdges    n
//	FormPackets  packets with colons between them, each +octets.gap.flags,
//	             - for + if it went backward; - alone if there is none
//	FormID       16 hexadecimal digits
//	FormDigest   1: and base64 of 20 octets; - alone if there is none, which is zero
func (f Form) AppendStatistic(b []byte, numbers []uint64) []byte {
	switch f {
	case FormStats:
		b = append(strconv.AppendUint(b, numbers[StatCount], 10), ':')
		b = append(strconv.AppendUint(b, numbers[StatSum], 10), ':')
		b = append(AppendSumOfSquares(b, numbers), ':')
		b = append(strconv.AppendUint(b, numbers[StatMin], 10), ':')
		return strconv.AppendUint(b, numbers[StatMax], 10)
	case FormPackets:
		return appendListed(b, ListedIn(numbers))
	case FormID:
		return hex.AppendEncode(b, binary.BigEndian.AppendUint64(nil, numbers[0]))
	case FormDigest:
		if NoDigest(numbers) {
			return append(b, '-')
		}
		var digest [24]byte
		for i, n := range numbers[:2] {
			binary.BigEndian.PutUint64(digest[8*i:], n)
		}
		binary.BigEndian.PutUint32(digest[16:], uint32(numbers[2]))
		return base64.StdEncoding.AppendEncode(append(b, digestVersion...), digest[:digestSize])
	}
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, n, 10)
	}
	return b
}

// A FormDigest has 20 octets, and the version of Community ID before them.
const (
	digestVersion = "1:"
	digestSize    = 20
)

// NoDigest reports whether the numbers of a FormDigest tell that there is none.
func NoDigest(numbers []uint64) bool { return numbers[0]|numbers[1]|numbers[2] == 0 }

// ListedIn returns the packets of the numbers of a FormPackets.
func ListedIn(numbers []uint64) []uint64 {
	return numbers[1 : 1+min(numbers[0], uint64(len(numbers)-1))]
}

// appendListed appends packets.
func appendListed(b []byte, packets []uint64) []byte {
	if len(packets) == 0 {
		return append(b, '-')
	}
	for i, n := range packets {
		if i > 0 {
			b = append(b, ':')
		}
		l, sign := Listed(n), byte('+')
		if l.Backward() {
			sign = '-'
		}
		b = append(strconv.AppendUint(append(b, sign), uint64(l.Octets()), 10), '.')
		b = append(strconv.AppendUint(b, l.Gap(), 10), '.')
		b = strconv.AppendUint(b, uint64(l.Flags()), 10)
	}
	return b
}

// AppendSumOfSquares appends that of the numbers of a FormStats, in decimal.
func AppendSumOfSquares(b []byte, stats []uint64) []byte {
	if stats[StatSquaresHigh] == 0 {
		return strconv.AppendUint(b, stats[StatSquaresLow], 10)
	}
	// In parts of 19 digits, what 64 bits have room for.
	rest, digits := bits.Div64(stats[StatSquaresHigh]%partOfDigits, stats[StatSquaresLow], partOfDigits)
	if first := stats[StatSquaresHigh] / partOfDigits; first > 0 {
		var middle uint64
		first, middle = bits.Div64(first, rest, partOfDigits)
		return appendDigits(appendDigits(strconv.AppendUint(b, first, 10), middle), digits)
	}
	return appendDigits(strconv.AppendUint(b, rest, 10), digits)
}

// partOfDigits is 1 followed by 19 zeros.
const partOfDigits = 10_000_000_000_000_000_000

// appendDigits appends 19 digits.
func appendDigits(b []byte, n uint64) []byte {
	var digits [19]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = '0' + byte(n%10)
		n /= 10
	}
	return append(b, digits[:]...)
}

// ParseStatistic reads what AppendStatistic writes, and appends its numbers to
// numbers: of a FormPackets those of MaxListed packets, since the text does not tell
// how many there could be.
func (f Form) ParseStatistic(numbers []uint64, text []byte) ([]uint64, error) {
	switch f {
	case FormID:
		id, err := hex.DecodeString(string(text[:min(len(text), 17)]))
		if err != nil || len(id) != 8 {
			return numbers, statisticErr(text, "want 16 hexadecimal digits")
		}
		return append(numbers, binary.BigEndian.Uint64(id)), nil
	case FormDigest:
		return parseDigest(numbers, text)
	case FormPackets:
		return parseListed(numbers, text)
	}
	d := Measure{}
	want := f.numbers(&d)
	if f == FormStats {
		want-- // the sum of squares is one
	}
	from := len(numbers)
	for i := 0; ; i++ {
		part, rest, more := bytes.Cut(text, []byte{':'})
		if more == (i == want-1) {
			return numbers, statisticErr(text, "want %d numbers with colons between them", want)
		}
		var high, low uint64
		var err error
		if f == FormStats && i == StatSquaresLow {
			high, low, err = ParseSquares(part)
		} else {
			low, err = strconv.ParseUint(string(part[:min(len(part), 40)]), 10, 64)
		}
		if err != nil {
			return numbers, statisticErr(part, "want a number")
		}
		if numbers = append(numbers, low); f == FormStats && i == StatSquaresLow {
			numbers = append(numbers, high)
		}
		if text = rest; !more {
			break
		}
	}
	if f == FormFlags && numbers[from] > math.MaxUint8 {
		return numbers, statisticErr(strconv.AppendUint(nil, numbers[from], 10), "flags are a number up to 255")
	}
	return numbers, nil
}

// statisticErr says what is wrong with a text, of which it shows no more than some.
func statisticErr(text []byte, format string, args ...any) error {
	const most = 60
	shown := string(text)
	if len(text) > most {
		shown = string(text[:most]) + "..."
	}
	return fmt.Errorf("%q: %s", shown, fmt.Sprintf(format, args...))
}

// ParseSquares reads a number of 128 bits, as a sum of squares is.
func ParseSquares(text []byte) (high, low uint64, err error) {
	if len(text) == 0 || len(text) > 39 { // 2^128 has 39 digits
		return 0, 0, errNoSquares
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, 0, errNoSquares
		}
		over, high10 := bits.Mul64(high, 10)
		carry, low10 := bits.Mul64(low, 10)
		var more uint64
		low, more = bits.Add64(low10, uint64(c-'0'), 0)
		if high, more = bits.Add64(high10, carry, more); over|more != 0 {
			return 0, 0, errNoSquares
		}
	}
	return high, low, nil
}

var errNoSquares = errors.New("want a number of 128 bits")

// parseDigest reads a FormDigest.
func parseDigest(numbers []uint64, text []byte) ([]uint64, error) {
	if string(text) == "-" {
		return append(numbers, 0, 0, 0), nil
	}
	var digest [24]byte
	rest, ok := bytes.CutPrefix(text, []byte(digestVersion))
	if !ok || len(rest) != base64.StdEncoding.EncodedLen(digestSize) {
		return numbers, statisticErr(text, "want %s and %d characters of base64", digestVersion, base64.StdEncoding.EncodedLen(digestSize))
	}
	if n, err := base64.StdEncoding.Strict().Decode(digest[:], rest); err != nil || n != digestSize {
		return numbers, statisticErr(text, "want %d octets as base64", digestSize)
	}
	return append(numbers, binary.BigEndian.Uint64(digest[:]), binary.BigEndian.Uint64(digest[8:]), uint64(binary.BigEndian.Uint32(digest[16:]))), nil
}

// parseListed reads a FormPackets.
func parseListed(numbers []uint64, text []byte) ([]uint64, error) {
	from := len(numbers)
	for range 1 + MaxListed {
		numbers = append(numbers, 0)
	}
	if string(text) == "-" {
		return numbers, nil
	}
	for n := 1; ; n++ {
		if n > MaxListed {
			return numbers, statisticErr(text, "more than %d packets", MaxListed)
		}
		packet, rest, more := bytes.Cut(text, []byte{':'})
		l, err := parsePacket(packet)
		if err != nil {
			return numbers, err
		}
		numbers[from], numbers[from+n] = uint64(n), uint64(l)
		if text = rest; !more {
			return numbers, nil
		}
	}
}

// parsePacket reads +octets.gap.flags.
func parsePacket(text []byte) (Listed, error) {
	fault := func() error {
		return statisticErr(text, "want packets such as +60.0.2, octets, microseconds and flags")
	}
	if len(text) == 0 || len(text) > 40 || text[0] != '+' && text[0] != '-' {
		return 0, fault()
	}
	fields := strings.Split(string(text[1:]), ".")
	if len(fields) != 3 {
		return 0, fault()
	}
	octets, err1 := strconv.ParseUint(fields[0], 10, 16)
	gap, err2 := strconv.ParseUint(fields[1], 10, listedGapBits)
	flags, err3 := strconv.ParseUint(fields[2], 10, 8)
	if err1 != nil || err2 != nil || err3 != nil {
		return 0, fault()
	}
	return ListedOf(octets, gap, flags, text[0] == '-')
}

// ListedOf is NewListed with the gap in microseconds, and an error if a number is more
// than a Listed holds.
func ListedOf(octets, gap, flags uint64, backward bool) (Listed, error) {
	if octets > math.MaxUint16 || gap > maxListedGap || flags > math.MaxUint8 {
		return 0, fmt.Errorf("no packet has %d octets, %d microseconds and the flags %d", octets, gap, flags)
	}
	return NewListed(octets, uint8(flags), int64(gap)*1000, backward), nil
}

// FlagWords returns the names of TCP flags, FIN first, with blanks between them.
func FlagWords(flags uint8) string {
	var names []string
	for i, name := range FlagNames {
		if flags>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// ParseFlagWords reads what FlagWords returns.
func ParseFlagWords(text string) (flags uint8, err error) {
	for word := range strings.FieldsSeq(text) {
		known := false
		for i, name := range FlagNames {
			if word == name {
				flags |= 1 << i
				known = true
			}
		}
		if !known {
			return 0, statisticErr([]byte(word), "no TCP flag: want some of %s", strings.Join(FlagNames[:], ", "))
		}
	}
	return flags, nil
}

// FlagLetters returns the first letters of TCP flags, CWR first, as other programs show
// them, with periods for those that are not set: ...AP.SF.
func FlagLetters(flags uint8) string {
	var letters [len(FlagNames)]byte
	for i := range letters {
		letters[i] = '.'
		if bit := len(letters) - 1 - i; flags>>bit&1 != 0 {
			letters[i] = FlagNames[bit][0]
		}
	}
	return string(letters[:])
}
