package client

import (
	"math"

	"rtfm/mib/block"
)

// distributions sets the flow's distributions from the fields' values, and
// appends to key what tells flows with other ones apart.
func (b *flowBuilder) distributions(key []byte) ([]byte, error) {
	b.found, b.counters, b.flow.Counters = b.found[:0], b.counters[:0], b.flow.Counters[:0]
	for i := range b.fields {
		if !b.fields[i].class.IsMeasure() {
			continue
		}
		if len(b.value[i]) == 0 {
			key = append(key, 0)
			continue
		}
		from := len(b.counters)
		d, counters, err := block.ReadDistribution(b.fields[i].attr, b.value[i], b.counters)
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
