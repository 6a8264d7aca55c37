package attr

import (
	"fmt"
	"math"
	"math/big"
	"sort"
	"strings"

	"rtfm/ruleset/spell"
)

// Transforms of a distribution: how the limits of its buckets grow.
const (
	Linear      = 1
	Logarithmic = 2
)

// maxScale keeps limits, 65535 times a power of ten, below 2^63.
const maxScale = 14

// DistributionSize is the length of a distribution's mask, and of its value, in
// octets.
const DistributionSize = 6

// Transform is Linear or Logarithmic.
func (d *Measure) Transform() int { return int(d.Mask.At(0)) }

// Scale is the power of ten that lower and upper limit are multiplied by.
func (d *Measure) Scale() int { return int(d.Mask.At(1)) }

// Lower is the highest value of the first bucket, before scaling.
func (d *Measure) Lower() int { return int(d.Mask.At(2))<<8 | int(d.Mask.At(3)) }

// Upper is the highest value of the last bucket before overflow, before
// scaling.
func (d *Measure) Upper() int { return int(d.Mask.At(4))<<8 | int(d.Mask.At(5)) }

// Buckets is the number of buckets without the overflow bucket.
func (d *Measure) Buckets() int { return int(d.Value.At(0)) }

// Parameters returns the three parameters, whose meaning depends on the
// attribute.
func (d *Measure) Parameters() (p1, p2, p3 int) {
	v := &d.Value
	return int(v.At(1)), int(v.At(2))<<8 | int(v.At(3)), int(v.At(4))<<8 | int(v.At(5))
}

// distributionFault returns why no distribution can be built with these parameters.
func (d *Measure) distributionFault() string {
	n, lower, upper := d.Buckets(), d.Lower(), d.Upper()
	switch {
	case d.Transform() != Linear && d.Transform() != Logarithmic:
		return fmt.Sprintf("transform %d is neither 1 (linear) nor 2 (logarithmic)", d.Transform())
	case d.Scale() > maxScale:
		return fmt.Sprintf("scale 10^%d is more than 10^%d", d.Scale(), maxScale)
	case n == 0:
		return "there are no buckets"
	case n == 1 && lower != upper:
		return fmt.Sprintf("one bucket has one limit, not %d and %d", lower, upper)
	case n > 1 && lower >= upper:
		return fmt.Sprintf("the lower limit, %d, is not below the upper, %d", lower, upper)
	case d.Transform() == Logarithmic && lower == 0:
		return "a logarithmic distribution cannot begin at 0"
	}
	switch p1, _, _ := d.Parameters(); {
	case d.Attr.countsRates() && p1 == 0:
		return "parameter 1, the interval in seconds, is 0"
	case d.Attr.CountsPairs() && !PairKind(p1).Valid():
		return fmt.Sprintf("parameter 1, %d, is no kind of packet pairs", p1)
	case (d.Attr == ToLostPDUs || d.Attr == FromLostPDUs) && PairKind(p1) == PairPlain:
		return "parameter 1, the kind of packet pairs, cannot be plain: it does not tell which packets want an answer"
	}
	return ""
}

// Limits returns the highest value of each bucket except the overflow bucket,
// in the attribute's unit, rounded down: whole numbers fall into the same
// buckets as with exact limits. They are
//
//	lower + (upper-lower) i / (n-1)       linear
//	lower (upper/lower)^(i / (n-1))       logarithmic
//
// for i from 0 to n-1, times ten to the power of the scale.
func (d *Measure) Limits() []uint64 {
	n := d.Buckets()
	scale := uint64(math.Pow10(d.Scale()))
	lower, upper := uint64(d.Lower())*scale, uint64(d.Upper())*scale
	limits := make([]uint64, n)
	limits[n-1] = upper
	for i := range n - 1 {
		if d.Transform() == Linear {
			step := new(big.Int).SetUint64(upper - lower)
			step.Mul(step, big.NewInt(int64(i)))
			limits[i] = lower + step.Div(step, big.NewInt(int64(n-1))).Uint64()
		} else {
			limits[i] = between(lower, upper, i, n-1)
		}
	}
	return limits
}

