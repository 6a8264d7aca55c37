package mib

import (
	"rtfm/mib/smi"
	"rtfm/ruleset/attr"
)

// maxDistribution is the most octets of a distribution as one object: 256
// counters of 64 bits.
const maxDistribution = 4 + 2*(2+6) + 4 + 256*(2+9)

// distribution returns a distribution of the flow as one structured object
// (RFC 2724 section 3.3), valid until the next call; empty if the flow has none
// of this attribute:
//
//	SEQUENCE { mask OCTET STRING, value OCTET STRING, counters SEQUENCE OF Counter64 }
func (f *flowView) distribution(a attr.Attr) []byte {
	for i := range f.Shape.Distributions {
		if d := &f.Shape.Distributions[i]; d.Attr == a && i < len(f.Counters) {
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
