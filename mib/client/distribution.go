package client

import (
	"fmt"
	"math"

	"rtfm/ruleset/attr"

	"rtfm/mib/smi"
)

// distributionOf reads distribution a as one object (RFC 2724 section 3.3),
// and appends its counters to counters:
//
//	SEQUENCE { mask OCTET STRING, value OCTET STRING, counters SEQUENCE OF Counter64 }
func distributionOf(a attr.Attr, object []byte, counters []uint64) (attr.Distribution, []uint64, error) {
	d := attr.Distribution{Attr: a}
	fail := func(err error) (attr.Distribution, []uint64, error) {
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
	n := 0
	for ; list.Len() > 0; n++ {
		c, err := list.Counter64()
		if err != nil {
			return fail(err)
		}
		counters = append(counters, c)
	}
	switch {
	case n != d.Counters():
		return fail(fmt.Errorf("%d counters for %d buckets and the overflow", n, d.Buckets()))
	case in.Len() > 0 || outer.Len() > 0:
		return fail(fmt.Errorf("%d octets too many", in.Len()+outer.Len()))
	}
	return d, counters, nil
}

// distributions sets the flow's distributions from the fields' values, and
// appends to key what tells flows with other ones apart.
func (b *flowBuilder) distributions(key []byte) ([]byte, error) {
	b.found, b.counters, b.flow.Counters = b.found[:0], b.counters[:0], b.flow.Counters[:0]
	for i := range b.fields {
		if b.fields[i].class != attr.ClassDistrib {
			continue
		}
		if len(b.value[i]) == 0 {
			key = append(key, 0)
			continue
		}
		from := len(b.counters)
		d, counters, err := distributionOf(b.fields[i].attr, b.value[i], b.counters)
		b.counters = counters
		if err != nil {
			return key, err
		}
		b.found = append(b.found, d)
		b.flow.Counters = append(b.flow.Counters, counters[from:])
		key = d.Value.Append(d.Mask.Append(append(key, 1)))
	}
	return key, nil
}

// maxObject is how long a distribution may be.
const maxObject = math.MaxUint16
