package block

import (
	"fmt"

	"rtfm/mib/smi"
	"rtfm/ruleset/attr"
)

// maxObject returns the most octets of so many numbers of 64 bits as one object.
func maxObject(numbers int) int { return 4 + 2*(2+attr.DistributionSize) + 4 + numbers*(2+9) }

// MeasureOctets returns the most octets that the numbers of measure a take in a block.
func MeasureOctets(a attr.Attr) int { return 2 + maxObject(a.MaxCounters()) }

// distribution returns a measure of the flow, a distribution or a statistic, as one structured object
// (RFC 2724 section 3.3), valid until the next call; empty if the flow has none
// of this attribute:
//
//	SEQUENCE { mask OCTET STRING, value OCTET STRING, counters SEQUENCE OF Counter64 }
func (f *View) distribution(a attr.Attr) []byte {
	for i := range f.Shape.Measures {
		if d := &f.Shape.Measures[i]; d.Attr == a && i < len(f.Counters) {
			f.counters = f.counters[:0]
			for _, c := range f.Counters[i] {
				f.counters = appendUnsigned(f.counters, smi.Counter64, c)
			}
			f.parameters = f.parameters[:0]
			for _, v := range [...]attr.Value{d.Mask, d.Value} {
				f.parameters = v.Append(smi.AppendBERHeader(f.parameters, byte(smi.OctetString), v.Len()))
			}
			n := len(f.parameters) + smi.BERHeaderSize(len(f.counters)) + len(f.counters)
			b := smi.AppendBERHeader(f.object[:0], smi.TagSequence, n)
			b = smi.AppendBERHeader(append(b, f.parameters...), smi.TagSequence, len(f.counters))
			f.object = append(b, f.counters...)
			return f.object
		}
	}
	return nil
}

// ReadDistribution reads measure a as one object (RFC 2724 section 3.3),
// and appends its counters to counters:
//
//	SEQUENCE { mask OCTET STRING, value OCTET STRING, counters SEQUENCE OF Counter64 }
func ReadDistribution(a attr.Attr, object []byte, counters []uint64) (attr.Measure, []uint64, error) {
	d := attr.Measure{Attr: a}
	fail := func(err error) (attr.Measure, []uint64, error) {
		return d, counters, fmt.Errorf("%v: %w", a, err)
	}
	outer := smi.NewDecoder(object)
	in, err := outer.Expect(smi.TagSequence)
	if err != nil {
		return fail(err)
	}
	for _, v := range []*attr.Value{&d.Mask, &d.Value} {
		octets, err := in.Octets()
		if err != nil {
			return fail(err)
		}
		if len(octets) != attr.DistributionSize {
			return fail(fmt.Errorf("%d octets of parameters, not %d", len(octets), attr.DistributionSize))
		}
		*v = attr.MakeValue(octets...)
	}
	if err := d.Check(); err != nil {
		return d, counters, err
	}
	list, err := in.Expect(smi.TagSequence)
	if err != nil {
		return fail(err)
	}
	from := len(counters)
	for list.Len() > 0 {
		c, err := list.Counter64()
		if err != nil {
			return fail(err)
		}
		counters = append(counters, c)
	}
	if err := d.CheckNumbers(counters[from:]); err != nil {
		return fail(err)
	}
	if in.Len() > 0 || outer.Len() > 0 {
		return fail(fmt.Errorf("%d octets too many", in.Len()+outer.Len()))
	}
	return d, counters, nil
}
