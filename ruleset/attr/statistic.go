package attr

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

// Form says what the numbers of a measure are.
type Form uint8

// The forms of measures.
const (
	// FormBuckets is a distribution: the counters of its buckets.
	FormBuckets Form = iota
	// FormStats is how many values there were, their sum, the sum of their squares
	// (128 bits, the lower half first), the least and the greatest: six numbers.
	FormStats
	// FormRange is how many values there were, the least and the greatest: three
	// numbers.
	FormRange
	// FormFlags is all TCP flags that were seen, or'ed, and how often each of them was,
	// FIN first: nine numbers.
	FormFlags
	// FormCount is one number that counts.
	FormCount
	// FormPackets is how many packets are listed, and a Listed for each that could
	// be.
	FormPackets
	// FormID is an identifier of up to 8 octets, as a number.
	FormID
	// FormDigest is an identifier of 20 octets, in three numbers, the last four octets
	// in the lower half of the third.
	FormDigest
	// FormEdges is 1 for the start, plus 2 for the end, 0 for neither.
	FormEdges
)

// What becomes of a number when measures are added or subtracted.
type combining uint8

const (
	sums combining = iota
	sumsLow
	sumsHigh
	least
	most
	ors
	stays
)

// The numbers of FormStats.
const (
	StatCount = iota
	StatSum
	StatSquaresLow
	StatSquaresHigh
	StatMin
	StatMax
	statNumbers
)

// The numbers of FormRange.
const (
	RangeCount = iota
	RangeMin
	RangeMax
	rangeNumbers
)

