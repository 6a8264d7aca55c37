package attr

import "math"

// Quantiles are the percentages for which a Summary has quantiles.
var Quantiles = [...]int{50, 90, 99}

// Overflow is a quantile above the upper limit.
const Overflow = math.MaxUint64

// Summary sums up the counters of a distribution.
type Summary struct {
	// Count is the number of values.
	Count uint64
	// Mean is the mean of the values, as if each was the middle one of the whole
	// numbers in its bucket, and those above the upper limit at that limit.
	Mean float64
	// Quantiles holds, for each percentage in Quantiles, the limit of the bucket
	// in which it is reached: at least that percentage of the values is not above
	// it.
	Quantiles [len(Quantiles)]uint64
}

// Summarise sums up the counters of a distribution with these limits: a flow's
// counters, or what they grew by between two readings.
func Summarise(limits, counters []uint64) (s Summary) {
	for _, c := range counters {
		s.Count += c
	}
	if s.Count == 0 {
		return s
	}
	below, sum := uint64(0), 0.0
	for i, c := range counters {
		limit, middle := uint64(Overflow), float64(limits[len(limits)-1])
		if i < len(limits) {
			limit = limits[i]
			from := uint64(0)
			if i > 0 {
				from = limits[i-1] + 1
			}
			middle = (float64(from) + float64(limit)) / 2
		}
		sum += middle * float64(c)
		for q, percent := range Quantiles {
			// Reached once below + c values are percent or more of all.
			need := uint64(math.Ceil(float64(s.Count) * float64(percent) / 100))
			if below < need && below+c >= need {
				s.Quantiles[q] = limit
			}
		}
		below += c
	}
	s.Mean = sum / float64(s.Count)
	return s
}