// between returns the greatest whole number not above
// lower (upper/lower)^(i/n). It is that v for which v^n does not exceed
// upper^i lower^(n-i), which can be told exactly.
func between(lower, upper uint64, i, n int) uint64 {
	power := func(base uint64, exponent int) *big.Int {
		return new(big.Int).Exp(new(big.Int).SetUint64(base), big.NewInt(int64(exponent)), nil)
	}
	most := new(big.Int).Mul(power(upper, i), power(lower, n-i))
	above := func(v uint64) bool { return power(v, n).Cmp(most) > 0 }
	// Floating point is right to some digits: begin there.
	guess := uint64(float64(lower) * math.Pow(float64(upper)/float64(lower), float64(i)/float64(n)))
	slack := guess>>40 + 1
	for guess > slack && above(guess-slack) {
		guess -= slack
	}
	low := guess - min(guess, slack)
	high := guess + slack
	for !above(high) {
		high += slack
	}
	// low is not above, high is.
	return low + uint64(sort.Search(int(high-low), func(k int) bool { return above(low + uint64(k)) })) - 1
}

// ParseMeasure reads the mask or value of a measure, in the notation of ParseValue;
// missing fields are zero. The second field may be the name of a kind of packet
// pairs instead of its number, as in 100.dns.0!0; of statistics the name suffices.
func (a Attr) ParseMeasure(text string) (Value, error) {
	numbers := text
	if a.takesPairName() && text != "" && spell.IsWordByte(text[0]) && text[0] > '9' {
		numbers = "0." + text
	}
	if first, rest, ok := strings.Cut(numbers, "."); ok && rest != "" && spell.IsWordByte(rest[0]) && rest[0] > '9' {
		n := spell.WordLen(rest)
		kind, ok := pairKindByName(rest[:n])
		if !ok {
			return Value{}, valueErr(text, "%s", spell.Unknown("kind of packet pairs", rest[:n], pairKindNames()))
		}
		numbers = first + "." + utoa(uint(kind)) + rest[n:]
	}
	v, err := ParseValue(numbers, 0)
	switch {
	case err != nil:
		return v, err
	case v.Len() > DistributionSize:
		return v, valueErr(text, "more than %d octets", DistributionSize)
	case v.Len() > 1 && !strings.ContainsAny(numbers, ".-!"):
		return v, valueErr(text, "want fields with . or ! behind them")
	}
	return v.Resize(DistributionSize), nil
}

// AppendParameters appends the mask or value of a distribution as rules have
// it: 1.3.1!700.
func AppendParameters(b []byte, v Value) []byte {
	for i := range 2 {
		b = append(appendOctet(b, v.At(i)), '.')
	}
	b = append(b, utoa(uint(v.At(2))<<8|uint(v.At(3)))...)
	b = append(b, '!')
	return append(b, utoa(uint(v.At(4))<<8|uint(v.At(5)))...)
}

// Unit returns the unit of the values that a measures, by which the scaled limits of
// a distribution are to be read; "" if they have none.
func (a Attr) Unit() string {
	switch {
	case a.info().Class == ClassStatistic:
		return statisticUnits[a-FlowID]
	case a.info().Class != ClassDistrib:
		return ""
	case a == ToPacketSize || a == FromPacketSize || a >= ToFlowOctets && a <= FromFlowOctets || a == ToTCPSize || a == FromTCPSize:
		return "octets"
	case a == ToBitRate || a == FromBitRate || a == ToTCPRate || a == FromTCPRate:
		return "bits/s"
	case a == ToPDURate || a == FromPDURate:
		return "PDUs/s"
	case a == ToFlowPDUs || a == FromFlowPDUs || a == ToLostPDUs || a == FromLostPDUs:
		return "PDUs"
	}
	return "microseconds"
}

// IsFrom reports whether a measures packets from the destination.
func (a Attr) IsFrom() bool {
	switch {
	case a >= ToSizeStats && a <= FromResets:
		return a%2 == 1
	case a < ToPacketSize || a > FromLostPDUs || a == FlowTime:
		return false
	case a < FlowTime:
		return a%2 == 1
	}
	return a%2 == 0
}

// countsRates reports whether a counts the rates of intervals.
func (a Attr) countsRates() bool { return a >= ToBitRate && a <= FromPDURate }

// takesPairName reports whether the parameter of a is a kind of packet pairs alone.
func (a Attr) takesPairName() bool { return a.Form() != FormBuckets && a.CountsPairs() }

// CountsPairs reports whether a measures packet pairs or the lack of
// them; its parameter 1 is their kind.
func (a Attr) CountsPairs() bool {
	return a == ToTurnaroundTime || a == FromTurnaroundTime || a >= ToTurnaroundTime1 && a <= FromTurnaroundTime4 ||
		a == ToLostPDUs || a == FromLostPDUs || a == ToTurnaroundStats || a == FromTurnaroundStats
}