// Flags of TCP, FIN first, as their counters stand in a FormFlags behind the flags
// seen (RFC 9293 section 3.1).
var FlagNames = [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"}

var (
	statKinds  = [statNumbers]combining{sums, sums, sumsLow, sumsHigh, least, most}
	rangeKinds = [rangeNumbers]combining{sums, least, most}
)

// kind returns what becomes of the i-th number.
func (f Form) kind(i int) combining {
	switch {
	case f == FormStats && i < statNumbers:
		return statKinds[i]
	case f == FormRange && i < rangeNumbers:
		return rangeKinds[i]
	case f == FormFlags && i == 0:
		return ors
	case f == FormPackets || f == FormID || f == FormDigest || f == FormEdges:
		return stays
	}
	return sums
}

// counted reports whether the first number tells if the others have a meaning.
func (f Form) counted() bool { return f == FormStats || f == FormRange }

// numbers returns how many numbers d, of this form, has.
func (f Form) numbers(d *Measure) int {
	switch f {
	case FormStats:
		return statNumbers
	case FormRange:
		return rangeNumbers
	case FormFlags:
		return 1 + len(FlagNames)
	case FormPackets:
		return 1 + d.Packets()
	case FormDigest:
		return 3
	}
	return 1
}

// Form returns the form of what a measures; FormBuckets if it is no statistic.
func (a Attr) Form() Form {
	if i := int(a) - int(FlowID); i >= 0 && i < len(formOf) {
		return formOf[i]
	}
	return FormBuckets
}

// Identifies reports whether a identifies flows, whatever their packets are.
func (a Attr) Identifies() bool { return a == FlowID || a == CommunityID }

// OfFlows reports whether a tells of flows what is not counted of their packets.
func (a Attr) OfFlows() bool { return a.Identifies() || a == Censored }

// IsNumber reports whether measures of this form are one number, which may be 0.
func (f Form) IsNumber() bool { return f == FormCount || f == FormEdges }

// formOf are the forms of statistics.
var formOf = [...]Form{
	0:                            FormID, // of FlowID
	CommunityID - FlowID:         FormDigest,
	ToSizeStats - FlowID:         FormStats,
	FromSizeStats - FlowID:       FormStats,
	ToGapStats - FlowID:          FormStats,
	FromGapStats - FlowID:        FormStats,
	ToPayloadStats - FlowID:      FormStats,
	FromPayloadStats - FlowID:    FormStats,
	ToTurnaroundStats - FlowID:   FormStats,
	FromTurnaroundStats - FlowID: FormStats,
	ToWindowStats - FlowID:       FormStats,
	FromWindowStats - FlowID:     FormStats,
	ToHopLimitRange - FlowID:     FormRange,
	FromHopLimitRange - FlowID:   FormRange,
	ToIPIDRange - FlowID:         FormRange,
	FromIPIDRange - FlowID:       FormRange,
	ToTCPFlags - FlowID:          FormFlags,
	FromTCPFlags - FlowID:        FormFlags,

	ToRetransmittedPDUs - FlowID:     FormCount,
	FromRetransmittedPDUs - FlowID:   FormCount,
	ToRetransmittedOctets - FlowID:   FormCount,
	FromRetransmittedOctets - FlowID: FormCount,
	ToOutOfOrderPDUs - FlowID:        FormCount,
	FromOutOfOrderPDUs - FlowID:      FormCount,
	ToSequenceGaps - FlowID:          FormCount,
	FromSequenceGaps - FlowID:        FormCount,
	ToMissingOctets - FlowID:         FormCount,
	FromMissingOctets - FlowID:       FormCount,
	ToZeroWindows - FlowID:           FormCount,
	FromZeroWindows - FlowID:         FormCount,
	ToResets - FlowID:                FormCount,
	FromResets - FlowID:              FormCount,

	FirstPackets - FlowID:  FormPackets,
	FirstPayloads - FlowID: FormPackets,
	Censored - FlowID:      FormEdges,
}

// statisticUnits are the units of their values.
var statisticUnits = [len(formOf)]string{
	ToSizeStats - FlowID: "octets", FromSizeStats - FlowID: "octets",
	ToGapStats - FlowID: "ns", FromGapStats - FlowID: "ns",
	ToPayloadStats - FlowID: "octets", FromPayloadStats - FlowID: "octets",
	ToTurnaroundStats - FlowID: "ns", FromTurnaroundStats - FlowID: "ns",
	ToHopLimitRange - FlowID: "hops", FromHopLimitRange - FlowID: "hops",
	ToRetransmittedPDUs - FlowID: "PDUs", FromRetransmittedPDUs - FlowID: "PDUs",
	ToRetransmittedOctets - FlowID: "octets", FromRetransmittedOctets - FlowID: "octets",
	ToOutOfOrderPDUs - FlowID: "PDUs", FromOutOfOrderPDUs - FlowID: "PDUs",
	ToMissingOctets - FlowID: "octets", FromMissingOctets - FlowID: "octets",
	ToZeroWindows - FlowID: "PDUs", FromZeroWindows - FlowID: "PDUs",
	ToResets - FlowID: "PDUs", FromResets - FlowID: "PDUs",
}

// MaxListed is the most packets of a FormPackets.
const MaxListed = 64

// Packets is the most packets that a FormPackets lists.
func (d *Measure) Packets() int { return int(d.Value.At(0)) }

// Listed is a packet in a FormPackets, in one number. A packet is at most 65,535
// octets long there, and at most 2^39-1 microseconds, some six days, after the one
// before.
type Listed uint64

const (
	listedGapBits  = 39
	listedFlags    = listedGapBits
	listedOctets   = listedFlags + 8
	listedBackward = listedOctets + 16
	maxListedGap   = 1<<listedGapBits - 1
)

// NewListed returns a packet with so many octets and these TCP flags, gap
// nanoseconds after the one before, backward if it goes to the flow's source.
func NewListed(octets uint64, flags uint8, gap int64, backward bool) Listed {
	l := Listed(min(uint64(max(gap, 0))/1000, maxListedGap)) | Listed(flags)<<listedFlags |
		Listed(min(octets, math.MaxUint16))<<listedOctets
	if backward {
		l |= 1 << listedBackward
	}
	return l
}

// Octets, Flags, Gap (in microseconds) and Backward are what NewListed was given.
func (l Listed) Octets() uint16 { return uint16(l >> listedOctets) }
func (l Listed) Flags() uint8   { return uint8(l >> listedFlags) }
func (l Listed) Gap() uint64    { return uint64(l) & (1<<listedGapBits - 1) }
func (l Listed) Backward() bool { return l>>listedBackward != 0 }

// Parameter tells what stands behind the = where a statistic is saved; "" if nothing
// does.
func (a Attr) Parameter() string {
	switch {
	case a.Form() == FormPackets:
		return fmt.Sprintf("a number of packets, 1 to %d", MaxListed)
	case a.CountsPairs():
		return "a kind of packet pairs"
	}
	return ""
}

// statisticFault returns why there is no statistic with these parameters.
func (d *Measure) statisticFault() string {
	form := d.Attr.Form()
	switch p1, _, _ := d.Parameters(); {
	case form == FormPackets && (d.Packets() == 0 || d.Packets() > MaxListed):
		return fmt.Sprintf("it lists 1 to %d packets, not %d", MaxListed, d.Packets())
	case form != FormPackets && d.Packets() != 0 && d.Attr.CountsPairs():
		return "it takes a kind of packet pairs, such as dns, and no number of packets"
	case form != FormPackets && d.Packets() != 0:
		return "it takes no number of packets"
	case d.Attr.CountsPairs() && !PairKind(p1).Valid():
		return fmt.Sprintf("%d is no kind of packet pairs", p1)
	case !d.Attr.CountsPairs() && p1 != 0:
		return "it has no kind of packet pairs"
	}
	return ""
}

// SumOfSquares returns that of the numbers of a FormStats.
func SumOfSquares(stats []uint64) *big.Int {
	b := new(big.Int).SetUint64(stats[StatSquaresHigh])
	return b.Or(b.Lsh(b, 64), new(big.Int).SetUint64(stats[StatSquaresLow]))
}

// Mean returns the mean of the values of a FormStats, false if there were none.
func Mean(stats []uint64) (float64, bool) {
	if stats[StatCount] == 0 {
		return 0, false
	}
	return float64(stats[StatSum]) / float64(stats[StatCount]), true
}

// Deviation returns the standard deviation of the values of a FormStats, that of a
// sample (n-1); false if there were less than two.
func Deviation(stats []uint64) (float64, bool) {
	n := stats[StatCount]
	if n < 2 {
		return 0, false
	}
	// (n ssq - sum^2) / (n (n-1)), whole until the division.
	above, ok := spreadOf(n, stats[StatSum], stats[StatSquaresHigh], stats[StatSquaresLow])
	if !ok {
		count, sum := new(big.Int).SetUint64(n), new(big.Int).SetUint64(stats[StatSum])
		whole := new(big.Int).Mul(count, SumOfSquares(stats))
		above, _ = new(big.Float).SetInt(whole.Sub(whole, sum.Mul(sum, sum))).Float64()
	}
	return math.Sqrt(max(above, 0) / (float64(n) * float64(n-1))), true
}

// spreadOf returns n ssq - sum^2, where ssq is high and low; false if that takes more
// than 128 bits. Flows mostly have less.
func spreadOf(n, sum, high, low uint64) (float64, bool) {
	over, top := bits.Mul64(n, high)
	carry, bottom := bits.Mul64(n, low)
	top, more := bits.Add64(top, carry, 0)
	if over|more != 0 {
		return 0, false
	}
	sumTop, sumBottom := bits.Mul64(sum, sum)
	bottom, borrow := bits.Sub64(bottom, sumBottom, 0)
	top, borrow = bits.Sub64(top, sumTop, borrow)
	if borrow != 0 {
		return 0, true // no values have these sums
	}
	return float64(top)*(1<<64) + float64(bottom), true
}
