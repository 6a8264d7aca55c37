package attr

import (
	"fmt"
	"math"
	"math/bits"
)

// Measure is what the flows of a shape measure of their packets besides counting
// them: a distribution or a statistic. Its attribute says which, and it has the
// parameters from the mask and value of the rule that saves it (RFC 2724 section
// 3.2), six octets each. Those of a distribution are
//
//	mask   transform, scale, lower limit (2), upper limit (2)
//	value  buckets, parameter 1, parameter 2 (2), parameter 3 (2)
//
// and those of a statistic
//
//	mask   none
//	value  packets of a FormPackets; kind of packet pairs of a turnaround time (as parameter 1)
//
// A distribution has a counter for each bucket and one more, the overflow bucket,
// for values above the upper limit. They count; the scale applies to the limits.
// A statistic has the numbers that its Form tells.
type Measure struct {
	Attr        Attr
	Mask, Value Value
}

// IsMeasure reports whether a is what flows measure of their packets: rules save it
// with parameters, and do not test it.
func (a Attr) IsMeasure() bool { return a.info().Class.IsMeasure() }

// IsMeasure reports whether it is a class of what flows measure.
func (c Class) IsMeasure() bool { return c == ClassDistrib || c == ClassStatistic }

// Counters is how many numbers a flow has of it: of a distribution one for each
// bucket and the overflow, of a statistic those of its form.
func (d *Measure) Counters() int {
	if form := d.Attr.Form(); form != FormBuckets {
		return form.numbers(d)
	}
	return d.Buckets() + 1
}

// MaxCounters is the most numbers that a flow can have of a measure.
func (a Attr) MaxCounters() int {
	switch form := a.Form(); form {
	case FormBuckets:
		return math.MaxUint8 + 1
	case FormPackets:
		return 1 + MaxListed
	default:
		return form.numbers(&Measure{Attr: a})
	}
}

// CheckNumbers returns an error if a flow cannot have these numbers of it.
func (d *Measure) CheckNumbers(numbers []uint64) error {
	switch form := d.Attr.Form(); {
	case len(numbers) != d.Counters() && form == FormBuckets:
		return fmt.Errorf("%d counters for %d buckets and the overflow", len(numbers), d.Buckets())
	case len(numbers) != d.Counters():
		return fmt.Errorf("%d numbers, it has %d", len(numbers), d.Counters())
	case form == FormFlags && numbers[0] > math.MaxUint8:
		return fmt.Errorf("the flags %d have more than 8 bits", numbers[0])
	case form == FormPackets && numbers[0] > uint64(d.Packets()):
		return fmt.Errorf("a list of %d packets, where %d are the most", numbers[0], d.Packets())
	case form == FormDigest && numbers[2] > math.MaxUint32:
		return fmt.Errorf("more than %d octets", digestSize)
	}
	return nil
}

// Check returns an error if nothing can be measured with these parameters.
func (d *Measure) Check() error {
	fault := ""
	if d.Attr.Form() == FormBuckets {
		fault = d.distributionFault()
	} else {
		fault = d.statisticFault()
	}
	if fault != "" {
		return fmt.Errorf("%s: %s", d.Attr, fault)
	}
	return nil
}

// Since makes of now, the numbers that a flow has, those of an interval at whose
// beginning it had before: what counts is subtracted; what does not, such as a
// least value or the first packets, stays as it is now.
func (d *Measure) Since(now, before []uint64) {
	form := d.Attr.Form()
	borrow := uint64(0)
	for i := range min(len(now), len(before)) {
		switch form.kind(i) {
		case sums:
			now[i] -= before[i]
		case sumsLow:
			now[i], borrow = bits.Sub64(now[i], before[i], 0)
		case sumsHigh:
			now[i], _ = bits.Sub64(now[i], before[i], borrow)
		}
	}
}

// Add adds to sum the numbers of another flow, or of another interval: what counts
// is added, of least values the least is kept, and so on. The first packets are
// those of sum.
func (d *Measure) Add(sum, more []uint64) {
	form := d.Attr.Form()
	none := form.counted() && len(sum) > 0 && sum[0] == 0
	nothing := form.counted() && len(more) > 0 && more[0] == 0
	carry := uint64(0)
	for i := range min(len(sum), len(more)) {
		switch form.kind(i) {
		case sums:
			sum[i] += more[i]
		case sumsLow:
			sum[i], carry = bits.Add64(sum[i], more[i], 0)
		case sumsHigh:
			sum[i], _ = bits.Add64(sum[i], more[i], carry)
		case least:
			if none || !nothing && more[i] < sum[i] {
				sum[i] = more[i]
			}
		case most:
			sum[i] = max(sum[i], more[i])
		case ors:
			sum[i] |= more[i]
		}
	}
}
